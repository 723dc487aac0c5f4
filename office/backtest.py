"""
How well `office.demand` foresees, held against the naive rule "same as last week", on demand that is made up.

The customers are those of `office.sample_demand`, so their true number is known, that of those who left without a phone
included; the rules see only what was sold and on how many days there was stock. Two comparisons: what is forecast for
the coming horizon, and what happens when a rule runs the shops for weeks. Seeded: the same numbers in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from office.demand import HORIZON, SERVICE, WINDOW, Numbers, foresee
from office.matching import Shelf, matches
from office.sample_demand import rate, weight
from stores.geography import Point
from stores.loading.chance import shares
from stores.loading.demo_stock import size_of

PHONES = 14
WEEK = 7
# Days of the naive rule until the next delivery, as those of the other one.
_WEEKS = HORIZON / WEEK


class Shops(NamedTuple):
    """The shops of the trial: county of each, its place, and how many of each phone are wanted on a common day."""

    county: NDArray[np.int64]
    places: list[Point]
    rates: Numbers


class Past(NamedTuple):
    """What a rule sees of each shelf: sold in the window and days with stock in it, and both of the last week."""

    sold: Numbers
    days: Numbers
    last_sold: Numbers


# What a rule says: expected in the horizon, and how many suffice.
Rule = Callable[[Past, NDArray[np.int64]], tuple[Numbers, Numbers]]


def same_as_last_week(past: Past, group: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """The naive rule: what was sold in the last week will be sold in each one to come."""
    wanted = past.last_sold * _WEEKS
    return wanted, wanted


def county_shrunk(past: Past, group: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """The rule of `office.demand`."""
    demand = foresee(past.sold, past.days, group)
    return demand.expected, demand.enough.astype(float)


def last_week_or_one(past: Past, group: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """The naive rule with a word of a clerk's: keep one of each, since what is not there is never sold again."""
    wanted, _ = same_as_last_week(past, group)
    return wanted, np.maximum(wanted, 1.0)


RULES: dict[str, Rule] = {
    "same as last week": same_as_last_week,
    "same, at least one": last_week_or_one,
    "own sales and county": county_shrunk,
}


def shops(counties: int, outlets: int) -> Shops:
    """Return so many counties of so many shops, at made up codes and places."""
    codes = [f"{990000 + county:06d}{outlet:03d}-01" for county in range(counties) for outlet in range(outlets)]
    places = [Point(35 + shares(1, code, "north")[0], 110 + shares(1, code, "east")[0]) for code in codes]
    rates = [[rate(size_of(code), rank, code) for rank in range(PHONES)] for code in codes]
    return Shops(np.repeat(np.arange(counties), outlets), places, np.array(rates))


def customers(trial: Shops, first: date, days: int, seed: int) -> NDArray[np.int64]:
    """Return how many wanted each phone at each shop on each day: an array by day, shop and phone."""
    weights = np.array([weight(first + timedelta(days=day)) for day in range(days)])
    return np.random.default_rng(seed).poisson(weights[:, None, None] * trial.rates)


@dataclass
class Result:
    """What a rule did: errors of its forecasts per shelf, and of the run what was sold, lost, moved and left."""

    absolute_error: float = 0.0
    pinball_loss: float = 0.0
    covered: float = 0.0
    wanted: int = 0
    lost: int = 0
    ordered: int = 0
    transfers: int = 0
    moved: int = 0
    stock: float = 0.0

    @property
    def lost_share(self) -> float:
        return self.lost / self.wanted if self.wanted else 0.0


def run(rule: Rule, trial: Shops, wanted: NDArray[np.int64], warm_up: int) -> Result:
    """
    Let `rule` run the shops: every week it moves and orders; what is moved is there at once, the rest in a week.

    In the days of `warm_up` all shops get what the naive rule of plenty says, so that every rule begins with the same
    past. Forecasts are scored each week against all who came in the horizon, whether they found a phone or not.
    """
    days, n_shops, phones = wanted.shape
    group = (trial.county[:, None] * phones + np.arange(phones)).ravel()
    on_hand = np.ceil(trial.rates * HORIZON).astype(np.int64) + 1
    sold, stocked = np.zeros((days, n_shops, phones)), np.zeros((days, n_shops, phones))
    coming: dict[int, NDArray[np.int64]] = {}
    result, scores = Result(), []
    for day in range(days):
        on_hand += coming.pop(day, 0)
        if day >= warm_up and (day - warm_up) % WEEK == 0:
            past = _past(sold, stocked, day)
            expected, enough = rule(past, group)
            if day + HORIZON <= days:
                scores.append(_score(expected, enough, wanted[day : day + HORIZON].sum(axis=0).ravel()))
            orders = _move_and_order(trial, on_hand, sum(coming.values(), np.zeros_like(on_hand)), enough, result)
            coming[day + WEEK] = coming.get(day + WEEK, 0) + orders
        elif day % WEEK == 0:
            on_hand = np.maximum(on_hand, np.ceil(trial.rates * HORIZON).astype(np.int64) + 1)
        gone = np.minimum(on_hand, wanted[day])
        stocked[day] = (on_hand > 0) | (gone > 0)
        sold[day] = gone
        on_hand = on_hand - gone
        if day >= warm_up:
            result.wanted += int(wanted[day].sum())
            result.lost += int((wanted[day] - gone).sum())
            result.stock += float(on_hand.sum()) / (days - warm_up)
    result.absolute_error, result.pinball_loss, result.covered = np.mean(scores, axis=0).tolist()
    return result


def _past(sold: Numbers, stocked: Numbers, day: int) -> Past:
    window = slice(max(day - WINDOW, 0), day)
    return Past(
        sold[window].sum(axis=0).ravel(),
        stocked[window].sum(axis=0).ravel(),
        sold[day - WEEK : day].sum(axis=0).ravel(),
    )


def _score(expected: Numbers, enough: Numbers, came: Numbers) -> tuple[float, float, float]:
    """Mean absolute error, pinball loss at SERVICE, and how many of ten shelves had enough by this."""
    short = came - enough
    pinball = np.where(short > 0, SERVICE * short, (SERVICE - 1) * short)
    return float(np.mean(np.abs(expected - came))), float(np.mean(pinball)), float(np.mean(short <= 0))


def _move_and_order(
    trial: Shops, on_hand: NDArray[np.int64], coming: NDArray[np.int64], enough: Numbers, result: Result
) -> NDArray[np.int64]:
    """Move phones within the counties at once, and return what is ordered for each shelf."""
    target = np.ceil(enough.reshape(on_hand.shape)).astype(np.int64)
    needs, spare = np.maximum(target - on_hand - coming, 0), np.maximum(on_hand - target, 0)
    orders = np.zeros_like(on_hand)
    for county in np.unique(trial.county):
        members = np.flatnonzero(trial.county == county)
        for phone in range(on_hand.shape[1]):
            shelves = [
                Shelf(int(shop), trial.places[shop], float(on_hand[shop, phone]), int(needs[shop, phone]),
                      int(spare[shop, phone]))
                for shop in members
            ]  # fmt: skip
            for match in matches(shelves):
                if match.sender is None:
                    orders[match.receiver.outlet_id, phone] += match.quantity
                    continue
                on_hand[match.receiver.outlet_id, phone] += match.quantity
                on_hand[match.sender.outlet_id, phone] -= match.quantity
                result.transfers += 1
                result.moved += match.quantity
    result.ordered += int(orders.sum())
    return orders
