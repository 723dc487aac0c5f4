"""
Compare the type of an event with one array: PostgreSQL reads a check from its text for every statement.
"""

from django.db import migrations

TYPES = [
    "phone.added", "phone.changed", "price.changed",
    "outlet.added", "outlet.changed", "outlet.opened", "outlet.suspended", "outlet.closed",
    "stock.changed",
    "order.placed", "order.ready", "order.collected", "order.cancelled", "order.declined", "order.expired",
    "order.moved", "order.extended",
    "transfer.requested", "transfer.approved", "transfer.sent", "transfer.received", "transfer.cancelled",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("events", "0002_feed_in_order")]
    operations = [
        migrations.RemoveConstraint("event", "event_type_is_known"),
        migrations.RunSQL(
            f"""
            ALTER TABLE events_event
            ADD CONSTRAINT event_type_is_known CHECK (type = ANY ('{{{",".join(TYPES)}}}'::text[]))
            """,
            "ALTER TABLE events_event DROP CONSTRAINT event_type_is_known",
        ),
    ]
