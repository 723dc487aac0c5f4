"""Finding the nearest outlets, and those of them that have a phone."""

from math import asin, cos, radians, sin, sqrt

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from stores.counts import apply_staged_counts
from stores.geography import EARTH_RADIUS_KM, Point, bearing, chord_of, distance_between, distance_km
from stores.models import Outlet, Region
from tests.factories import create_outlet, create_phone, create_region, create_stock, create_timetable

# Five decimals are a metre; the database refuses angles so small that their sine vanishes.
latitudes = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9])).map(lambda x: round(x, 5))
longitudes = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 179.99])).map(lambda x: round(x, 5))
points = st.builds(Point, latitudes, longitudes)

BEIJING = Point(39.9, 116.4)


def haversine_km(a: Point, b: Point) -> float:
    """The textbook's formula, as far from the database's way as can be."""
    north, east = radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)
    half = sin(north / 2) ** 2 + cos(radians(a.latitude)) * cos(radians(b.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1, sqrt(half)))


def create_outlets(places: list[Point], **fields) -> None:
    town, timetable = create_region("130826100"), create_timetable()
    Outlet.objects.bulk_create(
        Outlet(
            code=f"{130826100 + number // 100}-{number % 100:02}",
            town=town,
            timetable=timetable,
            latitude=place.latitude,
            longitude=place.longitude,
            coordinate_source="town",
            coordinate_accuracy_km=2,
            **fields,
        )
        for number, place in enumerate(places)
    )


class TheNearest(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(points, min_size=1, max_size=40), points)
    @example([Point(0, 179.9), Point(0, -179.9), Point(0, 170)], Point(0, 180))
    @example([Point(89, 0), Point(89, 180), Point(80, 0)], Point(90, 77))
    def test_are_in_great_circle_order_everywhere(self, places, here):
        create_outlets(places)

        found = [distance_km(outlet.chord) for outlet in Outlet.objects.open().nearest(here)]

        expected = sorted(haversine_km(here, place) for place in places)
        # Half a metre, but near the other side of the earth, where the sine is flat: there half a kilometre.
        near = [km for km in expected if km < 19_000]
        assert found[: len(near)] == pytest.approx(near, abs=5e-4)
        assert found == pytest.approx(expected, abs=0.5)


@given(st.floats(0, 20_000))
def test_chord_and_distance_are_two_names_of_one_thing(km):
    assert distance_km(chord_of(km)) == pytest.approx(km, abs=1e-3)


@given(points, points)
def test_distance_between_two_points(a, b):
    assert distance_between(a, b) == pytest.approx(haversine_km(a, b), abs=0.5)


@pytest.mark.parametrize(("end", "degrees"), [((41, 116), 0), ((40, 117), 90), ((39, 116), 180), ((40, 115), 270)])
def test_bearing_goes_clockwise_from_north(end, degrees):
    assert bearing(Point(40, 116), Point(*end)) == pytest.approx(degrees, abs=0.5)


def test_leaves_out_shops_that_do_no_business(db):
    create_outlet(state="planned")
    open_one = create_outlet(state="open", latitude=10)
    create_outlet(state="suspended")
    create_outlet(state="closed")

    assert list(Outlet.objects.open().nearest(BEIJING)) == [open_one]
    assert Outlet.objects.visible().count() == 3


def test_keeps_only_those_that_can_promise_the_phone(db):
    phone, other = create_phone(), create_phone()
    near_without, has_other, promised_away, kept_back, far_with = (
        create_outlet(latitude=40 + number) for number in range(5)
    )
    create_stock(outlet=has_other, phone=other, on_hand=5)
    create_stock(outlet=promised_away, phone=phone, on_hand=2, reserved=2)
    create_stock(outlet=kept_back, phone=phone, on_hand=1, safety_stock=1)
    create_stock(outlet=far_with, phone=phone, on_hand=4, reserved=1, safety_stock=1)

    (found,) = Outlet.objects.open().having(phone).with_stock_of(phone).nearest(BEIJING)

    assert (found, found.available) == (far_with, 2)
    assert near_without.code not in {outlet.code for outlet in Outlet.objects.having(other)}


