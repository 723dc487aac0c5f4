"""What will run out: expected demand, proposals from it, and what becomes of one that a region manager accepts."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
from django.conf import settings as site_settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.catalogue import Catalogue
from office.demand import HORIZON, SERVICE, foresee
from office.matching import Shelf, matches
from office.models import Forecast, OfficeRole, Proposal
from office.proposals import ProposalGone, accept
from office.rollup import roll_up_all
from office.run_out import foresee_run_out
from stores import stock, transfers
from stores.geography import Point
from stores.ledger_past import write_past
from stores.models import Outlet, Role, StockLevel, Transfer
from tests.crowd import at_once
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_region
from tests.history import create_outlets_with_past, open_shelves
from tests.office import office_client

COUNTY, NEXT_COUNTY = "130121", "130123"


def demand_of(sold: list[int], days: list[int]):
    return foresee(np.array(sold, float), np.array(days, float), np.zeros(len(sold), np.int64))


def test_a_shelf_that_sold_little_is_taken_to_sell_as_its_county_does():
    alone = demand_of([0], [14]).rate[0]
    among_others = demand_of([0, 20, 22, 19, 21], [14, 56, 56, 56, 56]).rate

    assert alone < 0.01
    assert among_others[0] > 0.1
    assert among_others[1] == pytest.approx(20 / 56, rel=0.15)


def test_days_without_stock_are_no_days_without_demand():
    short, long = demand_of([5], [7]).rate[0], demand_of([5], [56]).rate[0]

    assert short > 1.5 * long


def test_enough_suffices_nine_times_in_ten():
    chance = np.random.default_rng(11)
    rates = chance.gamma(2.0, 0.1, 4000)
    sold = chance.poisson(rates * 56).astype(float)

    demand = foresee(sold, np.full(4000, 56.0), np.zeros(4000, np.int64))

    wanted = chance.poisson(rates * HORIZON)
    assert SERVICE - 0.01 <= np.mean(wanted <= demand.enough) <= 0.96
    assert np.mean(demand.expected) == pytest.approx(np.mean(wanted), rel=0.05)


shelves = st.lists(
    st.builds(
        lambda place, needs, spare, cover: Shelf(0, Point(38 + place / 100, 114), cover, needs, 0 if needs else spare),
        st.integers(0, 50), st.integers(0, 6), st.integers(0, 6), st.floats(0, 30),
    ), max_size=12,
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shelves)
def test_nothing_is_given_that_is_not_there_and_nothing_needed_is_left_out(several):
    for number, shelf in enumerate(several, start=1):
        shelf.outlet_id = number
    needs = {shelf.outlet_id: shelf.needs for shelf in several}
    spare = {shelf.outlet_id: shelf.spare for shelf in several}

    found = list(matches(several))

    for shelf in several:
        assert sum(each.quantity for each in found if each.receiver is shelf) == needs[shelf.outlet_id]
        assert sum(each.quantity for each in found if each.sender is shelf) <= spare[shelf.outlet_id]
        assert shelf.spare >= 0
        assert shelf.needs == 0
    # Nobody orders what a neighbour could have given.
    assert not any(each.sender is None for each in found) or not any(shelf.spare for shelf in several)


def test_the_nearest_gives_first_and_who_runs_out_first_is_served_first():
    urgent, later = Shelf(1, Point(38, 114), 1.0, 3, 0), Shelf(2, Point(38.5, 114), 5.0, 2, 0)
    near, far = Shelf(3, Point(38.1, 114), 99.0, 0, 2), Shelf(4, Point(39, 114), 99.0, 0, 2)

    found = [
        (each.receiver.outlet_id, each.sender and each.sender.outlet_id, each.quantity)
        for each in matches([later, far, near, urgent])
    ]

    assert found == [(1, 3, 2), (1, 4, 1), (2, 4, 1), (2, None, 1)]


@pytest.fixture
def sold_out(catalogue: Catalogue, db: None) -> Outlet:
    """A county where one outlet has sold what it had, its neighbour has plenty, and a third is in another county."""
    towns = (f"{COUNTY}100", f"{COUNTY}101", f"{NEXT_COUNTY}100")
    outlets = [
        create_outlet(code=f"{town}-01", town=create_region(town), latitude=38 + place / 10)
        for place, town in enumerate(towns)
    ]
    open_shelves(outlets[:1], catalogue, on_hand=20)
    open_shelves(outlets[1:], catalogue, on_hand=30)
    phone = catalogue.listed[0].pk
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE past AS SELECT %s::bigint AS outlet_id, %s::smallint AS phone_id, n AS place, "
            "'walk_in_sale' AS kind, -1 AS change_on_hand, 0 AS change_reserved, '' AS reference, 'person:1' AS actor, "
            "'' AS reason, 'p' || n AS operation_key, now() - (30 - n) * interval '1 day' AS created_at "
            "FROM generate_series(1, 20) n", [outlets[0].pk, phone]
        )  # fmt: skip
        write_past(cursor, "past")
        cursor.execute("DROP TABLE past")
    roll_up_all(timezone.now())
    foresee_run_out()
    return outlets[0]


def first_transfer(outlet: Outlet) -> Proposal:
    return Proposal.objects.get(receiver=outlet, kind="transfer")


def test_a_shelf_that_sold_out_gets_some_from_its_county(sold_out: Outlet, catalogue: Catalogue):
    forecast = Forecast.objects.get(outlet=sold_out, phone=catalogue.listed[0])
    proposal = first_transfer(sold_out)

    assert (forecast.sold, forecast.on_hand) == (20, 0)
    assert 0.5 < forecast.rate < 1.1
    assert forecast.expected < forecast.enough < 25
    assert (proposal.sender.code, proposal.cover_days) == (f"{COUNTY}101-01", 0)
    assert proposal.quantity == forecast.enough
    assert 5 < proposal.distance_km < 15


def test_neither_what_is_promised_nor_the_safety_stock_is_given_away(sold_out: Outlet, catalogue: Catalogue):
    giver, phone = Outlet.objects.get(code=f"{COUNTY}101-01"), catalogue.listed[0]
    StockLevel.objects.filter(outlet=giver, phone=phone).update(safety_stock=10)
    stock.reserve(giver.pk, {phone.pk: 16}, act())

    foresee_run_out()

    given = Proposal.objects.filter(receiver=sold_out, phone=phone, kind="transfer")
    assert sum(each.quantity for each in given) <= 30 - 10 - 16
    assert Proposal.objects.filter(receiver=sold_out, phone=phone, kind="supply").exists()


def test_what_is_accepted_becomes_a_transfer_once_and_is_not_proposed_again(sold_out: Outlet):
    person, proposal = create_person(Role.REGION_MANAGER, create_region(f"{COUNTY}")), first_transfer(sold_out)

    first, second = accept(proposal.pk, person), accept(proposal.pk, person)

    transfer = Transfer.objects.get()
    assert first.transfer == second.transfer == transfer
    assert (transfer.sender, transfer.receiver, transfer.state) == (proposal.sender, sold_out, "requested")
    assert list(transfer.lines.values_list("phone", "requested")) == [(proposal.phone_id, proposal.quantity)]
    foresee_run_out()
    assert not Proposal.objects.filter(receiver=sold_out, accepted_at=None).exists()
    assert Proposal.objects.filter(pk=proposal.pk).exists()


def test_what_was_worked_out_anew_is_gone(sold_out: Outlet):
    proposal = first_transfer(sold_out)
    foresee_run_out()

    with pytest.raises(ProposalGone):
        accept(proposal.pk, create_person())


@pytest.mark.django_db(transaction=True)
def test_of_many_who_accept_at_once_one_transfer_comes(sold_out: Outlet):
    person, proposal = create_person(Role.REGION_MANAGER, create_region(COUNTY)), first_transfer(sold_out)

    accepted = at_once([lambda: accept(proposal.pk, person)] * 6)

    assert len({each.transfer_id for each in accepted}) == Transfer.objects.count() == 1


def test_nothing_is_said_of_shelves_before_it_was_worked_out(sold_out: Outlet):
    Proposal.objects.all().delete()
    assert "every shelf has enough" in office_client(OfficeRole.NETWORK).get("/en/reports/run-out/").text

    Forecast.objects.all().delete()
    page = office_client(OfficeRole.NETWORK).get("/en/reports/run-out/").text
    assert "Nothing was worked out yet" in page
    assert "every shelf has enough" not in page


def test_a_region_manager_accepts_line_by_line(sold_out: Outlet):
    client = sign_in(create_person(Role.REGION_MANAGER, create_region("130100")))
    page = client.get("/en/reports/run-out/", follow=True)
    assert page.redirect_chain[-1][0] == "/en/reports/run-out/130100/"
    assert "14 days need about" in page.text
    proposal = first_transfer(sold_out)

    answer = client.post("/en/reports/run-out/130100/", {"proposal": proposal.pk})
    again = client.post("/en/reports/run-out/130100/", {"proposal": proposal.pk})

    assert answer.status_code == again.status_code == 302
    assert f"Transfer {Transfer.objects.get().pk} is asked for" in client.get("/en/reports/run-out/130100/").text
    lines = b"".join(client.get("/en/reports/run-out/130100/csv/").streaming_content).decode().splitlines()
    assert sold_out.code in lines[1]
    asked = "/en/reports/run-out/130100/proposed/?kind=transfer"
    proposed = b"".join(client.get(asked).streaming_content).decode().splitlines()
    waiting = Proposal.objects.filter(kind="transfer", accepted_at=None, county_code__startswith="1301")
    assert len(proposed) == 1 + waiting.count()


def test_who_may_not_move_stock_reads_it_and_no_more(sold_out: Outlet):
    proposal = first_transfer(sold_out)
    for role in set(OfficeRole) - {OfficeRole.NETWORK}:
        assert office_client(role).get("/en/reports/run-out/").status_code == 200
        assert office_client(role).post("/en/reports/run-out/", {"proposal": proposal.pk}).status_code == 403
    elsewhere = sign_in(create_person(Role.REGION_MANAGER, create_region("540000")))
    assert elsewhere.post("/en/reports/run-out/130100/", {"proposal": proposal.pk}).status_code == 404
    assert elsewhere.post("/en/reports/run-out/540000/", {"proposal": proposal.pk}).status_code == 409
    assert not Transfer.objects.exists()
    assert office_client(OfficeRole.NETWORK).post("/en/reports/run-out/", {"proposal": proposal.pk}).status_code == 302
    assert Transfer.objects.exists()


@pytest.mark.parametrize("sent", ["", "x", "-1", "9" * 30, "٣"])
def test_what_is_no_proposal_is_refused(sold_out: Outlet, sent: str):
    assert office_client(OfficeRole.NETWORK).post("/en/reports/run-out/", {"proposal": sent}).status_code == 400


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"quantity": 0}, "about_something"),
        ({"sender": None}, "has_a_sender"),
        ({"accepted_at": timezone.now()}, "is_carried_out"),
    ],
)
def test_the_database_holds_what_a_proposal_is(sold_out: Outlet, change, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Proposal.objects.filter(pk=first_transfer(sold_out).pk).update(**change)


def test_it_is_the_same_whenever_it_runs(catalogue: Catalogue, db: None):
    create_outlets_with_past(catalogue, days=40)
    roll_up_all(timezone.now())
    now = timezone.now()
    foresee_run_out(now)
    columns = ("receiver", "sender", "phone", "quantity", "cover_days")
    first = list(Proposal.objects.values_list(*columns))

    foresee_run_out(now + timedelta(minutes=1))

    assert list(Proposal.objects.values_list(*columns)) == first
    assert Forecast.objects.filter(as_of=now + timedelta(minutes=1)).count() == Forecast.objects.count() > 50


def test_a_transfer_that_is_asked_for_counts_as_coming_and_going(sold_out: Outlet, catalogue: Catalogue):
    proposal = first_transfer(sold_out)
    transfers.request(proposal.sender_id, sold_out.pk, {proposal.phone_id: 4}, act())

    foresee_run_out()

    assert Forecast.objects.get(outlet=sold_out, phone=proposal.phone_id).coming == 4
    assert first_transfer(sold_out).quantity == proposal.quantity - 4


def test_no_web_process_loads_the_statistics():
    program = (
        "import django; django.setup(); import config.wsgi, config.urls; from django.urls import get_resolver;"
        "get_resolver().url_patterns; import sys; assert not {'scipy', 'numpy'} & set(sys.modules)"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    subprocess.run([sys.executable, "-c", program], cwd=site_settings.BASE_DIR, check=True, env=environment)


def test_the_docs_show_how_the_rule_does_beside_the_naive_one(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("backtest_run_out")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][2:]

    assert len(lines) == 6
    written = (site_settings.BASE_DIR / "docs" / "office-reports.md").read_text()
    assert [line for line in lines if line not in written] == [], "write what `manage.py backtest_run_out` says"
    for naive, _at_least_one, ours in (lines[:3], lines[3:]):
        errors = [[float(cell) for cell in line.split(" | ")[2:4]] for line in (ours, naive)]
        assert all(mine < theirs for mine, theirs in zip(*errors, strict=True))
