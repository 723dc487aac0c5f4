"""What somebody at the counter paid, and the receipt that goes to a number once."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

HELD = """
    ALTER TABLE orders_walkinsale ADD CONSTRAINT walkinsale_is_of_a_line
        FOREIGN KEY (outlet_id, phone_id, seq) REFERENCES stores_stockmovement (outlet_id, phone_id, seq);
    ALTER TABLE orders_walkinmessage ADD CONSTRAINT walkinmessage_of_a_sale
        FOREIGN KEY (outlet_id, phone_id, seq) REFERENCES orders_walkinsale (outlet_id, phone_id, seq);
    CREATE TRIGGER walkinsale_is_fixed BEFORE UPDATE OR DELETE ON orders_walkinsale
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER walkinsale_is_not_truncated BEFORE TRUNCATE ON orders_walkinsale
        FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER walkinmessage_is_kept BEFORE DELETE ON orders_walkinmessage
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER walkinmessage_is_sent_once BEFORE UPDATE ON orders_walkinmessage FOR EACH ROW
        WHEN (OLD.state = 'sent' OR
              (OLD.outlet_id, OLD.phone_id, OLD.seq, OLD.created_at)
              IS DISTINCT FROM (NEW.outlet_id, NEW.phone_id, NEW.seq, NEW.created_at))
        EXECUTE FUNCTION orders_refuse();
"""
FREE = """
    DROP TRIGGER walkinmessage_is_sent_once ON orders_walkinmessage;
    DROP TRIGGER walkinmessage_is_kept ON orders_walkinmessage;
    DROP TRIGGER walkinsale_is_not_truncated ON orders_walkinsale;
    DROP TRIGGER walkinsale_is_fixed ON orders_walkinsale;
    ALTER TABLE orders_walkinmessage DROP CONSTRAINT walkinmessage_of_a_sale;
    ALTER TABLE orders_walkinsale DROP CONSTRAINT walkinsale_is_of_a_line;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("orders", "0008_placing_is_told"),
        ("stores", "0023_forms_of_the_desk_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="WalkInSale",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "phone", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("seq", models.BigIntegerField()),
                ("price_fen", models.PositiveIntegerField()),
                ("terms", models.CharField(max_length=20)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("cash", "cash"),
                            ("wechat", "WeChat Pay"),
                            ("alipay", "Alipay"),
                            ("card", "bank card"),
                        ],
                        max_length=6,
                    ),
                ),
                ("actor", models.CharField(max_length=60)),
                ("sold_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
            ],
            options={
                "ordering": ["-sold_at"],
            },
        ),
        migrations.CreateModel(
            name="WalkInMessage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "phone", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("seq", models.BigIntegerField()),
                ("mobile", models.CharField(blank=True, max_length=14)),
                ("language", models.CharField(choices=[("zh-hans", "简体中文"), ("en", "English")], max_length=7)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "sent"),
                            ("given_up", "given up"),
                            ("outdated", "no longer true when its turn came"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("sent_at", models.DateTimeField(null=True)),
                ("segments", models.PositiveSmallIntegerField(null=True)),
                ("receipt", models.CharField(blank=True, max_length=100)),
                ("error", models.CharField(blank=True, max_length=200)),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
                (
                    "sale",
                    models.ForeignObject(
                        from_fields=["outlet", "phone", "seq"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="messages",
                        to="orders.walkinsale",
                        to_fields=["outlet", "phone", "seq"],
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="walkinsale",
            index=models.Index(fields=["outlet", "-sold_at"], name="walkinsale_newest"),
        ),
        migrations.AddConstraint(
            model_name="walkinsale",
            constraint=models.CheckConstraint(
                condition=models.Q(("price_fen__gt", 0)), name="walkinsale_price_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="walkinsale",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["cash", "wechat", "alipay", "card"])),
                name="walkinsale_method_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="walkinsale",
            constraint=models.CheckConstraint(
                condition=models.Q(("actor__regex", "^(person|partner|customer|system):.+$")),
                name="walkinsale_was_made_by_somebody",
            ),
        ),
        migrations.AddIndex(
            model_name="walkinmessage",
            index=models.Index(
                models.F("next_attempt_at"), condition=models.Q(("state", "waiting")), name="walkinmessage_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="walkinmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("mobile__regex", "^\\+861[0-9]{10}$"), ("state", "waiting")),
                    models.Q(("mobile", ""), ("state__in", ["sent", "given_up", "outdated"])),
                    _connector="OR",
                ),
                name="walkinmessage_knows_a_number_while_it_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="walkinmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["zh-hans", "en"])), name="walkinmessage_language_is_known"
            ),
        ),
        migrations.RunSQL(HELD, FREE),
    ]
