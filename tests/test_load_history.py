"""A past that is made up is a possible one: the books add up, and it is the same wherever it is loaded."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from catalog.catalogue import Catalogue
from office.models import RollupDay
from office.sample_demand import rate, weight
from office.sample_loading import load_history
from orders.models import Order
from stores.audit import all_disagreements
from stores.loading.demo_stock import SIZES
from stores.models import Outlet, StockMovement
from tests.books import assert_books_add_up
from tests.factories import create_outlet
from tests.history import create_outlets_with_past, open_shelves

pytestmark = pytest.mark.django_db


def kinds() -> set[str]:
    return set(StockMovement.objects.values_list("kind", flat=True))


def test_the_books_add_up_after_it(catalogue: Catalogue) -> None:
    written = create_outlets_with_past(catalogue, days=120)

    assert_books_add_up()
    assert [*all_disagreements()] == []
    assert written.orders == Order.objects.count() > 0
    assert {"opening", "received", "reserved", "released", "handed_over", "walk_in_sale", "returned"} <= kinds()
    assert set(Order.objects.values_list("state", flat=True)) == {"collected", "cancelled", "declined", "expired"}
    newest = StockMovement.objects.order_by("-created_at")[0].created_at
    assert timezone.localdate(newest) < timezone.localdate()


def test_a_second_time_changes_nothing(catalogue: Catalogue) -> None:
    create_outlets_with_past(catalogue, days=30)
    before = StockMovement.objects.count()

    assert load_history(30).lines == 0

    assert StockMovement.objects.count() == before


def test_it_depends_on_names_and_days_alone(catalogue: Catalogue) -> None:
    outlet = create_outlet(code="130826100-01")
    open_shelves([outlet], catalogue)
    load_history(20)

    sold = StockMovement.objects.filter(outlet=outlet).aggregate(sum=Sum("change_on_hand"))
    again = OutletOfTheSameName.lines(outlet, catalogue, 20)
    assert StockMovement.objects.exclude(kind="opening").count() == len(again)
    assert sold["sum"] == 6 * len(catalogue.phones) + sum(line.on_hand for line in again)


class OutletOfTheSameName:
    """The same past, played through without a database."""

    @staticmethod
    def lines(outlet: Outlet, catalogue: Catalogue, days: int) -> list:
        from office.sample_history import Carried, OutletPast
        from stores.loading.demo_stock import size_of

        phones = sorted(catalogue.listed, key=lambda phone: (phone.price_fen, phone.slug))
        slugs, size = [phone.slug for phone in phones], size_of(outlet.code)
        past = OutletPast(outlet.pk, outlet.code, timezone.localdate() - timedelta(days=days), days)
        past.play(
            [
                Carried(phone.pk, rank, 6, size.room_for(rank))
                for rank, phone in enumerate(phones)
                if size.has_room_for(rank, outlet.code, slugs)
            ]
        )
        return past.lines


def test_saturdays_and_singles_day_are_busy() -> None:
    days = [timezone.datetime(2026, 11, day).date() for day in (10, 11, 21, 24)]

    before, singles_day, saturday, tuesday = (weight(day) for day in days)

    assert singles_day > 3 * before > 3 * tuesday
    assert saturday > 1.5 * tuesday


def test_small_shops_sell_now_and_then_and_large_ones_every_day() -> None:
    a_day = [sum(rate(size, rank, "130826100-01") for rank in range(14)) for size, _ in SIZES]

    assert a_day == sorted(a_day)
    assert a_day[0] < 0.5 < 4 * a_day[0] < a_day[2]


@pytest.mark.parametrize("days", [0, 367])
def test_it_has_a_beginning_and_not_too_long_ago(days: int) -> None:
    with pytest.raises(CommandError, match="between 1 and 366 days"):
        call_command("load_history", days=days)


def test_makes_nothing_up_where_real_books_are_kept(db: None, settings):
    settings.DEMO = False
    create_outlet()

    with pytest.raises(CommandError, match="DEMO must be yes"):
        call_command("load_history", days=7)

    assert not StockMovement.objects.exists()


def test_the_command_adds_it_up_for_the_reports(catalogue: Catalogue) -> None:
    open_shelves([create_outlet(code="130826100-01")], catalogue)
    out = io.StringIO()

    call_command("load_history", days=14, stdout=out)

    assert out.getvalue().startswith("Sample data: a past of ")
    # Of today there is nothing yet in the first minutes after midnight.
    newest = timezone.localdate(StockMovement.objects.latest("created_at").created_at)
    assert RollupDay.objects.get(day=newest).lines > 0
