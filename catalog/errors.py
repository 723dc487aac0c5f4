"""What a page raises when it cannot answer; the error pages say it in the visitor's language with a way on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from django.core.exceptions import BadRequest
from django.http import Http404

# Below this likeness (0 to 1) a suggestion would only puzzle.
LEAST_LIKENESS = 0.5


class Suggestion(NamedTuple):
    """A page that the visitor may have meant."""

    name: str
    address: str


class BadQuery(BadRequest):
    """
    A value in the address that no page of ours makes; answered with 400.

    `field` is its name in words, `value` what came, `reason` a sentence, `way_on` where it works.
    """

    def __init__(self, field: str, value: str, reason: str, way_on: Sequence[Suggestion] = ()) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        # Shown on the page: not longer than a line or two, and nothing that a browser must not get.
        self.value = "".join(letter if letter.isprintable() else "\ufffd" for letter in value[:200])
        self.reason = reason
        self.way_on = way_on


class NotHere(Http404):
    """Nothing is at this address; answered with 404, the reason in one sentence, and what is near."""

    status = 404

    def __init__(self, reason: str, way_on: Sequence[Suggestion] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.way_on = way_on


class GoneForGood(NotHere):
    """What was here is not coming back; answered with 410."""

    status = 410


def nearest(wanted: str, candidates: Iterable[tuple[str, Suggestion]], count: int = 3) -> list[Suggestion]:
    """Return the `count` suggestions whose key is most like `wanted`, the likest first; none that is not like it."""
    wanted = wanted.lower()[:100]
    likeness = [(SequenceMatcher(None, wanted, key.lower()).ratio(), suggestion) for key, suggestion in candidates]
    likely = [pair for pair in likeness if pair[0] >= LEAST_LIKENESS]
    likely.sort(key=lambda pair: -pair[0])
    return [suggestion for _ratio, suggestion in likely[:count]]
