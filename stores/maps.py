"""Maps made of the outlets themselves: dots at their places on a small grid, without any line of a border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import CharField

from api.prepared import Parameter, Planned
from stores.geography import Point
from stores.models import Region, RegionMap

# A map's longer side has so many cells. Outlets in one cell are one dot, so a map has a size that the number of outlets
# cannot outgrow.
CELLS = 64

# Places are drawn as the eye of a bird over the middle of the map sees them: a degree of longitude is shorter than one
# of latitude by the cosine of the latitude. An SVG path holds a line of no length for each dot, which round line ends
# make visible; each move is relative to the dot before.
_DRAW = """
    WITH dot AS (
        SELECT around.code, outlet.longitude, outlet.latitude
        FROM stores_outlet outlet CROSS JOIN LATERAL (VALUES
            (''), (left(outlet.town_id, 2) || '0000'), (left(outlet.town_id, 4) || '00'), (left(outlet.town_id, 6))
        ) AS around (code)
        WHERE outlet.state <> 'closed'
    ), box AS (
        SELECT code, min(longitude) AS west, max(latitude) AS north,
            cos(radians((min(latitude) + max(latitude)) / 2)) AS narrowing,
            greatest(
                (max(longitude) - min(longitude)) * cos(radians((min(latitude) + max(latitude)) / 2)),
                max(latitude) - min(latitude), 0.1
            ) / %(cells)s AS cell
        FROM dot GROUP BY code
    ), cell AS (
        SELECT DISTINCT code, round((longitude - west) * narrowing / cell)::int AS x,
            round((north - latitude) / cell)::int AS y
        FROM dot JOIN box USING (code)
    ), step AS (
        SELECT code, x, y, x - lag(x, 1, 0) OVER in_rows AS right_by, y - lag(y, 1, 0) OVER in_rows AS down_by
        FROM cell WINDOW in_rows AS (PARTITION BY code ORDER BY y, x)
    )
    INSERT INTO stores_regionmap (region_id, width, height, path)
    SELECT nullif(code, ''), max(x) + 1, max(y) + 1,
        string_agg('m' || right_by || CASE WHEN down_by < 0 THEN '' ELSE ' ' END || down_by || 'h0', '' ORDER BY y, x)
    FROM step WHERE code = '' OR code IN (SELECT code FROM stores_region)
    GROUP BY code
"""


@transaction.atomic
def draw_maps() -> int:
    """Draw the maps of the country and of every region down to the county anew; return how many there are."""
    RegionMap.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(_DRAW, {"cells": CELLS})
        return cursor.rowcount


_BOX = """
    SELECT min(longitude), max(latitude), cos(radians((min(latitude) + max(latitude)) / 2)),
        greatest(
            (max(longitude) - min(longitude)) * cos(radians((min(latitude) + max(latitude)) / 2)),
            max(latitude) - min(latitude), 0.1
        )
    FROM stores_outlet WHERE state <> 'closed' AND starts_with(town_id, %(prefix)s)
"""


class Dot(NamedTuple):
    """A cell of a map."""

    x: int
    y: int


def on_map(places: Sequence[Point], region: Region | None = None) -> list[Dot]:
    """Return where on the map of a region (None: the country) places are, each cell once. Reads all outlets once."""
    with connection.cursor() as cursor:
        cursor.execute(_BOX, {"prefix": region.prefix if region else ""})
        west, north, narrowing, span = cursor.fetchone()
    if west is None:
        return []
    cell = span / CELLS
    dots = {
        Dot(round((place.longitude - west) * narrowing / cell), round((north - place.latitude) / cell))
        for place in places
    }
    return sorted(dots)


def map_of(region: Region | None) -> RegionMap | None:
    """Return the map of a region, or of the country (None); None where there is nothing to see."""
    if region is None:
        return RegionMap.objects.filter(region=None).first()
    for width, height, path in _map_of_region.rows(region=region.pk):
        return RegionMap(region_id=region.pk, width=width, height=height, path=path)
    return None


@Planned
def _map_of_region() -> Any:
    maps = RegionMap.objects.filter(region=Parameter("region", CharField()))
    return maps.values_list("width", "height", "path")
