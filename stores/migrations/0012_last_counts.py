"""
Keep when the shelves were last counted in one row an outlet, so that a count of what is known to be there is cheap.

Most shelves of a count are found as they were. Each of them had its row written anew to note the time; now a whole
outlet's times are one row, and the stock levels are left alone. The times only move on, as they did.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

TIMES = """
    INSERT INTO stores_lastcounts (outlet_id, phones, counted_at)
    SELECT outlet_id, array_agg(phone_id ORDER BY phone_id), array_agg(counted_at ORDER BY phone_id)
    FROM stores_stocklevel WHERE counted_at IS NOT NULL GROUP BY outlet_id;
    SET CONSTRAINTS ALL IMMEDIATE;
"""
NO_TIMES = """
    UPDATE stores_stocklevel l SET counted_at = c.counted_at[array_position(c.phones, l.phone_id)]
    FROM stores_lastcounts c WHERE c.outlet_id = l.outlet_id;
"""

GUARD = """
    ALTER TABLE stores_lastcounts ADD CONSTRAINT lastcounts_a_time_for_each_phone
        CHECK (cardinality(phones) = cardinality(counted_at) AND array_position(counted_at, NULL) IS NULL);
    -- The next version of a row finds room on its page, and leaves the index alone.
    ALTER TABLE stores_lastcounts SET (fillfactor = 50);
    CREATE FUNCTION stores_counts_move_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        FOR i IN 1..cardinality(OLD.phones) LOOP
            IF (NEW.counted_at[array_position(NEW.phones, OLD.phones[i])] >= OLD.counted_at[i]) IS NOT TRUE THEN
                RAISE EXCEPTION '%: % of % refused', TG_NAME, TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
            END IF;
        END LOOP;
        RETURN NEW;
    END $$;
    CREATE TRIGGER lastcounts_move_on BEFORE UPDATE ON stores_lastcounts FOR EACH ROW
        EXECUTE FUNCTION stores_counts_move_on();
    CREATE TRIGGER lastcounts_stay_with_their_outlet BEFORE UPDATE ON stores_lastcounts FOR EACH ROW
        WHEN (NEW.outlet_id <> OLD.outlet_id) EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER lastcounts_are_not_deleted BEFORE DELETE ON stores_lastcounts FOR EACH ROW
        EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER lastcounts_is_not_truncated BEFORE TRUNCATE ON stores_lastcounts
        FOR EACH STATEMENT EXECUTE FUNCTION stores_refuse();
"""
NO_GUARD = """
    DROP TRIGGER lastcounts_move_on ON stores_lastcounts;
    DROP TRIGGER lastcounts_stay_with_their_outlet ON stores_lastcounts;
    DROP TRIGGER lastcounts_are_not_deleted ON stores_lastcounts;
    DROP TRIGGER lastcounts_is_not_truncated ON stores_lastcounts;
    DROP FUNCTION stores_counts_move_on();
    ALTER TABLE stores_lastcounts RESET (fillfactor);
    ALTER TABLE stores_lastcounts DROP CONSTRAINT lastcounts_a_time_for_each_phone;
"""

LEVEL_GUARD = """
    DROP TRIGGER stocklevel_moves_forward ON stores_stocklevel;
    CREATE TRIGGER stocklevel_moves_forward BEFORE UPDATE ON stores_stocklevel FOR EACH ROW
        WHEN (CASE NEW.seq - OLD.seq
                  WHEN 0 THEN NEW.moved_at <> OLD.moved_at WHEN 1 THEN NEW.moved_at < OLD.moved_at ELSE true END)
        EXECUTE FUNCTION stores_refuse();
"""
OLD_LEVEL_GUARD = """
    DROP TRIGGER stocklevel_moves_forward ON stores_stocklevel;
    CREATE TRIGGER stocklevel_moves_forward BEFORE UPDATE ON stores_stocklevel FOR EACH ROW
        WHEN (NEW.seq NOT IN (OLD.seq, OLD.seq + 1) OR NEW.seq = OLD.seq AND NEW.moved_at <> OLD.moved_at
              OR NEW.moved_at < OLD.moved_at
              OR OLD.counted_at IS NOT NULL AND (NEW.counted_at IS NULL OR NEW.counted_at < OLD.counted_at))
        EXECUTE FUNCTION stores_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0011_people_and_assignments")]
    operations = [
        migrations.CreateModel(
            name="LastCounts",
            fields=[
                (
                    "outlet",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="last_counts",
                        serialize=False,
                        to="stores.outlet",
                    ),
                ),
                (
                    "phones",
                    django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), size=None),
                ),
                (
                    "counted_at",
                    django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), size=None),
                ),
            ],
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
        migrations.RunSQL(TIMES, NO_TIMES),
        migrations.RunSQL(LEVEL_GUARD, OLD_LEVEL_GUARD),
        migrations.RemoveField("stocklevel", "counted_at"),
    ]
