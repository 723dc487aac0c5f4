"""
What the database holds of orders beyond single rows.

Three chains of foreign keys do it, so no trigger needs to look at another table. An order's state is that of the newest
line of its history, each line follows the one before it, and only the steps listed here are possible. An order's total
is the running sum of its last line. An order that was collected is paid by its payment. What foreign keys leave open
(going back to an older line, changing what is fixed) guards refuse that look at OLD and NEW alone.

The heads' keys may be deferred, for databases that cannot write all tables in one statement.
"""

from django.db import migrations

NUMBERS = """
    ALTER TABLE orders_order ADD CONSTRAINT order_number_is_of_its_outlet
        CHECK (number ~ '^[0-9]{12}$' AND left(number, 11)::bigint % 1999993 = outlet_id);
"""
NO_NUMBERS = "ALTER TABLE orders_order DROP CONSTRAINT order_number_is_of_its_outlet"

HISTORY = """
    ALTER TABLE orders_orderchange
        ADD CONSTRAINT orderchange_follows_the_one_before CHECK (
            seq = 1 AND prev_seq IS NULL AND prev_state IS NULL AND kind = 'placed' AND state = 'placed'
            OR seq > 1 AND prev_seq IS NOT NULL AND prev_state IS NOT NULL AND prev_seq = seq - 1
        ),
        ADD CONSTRAINT orderchange_is_possible CHECK (seq = 1 OR (kind, prev_state, state) IN (
            ('ready', 'placed', 'ready'),
            ('collected', 'ready', 'collected'),
            ('cancelled', 'placed', 'cancelled'), ('cancelled', 'ready', 'cancelled'),
            ('declined', 'placed', 'declined'), ('declined', 'ready', 'declined'),
            ('expired', 'placed', 'expired'), ('expired', 'ready', 'expired'),
            ('moved', 'placed', 'cancelled'), ('moved', 'declined', 'declined'),
            ('extended', 'placed', 'placed'), ('extended', 'ready', 'ready'),
            ('escalated', 'placed', 'placed')
        )),
        ADD CONSTRAINT orderchange_of_an_order
            FOREIGN KEY (outlet_id, number) REFERENCES orders_order (outlet_id, number),
        ADD CONSTRAINT orderchange_chain FOREIGN KEY (outlet_id, number, prev_seq, prev_state)
            REFERENCES orders_orderchange (outlet_id, number, seq, state);
    ALTER TABLE orders_order ADD CONSTRAINT order_is_explained_by_its_history
        FOREIGN KEY (outlet_id, number, change_seq, state)
        REFERENCES orders_orderchange (outlet_id, number, seq, state) DEFERRABLE;
"""
NO_HISTORY = """
    ALTER TABLE orders_order DROP CONSTRAINT order_is_explained_by_its_history;
    ALTER TABLE orders_orderchange
        DROP CONSTRAINT orderchange_chain, DROP CONSTRAINT orderchange_of_an_order,
        DROP CONSTRAINT orderchange_is_possible, DROP CONSTRAINT orderchange_follows_the_one_before;
"""

TOTALS = """
    ALTER TABLE orders_orderline
        ADD CONSTRAINT orderline_adds_to_the_one_before CHECK (
            position = 1 AND prev_position IS NULL AND prev_running_fen IS NULL AND running_fen = quantity * price_fen
            OR position > 1 AND prev_position IS NOT NULL AND prev_running_fen IS NOT NULL
                AND prev_position = position - 1 AND running_fen = prev_running_fen + quantity * price_fen
        ),
        ADD CONSTRAINT orderline_of_an_order FOREIGN KEY (outlet_id, number, line_count)
            REFERENCES orders_order (outlet_id, number, line_count),
        ADD CONSTRAINT orderline_chain FOREIGN KEY (outlet_id, number, prev_position, prev_running_fen)
            REFERENCES orders_orderline (outlet_id, number, position, running_fen);
    ALTER TABLE orders_order ADD CONSTRAINT order_total_is_that_of_its_lines
        FOREIGN KEY (outlet_id, number, line_count, total_fen)
        REFERENCES orders_orderline (outlet_id, number, position, running_fen) DEFERRABLE;
    ALTER TABLE orders_payment ADD CONSTRAINT payment_of_an_order
        FOREIGN KEY (outlet_id, number) REFERENCES orders_order (outlet_id, number);
    ALTER TABLE orders_order ADD CONSTRAINT order_is_paid_by_its_payment
        FOREIGN KEY (outlet_id, number, paid_fen)
        REFERENCES orders_payment (outlet_id, number, amount_fen) DEFERRABLE;
    ALTER TABLE orders_message ADD CONSTRAINT message_of_an_order
        FOREIGN KEY (outlet_id, number) REFERENCES orders_order (outlet_id, number);
"""
NO_TOTALS = """
    ALTER TABLE orders_message DROP CONSTRAINT message_of_an_order;
    ALTER TABLE orders_order DROP CONSTRAINT order_is_paid_by_its_payment,
        DROP CONSTRAINT order_total_is_that_of_its_lines;
    ALTER TABLE orders_payment DROP CONSTRAINT payment_of_an_order;
    ALTER TABLE orders_orderline DROP CONSTRAINT orderline_chain, DROP CONSTRAINT orderline_of_an_order,
        DROP CONSTRAINT orderline_adds_to_the_one_before;
"""

