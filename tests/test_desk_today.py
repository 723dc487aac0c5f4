"""Today at the desk: what waits at one outlet, or at each of several, at one glance and at a fixed price."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from orders import today
from stores import stock
from stores.models import Outlet, Role, Shortfall
from tests.desk import create_person, fill, order_of, ready_for, sign_in
from tests.desk_walk import doors, samples
from tests.factories import act, create_outlet, create_phone, create_region
from tests.order_factories import create_order, create_shelf

FRAGMENT = {"X-Fragment": "yes"}


@pytest.fixture
def outlet(db: None) -> Outlet:
    return create_outlet(town=create_region("130826100"))


@pytest.fixture
def clerk(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.CLERK, outlet))


def page(client: Client, outlet: Outlet, **headers: str) -> str:
    return client.get(f"/en/desk/{outlet.code}/", headers=headers).text


def counts_on(text: str) -> dict[str, int]:
    """Return the figures at the top of the page."""
    found = re.findall(r'<a href="#(\w+)"><b[^>]*>(\d+)</b>', text)
    return {name: int(number) for name, number in found}


def test_an_outlet_where_nothing_waits_says_so(clerk: Client, outlet: Outlet) -> None:
    text = page(clerk, outlet)

    assert counts_on(text) == {"aside": 0, "lapsing": 0, "short": 0, "low": 0, "transfers": 0}
    assert "Nothing waits." in text


def test_the_figures_are_those_of_this_outlet(clerk: Client, outlet: Outlet) -> None:
    fill(outlet, 2)
    create_order(create_shelf())

    text = page(clerk, outlet)

    assert counts_on(text) == {"aside": 4, "lapsing": 2, "short": 2, "low": 2, "transfers": 4}
    assert text.count("kept for another 4 h 59 min") == 2
    assert text.count("one missing") == 2
    assert text.count("2 promised, 1 on the shelf") == 2
    for short in Shortfall.objects.select_related("phone"):
        assert f'/stock/{short.phone.slug}/nearby/">' in text
    assert text.count("order 4") == 2
    assert text.count("they ask us") == 2
    assert text.count("2 phones") == 2


def test_who_waits_longest_comes_first_and_is_late_after_a_day(clerk: Client, outlet: Outlet) -> None:
    shelf = create_shelf(outlet, on_hand=9)
    young = order_of(shelf, minutes=20)
    late = order_of(shelf, hours=settings.SET_ASIDE_HOURS + 1)
    old = order_of(shelf, hours=3, minutes=5)

    text = page(clerk, outlet)

    order = [text.index(each.spoken_number) for each in (late, old, young)]
    assert order == sorted(order)
    assert text.count("! late") == 1
    assert "waiting for 25 hours" in text
    assert "waiting for 3 h 5 min" in text
    assert "waiting for 20 minutes" in text


def test_a_ready_order_is_shown_when_it_lapses_within_a_day(clerk: Client, outlet: Outlet) -> None:
    shelf = create_shelf(outlet, on_hand=9)
    later, soon, sooner = (ready_for(shelf, hours=hours) for hours in (30, 20, 2))

    text = page(clerk, outlet)

    assert later.spoken_number not in text
    assert text.index(sooner.spoken_number) < text.index(soon.spoken_number)


def test_no_customer_is_shown_whole(clerk: Client, outlet: Outlet) -> None:
    order = create_order(create_shelf(outlet))

    text = page(clerk, outlet)

    assert f"王* {order.mobile[-4:]}" in text
    assert order.name not in text
    assert order.mobile[3:] not in text


def test_what_it_costs_does_not_grow(
    clerk: Client,
    outlet: Outlet,
    held_memory: Callable[[], object],
    django_assert_num_queries: Callable[..., Any],
) -> None:
    fill(outlet, 3)
    held_memory()
    # Session, person, outlet, assignments; then orders, lines, shortfalls, low shelves, shelves to scan, transfers.
    with django_assert_num_queries(10):
        text = page(clerk, outlet)
    assert counts_on(text)["aside"] == 6


def test_no_page_of_the_desk_costs_more_where_there_is_more(outlet: Outlet, held_memory: Callable[[], object]) -> None:
    manager = sign_in(create_person(Role.MANAGER, outlet))
    create_phone(slug="walk")
    fill(outlet)
    known = samples(outlet)
    pages = [door.address(outlet.code, known) for door in doors() if door.rule and door.rule.reading]

    def costs() -> dict[str, int]:
        held_memory()
        asked = {}
        for each in pages:
            manager.get(each)
            with CaptureQueriesContext(connection) as queries:
                manager.get(each)
            asked[each] = len(queries)
        return asked

    before = costs()
    fill(outlet, 3)

    # The first of anything may bring a question along, more of it none: `fill` leaves something of everything.
    assert costs() == before
    assert max(before.values()) <= 16


def test_the_changing_part_is_sent_again_only_when_it_changed(clerk: Client, outlet: Outlet) -> None:
    address = f"/en/desk/{outlet.code}/"
    shelf = create_shelf(outlet)
    first = clerk.get(address, headers=FRAGMENT)
    assert "<html" not in first.text
    assert counts_on(first.text)["aside"] == 0
    known = FRAGMENT | {"If-None-Match": first["ETag"]}

    again = clerk.get(address, headers=known)
    create_order(shelf)
    changed = clerk.get(address, headers=known)

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert counts_on(changed.text)["aside"] == 1
    assert "no-store" in changed["Cache-Control"]


def test_a_long_list_is_cut_and_says_how_many_more(clerk: Client, outlet: Outlet, monkeypatch: Any) -> None:
    monkeypatch.setattr(today.Today, "most", 2)
    shelf = create_shelf(outlet, on_hand=9)
    for _ in range(5):
        create_order(shelf)

    text = page(clerk, outlet)

    assert counts_on(text)["aside"] == 5
    assert text.count("waiting for") == 2
    assert "3 more." in text


def test_whose_outlet_is_one_is_led_there(clerk: Client, outlet: Outlet) -> None:
    assert clerk.get("/desk/")["Location"] == f"/desk/{outlet.code}/"
    assert clerk.get("/large/en/desk/")["Location"] == f"/large/en/desk/{outlet.code}/"


def test_who_works_nowhere_is_told(db: None) -> None:
    assert "没有排到" in sign_in(create_person()).get("/desk/").text


def test_who_has_several_sees_where_it_is_urgent_first(
    db: None, held_memory: Callable[[], object], django_assert_num_queries: Callable[..., Any]
) -> None:
    quiet, waiting, short = (create_outlet(town=create_region(f"13082610{n}")) for n in range(3))
    foreign = create_outlet(town=create_region("140105001"))
    order_of(create_shelf(waiting), hours=20)
    create_order(create_shelf(foreign))
    shelf = create_shelf(short, on_hand=2)
    ready_for(shelf, 2, hours=30)
    stock.adjust(short.pk, {shelf.phone_id: -1}, act(reason="gone"))
    client = sign_in(create_person(Role.REGION_MANAGER, create_region("130826")))
    held_memory()

    # Session, person, whether there are assignments, whose figures may be read (two), assignments, outlets with what
    # waits there.
    with django_assert_num_queries(7):
        text = client.get("/en/desk/").text

    places = [text.index(each.code) for each in (waiting, short, quiet)]
    assert places == sorted(places)
    assert foreign.code not in text
    assert "20 hours" in text
    assert "! 1" in text
    found = client.get("/en/desk/", {"q": f" {quiet.code[:9]}\0"}).text
    assert quiet.code in found
    assert waiting.code not in found
    assert "None of your outlets" in client.get("/en/desk/", {"q": foreign.code}).text


def test_more_outlets_than_fit_say_so(db: None, monkeypatch: Any) -> None:
    from orders import desk_today

    monkeypatch.setattr(desk_today, "OUTLETS_ON_A_PAGE", 2)
    for _ in range(3):
        create_outlet(town=create_region("130826100"))
    client = sign_in(create_person(Role.REGION_MANAGER, create_region("130826")))

    text = client.get("/en/desk/").text

    assert text.count('<th scope="row">') == 2
    assert "Find the others by name or code" in text


@pytest.mark.parametrize(
    ("hours", "minutes", "words"),
    [
        (0, -5, "less than a minute"),
        (0, 0, "less than a minute"),
        (0, 1, "1 minute"),
        (0, 59, "59 minutes"),
        (1, 0, "1 hour"),
        (9, 59, "9 h 59 min"),
        (10, 59, "10 hours"),
        (47, 59, "47 hours"),
        (48, 0, "2 days"),
    ],
)
def test_durations_are_said_in_their_largest_unit(hours: int, minutes: int, words: str) -> None:
    from stores.durations import duration_in_words

    with translation.override("en"):
        assert duration_in_words(timedelta(hours=hours, minutes=minutes)) == words
