"""
Tie handsets to their events, and events to lines of the ledger, as stock levels are tied to theirs.

Numbers of handsets carry a right check digit, transfers only move on.
"""

from django.db import migrations

CHAIN = """
    ALTER TABLE stores_handsetevent
        ADD CONSTRAINT handsetevent_is_possible CHECK (
            seq = 1 AND prev_seq IS NULL AND prev_state IS NULL AND prev_outlet_id IS NULL
                AND (kind, state) IN (
                    ('received', 'on_shelf'), ('transfer_in', 'on_shelf'), ('adjusted', 'on_shelf'),
                    ('handed_over', 'sold'), ('walk_in_sale', 'sold'),
                    ('damaged', 'written_off'), ('transfer_out', 'in_transit'))
            OR seq > 1 AND prev_seq IS NOT NULL AND prev_state IS NOT NULL AND prev_outlet_id IS NOT NULL
                AND prev_seq = seq - 1
                AND ((kind, state, prev_state) IN (
                        ('handed_over', 'sold', 'on_shelf'), ('walk_in_sale', 'sold', 'on_shelf'),
                        ('damaged', 'written_off', 'on_shelf'), ('transfer_out', 'in_transit', 'on_shelf'))
                        AND prev_outlet_id = outlet_id
                    OR (kind, state, prev_state) IN (
                        ('returned', 'on_shelf', 'sold'), ('transfer_in', 'on_shelf', 'in_transit'),
                        ('adjusted', 'on_shelf', 'written_off'), ('adjusted', 'on_shelf', 'in_transit')))
        ),
        ADD CONSTRAINT handsetevent_chain
            FOREIGN KEY (handset_id, prev_seq, prev_state, prev_outlet_id, phone_id)
            REFERENCES stores_handsetevent (handset_id, seq, state, outlet_id, phone_id),
        ADD CONSTRAINT handsetevent_is_part_of_a_movement
            FOREIGN KEY (outlet_id, phone_id, line_seq) REFERENCES stores_stockmovement (outlet_id, phone_id, seq);
    ALTER TABLE stores_handset ADD CONSTRAINT handset_is_explained_by_its_events
        FOREIGN KEY (id, seq, state, outlet_id, phone_id)
        REFERENCES stores_handsetevent (handset_id, seq, state, outlet_id, phone_id);
"""
UNCHAIN = """
    ALTER TABLE stores_handset DROP CONSTRAINT handset_is_explained_by_its_events;
    ALTER TABLE stores_handsetevent
        DROP CONSTRAINT handsetevent_is_part_of_a_movement, DROP CONSTRAINT handsetevent_chain,
        DROP CONSTRAINT handsetevent_is_possible;
"""

GUARD = """
    CREATE FUNCTION stores_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% of % refused: what happened is kept, and only moves on', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END $$;
    CREATE TRIGGER handsetevent_is_append_only BEFORE UPDATE OR DELETE ON stores_handsetevent FOR EACH ROW
        EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER handset_is_not_deleted BEFORE DELETE ON stores_handset FOR EACH ROW EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER handset_moves_forward BEFORE UPDATE ON stores_handset FOR EACH ROW
        WHEN (NEW.seq <> OLD.seq + 1 OR NEW.id <> OLD.id OR NEW.phone_id <> OLD.phone_id)
        EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER handsetnumber_stays BEFORE UPDATE OR DELETE ON stores_handsetnumber FOR EACH ROW
        EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER shortfall_stays_closed BEFORE UPDATE ON stores_shortfall FOR EACH ROW
        WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER shortfall_is_not_deleted BEFORE DELETE ON stores_shortfall FOR EACH ROW
        EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER transfer_is_not_deleted BEFORE DELETE ON stores_transfer FOR EACH ROW
        EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER transfer_moves_on BEFORE UPDATE ON stores_transfer FOR EACH ROW
        WHEN ((OLD.state, NEW.state) NOT IN (('requested', 'sent'), ('requested', 'cancelled'),
                                             ('sent', 'received'), ('sent', 'cancelled'))
              OR (OLD.sender_id, OLD.receiver_id) <> (NEW.sender_id, NEW.receiver_id))
        EXECUTE FUNCTION stores_refuse();
"""
NO_GUARD = """
    DROP TRIGGER handsetevent_is_append_only ON stores_handsetevent;
    DROP TRIGGER handset_is_not_deleted ON stores_handset;
    DROP TRIGGER handset_moves_forward ON stores_handset;
    DROP TRIGGER handsetnumber_stays ON stores_handsetnumber;
    DROP TRIGGER shortfall_is_not_deleted ON stores_shortfall;
    DROP TRIGGER shortfall_stays_closed ON stores_shortfall;
    DROP TRIGGER transfer_is_not_deleted ON stores_transfer;
    DROP TRIGGER transfer_moves_on ON stores_transfer;
    DROP FUNCTION stores_refuse();
"""

# Luhn: every second digit from the right counts double, and of a two-digit result both digits.
NUMBERS = """
    CREATE FUNCTION stores_luhn_is_right(number text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT sum(CASE WHEN (length(number) - place) % 2 = 0 THEN digit ELSE digit * 2 / 10 + digit * 2 % 10 END)
               % 10 = 0
        FROM (
            SELECT place, substr(number, place, 1)::int AS digit FROM generate_series(1, length(number)) AS place
        ) AS digits
    );
    ALTER TABLE stores_handsetnumber ADD CONSTRAINT handsetnumber_is_imei_or_meid CHECK (
        CASE WHEN number ~ '^[0-9]{15}$' THEN stores_luhn_is_right(number) ELSE number ~ '^[A-F][0-9A-F]{13}$' END
    );
"""
NO_NUMBERS = """
    ALTER TABLE stores_handsetnumber DROP CONSTRAINT handsetnumber_is_imei_or_meid;
    DROP FUNCTION stores_luhn_is_right(text);
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0006_handsets_transfers_and_shortfalls")]
    operations = [
        migrations.RunSQL(CHAIN, UNCHAIN),
        migrations.RunSQL(GUARD, NO_GUARD),
        migrations.RunSQL(NUMBERS, NO_NUMBERS),
    ]
