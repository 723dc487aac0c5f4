"""
Hold the rows of orders, lines, history and messages by a trigger for each table in the place of its checks.

PostgreSQL reads each check of a table from its text for every statement: the thirty-five of these four tables were more
than a third of what it did to place an order. What a function asks it reads and plans once a connection. The trigger
asks the same of the row that is written, and refuses it under the same names (`check_violation`).

What numbers may be follows from the rest, but for those that are asked for here: positions and running sums from
`orderline_adds_to_the_one_before`, places in a history from `orderchange_follows_the_one_before` and the guards of the
order, what is paid from its payment.
"""

from importlib import import_module

from django.db import migrations, models

_chains = import_module("orders.migrations.0002_chains_and_guards")
_steps = import_module("orders.migrations.0010_steps_by_function")

HELD = """
    CREATE FUNCTION orders_{table}_is_right() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        _broken CONSTANT text := CASE {conditions} END;
    BEGIN
        IF _broken IS NOT NULL THEN
            RAISE EXCEPTION '%: % of % refused', _broken, TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'check_violation', CONSTRAINT = _broken;
        END IF;
        RETURN NEW;
    END $$;
    -- Among several it is asked last, by its name: the others say what a change does wrong.
    CREATE TRIGGER {table}_without_sense_is_refused BEFORE {events} ON orders_{table}
        FOR EACH ROW EXECUTE FUNCTION orders_{table}_is_right();
"""
NOT_HELD = """
    DROP TRIGGER {table}_without_sense_is_refused ON orders_{table};
    DROP FUNCTION orders_{table}_is_right();
"""

# As with checks: what is unknown passes.
ORDER = {
    "order_begins_placed": "TG_OP = 'UPDATE' OR NEW.change_seq = 1",
    "order_state_is_known": "NEW.state IN ('placed', 'ready', 'collected', 'cancelled', 'declined', 'expired')",
    "order_channel_is_known": "NEW.channel IN ('web', 'desk', 'hotline', 'sms', 'api')",
    "order_language_is_known": "NEW.language IN ('zh-hans', 'en')",
    "order_number_is_of_its_outlet": """
        NEW.number ~ '^[0-9]{12}$' AND left(NEW.number, 11)::bigint % 1999993 = NEW.outlet_id""",
    "order_is_for_something": "NEW.line_count >= 1 AND NEW.total_fen > 0 AND NEW.prepaid_fen >= 0",
    "order_is_paid_when_collected": """
        CASE NEW.state WHEN 'collected' THEN NEW.paid_fen IS NOT DISTINCT FROM NEW.total_fen - NEW.prepaid_fen
                       ELSE NEW.paid_fen IS NULL END""",
    "order_end_has_its_moment": "(NEW.state IN ('placed', 'ready')) = (NEW.ended_at IS NULL)",
    "order_knows_its_customer_until_erased": r"""
        CASE WHEN NEW.erased_at IS NULL THEN NEW.name > '' AND NEW.mobile ~ '^\+861[0-9]{10}$'
             ELSE NEW.name = '' AND NEW.mobile = '' AND NEW.ended_at IS NOT NULL END""",
}
LINE = {
    "orderline_adds_to_the_one_before": """
        CASE NEW.position WHEN 1 THEN num_nonnulls(NEW.prev_position, NEW.prev_running_fen) = 0
                                      AND NEW.running_fen = NEW.quantity * NEW.price_fen
            ELSE NEW.position > 1 AND num_nulls(NEW.prev_position, NEW.prev_running_fen) = 0
                 AND NEW.prev_position = NEW.position - 1
                 AND NEW.running_fen = NEW.prev_running_fen + NEW.quantity * NEW.price_fen END""",
    "orderline_is_one_of_its_order": "NEW.position <= NEW.line_count",
    "orderline_quantity_is_sensible": "NEW.quantity BETWEEN 1 AND 99",
    "orderline_price_is_positive": "NEW.price_fen > 0",
}
CHANGE = {
    "orderchange_follows_the_one_before": """
        CASE NEW.seq WHEN 1 THEN num_nonnulls(NEW.prev_seq, NEW.prev_state) = 0
                                 AND NEW.kind = 'placed' AND NEW.state = 'placed'
            ELSE NEW.seq > 1 AND num_nulls(NEW.prev_seq, NEW.prev_state) = 0 AND NEW.prev_seq = NEW.seq - 1 END""",
    "orderchange_is_possible": "NEW.seq = 1 OR orders_step_is_possible(NEW.kind, NEW.prev_state, NEW.state)",
    "orderchange_says_who": "NEW.actor > ''",
}
MESSAGE = {
    "message_kind_is_known": """
        NEW.kind IN ('placed', 'ready', 'reminder', 'expired', 'declined', 'cancelled', 'moved', 'escalated', 'receipt')
        """,
    "message_state_is_known": "NEW.state IN ('waiting', 'sent', 'given_up', 'outdated')",
    "message_sent_has_its_moment": "(NEW.state = 'sent') = (NEW.sent_at IS NOT NULL)",
    "message_counts_from_zero": "least(NEW.attempts, NEW.segments, NEW.change_seq) >= 0",
}


