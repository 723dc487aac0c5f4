"""The index that finds the nearest stock: it knows phone and place, and follows what can be promised."""

from django.db import connection

from stores import stock
from stores.geography import Point
from stores.models import Outlet
from stores.outlets import change_state
from tests.factories import act, create_outlet, create_phone, create_stock

HERE = Point(38.0, 114.0)


def test_the_index_is_asked_for_the_phone(db):
    """Not only for places, with phones looked at one by one: a rare phone would be far down the list."""
    nearest = Outlet.objects.open().nearest(HERE).having(create_phone())[:20]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    plan = nearest.explain()

    assert "Index Scan using stocklevel_nearest" in plan
    assert "Index Cond: (phone_id = " in plan


def test_follows_what_can_be_promised(db):
    phone = create_phone()
    near = create_stock(phone=phone, outlet=create_outlet(latitude=38.1, longitude=114.0), on_hand=1)
    far = create_stock(phone=phone, outlet=create_outlet(latitude=39.0, longitude=114.0), on_hand=1)
    nearest = Outlet.objects.open().nearest(HERE).having(phone)

    assert list(nearest.all()) == [near.outlet, far.outlet]
    stock.reserve(near.outlet_id, {phone.pk: 1}, act())
    assert list(nearest.all()) == [far.outlet]
    stock.release(near.outlet_id, {phone.pk: 1}, act())
    change_state(far.outlet_id, Outlet.State.SUSPENDED)
    assert list(nearest.all()) == [near.outlet]
