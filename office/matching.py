"""Who could give phones to whom in one county: from shelves that have more than they need, the nearest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stores.geography import Point, distance_between


@dataclass
class Shelf:
    """
    One phone at one outlet: what it lacks to suffice (`needs`), and what it could give away (`spare`).

    `cover_days` is how long its stock lasts.
    """

    outlet_id: int
    place: Point
    cover_days: float
    needs: int
    spare: int


class Match(NamedTuple):
    """So many phones for `receiver`; from `sender` at a distance in kilometres, or (None) from the supplier."""

    receiver: Shelf
    sender: Shelf | None
    quantity: int
    distance_km: float | None


def matches(shelves: Sequence[Shelf]) -> Iterator[Match]:
    """
    Yield what should be moved between these shelves of one phone in one county, and what is left to be ordered.

    Whoever runs out first is served first. `needs` and `spare` are used up by it.
    """
    givers = [shelf for shelf in shelves if shelf.spare > 0]
    for receiver in sorted((shelf for shelf in shelves if shelf.needs > 0), key=lambda shelf: shelf.cover_days):
        ways = [(distance_between(receiver.place, giver.place), giver) for giver in givers if giver.spare]
        for distance, giver in sorted(ways, key=lambda way: (way[0], way[1].outlet_id)):
            quantity = min(receiver.needs, giver.spare)
            receiver.needs -= quantity
            giver.spare -= quantity
            yield Match(receiver, giver, quantity, distance)
            if not receiver.needs:
                break
        if receiver.needs:
            yield Match(receiver, None, receiver.needs, None)
            receiver.needs = 0
