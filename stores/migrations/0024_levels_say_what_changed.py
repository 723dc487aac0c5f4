"""
Let a level say what its newest line changed, so that one foreign key proves what two did.

A level moves by one line at a time, by what that line says, and only onto a line that says the same: each line was
held to its level when it was written, and is never changed. So the line before need not be looked up, which was a
third of the time of a large count; what stood there before is the difference of what a line says anyway.

Bulk counts leave the operation key out: that their times only move on makes them harmless to repeat.
"""

from django.db import migrations, models
from django.db.models import Q

UNCHAIN = """
    ALTER TABLE stores_stocklevel DROP CONSTRAINT stocklevel_is_explained_by_the_ledger;
    ALTER TABLE stores_stockmovement
        DROP CONSTRAINT stockmovement_chain, DROP CONSTRAINT stockmovement_follows_the_one_before;
"""
CHAIN = """
    ALTER TABLE stores_stockmovement
        ADD CONSTRAINT stockmovement_chain
            FOREIGN KEY (outlet_id, phone_id, prev_seq, prev_on_hand, prev_reserved)
            REFERENCES stores_stockmovement (outlet_id, phone_id, seq, on_hand, reserved),
        ADD CONSTRAINT stockmovement_follows_the_one_before CHECK (
            seq = coalesce(prev_seq, 0) + 1
            AND on_hand = coalesce(prev_on_hand, 0) + change_on_hand
            AND reserved = coalesce(prev_reserved, 0) + change_reserved
            AND num_nulls(prev_seq, prev_on_hand, prev_reserved) = CASE seq WHEN 1 THEN 3 ELSE 0 END
        );
    ALTER TABLE stores_stocklevel
        ADD CONSTRAINT stocklevel_is_explained_by_the_ledger
            FOREIGN KEY (outlet_id, phone_id, seq, on_hand, reserved)
            REFERENCES stores_stockmovement (outlet_id, phone_id, seq, on_hand, reserved);
"""

CHANGES = """
    UPDATE stores_stocklevel l SET change_on_hand = m.change_on_hand, change_reserved = m.change_reserved
    FROM stores_stockmovement m WHERE (m.outlet_id, m.phone_id, m.seq) = (l.outlet_id, l.phone_id, l.seq);
"""

FORGET_BEFORE = """
    ALTER TABLE stores_stockmovement DROP COLUMN prev_seq, DROP COLUMN prev_on_hand, DROP COLUMN prev_reserved;
"""
# Lines cannot be updated, but a column can be born with what it says.
REMEMBER_BEFORE = """
    ALTER TABLE stores_stockmovement
        ADD COLUMN prev_seq bigint GENERATED ALWAYS AS (nullif(seq, 1) - 1) STORED,
        ADD COLUMN prev_on_hand int GENERATED ALWAYS AS (CASE WHEN seq > 1 THEN on_hand - change_on_hand END) STORED,
        ADD COLUMN prev_reserved int GENERATED ALWAYS AS (CASE WHEN seq > 1 THEN reserved - change_reserved END) STORED;
    ALTER TABLE stores_stockmovement
        ALTER prev_seq DROP EXPRESSION, ALTER prev_on_hand DROP EXPRESSION, ALTER prev_reserved DROP EXPRESSION;
"""

EXPLAINED = """
    ALTER TABLE stores_stocklevel
        ADD CONSTRAINT stocklevel_is_explained_by_the_ledger
            FOREIGN KEY (outlet_id, phone_id, seq, on_hand, reserved, change_on_hand, change_reserved)
            REFERENCES stores_stockmovement
                (outlet_id, phone_id, seq, on_hand, reserved, change_on_hand, change_reserved);
"""
UNEXPLAINED = "ALTER TABLE stores_stocklevel DROP CONSTRAINT stocklevel_is_explained_by_the_ledger"

