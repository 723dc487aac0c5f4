"""The life of single phones: received, handed over, returned, sold again, and what no phone can do."""

import pytest

from stores import handsets, stock
from stores.models import Handset, HandsetEvent
from stores.refusals import OperationKeyReused, UnitNumberInvalid, UnitProblem, UnitRefused
from stores.unit_numbers import number, unit
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("490154203237518", "490154203237518"),
        (" 49-015420-323751-8 ", "490154203237518"),
        ("A0000000002329", "A0000000002329"),
        ("a0000000002329", "A0000000002329"),
        ("AF 01 23 45 0A BC DE C", "AF0123450ABCDE"),
        ("29360 87365 0070 3710 0", "AF0123450ABCDE"),
        # The same phone, as MEID and as IMEI.
        ("99000000123456", "990000001234568"),
        ("990000001234568", "990000001234568"),
    ],
)
def test_a_number_has_one_written_form(typed, kept):
    assert number(typed) == kept


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("490154203237519", "check_digit"),
        ("AF 01 23 45 0A BC DE D", "check_digit"),
        ("4901542032375", "form"),
        ("3568680000414120", "form"),  # IMEISV: it has no check digit
        ("", "form"),
        ("hello", "form"),
        ("４９０１５４２０３２３７５１８", "form"),
    ],
)
def test_a_wrong_number_is_refused_with_the_reason(typed, reason):
    with pytest.raises(UnitNumberInvalid) as refusal:
        number(typed)
    assert (refusal.value.number, refusal.value.reason) == (typed, reason)


def test_a_unit_has_one_or_two_different_numbers():
    assert unit("490154203237518", "A0000000002329") == ("490154203237518", "A0000000002329")
    for texts in ([], ["490154203237518"] * 2, ["490154203237518", "A0000000002329", "356868000041418"]):
        with pytest.raises(UnitNumberInvalid):
            unit(*texts)


def kinds(unit):
    return [(event.kind, event.state, event.outlet_id) for event in handsets.life(unit[0])]


def test_the_life_of_a_unit_can_be_read(db):
    phone, here, there = create_phone(), create_outlet(), create_outlet()
    unit = create_unit(second=True)

    stock.receive(here.pk, {phone.pk: 3}, act(), {phone.pk: [unit]})
    stock.reserve(here.pk, {phone.pk: 1}, act())
    stock.hand_over(here.pk, {phone.pk: [unit]}, act())
    stock.return_unit(there.pk, phone.pk, unit, act())
    stock.sell(there.pk, {phone.pk: [unit[1:]]}, act())  # the second number names it as well

    assert kinds(unit) == [
        ("received", "on_shelf", here.pk),
        ("handed_over", "sold", here.pk),
        ("returned", "on_shelf", there.pk),
        ("walk_in_sale", "sold", there.pk),
    ]
    assert Handset.objects.count() == 1


def test_a_unit_that_was_only_counted_is_recorded_when_it_leaves(db):
    level, unit = create_stock(on_hand=1), create_unit()

    stock.sell(level.outlet_id, {level.phone_id: [unit]}, act())

    assert kinds(unit) == [("walk_in_sale", "sold", level.outlet_id)]


@pytest.fixture
def scanned(db):
    """A shelf with three phones, one of which is known."""
    level, unit = create_stock(on_hand=2), create_unit()
    stock.receive(level.outlet_id, {level.phone_id: 1}, act(), {level.phone_id: [unit]})
    return level, unit


def refused(deed, *arguments):
    with pytest.raises(UnitRefused) as refusal:
        deed(*arguments)
    (problem,) = refusal.value.problems
    return problem


def test_a_unit_is_sold_once(scanned):
    level, unit = scanned
    stock.sell(level.outlet_id, {level.phone_id: [unit]}, act())

    stock.reserve(level.outlet_id, {level.phone_id: 1}, act())
    named = {level.phone_id: [unit]}
    for deed in (stock.sell, stock.hand_over):
        problem = refused(deed, level.outlet_id, named, act())
        assert problem == UnitProblem(unit[0], "sold", level.outlet_id, level.phone_id)
    assert refused(stock.write_off, level.outlet_id, {level.phone_id: 1}, act(), named).reason == "sold"

    level.refresh_from_db()
    assert level.on_hand == 2