def held(table: str, events: str, conditions: dict[str, str]) -> migrations.RunSQL:
    asked = " ".join(f"WHEN NOT ({condition}) THEN '{name}'" for name, condition in conditions.items())
    return migrations.RunSQL(
        HELD.replace("{conditions}", asked).replace("{table}", table).replace("{events}", events),
        NOT_HELD.replace("{table}", table),
    )


BEGINS_PLACED = "CREATE" + _chains.GUARDS.split("CREATE")[1]
NO_CHECKS = """
    ALTER TABLE orders_order DROP CONSTRAINT order_number_is_of_its_outlet;
    ALTER TABLE orders_orderchange
        DROP CONSTRAINT orderchange_follows_the_one_before, DROP CONSTRAINT orderchange_is_possible;
    ALTER TABLE orders_orderline DROP CONSTRAINT orderline_adds_to_the_one_before;
"""
CHECKS = f"""
    {_chains.NUMBERS}
    {_chains.HISTORY.partition("ADD CONSTRAINT orderchange_is_possible")[0].rstrip().rstrip(",")},
        {_steps.POSSIBLE[_steps.POSSIBLE.index("ADD CONSTRAINT") :]}
    {_chains.TOTALS.partition("ADD CONSTRAINT orderline_of_an_order")[0].rstrip().rstrip(",")};
"""
REMOVED = {
    "order": [
        "order_state_is_known", "order_channel_is_known", "order_language_is_known", "order_is_for_something",
        "order_end_has_its_moment", "order_knows_its_customer_until_erased", "order_is_paid_when_collected",
    ],
    "orderline": ["orderline_is_one_of_its_order", "orderline_quantity_is_sensible", "orderline_price_is_positive"],
    "orderchange": ["orderchange_says_who"],
    "message": ["message_sent_has_its_moment", "message_state_is_known", "message_kind_is_known"],
}  # fmt: skip
# Django checks the sign of each that says it is positive.
SMALL = {
    "order": ["change_seq", "line_count"],
    "orderline": ["line_count", "position", "quantity"],
    "orderchange": ["seq"],
    "message": ["change_seq"],
}


class Migration(migrations.Migration):
    dependencies = [("orders", "0018_orders_are_planned_once")]
    operations = [
        migrations.RunSQL("DROP TRIGGER order_begins_placed ON orders_order", BEGINS_PLACED),
        migrations.RunSQL(NO_CHECKS, CHECKS),
        *(migrations.RemoveConstraint(model, name) for model, names in REMOVED.items() for name in names),
        *(
            migrations.AlterField(model, field, models.SmallIntegerField())
            for model, fields in SMALL.items()
            for field in fields
        ),
        migrations.AlterField("order", "total_fen", models.IntegerField()),
        migrations.AlterField("order", "prepaid_fen", models.IntegerField(default=0)),
        migrations.AlterField("order", "paid_fen", models.IntegerField(null=True)),
        migrations.AlterField("orderline", "price_fen", models.IntegerField()),
        migrations.AlterField("orderline", "running_fen", models.IntegerField()),
        migrations.AlterField("orderline", "prev_position", models.SmallIntegerField(null=True)),
        migrations.AlterField("orderline", "prev_running_fen", models.IntegerField(null=True)),
        migrations.AlterField("orderchange", "prev_seq", models.SmallIntegerField(null=True)),
        migrations.AlterField("message", "attempts", models.SmallIntegerField(default=0)),
        migrations.AlterField("message", "segments", models.SmallIntegerField(null=True)),
        held("order", "INSERT OR UPDATE", ORDER),
        held("orderline", "INSERT", LINE),
        held("orderchange", "INSERT", CHANGE),
        held("message", "INSERT OR UPDATE", MESSAGE),
    ]
