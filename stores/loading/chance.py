"""Chance that is the same on every machine and in every run: numbers out of names."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def share(*names: str) -> float:
    """Return a number from 0 up to 1 that depends on nothing but the names; spread evenly over many names."""
    digest = blake2b("|".join(names).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def pick(choices: Sequence[tuple[T, float]], *names: str) -> T:
    """Return one of the choices, each as likely as its share says; the shares add up to 1."""
    rest = share(*names)
    for choice, likelihood in choices:
        if rest < likelihood:
            return choice
        rest -= likelihood
    return choices[-1][0]
