"""
The change feed as one partner may see it.

Whose order it is, which outlets and phones are reached and which scopes there are decides which events are told. A call
looks at so many events at most, whatever it finds: a reader of one outlet moves through the news of the country in
steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.db import connection

from api.resources import in_utc, money
from catalog.catalogue import current_catalogue
from events.feed import EVENTS_AFTER, Place, kept
from events.models import Type
from stores.querysets import digits_of

# What a reader must be allowed to read elsewhere to be told of it here.
SCOPE_OF = {
    "phone": "catalog:read",
    "price": "catalog:read",
    "outlet": "stores:read",
    "stock": "stock:read",
    "transfer": "stock:read",
    "order": "orders:read",
}


class Reader(Protocol):
    """Who reads: a key, or what a webhook keeps of one. Empty lists restrict nothing."""

    @property
    def partner_id(self) -> int: ...
    @property
    def scopes(self) -> Sequence[str]: ...
    @property
    def outlets(self) -> Sequence[str]: ...
    @property
    def regions(self) -> Sequence[str]: ...
    @property
    def phones(self) -> Sequence[str]: ...


class ForgottenEvents(Exception):
    """Events after the place that was asked for have been forgotten."""


class UnknownPlace(Exception):
    """No feed of ours has been there."""


class Page(NamedTuple):
    """Events as they are told, the place to go on from, and whether there is more by now."""

    events: list[dict[str, Any]]
    cursor: Place
    has_more: bool


def types_for(reader: Reader) -> list[str]:
    """Return the types of events that the scopes of a reader allow."""
    return [type for type in Type.values if SCOPE_OF[type.partition(".")[0]] in reader.scopes]


# Put together from constants; what is asked for are parameters.
_READ = f"""
    WITH scanned AS MATERIALIZED ({EVENTS_AFTER}),
    edge AS (SELECT tick, id, (SELECT count(*) FROM scanned) FROM scanned ORDER BY tick DESC, id DESC LIMIT 1)
    SELECT edge.*, found.* FROM edge LEFT JOIN LATERAL (
        SELECT e.tick, e.id, e.type, e.happened_at, o.code, p.slug, e.data, mine.reference
        FROM scanned e
        LEFT JOIN stores_outlet o ON o.id = e.outlet_id
        LEFT JOIN catalog_phone p ON p.id = e.phone_id
        LEFT JOIN LATERAL partners_reference_of(%(partner)s, e.outlet_id, e.data ->> 'order', %(phones)s)
            AS mine (reference) ON e.type LIKE 'order.%%'
        WHERE e.type = ANY (%(types)s)
            AND (%(outlets)s::text[] IS NULL OR o.code = ANY (%(outlets)s))
            AND (%(is_everywhere)s OR o.id IS NULL OR o.code = ANY (%(reached)s) OR o.town_id LIKE ANY (%(regions)s))
            AND (%(phones)s::text[] = '{{}}' OR CASE
                WHEN p.id IS NOT NULL THEN p.slug = ANY (%(phones)s)
                WHEN e.type = 'stock.changed' THEN e.data ?| %(phone_keys)s
                ELSE true END)
            AND (e.type NOT LIKE 'order.%%' OR mine.reference IS NOT NULL)
        ORDER BY e.tick, e.id LIMIT %(limit)s
    ) AS found ON true
"""  # noqa: S608


def read(
    reader: Reader,
    after: Place,
    *,
    types: Sequence[str] | None = None,
    outlets: Sequence[str] | None = None,
    limit: int,
    scanned: int = 5000,
) -> Page:
    """
    Return up to `limit` events after a place that `reader` may see, of `types` and `outlets` (codes) where given.

    Two queries. Raises ForgottenEvents and UnknownPlace.
    """
    there = kept()
    if after.tick < there.first.tick:
        raise ForgottenEvents
    if after.tick > there.end.tick:
        raise UnknownPlace
    allowed = types_for(reader)
    phones = current_catalogue().by_slug
    with connection.cursor() as cursor:
        cursor.execute(
            _READ,
            {
                "tick": after.tick,
                "id": after.id,
                "scanned": scanned,
                "limit": limit,
                "partner": reader.partner_id,
                "types": allowed if types is None else [type for type in types if type in allowed],
                "outlets": None if outlets is None else list(outlets),
                "is_everywhere": not reader.outlets and not reader.regions,
                "reached": list(reader.outlets),
                "regions": [f"{digits_of(region)}%" for region in reader.regions],
                "phones": list(reader.phones),
                "phone_keys": [str(phones[slug].pk) for slug in reader.phones if slug in phones],
            },
        )
        rows = cursor.fetchall()
    if not rows:
        return Page([], max(after, there.end), has_more=False)
    edge_tick, edge_id, looked_at = rows[0][:3]
    found = [row[3:] for row in rows if row[3] is not None]
    if len(found) == limit:
        return Page(_told(found, reader), Place(*found[-1][:2]), has_more=True)
    if looked_at == scanned:
        return Page(_told(found, reader), Place(edge_tick, edge_id), has_more=True)
    return Page(_told(found, reader), max(Place(edge_tick + 1, 0), there.end), has_more=False)


def _told(rows: Iterable[tuple[Any, ...]], reader: Reader) -> list[dict[str, Any]]:
    return [
        {
            "id": str(Place(tick, number)),
            "type": type,
            "timestamp": in_utc(happened_at),
            "outlet": outlet,
            "phone": phone,
            "data": _data(type, json.loads(data), reader, reference),
        }
        for tick, number, type, happened_at, outlet, phone, data, reference in rows
    ]


def _data(type: str, data: dict[str, Any], reader: Reader, reference: str | None) -> dict[str, Any]:
    """Return what is told beside outlet and phone: by the names that partners know, without phones out of reach."""
    if type == Type.STOCK_CHANGED:
        slugs = {str(phone.pk): phone.slug for phone in current_catalogue().phones}
        levels = [
            {"phone": slugs[key], "available": available}
            for key, available in data.items()
            if key in slugs and _reaches(reader, slugs[key])
        ]
        return {"levels": levels}
    if type.startswith("transfer."):
        return data | {"lines": [line for line in data["lines"] if _reaches(reader, line["phone"])]}
    if type.startswith("order."):
        return {**data, "moved_to": data.get("moved_to"), "reference": reference}
    if type == Type.PRICE_CHANGED:
        prices = {"price": money(data["price_fen"]), "ordinary_price": money(data["ordinary_fen"])}
        moments = {name: data[name] and in_utc(datetime.fromisoformat(data[name])) for name in ("since", "until")}
        return prices | moments
    return data


def _reaches(reader: Reader, slug: str) -> bool:
    return not reader.phones or slug in reader.phones
