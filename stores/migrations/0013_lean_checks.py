"""
Say what every line and level must keep to in fewer words.

PostgreSQL reads each check from its text for every statement, and these took two thirds of the time of writing a line.
Nothing more is allowed than before: that no earlier number is negative follows from the chain. Totals are only noted
by trigger where the statement names a column that the ledger does not write.
"""

import django.db.models.functions.comparison
import django.db.models.lookups
from django.db import migrations, models

FOLLOWS = """
    ALTER TABLE stores_stockmovement
        DROP CONSTRAINT stockmovement_follows_the_one_before,
        ADD CONSTRAINT stockmovement_follows_the_one_before CHECK (
            seq = coalesce(prev_seq, 0) + 1
            AND on_hand = coalesce(prev_on_hand, 0) + change_on_hand
            AND reserved = coalesce(prev_reserved, 0) + change_reserved
            AND num_nulls(prev_seq, prev_on_hand, prev_reserved) = CASE seq WHEN 1 THEN 3 ELSE 0 END
        ),
        ADD CONSTRAINT stockmovement_count_says_what_and_when CHECK (
            num_nonnulls(counted, counted_at) = CASE kind WHEN 'counted' THEN 2 ELSE 0 END AND coalesce(counted, 0) >= 0
        );
"""
OLD_FOLLOWS = """
    ALTER TABLE stores_stockmovement
        DROP CONSTRAINT stockmovement_count_says_what_and_when,
        DROP CONSTRAINT stockmovement_follows_the_one_before,
        ADD CONSTRAINT stockmovement_follows_the_one_before CHECK (
            seq = 1 AND prev_seq IS NULL AND prev_on_hand IS NULL AND prev_reserved IS NULL
                AND on_hand = change_on_hand AND reserved = change_reserved
            OR seq > 1 AND prev_seq IS NOT NULL AND prev_on_hand IS NOT NULL AND prev_reserved IS NOT NULL
                AND prev_seq = seq - 1
                AND on_hand = prev_on_hand + change_on_hand AND reserved = prev_reserved + change_reserved
        );
"""

NOTE = """
    DROP TRIGGER stocklevel_change_is_noted ON stores_stocklevel;
    CREATE TRIGGER stocklevel_change_is_noted
        AFTER UPDATE{of_columns} ON stores_stocklevel FOR EACH ROW
        WHEN (NEW.seq = OLD.seq
              AND (OLD.safety_stock, OLD.outlet_trades, OLD.county_code)
                  IS DISTINCT FROM (NEW.safety_stock, NEW.outlet_trades, NEW.county_code))
        EXECUTE FUNCTION stores_stocklevel_note_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("stores", "0012_last_counts"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="stocklevel",
            name="stocklevel_counts_are_not_negative",
        ),
        migrations.RemoveConstraint(
            model_name="stockmovement",
            name="stockmovement_count_says_what_and_when",
        ),
        migrations.RemoveConstraint(
            model_name="stockmovement",
            name="stockmovement_kind_is_known",
        ),
        migrations.AlterField(
            model_name="stocklevel",
            name="on_hand",
            field=models.IntegerField(),
        ),
        migrations.AlterField(
            model_name="stocklevel",
            name="reserved",
            field=models.IntegerField(),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="counted",
            field=models.IntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="on_hand",
            field=models.IntegerField(),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="prev_on_hand",
            field=models.IntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="prev_reserved",
            field=models.IntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="reserved",
            field=models.IntegerField(),
        ),
        migrations.AddConstraint(
            model_name="stocklevel",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.GreaterThanOrEqual(
                    django.db.models.functions.comparison.Least("on_hand", "reserved"), 0
                ),
                name="stocklevel_is_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.GreaterThanOrEqual(
                    django.db.models.functions.comparison.Least("on_hand", "reserved"), 0
                ),
                name="stockmovement_is_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__regex",
                        "^(opening|received|reserved|released|handed_over|walk_in_sale|returned|damaged|adjusted|counted|transfer_out|transfer_in)$",
                    )
                ),
                name="stockmovement_kind_is_known",
            ),
        ),
        migrations.RunSQL(FOLLOWS, OLD_FOLLOWS),
        migrations.RunSQL(
            NOTE.format(of_columns=" OF safety_stock, outlet_trades, county_code"), NOTE.format(of_columns="")
        ),
    ]
