"""What outlets have on their shelves, for any number of outlets and phones in two statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, SmallIntegerField

from api.resources import in_utc
from catalog.models import Phone
from stores.models import LastCounts, StockLevel
from stores.prepared import IsAnyOf, Parameter, PlannedOnce
from stores.querysets import AVAILABLE

# One shelf as programs read it: plain, because thousands are told at once.
Level = dict[str, Any]


def levels_of(outlets: Mapping[int, bool], phones: Iterable[Phone]) -> dict[int, list[Level]]:
    """
    Return the shelves of `outlets` (keys, and whether each trades) for `phones`, in the order of these.

    What an outlet that does not trade has can be promised to nobody. A phone that it has never had is left out.
    """
    slugs = {phone.pk: phone.slug for phone in phones}
    counted = {
        (outlet, phone): _told(moment)
        for outlet, phones_counted, moments in _last_counts.rows(outlets=list(outlets))
        for phone, moment in zip(phones_counted, moments, strict=True)
    }
    found: dict[int, dict[int, Level]] = {outlet: {} for outlet in outlets}
    for outlet, phone, on_hand, reserved, safety_stock, available in _levels.rows(
        outlets=list(outlets), phones=list(slugs)
    ):
        found[outlet][phone] = {
            "phone": slugs[phone],
            "available": available if outlets[outlet] else 0,
            "on_hand": on_hand,
            "reserved": reserved,
            "safety_stock": safety_stock,
            "counted_at": counted.get((outlet, phone)),
        }
    return {outlet: [levels[phone] for phone in slugs if phone in levels] for outlet, levels in found.items()}


# The shelves of an outlet are counted together, so most times come many times.
@lru_cache(maxsize=4096)
def _told(moment: datetime) -> str:
    return in_utc(moment)


@PlannedOnce
def _levels() -> Any:
    outlets, phones = (
        Parameter("outlets", ArrayField(BigIntegerField())),
        Parameter("phones", ArrayField(SmallIntegerField())),
    )
    levels = StockLevel.objects.filter(IsAnyOf("outlet", outlets), IsAnyOf("phone", phones)).order_by()
    return levels.values_list("outlet", "phone", "on_hand", "reserved", "safety_stock", AVAILABLE)


@PlannedOnce
def _last_counts() -> Any:
    counts = LastCounts.objects.filter(IsAnyOf("outlet", Parameter("outlets", ArrayField(BigIntegerField()))))
    return counts.order_by().values_list("outlet", "phones", "counted_at")
