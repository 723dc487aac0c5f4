"""All deeds in any order, against a model of the shelves in plain Python."""

from collections import Counter
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, currently_in_test_context, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stores import handsets, stock, transfers
from stores.counts import apply_count
from stores.models import Shortfall, StockLevel
from stores.refusals import OperationKeyReused, StockRefusal
from stores.transfers import Arrival
from tests.books import assert_books_add_up
from tests.factories import act, create_outlet, create_phone, create_unit

choice = st.integers(0, 1)
quantities = st.dictionaries(choice, st.integers(1, 3), min_size=1)
# More comes than goes, or most deeds would be refused.
boxes = st.dictionaries(choice, st.integers(3, 8), min_size=1)


class Shelves(RuleBasedStateMachine):
    """Two outlets, two phones. `shelves` is what the model believes; every rule says what should come of it."""

    def __init__(self):
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.outlets = [create_outlet().pk for _ in range(2)]
        self.phones = [create_phone().pk for _ in range(2)]
        self.shelves = {}
        self.units = {}  # unit: [state, outlet, phone, kinds of what happened]
        self.done = []  # (outlet, key, deed, its result)
        self.moments = []  # (time, how many changes each shelf had seen)
        self.transfers = []
        for outlet in (0, 1):
            # Something of everything, or most rules would wait for others that hypothesis has left out this time.
            self.receive(outlet, {0: 8, 1: 8}, True)
            self.reserve(outlet, {0: 2, 1: 2})
            self.sell(outlet, {0: 1}, True)
            self.write_off(outlet, {1: 1}, True)
            self.send(outlet, {0: 1, 1: 2}, bool(outlet))

    def teardown(self):
        try:
            self.units_are_as_the_model_says()
            assert_books_add_up()
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def shelf(self, outlet, phone):
        return self.shelves.get((outlet, phone)) or SimpleNamespace(on_hand=0, reserved=0, changes=[], counted_at=None)

    def move(self, outlet, changes, *, counts=False):
        for phone, (on_hand, reserved) in changes.items():
            shelf = self.shelves.setdefault((outlet, phone), self.shelf(outlet, phone))
            shelf.on_hand += on_hand
            shelf.reserved += reserved
            shelf.changes.append(0 if counts else on_hand)

    def attempt(self, name, outlet, expected, deed):
        """Do it under a key of its own; True if it was done. The model says which refusal to expect, None for none."""
        key = act(reason="looked again")
        try:
            with transaction.atomic():
                result, said = deed(key), None
        except StockRefusal as refusal:
            result, said = None, refusal.code
        assert said == expected
        if currently_in_test_context():
            # Listed by --hypothesis-show-statistics: what never happens would prove nothing.
            event(f"{name}: {said or 'done'}")
        if said is None:
            self.done.append((outlet, key, deed, result))
        return said is None

    def ask(self, outlet, wanted):
        return self.outlets[outlet], {self.phones[phone]: number for phone, number in wanted.items()}

    def scan(self, kind, outlet, wanted, known):
        """Units for a deed: such as stand there while there are some and the flag says so, else new ones."""
        here = [unit for unit, (state, *place, _) in self.units.items() if known and state == "on_shelf"]
        return {
            phone: [
                *[unit for unit in here if self.units[unit][1:3] == [outlet, phone]][:number],
                *[create_unit(second=number > 1) for _ in range(number)],
            ][:number]
            for phone, number in wanted.items()
        }

    def note(self, kind, state, outlet, units):
        for phone, each in units.items():
            for unit in each:
                self.units[unit] = [state, outlet, phone, [*self.units.get(unit, [0, 0, 0, []])[3], kind]]

    @rule(outlet=choice, box=boxes, scanned=st.booleans())
    def receive(self, outlet, box, scanned):
        units = self.scan("received", outlet, box, known=False) if scanned else {}
        named = {self.phones[phone]: each for phone, each in units.items()}
        assert self.attempt("receive", outlet, None, lambda key: stock.receive(*self.ask(outlet, box), key, named))
        self.move(outlet, {phone: (number, 0) for phone, number in box.items()})
        self.note("received", "on_shelf", outlet, units)

    @rule(outlet=choice, wanted=quantities)
    def reserve(self, outlet, wanted):
        shelves = {phone: self.shelf(outlet, phone) for phone in wanted}
        short = any(shelves[phone].on_hand - shelves[phone].reserved < number for phone, number in wanted.items())
        expected = "out_of_stock" if short else None
        if self.attempt("reserve", outlet, expected, lambda key: stock.reserve(*self.ask(outlet, wanted), key)):
            self.move(outlet, {phone: (0, number) for phone, number in wanted.items()})

    @rule(outlet=choice, wanted=quantities)
    def release(self, outlet, wanted):
        short = any(self.shelf(outlet, phone).reserved < number for phone, number in wanted.items())
        expected = "not_reserved" if short else None
        if self.attempt("release", outlet, expected, lambda key: stock.release(*self.ask(outlet, wanted), key)):
            self.move(outlet, {phone: (0, -number) for phone, number in wanted.items()})

    @rule(outlet=choice, wanted=quantities, known=st.booleans())
    def hand_over(self, outlet, wanted, known):
        expected = None
        if any(self.shelf(outlet, phone).on_hand < number for phone, number in wanted.items()):
            expected = "not_on_shelf"
        if any(self.shelf(outlet, phone).reserved < number for phone, number in wanted.items()):
            expected = "not_reserved"
        self.give("handed_over", stock.hand_over, outlet, wanted, known, expected, reserved=True)

    @rule(outlet=choice, wanted=quantities, known=st.booleans())
    def sell(self, outlet, wanted, known):
        shelves = {phone: self.shelf(outlet, phone) for phone in wanted}
        short = any(shelves[phone].on_hand - shelves[phone].reserved < number for phone, number in wanted.items())
        self.give("walk_in_sale", stock.sell, outlet, wanted, known, "out_of_stock" if short else None)

    def give(self, kind, deed, outlet, wanted, known, expected, *, reserved=False):
        units = self.scan(kind, outlet, wanted, known)
        named = {self.phones[phone]: each for phone, each in units.items()}
        if self.attempt(kind, outlet, expected, lambda key: deed(self.outlets[outlet], named, key)):
            self.move(outlet, {phone: (-number, -number if reserved else 0) for phone, number in wanted.items()})
            self.note(kind, "sold", outlet, units)

    def some_unit(self, data, state):
        """One in this state if there is one, or now and then any."""
        units = sorted(unit for unit, (now, *_) in self.units.items() if now == state)
        return data.draw(st.sampled_from(units if units and data.draw(st.integers(0, 3)) else sorted(self.units)))

    @precondition(lambda self: self.units)
    @rule(outlet=choice, data=st.data())
    def return_unit(self, outlet, data):
        unit = self.some_unit(data, "sold")
        state, _, phone, _ = self.units[unit]
        expected = None if state == "sold" else "unit_refused"
        place = self.outlets[outlet], self.phones[phone]
        if self.attempt("return", outlet, expected, lambda key: stock.return_unit(*place, unit, key)):
            self.move(outlet, {phone: (1, 0)})
            self.note("returned", "on_shelf", outlet, {phone: [unit]})

    @precondition(lambda self: any(state == "written_off" for state, *_ in self.units.values()))
    @rule(outlet=choice, data=st.data())
    def find_again(self, outlet, data):
        unit = self.some_unit(data, "written_off")
        state, _, phone, _ = self.units[unit]
        if state == "in_transit":
            return  # Found before it was lost: its transfer would not come to an end.
        expected = None if state == "written_off" else "unit_refused"
        asked, named = self.ask(outlet, {phone: 1}), {self.phones[phone]: [unit]}
        if self.attempt("find again", outlet, expected, lambda key: stock.adjust(*asked, key, named)):
            self.move(outlet, {phone: (1, 0)})
            self.note("adjusted", "on_shelf", outlet, {phone: [unit]})

    @precondition(lambda self: self.units)
    @rule(outlet=choice, data=st.data())
    def sell_some_unit(self, outlet, data):
        """Also one that is sold, elsewhere or on its way."""
        unit = data.draw(st.sampled_from(sorted(self.units)))
        state, place, phone, _ = self.units[unit]
        shelf = self.shelf(outlet, phone)
        expected = None if (state, place) == ("on_shelf", outlet) else "unit_refused"
        if shelf.on_hand - shelf.reserved < 1:
            expected = "out_of_stock"
        named = {self.phones[phone]: [unit]}
        if self.attempt("sell some", outlet, expected, lambda key: stock.sell(self.outlets[outlet], named, key)):
            self.move(outlet, {phone: (-1, 0)})
            self.note("walk_in_sale", "sold", outlet, {phone: [unit]})

    @rule(outlet=choice, wanted=quantities, scanned=st.booleans())
    def write_off(self, outlet, wanted, scanned):
        short = any(self.shelf(outlet, phone).on_hand < number for phone, number in wanted.items())
        units = self.scan("damaged", outlet, wanted, known=True) if scanned else {}
        named = {self.phones[phone]: each for phone, each in units.items()}
        expected = "not_on_shelf" if short else None
        if self.attempt(
            "write off", outlet, expected, lambda key: stock.write_off(*self.ask(outlet, wanted), key, named)
        ):
            self.move(outlet, {phone: (-number, 0) for phone, number in wanted.items()})
            self.note("damaged", "written_off", outlet, units)

    @rule(outlet=choice, phone=choice, difference=st.sampled_from([-2, -1, 1]))
    def adjust(self, outlet, phone, difference):
        short = self.shelf(outlet, phone).on_hand + difference < 0
        expected = "not_on_shelf" if short else None
        asked = self.ask(outlet, {phone: difference})
        if self.attempt("adjust", outlet, expected, lambda key: stock.adjust(*asked, key)):
            self.move(outlet, {phone: (difference, 0)})

    def look_at_the_clock(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (now,) = cursor.fetchone()
        self.moments.append((now, {place: len(shelf.changes) for place, shelf in self.shelves.items()}))

    @rule(outlet=choice, found=st.dictionaries(choice, st.integers(0, 4), min_size=1), data=st.data())
    def count(self, outlet, found, data):
        """Taken now, or at some moment of the past, and only now heard of."""
        self.look_at_the_clock()
        ago = data.draw(st.integers(1, len(self.moments)))
        taken_at, seen = self.moments[-ago]
        shelves = {phone: self.shelf(outlet, phone) for phone in found}
        old = any(shelf.counted_at and shelf.counted_at >= taken_at for shelf in shelves.values())
        asked, name = self.ask(outlet, found), "count late" if ago > 1 else "count"
        if self.attempt(
            name, outlet, "count_is_not_news" if old else None, lambda key: apply_count(*asked, taken_at, key)
        ):
            for phone, number in found.items():
                since = sum(shelves[phone].changes[seen.get((outlet, phone), 0) :])
                self.move(outlet, {phone: (max(number + since, 0) - shelves[phone].on_hand, 0)}, counts=True)
                self.shelves[outlet, phone].counted_at = taken_at

    @rule(sender=choice, wanted=quantities, scanned=st.booleans())
    def send(self, sender, wanted, scanned):
        shelves = {phone: self.shelf(sender, phone) for phone in wanted}
        short = any(shelves[phone].on_hand - shelves[phone].reserved < number for phone, number in wanted.items())
        units = self.scan("transfer_out", sender, wanted, known=True) if scanned else {}
        named = {self.phones[phone]: each for phone, each in units.items()}
        _, asked = self.ask(sender, wanted)
        transfer = transfers.request(self.outlets[sender], self.outlets[1 - sender], asked, act())
        transfers.approve(transfer.pk, act())
        expected = "out_of_stock" if short else None
        if self.attempt("send", sender, expected, lambda key: transfers.send(transfer.pk, asked, key, named)):
            self.move(sender, {phone: (-number, 0) for phone, number in wanted.items()})
            self.note("transfer_out", "in_transit", sender, units)
            self.transfers.append((transfer.pk, sender, wanted, units))

    @precondition(lambda self: self.transfers)
    @rule(data=st.data())
    def goods_arrive(self, data):
        transfer, sender, sent, units = self.transfers.pop(data.draw(st.integers(0, len(self.transfers) - 1)))
        receiver = 1 - sender
        arrivals, whole, broken = {}, {}, {}
        for phone, number in sent.items():
            good = data.draw(st.integers(0, number))
            damaged = data.draw(st.integers(0, number - good))
            whole[phone], broken[phone] = units.get(phone, [])[:good], units.get(phone, [])[good : good + damaged]
            arrivals[self.phones[phone]] = Arrival(good, damaged, whole[phone], broken[phone])
        short = any(arrivals[self.phones[phone]].whole < number for phone, number in sent.items())
        name = "arrive short" if short else "arrive in full"
        assert self.attempt(name, receiver, None, lambda key: transfers.receive(transfer, arrivals, key))
        for phone in sent:
            arrival = arrivals[self.phones[phone]]
            if arrival.whole + arrival.damaged:
                self.move(receiver, {phone: (arrival.whole + arrival.damaged, 0)})
            if arrival.damaged:
                self.move(receiver, {phone: (-arrival.damaged, 0)})
        self.note("transfer_in", "on_shelf", receiver, whole)
        self.note("transfer_in", "on_shelf", receiver, broken)
        self.note("damaged", "written_off", receiver, broken)

    @precondition(lambda self: self.transfers)
    @rule()
    def call_back(self):
        transfer, sender, sent, units = self.transfers.pop()
        assert self.attempt("call back", sender, None, lambda key: transfers.cancel(transfer, key))
        self.move(sender, {phone: (number, 0) for phone, number in sent.items()})
        self.note("transfer_in", "on_shelf", sender, units)

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def do_something_again(self, data):
        _, key, deed, result = data.draw(st.sampled_from(self.done))
        again = deed(key)
        assert again == result

    @precondition(lambda self: self.done)
    @rule(phone=choice, data=st.data())
    def do_something_else_under_a_key(self, phone, data):
        outlet, key, _, _ = data.draw(st.sampled_from(self.done))
        with pytest.raises(OperationKeyReused), transaction.atomic():
            stock.receive(*self.ask(outlet, {phone: 99}), key)

    @invariant()
    def shelves_are_as_the_model_says(self):
        levels = StockLevel.objects.values_list("outlet_id", "phone_id", "on_hand", "reserved")
        believed = {
            (self.outlets[outlet], self.phones[phone], shelf.on_hand, shelf.reserved)
            for (outlet, phone), shelf in self.shelves.items()
        }
        assert {level for level in levels if any(level[2:])} == {shelf for shelf in believed if any(shelf[2:])}
        short = Shortfall.objects.filter(closed_at=None).values_list("outlet_id", "phone_id", "missing")
        assert set(short) == {
            (*place, reserved - on_hand) for *place, on_hand, reserved in believed if reserved > on_hand
        }
        if short and currently_in_test_context():
            event("short")

    def units_are_as_the_model_says(self):
        for unit, (state, outlet, _, kinds) in self.units.items():
            events = list(handsets.life(unit[0]))
            assert [event.kind for event in events] == kinds
            assert (events[-1].state, events[-1].outlet_id) == (state, self.outlets[outlet])


@pytest.mark.django_db
class TestAnyOrderOfDeedsKeepsToTheModel(Shelves.TestCase):
    settings = settings(
        max_examples=20,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def test_the_model_is_really_asked(db):
    """A machine that only ever refuses would prove nothing."""
    machine = Shelves()
    machine.receive(outlet=0, box={0: 3, 1: 1}, scanned=True)
    machine.reserve(outlet=0, wanted={0: 2})
    machine.hand_over(outlet=0, wanted={0: 1}, known=True)
    machine.send(sender=0, wanted={1: 1}, scanned=True)
    machine.shelves_are_as_the_model_says()
    assert Counter(state for state, *_ in machine.units.values()) == {
        "on_shelf": 27, "sold": 3, "in_transit": 4, "written_off": 2,
    }  # fmt: skip
    machine.teardown()
