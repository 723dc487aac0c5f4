"""
How many phones a shelf will need, from what it and its county sold. The statistics are scipy's; no web process runs it.

Customers come one by one, so sales of a day are Poisson. How fast a shelf sells is known badly where it sells little,
so the rates of one phone in the outlets of one county are taken to be gamma distributed around the county's, as widely
as they differ by more than chance (method of moments). A shelf's own sales draw its rate from there, the more the
longer it had stock; days without stock say nothing. What it then sells in some days is negative binomial.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

Numbers = NDArray[np.float64]

# Until a delivery that is ordered in a week's time would be there.
HORIZON = 14
# So many days of the past are looked at.
WINDOW = 56
# Nine times in ten the stock shall suffice.
SERVICE = 0.9
# A county's rate counts for a shelf as much as so many days of its own, at least and at most.
LEAST_PRIOR, MOST_PRIOR = 14.0, 180.0
# As if a county had sold a little in a few days more than it did: nothing sold is no proof of nothing wanted.
BEFORE_SOLD, BEFORE_DAYS = 0.05, 20.0


class Demand(NamedTuple):
    """Of each shelf: phones a day, phones expected in the horizon, and how many suffice (SERVICE)."""

    rate: Numbers
    expected: Numbers
    enough: NDArray[np.int64]


def foresee(sold: Numbers, days: Numbers, group: NDArray[np.int64], horizon: int = HORIZON) -> Demand:
    """
    Return the demand of shelves that sold `sold` phones in `days` days with stock.

    `group` numbers what is taken together, from 0: one phone in one county.
    """
    sold = np.maximum(sold, 0)
    groups = int(group.max()) + 1 if group.size else 0
    sum_sold = np.bincount(group, sold, groups)
    sum_days = np.bincount(group, days, groups)
    mean = (sum_sold + BEFORE_SOLD) / (sum_days + BEFORE_DAYS)
    # Expected under one rate for all: sum of days * (rate - mean)^2 is mean for each shelf; more is difference.
    known = days > 0
    rates = np.divide(sold, days, out=np.zeros_like(sold, dtype=float), where=known)
    spread = np.bincount(group, np.where(known, days * (rates - mean[group]) ** 2, 0), groups)
    shelves = np.bincount(group, known.astype(float), groups)
    variance = np.divide(spread - shelves * mean, sum_days, out=np.zeros_like(mean), where=sum_days > 0)
    prior = np.divide(mean, variance, out=np.full_like(mean, MOST_PRIOR), where=variance > mean / MOST_PRIOR)
    prior = np.clip(prior, LEAST_PRIOR, MOST_PRIOR)[group]
    shape, exposure = mean[group] * prior + sold, prior + days
    rate = shape / exposure
    enough = stats.nbinom.ppf(SERVICE, shape, exposure / (exposure + horizon))
    return Demand(rate, rate * horizon, enough.astype(np.int64))
