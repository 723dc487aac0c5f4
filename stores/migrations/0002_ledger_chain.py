"""
Tie every stock level to the ledger line that explains it, and every line to the one before it.

Foreign keys do it, so no trigger needs to look at another table: a level cannot change without a line that says so,
and no line can be changed or removed without breaking the chain. What foreign keys leave open (taking away the newest
line together with its level, and TRUNCATE) a trigger that looks at nothing refuses.
"""

from django.db import migrations

CHAIN = """
    ALTER TABLE stores_stockmovement
        ADD CONSTRAINT stockmovement_follows_the_one_before CHECK (
            seq = 1 AND prev_seq IS NULL AND prev_on_hand IS NULL AND prev_reserved IS NULL
                AND on_hand = change_on_hand AND reserved = change_reserved
            OR seq > 1 AND prev_seq IS NOT NULL AND prev_on_hand IS NOT NULL AND prev_reserved IS NOT NULL
                AND prev_seq = seq - 1
                AND on_hand = prev_on_hand + change_on_hand AND reserved = prev_reserved + change_reserved
        ),
        ADD CONSTRAINT stockmovement_chain
            FOREIGN KEY (outlet_id, phone_id, prev_seq, prev_on_hand, prev_reserved)
            REFERENCES stores_stockmovement (outlet_id, phone_id, seq, on_hand, reserved);
    ALTER TABLE stores_stocklevel
        ADD CONSTRAINT stocklevel_is_explained_by_the_ledger
            FOREIGN KEY (outlet_id, phone_id, seq, on_hand, reserved)
            REFERENCES stores_stockmovement (outlet_id, phone_id, seq, on_hand, reserved);
"""

UNCHAIN = """
    ALTER TABLE stores_stocklevel DROP CONSTRAINT stocklevel_is_explained_by_the_ledger;
    ALTER TABLE stores_stockmovement
        DROP CONSTRAINT stockmovement_chain, DROP CONSTRAINT stockmovement_follows_the_one_before;
"""

APPEND_ONLY = """
    CREATE FUNCTION stores_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the stock ledger is append-only: % of % refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER stockmovement_is_append_only BEFORE UPDATE OR DELETE ON stores_stockmovement
        FOR EACH ROW EXECUTE FUNCTION stores_ledger_is_append_only();
    CREATE TRIGGER stockmovement_is_not_truncated BEFORE TRUNCATE ON stores_stockmovement
        FOR EACH STATEMENT EXECUTE FUNCTION stores_ledger_is_append_only();
"""

CHANGEABLE = """
    DROP TRIGGER stockmovement_is_append_only ON stores_stockmovement;
    DROP TRIGGER stockmovement_is_not_truncated ON stores_stockmovement;
    DROP FUNCTION stores_ledger_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0001_regions_outlets_and_stock")]
    operations = [migrations.RunSQL(CHAIN, UNCHAIN), migrations.RunSQL(APPEND_ONLY, CHANGEABLE)]
