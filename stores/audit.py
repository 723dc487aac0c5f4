"""
Proof for the whole country that ledger, stock levels, handsets, shortfalls, transfers and totals agree.

Each check is a query for what is wrong: outlet code (null: a region's matter), phone, and what was found. Floors above
add theirs to CHECKS (open orders explain what is reserved). All of them look at one snapshot, while trade goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection, transaction


class Check(NamedTuple):
    """`sql` yields (outlet_id, phone_id, detail) for every disagreement; `name` says what must agree."""

    name: str
    sql: str


class Disagreement(NamedTuple):
    """Something that does not add up, at an outlet (by its code; empty: in a region's total)."""

    check: str
    outlet: str
    phone: str
    detail: str


CHECKS = [
    Check(
        "every level is the sum of its ledger",
        """
        SELECT outlet_id, phone_id,
               format('level: %s on hand, %s reserved, line %s; ledger: %s on hand, %s reserved, line %s of %s',
                      l.on_hand, l.reserved, l.seq, m.on_hand, m.reserved, m.seq, m.lines)
        FROM stores_stocklevel l
        FULL JOIN (SELECT outlet_id, phone_id, sum(change_on_hand) AS on_hand, sum(change_reserved) AS reserved,
                          max(seq) AS seq, count(*) AS lines, max(created_at) AS moved_at
                   FROM stores_stockmovement GROUP BY outlet_id, phone_id) AS m USING (outlet_id, phone_id)
        WHERE (l.on_hand, l.reserved, l.seq, l.seq, l.moved_at)
              IS DISTINCT FROM (m.on_hand, m.reserved, m.seq, m.lines, m.moved_at)
        """,
    ),
    Check(
        "every line follows the one before",
        """
        SELECT outlet_id, phone_id,
               format('line %s: %s on hand, %s reserved; line %s: %s and %s, by %s and %s',
                      was_seq, was_on_hand, was_reserved, seq, on_hand, reserved, change_on_hand, change_reserved)
        FROM (SELECT outlet_id, phone_id, seq, on_hand, reserved, change_on_hand, change_reserved,
                     lag(seq, 1, 0::bigint) OVER shelf AS was_seq, lag(on_hand, 1, 0) OVER shelf AS was_on_hand,
                     lag(reserved, 1, 0) OVER shelf AS was_reserved
              FROM stores_stockmovement WINDOW shelf AS (PARTITION BY outlet_id, phone_id ORDER BY seq)) AS line
        WHERE seq <> was_seq + 1 OR on_hand <> was_on_hand + change_on_hand
           OR reserved <> was_reserved + change_reserved
        """,
    ),
    Check(
        "every handset stands where its level says that phones stand",
        """
        SELECT outlet_id, phone_id, format('%s handsets known, %s on hand', h.known, coalesce(l.on_hand, 0))
        FROM (SELECT outlet_id, phone_id, count(*) AS known FROM stores_handset WHERE state = 'on_shelf'
              GROUP BY outlet_id, phone_id) AS h
        LEFT JOIN stores_stocklevel l USING (outlet_id, phone_id)
        WHERE h.known > coalesce(l.on_hand, 0)
        """,
    ),
    Check(
        "every handset is where its events leave it",
        """
        SELECT h.outlet_id, h.phone_id,
               format('handset %s: %s, event %s of %s', h.id, h.state, h.seq, coalesce(e.events, 0))
        FROM stores_handset h
        FULL JOIN (SELECT handset_id, max(seq) AS seq, count(*) AS events FROM stores_handsetevent
                   GROUP BY handset_id) AS e ON e.handset_id = h.id
        WHERE (h.seq, h.seq) IS DISTINCT FROM (e.seq, e.events::int)
        """,
    ),
    Check(
        "every handset has a number",
        """
        SELECT outlet_id, phone_id, format('handset %s has no IMEI or MEID', id) FROM stores_handset h
        WHERE NOT EXISTS (SELECT FROM stores_handsetnumber n WHERE n.handset_id = h.id)
        """,
    ),
    Check(
        "every event is part of a movement of its kind",
        """
        SELECT m.outlet_id, m.phone_id,
               format('line %s (%s, %s on hand) has %s handsets of %s',
                      m.seq, m.kind, m.change_on_hand, e.units, e.kinds)
        FROM (SELECT outlet_id, phone_id, line_seq AS seq, count(*) AS units, string_agg(DISTINCT kind, ', ') AS kinds
              FROM stores_handsetevent GROUP BY outlet_id, phone_id, line_seq) AS e
        JOIN stores_stockmovement m USING (outlet_id, phone_id, seq)
        WHERE e.kinds <> m.kind
           -- A count nets what is missing against what turned up.
           OR e.units > abs(m.change_on_hand) AND m.kind <> 'counted'
        """,
    ),
    Check(
        "every shelf that is short has an open shortfall, and no other",
        """
        SELECT outlet_id, phone_id, format('%s missing, noted %s', coalesce(l.missing, 0), coalesce(s.missing, 0))
        FROM (SELECT outlet_id, phone_id, reserved - on_hand AS missing FROM stores_stocklevel
              WHERE reserved > on_hand) AS l
        FULL JOIN (SELECT outlet_id, phone_id, missing FROM stores_shortfall WHERE closed_at IS NULL) AS s
            USING (outlet_id, phone_id)
        WHERE l.missing IS DISTINCT FROM s.missing
        """,
    ),
    Check(
        "every transfer has moved what its lines say",
        """
        SELECT coalesce(said.outlet_id, moved.outlet_id), coalesce(said.phone_id, moved.phone_id),
               format('%s %s: %s, in the ledger %s', coalesce(said.reference, moved.reference),
                      coalesce(said.kind, moved.kind), coalesce(said.number, 0), coalesce(moved.number, 0))
        FROM (SELECT outlet_id, phone_id, 'transfer:' || t.id AS reference, kind, number
              FROM stores_transfer t JOIN stores_transferline l ON l.transfer_id = t.id,
              LATERAL (VALUES
                  (sender_id, 'transfer_out', CASE WHEN t.sent_at IS NOT NULL THEN -sent END),
                  (receiver_id, 'transfer_in', received + damaged),
                  (sender_id, 'transfer_in', CASE WHEN t.state = 'cancelled' AND t.sent_at IS NOT NULL THEN sent END)
              ) AS way (outlet_id, kind, number) WHERE number <> 0) AS said
        FULL JOIN (SELECT outlet_id, phone_id, reference, kind, sum(change_on_hand) AS number
                   FROM stores_stockmovement WHERE kind IN ('transfer_out', 'transfer_in')
                   GROUP BY outlet_id, phone_id, reference, kind) AS moved USING (outlet_id, phone_id, reference, kind)
        WHERE said.number IS DISTINCT FROM moved.number
        """,
    ),
    Check(
        "every total is the sum of its outlets",
        """
        SELECT NULL::bigint, phone_id, format(
                   'region %s: total of %s outlets, %s on hand, %s reserved, %s available; off by %s, %s, %s, %s',
                   coalesce(region, 'country'), sum(outlets_with) FILTER (WHERE is_total),
                   sum(on_hand) FILTER (WHERE is_total), sum(reserved) FILTER (WHERE is_total),
                   sum(available) FILTER (WHERE is_total),
                   sum(outlets_with), sum(on_hand), sum(reserved), sum(available))
        FROM (
            SELECT true AS is_total, region_id AS region, phone_id, outlets_with, on_hand, reserved, available
            FROM stores_regionstock
            UNION ALL
            SELECT is_total, region, phone_id, outlets_with, on_hand, reserved, available
            FROM (
                SELECT true AS is_total, county_code, phone_id, outlets_with, on_hand, reserved, available
                FROM stores_regionstockchange
                UNION ALL
                SELECT false, left(o.town_id, 6), phone_id,
                       -count(*) FILTER (WHERE on_hand - reserved - safety_stock > 0), -sum(on_hand), -sum(reserved),
                       -sum(greatest(on_hand - reserved - safety_stock, 0))
                FROM stores_stocklevel l JOIN stores_outlet o ON o.id = l.outlet_id WHERE o.state = 'open'
                GROUP BY left(o.town_id, 6), phone_id
            ) AS county, LATERAL (VALUES
                (county_code), (left(county_code, 4) || '00'), (left(county_code, 2) || '0000'), (NULL)
            ) AS r (region)
        ) AS both_sides
        GROUP BY region, phone_id
        HAVING (sum(outlets_with), sum(on_hand), sum(reserved), sum(available)) <> (0, 0, 0, 0)
        """,
    ),
]


def disagreements() -> Iterator[Disagreement]:
    """Yield everything that does not add up at one moment, as it is found. To be called outside a transaction."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield from all_disagreements()


def all_disagreements() -> Iterator[Disagreement]:
    """Yield everything that does not add up for the transaction under way. Nothing is kept in memory."""
    for check in CHECKS:
        with connection.chunked_cursor() as cursor:
            cursor.execute(f"""
                SELECT coalesce(o.code, ''), coalesce(p.slug, ''), found.detail
                FROM ({check.sql}) AS found (outlet_id, phone_id, detail)
                LEFT JOIN stores_outlet o ON o.id = found.outlet_id
                LEFT JOIN catalog_phone p ON p.id = found.phone_id
            """)
            for row in cursor:
                yield Disagreement(check.name, *row)