NEVER_CHANGED = """
    CREATE FUNCTION orders_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'orders move forward, line by line: % of % refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END $$;
    CREATE TRIGGER orderchange_is_append_only BEFORE UPDATE OR DELETE ON orders_orderchange
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER orderchange_is_not_truncated BEFORE TRUNCATE ON orders_orderchange
        FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER orderline_is_fixed BEFORE UPDATE OR DELETE ON orders_orderline
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER orderline_is_not_truncated BEFORE TRUNCATE ON orders_orderline
        FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER payment_is_fixed BEFORE UPDATE OR DELETE ON orders_payment
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER payment_is_not_truncated BEFORE TRUNCATE ON orders_payment
        FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER message_is_kept BEFORE DELETE ON orders_message
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER message_is_sent_once BEFORE UPDATE ON orders_message FOR EACH ROW
        WHEN (OLD.state = 'sent' OR
              (OLD.outlet_id, OLD.number, OLD.change_seq, OLD.kind, OLD.created_at)
              IS DISTINCT FROM (NEW.outlet_id, NEW.number, NEW.change_seq, NEW.kind, NEW.created_at))
        EXECUTE FUNCTION orders_refuse();
"""
CHANGEABLE = """
    DROP TRIGGER message_is_sent_once ON orders_message;
    DROP TRIGGER message_is_kept ON orders_message;
    DROP TRIGGER payment_is_not_truncated ON orders_payment;
    DROP TRIGGER payment_is_fixed ON orders_payment;
    DROP TRIGGER orderline_is_not_truncated ON orders_orderline;
    DROP TRIGGER orderline_is_fixed ON orders_orderline;
    DROP TRIGGER orderchange_is_not_truncated ON orders_orderchange;
    DROP TRIGGER orderchange_is_append_only ON orders_orderchange;
    DROP FUNCTION orders_refuse();
"""

GUARDS = """
    CREATE TRIGGER order_begins_placed BEFORE INSERT ON orders_order FOR EACH ROW
        WHEN (NEW.change_seq <> 1) EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER order_is_kept BEFORE DELETE ON orders_order
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER order_is_not_truncated BEFORE TRUNCATE ON orders_order
        FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER order_was_placed_as_it_was BEFORE UPDATE ON orders_order FOR EACH ROW
        WHEN ((OLD.outlet_id, OLD.number, OLD.form_key, OLD.channel, OLD.language, OLD.pickup_fingerprint,
               OLD.line_count, OLD.total_fen, OLD.placed_at, OLD.moved_from)
              IS DISTINCT FROM
              (NEW.outlet_id, NEW.number, NEW.form_key, NEW.channel, NEW.language, NEW.pickup_fingerprint,
               NEW.line_count, NEW.total_fen, NEW.placed_at, NEW.moved_from))
        EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER order_changes_with_its_history BEFORE UPDATE ON orders_order FOR EACH ROW
        WHEN (NEW.change_seq NOT IN (OLD.change_seq, OLD.change_seq + 1)
              OR NEW.change_seq = OLD.change_seq AND
                 (OLD.state, OLD.held_until, OLD.ready_at, OLD.extended_at, OLD.escalated_at, OLD.ended_at,
                  OLD.moved_to, OLD.paid_fen, OLD.prepaid_fen)
                 IS DISTINCT FROM
                 (NEW.state, NEW.held_until, NEW.ready_at, NEW.extended_at, NEW.escalated_at, NEW.ended_at,
                  NEW.moved_to, NEW.paid_fen, NEW.prepaid_fen))
        EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER order_happens_once BEFORE UPDATE ON orders_order FOR EACH ROW
        WHEN (OLD.extended_at IS NOT NULL AND NEW.extended_at IS DISTINCT FROM OLD.extended_at
              OR OLD.escalated_at IS NOT NULL AND NEW.escalated_at IS DISTINCT FROM OLD.escalated_at
              OR OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at
              OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at
              OR OLD.moved_to <> '' AND NEW.moved_to <> OLD.moved_to
              OR (OLD.name, OLD.mobile) IS DISTINCT FROM (NEW.name, NEW.mobile)
                 AND NOT (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL))
        EXECUTE FUNCTION orders_refuse();
    -- Room on the page for the next version of a row.
    ALTER TABLE orders_order SET (fillfactor = 80);
"""
NO_GUARDS = """
    ALTER TABLE orders_order RESET (fillfactor);
    DROP TRIGGER order_happens_once ON orders_order;
    DROP TRIGGER order_changes_with_its_history ON orders_order;
    DROP TRIGGER order_was_placed_as_it_was ON orders_order;
    DROP TRIGGER order_is_not_truncated ON orders_order;
    DROP TRIGGER order_is_kept ON orders_order;
    DROP TRIGGER order_begins_placed ON orders_order;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_orders")]
    operations = [
        migrations.RunSQL(NUMBERS, NO_NUMBERS),
        migrations.RunSQL(HISTORY, NO_HISTORY),
        migrations.RunSQL(TOTALS, NO_TOTALS),
        migrations.RunSQL(NEVER_CHANGED, CHANGEABLE),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
