"""All deeds in any order, against a model of the shelves in plain Python."""

from collections import Counter
from types import SimpleNamespace

from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from stores import handsets, stock, transfers
from stores.counts import apply_count
from stores.models import StockLevel
from stores.refusals import StockRefusal
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
        self.done = []  # (deed, its result)
        self.moments = []  # (time, how many changes each shelf had seen)
        self.transfers = []
        for outlet in (0, 1):
            self.receive(outlet, {0: 5, 1: 5}, True)
            self.reserve(outlet, {0: 2, 1: 2})

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

    def attempt(self, expected, deed):
        """Do it; True if it was done. The model says beforehand which refusal to expect, None for none."""
        try:
            with transaction.atomic():
                result, said = deed(), None
        except StockRefusal as refusal:
            result, said = None, refusal.code
        assert said == expected
        if said is None:
            self.done.append((deed, result))
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
        key = act()
        assert self.attempt(None, lambda: stock.receive(*self.ask(outlet, box), key, named))
        self.move(outlet, {phone: (number, 0) for phone, number in box.items()})
        self.note("received", "on_shelf", outlet, units)

    @rule(outlet=choice, wanted=quantities)
    def reserve(self, outlet, wanted):
        shelves = {phone: self.shelf(outlet, phone) for phone in wanted}
        short = any(shelves[phone].on_hand - shelves[phone].reserved < number for phone, number in wanted.items())
        key = act()
        if self.attempt("out_of_stock" if short else None, lambda: stock.reserve(*self.ask(outlet, wanted), key)):
            self.move(outlet, {phone: (0, number) for phone, number in wanted.items()})

    @rule(outlet=choice, wanted=quantities)
    def release(self, outlet, wanted):
        short = any(self.shelf(outlet, phone).reserved < number for phone, number in wanted.items())
        key = act()
        if self.attempt("not_reserved" if short else None, lambda: stock.release(*self.ask(outlet, wanted), key)):
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
        key = act()
        if self.attempt(expected, lambda: deed(self.outlets[outlet], named, key)):
            self.move(outlet, {phone: (-number, -number if reserved else 0) for phone, number in wanted.items()})
            self.note(kind, "sold", outlet, units)

    @precondition(lambda self: self.units)
    @rule(outlet=choice, data=st.data())
    def return_unit(self, outlet, data):
        unit = data.draw(st.sampled_from(sorted(self.units)))
        state, _, phone, _ = self.units[unit]
        key = act()
        expected = None if state == "sold" else "unit_refused"
        if self.attempt(expected, lambda: stock.return_unit(self.outlets[outlet], self.phones[phone], unit, key)):
            self.move(outlet, {phone: (1, 0)})
            self.note("returned", "on_shelf", outlet, {phone: [unit]})

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
        key = act()
        if self.attempt(expected, lambda: stock.sell(self.outlets[outlet], {self.phones[phone]: [unit]}, key)):
            self.move(outlet, {phone: (-1, 0)})
            self.note("walk_in_sale", "sold", outlet, {phone: [unit]})

    @rule(outlet=choice, wanted=quantities)
    def write_off(self, outlet, wanted):
        short = any(self.shelf(outlet, phone).on_hand < number for phone, number in wanted.items())
        key = act()
        if self.attempt("not_on_shelf" if short else None, lambda: stock.write_off(*self.ask(outlet, wanted), key)):
            self.move(outlet, {phone: (-number, 0) for phone, number in wanted.items()})

    @rule(outlet=choice, phone=choice, difference=st.sampled_from([-2, -1, 1]))
    def adjust(self, outlet, phone, difference):
        short = self.shelf(outlet, phone).on_hand + difference < 0
        key = act(reason="looked again")
        expected = "not_on_shelf" if short else None
        if self.attempt(expected, lambda: stock.adjust(*self.ask(outlet, {phone: difference}), key)):
            self.move(outlet, {phone: (difference, 0)})

    @rule()
    def look_at_the_clock(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (now,) = cursor.fetchone()
        self.moments.append((now, {place: len(shelf.changes) for place, shelf in self.shelves.items()}))

    @precondition(lambda self: self.moments)
    @rule(outlet=choice, found=st.dictionaries(choice, st.integers(0, 4), min_size=1), data=st.data())
    def count(self, outlet, found, data):
        """Taken at some moment of the past, and only now heard of."""
        taken_at, seen = data.draw(st.sampled_from(self.moments))
        shelves = {phone: self.shelf(outlet, phone) for phone in found}
        old = any(shelf.counted_at and shelf.counted_at >= taken_at for shelf in shelves.values())
        key = act()
        deed = lambda: apply_count(*self.ask(outlet, found), taken_at, key)  # noqa: E731
        if self.attempt("count_is_not_news" if old else None, deed):
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
        key = act()
        expected = "out_of_stock" if short else None
        if self.attempt(expected, lambda: transfers.send(transfer.pk, asked, key, named)):
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
        key = act()
        assert self.attempt(None, lambda: transfers.receive(transfer, arrivals, key))
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
        key = act()
        assert self.attempt(None, lambda: transfers.cancel(transfer, key))
        self.move(sender, {phone: (number, 0) for phone, number in sent.items()})
        self.note("transfer_in", "on_shelf", sender, units)

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def do_something_again(self, data):
        deed, result = data.draw(st.sampled_from(self.done))
        again = deed()
        assert again == result

    @invariant()
    def shelves_are_as_the_model_says(self):
        levels = StockLevel.objects.values_list("outlet_id", "phone_id", "on_hand", "reserved")
        believed = {
            (self.outlets[outlet], self.phones[phone], shelf.on_hand, shelf.reserved)
            for (outlet, phone), shelf in self.shelves.items()
        }
        assert {level for level in levels if any(level[2:])} == {shelf for shelf in believed if any(shelf[2:])}

    def units_are_as_the_model_says(self):
        for unit, (state, outlet, _, kinds) in self.units.items():
            events = list(handsets.life(unit[0]))
            assert [event.kind for event in events] == kinds
            assert (events[-1].state, events[-1].outlet_id) == (state, self.outlets[outlet])


def test_any_order_of_deeds_keeps_to_the_model(db):
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Shelves,
        settings=settings(max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=checks),
    )


def test_the_model_is_really_asked(db):
    """A machine that only ever refuses would prove nothing."""
    machine = Shelves()
    machine.receive(outlet=0, box={0: 3, 1: 1}, scanned=True)
    machine.reserve(outlet=0, wanted={0: 2})
    machine.hand_over(outlet=0, wanted={0: 1}, known=True)
    machine.send(sender=0, wanted={1: 1}, scanned=True)
    machine.shelves_are_as_the_model_says()
    assert Counter(state for state, *_ in machine.units.values()) == {"on_shelf": 22, "sold": 1, "in_transit": 1}
    machine.teardown()
