"""
Let it be seen without a function that times of count move on, where one moment counts all that was counted before.

Most counts are of a whole outlet. To go through its phones one by one was half of noting them.
"""

from django.db import migrations

MOVE_ON = """
    DROP TRIGGER lastcounts_move_on ON stores_lastcounts;
    CREATE TRIGGER lastcounts_move_on BEFORE UPDATE ON stores_lastcounts FOR EACH ROW {when}
        EXECUTE FUNCTION stores_counts_move_on();
"""
NOT_ALL_AT_ONCE = """WHEN ((
            (NEW.phones = OLD.phones OR NEW.phones @> OLD.phones)
            AND NEW.counted_at[1] = ALL (NEW.counted_at) AND NEW.counted_at[1] >= ALL (OLD.counted_at)
        ) IS NOT TRUE)"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0034_lines_stand_where_levels_may")]
    operations = [migrations.RunSQL(MOVE_ON.format(when=NOT_ALL_AT_ONCE), MOVE_ON.format(when=""))]
