"""Points on the earth, as PostgreSQL's cube extension sees them: on a sphere of radius 1, in three dimensions."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, dist, radians, sin
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Func

# Mean radius of the earth (IUGG), in kilometres.
EARTH_RADIUS_KM = 6371.0088


class Point(NamedTuple):
    """A place in degrees, WGS 84."""

    latitude: float
    longitude: float


class CubeField(models.Field):
    """A `cube` of the extension of that name. Only written by the database, never by Python."""

    def db_type(self, connection: Any) -> str:
        return "cube"


class SpherePoint(Func):
    """
    Turn latitude and longitude (degrees) into a point on the unit sphere.

    The straight line between two such points grows with the great circle between them, so `ORDER BY a <-> b` is the
    exact order by distance, everywhere, also across the poles and the date line; a GiST index on cube serves it.
    """

    function = "cube"
    output_field = CubeField()
    template = (
        "cube(ARRAY["
        "cos(radians(%(latitude)s)) * cos(radians(%(longitude)s)), "
        "cos(radians(%(latitude)s)) * sin(radians(%(longitude)s)), "
        "sin(radians(%(latitude)s))])"
    )
    arity = 2

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        (latitude, latitude_params), (longitude, longitude_params) = (
            compiler.compile(expression) for expression in self.source_expressions
        )
        sql = self.template % {"latitude": latitude, "longitude": longitude}
        return sql, [
            *latitude_params,
            *longitude_params,
            *latitude_params,
            *longitude_params,
            *latitude_params,
        ]


class Chord(Func):
    """The straight line between two points on the unit sphere, in earth radii. Ordering by it uses a GiST index."""

    template = "(%(expressions)s)"
    arg_joiner = " <-> "
    output_field = models.FloatField()
    arity = 2


def distance_km(chord: float) -> float:
    """Return the great-circle distance in kilometres that belongs to a `chord` in earth radii."""
    return 2 * EARTH_RADIUS_KM * asin(min(chord / 2, 1.0))


def chord_of(km: float) -> float:
    """Return the chord in earth radii that belongs to a great-circle distance in kilometres."""
    return 2 * sin(km / (2 * EARTH_RADIUS_KM))


def distance_between(a: Point, b: Point) -> float:
    """Return the great-circle distance in kilometres."""
    return distance_km(dist(_on_sphere(a), _on_sphere(b)))


def bearing(start: Point, end: Point) -> float:
    """Return the direction in which to leave `start` for `end`, in degrees clockwise from north, 0 to 360."""
    (from_latitude, from_longitude), (to_latitude, to_longitude) = (tuple(map(radians, p)) for p in (start, end))
    east = to_longitude - from_longitude
    y = sin(east) * cos(to_latitude)
    x = cos(from_latitude) * sin(to_latitude) - sin(from_latitude) * cos(to_latitude) * cos(east)
    return degrees(atan2(y, x)) % 360


def _on_sphere(point: Point) -> tuple[float, float, float]:
    latitude, longitude = radians(point.latitude), radians(point.longitude)
    return cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)
