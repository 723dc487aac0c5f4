"""Chance that is the same on every machine and in every run: numbers out of names."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def shares(count: int, *names: str) -> list[float]:
    """Return numbers from 0 up to 1 that depend on nothing but the names; over many names they are spread evenly."""
    digest = blake2b("|".join(names).encode(), digest_size=6 * count).digest()
    return [int.from_bytes(digest[start : start + 6], "big") / 2**48 for start in range(0, len(digest), 6)]


def pick(choices: Sequence[tuple[T, float]], *names: str) -> T:
    """Return one of the choices, each as likely as its share says; the shares add up to 1."""
    (rest,) = shares(1, *names)
    for choice, likelihood in choices:
        if rest < likelihood:
            return choice
        rest -= likelihood
    return choices[-1][0]
