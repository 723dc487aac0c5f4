"""A past to test with."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from catalog.catalogue import Catalogue
from office.sample_loading import Written, load_history
from stores.counts import apply_staged_counts
from stores.models import Outlet
from tests.factories import create_outlet, create_region

TOWNS = ("130121100", "130123104", "130423100", "540102001")


def create_outlets_with_past(catalogue: Catalogue, days: int, towns: tuple[str, ...] = TOWNS) -> Written:
    """Three outlets in each of these towns, with shelves for all phones and a past of so many days."""
    outlets = [create_outlet(town=create_region(town), code=f"{town}-0{n}") for town in towns for n in (1, 2, 3)]
    open_shelves(outlets, catalogue)
    return load_history(days)


def open_shelves(outlets: list[Outlet], catalogue: Catalogue, on_hand: int = 6) -> None:
    """Give outlets so many of each phone, since long ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE staged AS SELECT o AS outlet_id, p AS phone_id, %s AS on_hand, now() AS counted_at "
            "FROM unnest(%s::bigint[]) o, unnest(%s::smallint[]) p",
            [on_hand, [outlet.pk for outlet in outlets], [phone.pk for phone in catalogue.phones]],
        )
        apply_staged_counts(
            cursor, table="staged", actor="system:test", reference="count:test", opening=True,
            opened_at=timezone.now() - timedelta(days=400),
        )  # fmt: skip
        cursor.execute("DROP TABLE staged")
