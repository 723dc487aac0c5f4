"""
What the database holds of stock beyond the ledger chain.

The copy of the outlet's facts in a stock level follows the outlet by a cascading foreign key. The columns outside the
chain have a guard that looks at OLD and NEW alone. A change of such a column is rare and touches the totals of the
county, so a trigger notes it there; changes by the ledger are noted by the statement that writes the line.
"""

from django.db import migrations

FACTS = """
    ALTER TABLE stores_outlet ADD CONSTRAINT outlet_facts UNIQUE (id, trades, county_code, position);
    ALTER TABLE stores_stocklevel ADD CONSTRAINT stocklevel_knows_its_outlet
        FOREIGN KEY (outlet_id, outlet_trades, county_code, position)
        REFERENCES stores_outlet (id, trades, county_code, position) ON UPDATE CASCADE;
    -- Room on the page for the next version of a row, so that most updates touch no index.
    ALTER TABLE stores_stocklevel SET (fillfactor = 70);
"""
NO_FACTS = """
    ALTER TABLE stores_stocklevel RESET (fillfactor);
    ALTER TABLE stores_stocklevel DROP CONSTRAINT stocklevel_knows_its_outlet;
    ALTER TABLE stores_outlet DROP CONSTRAINT outlet_facts;
"""

GUARD = """
    CREATE FUNCTION stores_stocklevel_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a stock level moves forward, line by line: % refused', TG_OP
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'stocklevel_moves_forward';
    END $$;
    CREATE TRIGGER stocklevel_moves_forward BEFORE UPDATE ON stores_stocklevel FOR EACH ROW
        WHEN (NEW.seq NOT IN (OLD.seq, OLD.seq + 1) OR NEW.seq = OLD.seq AND NEW.moved_at <> OLD.moved_at
              OR NEW.moved_at < OLD.moved_at
              OR OLD.counted_at IS NOT NULL AND (NEW.counted_at IS NULL OR NEW.counted_at < OLD.counted_at))
        EXECUTE FUNCTION stores_stocklevel_guard();
    CREATE TRIGGER stocklevel_is_not_deleted BEFORE DELETE ON stores_stocklevel FOR EACH ROW
        EXECUTE FUNCTION stores_stocklevel_guard();
"""
NO_GUARD = """
    DROP TRIGGER stocklevel_is_not_deleted ON stores_stocklevel;
    DROP TRIGGER stocklevel_moves_forward ON stores_stocklevel;
    DROP FUNCTION stores_stocklevel_guard();
"""

TOTALS = """
    CREATE FUNCTION stores_stocklevel_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
        SELECT county_code, phone_id, sign * is_available::int, sign * on_hand, sign * reserved,
               sign * greatest(on_hand - reserved - safety_stock, 0)
        FROM (SELECT -1 AS sign, OLD.* UNION ALL SELECT 1, NEW.*) AS side
        WHERE outlet_trades;
        RETURN NULL;
    END $$;
    CREATE TRIGGER stocklevel_change_is_noted AFTER UPDATE ON stores_stocklevel FOR EACH ROW
        WHEN (NEW.seq = OLD.seq
              AND (OLD.safety_stock, OLD.outlet_trades, OLD.county_code)
                  IS DISTINCT FROM (NEW.safety_stock, NEW.outlet_trades, NEW.county_code))
        EXECUTE FUNCTION stores_stocklevel_note_change();
"""
NO_TOTALS = """
    DROP TRIGGER stocklevel_change_is_noted ON stores_stocklevel;
    DROP FUNCTION stores_stocklevel_note_change();
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0003_stock_knows_its_outlet")]
    operations = [
        migrations.RunSQL(FACTS, NO_FACTS),
        migrations.RunSQL(GUARD, NO_GUARD),
        migrations.RunSQL(TOTALS, NO_TOTALS),
    ]
