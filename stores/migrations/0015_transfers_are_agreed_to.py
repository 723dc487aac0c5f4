"""A transfer is agreed to by its sender before it is sent."""

from django.db import migrations, models
from django.db.models import Q

from stores.actors import PATTERN as ACTOR

GUARD = """
    DROP TRIGGER transfer_moves_on ON stores_transfer;
    CREATE TRIGGER transfer_moves_on BEFORE UPDATE ON stores_transfer FOR EACH ROW
        WHEN ((OLD.state, NEW.state) NOT IN (
                ('requested', 'approved'), ('requested', 'cancelled'), ('approved', 'sent'), ('approved', 'cancelled'),
                ('sent', 'received'), ('sent', 'cancelled'))
              OR (OLD.sender_id, OLD.receiver_id) <> (NEW.sender_id, NEW.receiver_id))
        EXECUTE FUNCTION stores_refuse();
"""
OLD_GUARD = """
    DROP TRIGGER transfer_moves_on ON stores_transfer;
    CREATE TRIGGER transfer_moves_on BEFORE UPDATE ON stores_transfer FOR EACH ROW
        WHEN ((OLD.state, NEW.state) NOT IN (('requested', 'sent'), ('requested', 'cancelled'),
                                             ('sent', 'received'), ('sent', 'cancelled'))
              OR (OLD.sender_id, OLD.receiver_id) <> (NEW.sender_id, NEW.receiver_id))
        EXECUTE FUNCTION stores_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0014_write_one_line")]
    operations = [
        migrations.RemoveConstraint(model_name="transfer", name="transfer_times_suit_its_state"),
        migrations.AddField("transfer", "approved_at", models.DateTimeField(null=True)),
        migrations.AddField("transfer", "approved_by", models.CharField(blank=True, default="", max_length=60), False),
        migrations.AddField("transfer", "sent_by", models.CharField(blank=True, default="", max_length=60), False),
        migrations.AddField("transfer", "end_reason", models.CharField(blank=True, default="", max_length=200), False),
        migrations.AlterField(
            "transfer",
            "state",
            models.CharField(
                choices=[
                    ("requested", "requested"),
                    ("approved", "agreed to"),
                    ("sent", "on its way"),
                    ("received", "received"),
                    ("cancelled", "cancelled"),
                ],
                default="requested",
                max_length=9,
            ),
        ),
        migrations.AddConstraint(
            "transfer",
            models.CheckConstraint(
                condition=Q(state="requested", approved_at__isnull=True, sent_at__isnull=True, ended_at__isnull=True)
                | Q(state="approved", approved_at__isnull=False, sent_at__isnull=True, ended_at__isnull=True)
                | Q(state="sent", sent_at__isnull=False, ended_at__isnull=True)
                | Q(state="received", sent_at__isnull=False, ended_at__isnull=False)
                | Q(state="cancelled", ended_at__isnull=False),
                name="transfer_times_suit_its_state",
            ),
        ),
        migrations.AddConstraint(
            "transfer",
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by="")
                | Q(approved_at__isnull=False, approved_by__regex=ACTOR),
                name="transfer_was_agreed_to_by_somebody",
            ),
        ),
        migrations.RunSQL(GUARD, OLD_GUARD),
    ]
