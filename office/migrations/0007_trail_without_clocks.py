"""When an outlet's row was last written is nobody's doing either."""

from django.db import migrations

WATCH = """
    DROP TRIGGER stores_outlet_leaves_a_trail ON stores_outlet;
    CREATE TRIGGER stores_outlet_leaves_a_trail AFTER INSERT OR UPDATE OR DELETE ON stores_outlet FOR EACH ROW
        EXECUTE FUNCTION office_note_change('code', '', 'position trades county_code call_first{more}');
"""


class Migration(migrations.Migration):
    dependencies = [("office", "0006_outlet_imports")]
    operations = [migrations.RunSQL(WATCH.format(more=" updated_at"), WATCH.format(more=""))]
