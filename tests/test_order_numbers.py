"""Order numbers and pickup codes: read aloud, typed with mistakes, guessed at."""

from itertools import pairwise

import pytest
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from orders import numbers, pickup_codes
from orders.links import opens, order_key
from orders.models import Order
from tests.order_factories import create_order, create_shelf

outlets = st.integers(1, numbers.MODULUS - 1)


@given(outlets)
def test_a_number_tells_its_outlet(outlet_id: int):
    number = numbers.draw_number(outlet_id)

    assert (len(number), number.isdecimal()) == (12, True)
    assert numbers.outlet_of(number) == outlet_id
    assert numbers.read_number(number) == number


@given(outlets, st.data())
def test_one_wrong_digit_is_noticed(outlet_id: int, data: st.DataObject):
    number = numbers.draw_number(outlet_id)
    place = data.draw(st.integers(0, 11))
    digit = data.draw(st.sampled_from(sorted(set("0123456789") - {number[place]})))

    assert numbers.read_number(number[:place] + digit + number[place + 1 :]) is None


def test_nearly_all_exchanged_neighbours_are_noticed():
    missed = tried = 0
    for outlet_id in range(1, 400):
        number = numbers.draw_number(outlet_id)
        for place in range(11):
            wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
            if wrong != number:
                tried += 1
                missed += numbers.read_number(wrong) is not None
    assert missed / tried < 0.03


@given(outlets)
def test_a_number_is_read_as_people_write_it(outlet_id: int):
    number = numbers.draw_number(outlet_id)
    full_width = number.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})

    for written in (numbers.spoken(number), f" {number} ", "-".join(number), full_width):
        assert numbers.read_number(written) == number


@given(st.text())
def test_any_other_text_is_no_number(text: str):
    read = numbers.read_number(text)

    assert read is None or (len(read) == 12 and read.isascii() and read.isdecimal())


@pytest.mark.parametrize("outlet_id", [0, -1, numbers.MODULUS])
def test_an_outlet_beyond_the_room_is_refused(outlet_id: int):
    with pytest.raises(ValueError, match="no room"):
        numbers.draw_number(outlet_id)


def test_neighbouring_numbers_do_not_follow_from_one_another():
    drawn = [int(numbers.draw_number(7)[:-1]) for _ in range(200)]

    assert len(set(drawn)) > 190
    differences = {later - earlier for earlier, later in pairwise(drawn)}
    assert len(differences) > 190


@given(outlets)
def test_a_code_has_six_digits_and_another_fingerprint_at_every_outlet(outlet_id: int):
    number = numbers.draw_number(outlet_id)
    code = pickup_codes.derive_code(number)

    assert (len(code), code.isdecimal()) == (6, True)
    assert code == pickup_codes.derive_code(number)
    assert pickup_codes.fingerprint(outlet_id, code) != pickup_codes.fingerprint(outlet_id + 1, code)


def test_codes_are_spread_evenly():
    codes = [pickup_codes.derive_code(numbers.draw_number(outlet_id)) for outlet_id in range(1, 2001)]

    assert len(set(codes)) > 1980
    assert 150 < sum(code[0] == "0" for code in codes) < 250


def test_without_the_key_neither_code_nor_link_can_be_made(settings):
    number = numbers.draw_number(7)
    code, key = pickup_codes.derive_code(number), order_key(number)
    fingerprint = pickup_codes.fingerprint(7, code)

    settings.PICKUP_KEY = "another key"

    assert pickup_codes.fingerprint(7, code) != fingerprint
    assert order_key(number) != key
    assert not opens(number, key)


@pytest.mark.parametrize(
    ("typed", "read"), [("123 456", "123456"), ("１２３４５６", "123456"), ("12345", None), ("12345a", None)]
)
def test_a_code_is_read_as_people_type_it(typed: str, read: str | None):
    assert pickup_codes.read_code(typed) == read


@pytest.mark.django_db
def test_a_code_fetches_the_open_order_of_its_outlet_alone():
    shelf = create_shelf()
    order, ended, elsewhere = create_order(shelf), create_order(shelf, state="cancelled"), create_order()
    find = Order.objects.with_pickup_code

    assert list(find(shelf.outlet, order.pickup_code)) == [order]
    assert not find(shelf.outlet, ended.pickup_code).exists()
    assert not find(shelf.outlet, elsewhere.pickup_code).filter(~Q(pk=order.pk)).exists()


@pytest.mark.django_db
def test_looked_up_by_number_and_the_last_four_digits_of_the_mobile(django_assert_num_queries):
    order = create_order()
    last_four = order.mobile[-4:]
    wrong = f"{(int(last_four) + 1) % 10000:04d}"

    with django_assert_num_queries(1):
        assert Order.objects.for_lookup(order.spoken_number, last_four) == order
    assert Order.objects.for_lookup(order.number, wrong) is None
    assert Order.objects.for_lookup(numbers.draw_number(order.outlet_id), last_four) is None
    assert Order.objects.for_lookup("1234", last_four) is None
    assert Order.objects.for_lookup(order.number, "") is None
