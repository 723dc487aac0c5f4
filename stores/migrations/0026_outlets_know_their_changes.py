"""
Keep when an outlet changed last, for programs that keep a copy.

The trigger looks at what programs are told, so that marks of our own, as that nobody is heard of, are no change.
"""

from django.db import migrations, models
from django.db.models.functions import Now

TOLD = (
    "code", "name_zh", "name_en", "town_id", "address_zh", "address_en", "telephone", "latitude", "longitude",
    "coordinate_source", "coordinate_accuracy_km", "state", "timetable_id",
)  # fmt: skip
NOTE = f"""
    CREATE FUNCTION stores_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.updated_at := clock_timestamp();
        RETURN NEW;
    END $$;
    CREATE TRIGGER outlet_notes_its_update BEFORE UPDATE ON stores_outlet FOR EACH ROW
        WHEN (({", ".join(f"OLD.{column}" for column in TOLD)})
              IS DISTINCT FROM ({", ".join(f"NEW.{column}" for column in TOLD)})
              OR NEW.updated_at <> OLD.updated_at)
        EXECUTE FUNCTION stores_note_update();
"""
NOTE_NOT = """
    DROP TRIGGER outlet_notes_its_update ON stores_outlet;
    DROP FUNCTION stores_note_update();
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0025_write_lines_and_tell")]
    operations = [
        migrations.AddField(
            model_name="outlet",
            name="updated_at",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
        migrations.AddIndex(
            model_name="outlet",
            index=models.Index("updated_at", "code", name="outlet_by_update"),
        ),
        migrations.RunSQL(NOTE, NOTE_NOT),
    ]