def test_a_set_of_phones_must_all_be_there(db):
    one, two = create_phone(), create_phone()
    only_one, both = create_outlet(), create_outlet()
    create_stock(outlet=only_one, phone=one)
    create_stock(outlet=both, phone=one)
    create_stock(outlet=both, phone=two)

    assert list(Outlet.objects.having(one, two)) == [both]
    assert list(Outlet.objects.having(two, two)) == [both]


def test_stock_is_none_where_a_shop_never_had_the_phone(db):
    create_outlet()

    assert Outlet.objects.with_stock_of(create_phone()).get().available == 0


def test_a_region_is_a_range_of_codes(db):
    inside = create_outlet(town=create_region("130826100"))
    create_outlet(town=create_region("130827100"))
    outside = create_outlet(town=create_region("140100100"))

    for code in ["130826100", "130826"]:
        assert list(Outlet.objects.in_region(Region.objects.get(code=code))) == [inside]
    assert Outlet.objects.in_region(Region.objects.get(code="130000")).count() == 2
    assert list(Outlet.objects.in_region(Region.objects.get(code="140000"))) == [outside]


@pytest.fixture
def three_phones(db):
    """Three phones in 3,000 outlets: one in every second, one in every third, one in every fiftieth."""
    create_outlets([Point(20 + number % 67 / 3, 80 + number % 997 / 20) for number in range(3000)])
    phones = [create_phone() for _ in range(3)]
    with connection.cursor() as cursor:
        # What other tests had there and took back would let the planner believe that nearly all shelves are open.
        cursor.execute("ANALYZE stores_stocklevel")
        cursor.execute(
            "CREATE TEMPORARY TABLE staged AS SELECT outlet.id AS outlet_id, phone.id::smallint AS phone_id,"
            " (outlet.id %% phone.step = 0)::int AS on_hand, now() AS counted_at"
            " FROM stores_outlet outlet, unnest(%s, %s) AS phone(id, step)",
            [[phone.pk for phone in phones], [2, 3, 50]],
        )
        apply_staged_counts(cursor, table="staged", actor="system:test", reference="count:opening", opening=True)
        cursor.execute("DROP TABLE staged")
        cursor.execute("ANALYZE stores_outlet, stores_stocklevel")
    return phones


@pytest.mark.parametrize(
    ("phones", "index"), [(0, "outlet_position"), (1, "stocklevel_nearest"), (3, "stocklevel_nearest")]
)
def test_an_index_serves_the_nearest(three_phones, phones, index):
    outlets = Outlet.objects.open().nearest(BEIJING)
    if phones:
        outlets = outlets.having(*reversed(three_phones[-phones:]))

    plan = outlets[:20].explain()

    assert f"Index Scan using {index}" in plan
    assert ("Index Cond: (phone_id = " in plan) == (phones > 0)
    assert "Order By" in plan
    assert "Sort" not in plan
    assert "Seq Scan on stores_outlet" not in plan


def test_twenty_that_have_all_three_are_the_nearest_such(three_phones):
    with_all = [outlet for outlet in Outlet.objects.all() if outlet.pk % 150 == 0]

    found = Outlet.objects.open().having(*three_phones).nearest(BEIJING)[:20]

    def distance(outlet):
        return haversine_km(BEIJING, Point(outlet.latitude, outlet.longitude))

    assert [distance_km(outlet.chord) for outlet in found] == pytest.approx(sorted(map(distance, with_all))[:20])


@pytest.mark.parametrize("phone_first", [True, False])
def test_having_and_nearest_go_in_either_order(db, phone_first):
    phone = create_phone()
    shelves = [create_stock(phone=phone, outlet=create_outlet(latitude=30 + number)) for number in (5, 1, 3)]
    outlets = Outlet.objects.open()
    near = outlets.having(phone).nearest(BEIJING) if phone_first else outlets.nearest(BEIJING).having(phone)

    assert [outlet.latitude for outlet in near] == [35, 33, 31]
    assert {outlet.pk for outlet in near} == {shelf.outlet_id for shelf in shelves}
    assert distance_km(near[0].chord) == pytest.approx(haversine_km(BEIJING, Point(35, near[0].longitude)))


def test_an_index_serves_a_region(three_phones):
    plan = Outlet.objects.in_region(create_region("130826101")).order_by("town_id", "code")[:20].explain()

    assert "Seq Scan" not in plan
    assert "Index Scan" in plan