def test_a_unit_is_received_once(scanned):
    level, unit = scanned
    other = create_outlet()

    problem = refused(stock.receive, other.pk, {level.phone_id: 1}, act(), {level.phone_id: [unit]})

    assert problem == UnitProblem(unit[0], "on_shelf", level.outlet_id, level.phone_id)


def test_a_unit_of_another_outlet_cannot_be_sold(scanned):
    level, unit = scanned
    other = create_stock(phone=level.phone)

    assert refused(stock.sell, other.outlet_id, {level.phone_id: [unit]}, act()).reason == "elsewhere"


def test_a_unit_is_of_one_phone(scanned):
    level, unit = scanned
    other = create_stock(outlet=level.outlet)

    assert refused(stock.sell, level.outlet_id, {other.phone_id: [unit]}, act()).reason == "other_phone"


def test_only_what_was_sold_comes_back(scanned):
    level, unit = scanned

    assert refused(stock.return_unit, level.outlet_id, level.phone_id, unit, act()).reason == "on_shelf"
    broken, travelling, stranger = (create_unit() for _ in range(3))
    stock.write_off(level.outlet_id, {level.phone_id: 1}, act(), {level.phone_id: [broken]})
    stock.send(level.outlet_id, {level.phone_id: 1}, act(), {level.phone_id: [travelling]})
    for other, state in ((broken, "written_off"), (travelling, "in_transit"), (stranger, "unknown")):
        assert refused(stock.return_unit, level.outlet_id, level.phone_id, other, act()).reason == state


def test_two_numbers_of_different_phones_are_no_unit(scanned):
    level, unit = scanned
    other = create_unit()
    stock.receive(level.outlet_id, {level.phone_id: 1}, act(), {level.phone_id: [other]})

    assert refused(stock.sell, level.outlet_id, {level.phone_id: [unit + other]}, act()).reason == "two_units"


def test_a_unit_is_named_once(scanned):
    level, unit = scanned

    assert refused(stock.sell, level.outlet_id, {level.phone_id: [unit, unit]}, act()).reason == "named_twice"


def test_all_units_or_none(scanned):
    level, unit = scanned
    stock.sell(level.outlet_id, {level.phone_id: [unit]}, act())
    fresh = create_unit()

    refused(stock.sell, level.outlet_id, {level.phone_id: [fresh, unit]}, act())

    assert not HandsetEvent.objects.filter(handset__numbers__number=fresh[0]).exists()


def test_no_more_units_are_scanned_than_arrive(db):
    outlet, phone = create_outlet(), create_phone()

    with pytest.raises(ValueError, match="more units"):
        stock.receive(outlet.pk, {phone.pk: 1}, act(), {phone.pk: [create_unit(), create_unit()]})


def test_a_repeated_deed_names_the_same_units(scanned):
    level, unit = scanned
    first = stock.sell(level.outlet_id, {level.phone_id: [unit]}, act("once"))

    assert stock.sell(level.outlet_id, {level.phone_id: [unit]}, act("once")) == first
    with pytest.raises(OperationKeyReused):
        stock.sell(level.outlet_id, {level.phone_id: [create_unit()]}, act("once"))
    assert len(kinds(unit)) == 2


def test_a_phone_that_was_written_off_may_be_found_whole(scanned):
    level, unit = scanned
    stock.write_off(level.outlet_id, {level.phone_id: 1}, act(), {level.phone_id: [unit]})

    assert refused(stock.sell, level.outlet_id, {level.phone_id: [unit]}, act()).reason == "written_off"
    stock.adjust(level.outlet_id, {level.phone_id: 1}, act(reason="dried"), {level.phone_id: [unit]})
    stock.sell(level.outlet_id, {level.phone_id: [unit]}, act())

    assert [kind for kind, *_ in kinds(unit)] == ["received", "damaged", "adjusted", "walk_in_sale"]