# After the row was written: a trigger before it would have every row locked once more.
GUARD = """
    DROP TRIGGER stocklevel_moves_forward ON stores_stocklevel;
    CREATE TRIGGER stocklevel_moves_forward AFTER UPDATE ON stores_stocklevel FOR EACH ROW
        WHEN (NEW.phone_id <> OLD.phone_id OR NEW.outlet_id <> OLD.outlet_id OR CASE NEW.seq - OLD.seq
                  WHEN 1 THEN NEW.on_hand <> OLD.on_hand + NEW.change_on_hand
                              OR NEW.reserved <> OLD.reserved + NEW.change_reserved OR NEW.moved_at < OLD.moved_at
                  WHEN 0 THEN NEW.moved_at <> OLD.moved_at
                  ELSE true END)
        EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER stocklevel_begins_at_zero AFTER INSERT ON stores_stocklevel FOR EACH ROW
        WHEN (NEW.seq <> 1 OR NEW.on_hand <> NEW.change_on_hand OR NEW.reserved <> NEW.change_reserved)
        EXECUTE FUNCTION stores_refuse();
"""
OLD_GUARD = """
    DROP TRIGGER stocklevel_begins_at_zero ON stores_stocklevel;
    DROP TRIGGER stocklevel_moves_forward ON stores_stocklevel;
    CREATE TRIGGER stocklevel_moves_forward BEFORE UPDATE ON stores_stocklevel FOR EACH ROW
        WHEN (CASE NEW.seq - OLD.seq
                  WHEN 0 THEN NEW.moved_at <> OLD.moved_at WHEN 1 THEN NEW.moved_at < OLD.moved_at ELSE true END)
        EXECUTE FUNCTION stores_refuse();
"""

# A pattern is compiled anew for every line.
BY_SOMEBODY = """
    ALTER TABLE stores_stockmovement
        DROP CONSTRAINT stockmovement_was_done_by_somebody,
        ADD CONSTRAINT stockmovement_was_done_by_somebody CHECK (
            split_part(actor, ':', 1) = ANY ('{person,partner,customer,system}'::text[])
            AND strpos(actor, ':') BETWEEN 1 AND length(actor) - 1
        );
"""
BY_PATTERN = """
    ALTER TABLE stores_stockmovement
        DROP CONSTRAINT stockmovement_was_done_by_somebody,
        ADD CONSTRAINT stockmovement_was_done_by_somebody
            CHECK (actor ~ '^(person|partner|customer|system):.+$');
"""

HAS_A_KEY = """
    ALTER TABLE stores_stockmovement ADD CONSTRAINT stockmovement_has_a_key_or_was_counted CHECK (
        num_nulls(operation_key, operation_line) = 0 OR kind = ANY ('{counted,opening}'::text[])
    );
"""

ONCE = ["outlet", "operation_key", "operation_line"]
LINK = ["outlet", "phone", "seq", "on_hand", "reserved"]


class Migration(migrations.Migration):
    dependencies = [("stores", "0023_forms_of_the_desk_once")]

    operations = [
        migrations.AddField("stocklevel", "change_on_hand", models.IntegerField(default=0), preserve_default=False),
        migrations.AddField("stocklevel", "change_reserved", models.IntegerField(default=0), preserve_default=False),
        migrations.RunSQL(CHANGES, migrations.RunSQL.noop),
        migrations.RunSQL(UNCHAIN, CHAIN),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(FORGET_BEFORE, REMEMBER_BEFORE)],
            [
                migrations.RemoveField("stockmovement", "prev_seq"),
                migrations.RemoveField("stockmovement", "prev_on_hand"),
                migrations.RemoveField("stockmovement", "prev_reserved"),
            ],
        ),
        migrations.RemoveConstraint("stockmovement", "stockmovement_link"),
        migrations.AddConstraint(
            "stockmovement",
            models.UniqueConstraint(fields=[*LINK, "change_on_hand", "change_reserved"], name="stockmovement_link"),
        ),
        migrations.RunSQL(EXPLAINED, UNEXPLAINED),
        migrations.RunSQL(GUARD, OLD_GUARD),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(BY_SOMEBODY, BY_PATTERN)],
            [migrations.RemoveConstraint("stockmovement", "stockmovement_was_done_by_somebody")],
        ),
        migrations.RemoveConstraint("stockmovement", "stockmovement_operation_once"),
        migrations.AlterField("stockmovement", "operation_key", models.CharField(max_length=60, null=True)),
        migrations.AlterField("stockmovement", "operation_line", models.SmallIntegerField(null=True)),
        migrations.AddConstraint(
            "stockmovement",
            models.UniqueConstraint(
                fields=ONCE, name="stockmovement_operation_once", condition=Q(operation_key__isnull=False)
            ),
        ),
        migrations.RunSQL(
            HAS_A_KEY, "ALTER TABLE stores_stockmovement DROP CONSTRAINT stockmovement_has_a_key_or_was_counted"
        ),
    ]
