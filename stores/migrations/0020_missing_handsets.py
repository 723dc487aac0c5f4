"""A count that scanned a shelf writes off the handsets that nobody saw."""

from django.db import migrations

POSSIBLE = """
    ALTER TABLE stores_handsetevent
        DROP CONSTRAINT handsetevent_is_possible,
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
                        ('damaged', 'written_off', 'on_shelf'), %s('transfer_out', 'in_transit', 'on_shelf'))
                        AND prev_outlet_id = outlet_id
                    OR (kind, state, prev_state) IN (
                        ('returned', 'on_shelf', 'sold'), ('transfer_in', 'on_shelf', 'in_transit'),
                        ('adjusted', 'on_shelf', 'written_off'), ('adjusted', 'on_shelf', 'in_transit')))
        );
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0019_kinds_by_list")]

    operations = [
        migrations.RunSQL(POSSIBLE % "('counted', 'written_off', 'on_shelf'), ", POSSIBLE % ""),
    ]
