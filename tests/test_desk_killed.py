"""The database goes away in the middle of a form of the desk: all of it or nothing, and sent again it is done once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from stores import boxes, stocktakes, transfers
from stores.desk_keys import new_key
from stores.models import Box
from tests.books import assert_books_add_up
from tests.factories import act
from tests.killer import Killer, dies, everything
from tests.order_factories import new_unit
from tests.test_desk_once import ACTOR, Counter, Sent, hand_over, manager_of, sell, take_back

pytestmark = pytest.mark.django_db(transaction=True)


def arrival(here: Counter) -> Sent:
    """A phone comes from the neighbour, and one of the two that were sent is missing."""
    coming = here.transfer("approved", coming=True)
    units = [new_unit(), new_unit()]
    sent = transfers.send(coming.pk, {here.phone.pk: 2}, act(), {here.phone.pk: units})
    box = boxes.open_transfer(sent, Box.Purpose.ARRIVING, ACTOR)
    boxes.scan(box.pk, units[0][0])
    return f"boxes/{box.pk}/book/", {"version": str(Box.objects.get(pk=box.pk).version)}


def differences(here: Counter) -> Sent:
    take = stocktakes.begin(here.outlet, ACTOR)
    stocktakes.count(take, {here.phone.pk: 8}, ACTOR, new_key())
    changes = {f"change-{here.phone.pk}": "-2", f"reason-{here.phone.pk}": "stolen"}
    return "stocktake/differences/", {"stocktake": str(take.pk)} | changes


FORMS = {
    "hand over": hand_over,
    "walk-in sale": sell,
    "return with its refund": take_back,
    "arrival": arrival,
    "stocktake": differences,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_all_or_nothing_and_once_when_it_is_sent_again(form: Any) -> None:
    here = Counter()
    client = manager_of(here)
    path, values = form(here)
    address, sent = f"/en/desk/{here.outlet.code}/{path}", values | {"form_key": new_key()}
    client.get(address)
    before, at = everything(), 1

    # Killed at the first moment, the second, ...: sooner or later the answer is lost, or nobody is killed.
    while dies(partial(client.post, address, sent), Killer(at)) and everything() == before:
        at += 1
    done = everything()

    assert at > 8
    assert done != before
    again = client.post(address, sent, follow=True)
    assert "Done already by 赵小兰" in again.text
    assert everything() == done
    assert_books_add_up()
