"""What outlets have on their shelves: of one in one statement, of any number and any phones in two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, CharField, SmallIntegerField

from api.prepared import IsAnyOf, Parameter, Planned, PlannedOnce, as_array
from catalog.models import Phone
from stores.models import LastCounts, Outlet, StockLevel
from stores.querysets import AVAILABLE

# One shelf as programs read it: plain, because thousands are told at once.
Level = dict[str, Any]


class Shelves(NamedTuple):
    """What an outlet has; `key` is its own."""

    key: int
    code: str
    state: str
    levels: list[Level]


def shelves_at(code: str, phones: Iterable[Phone]) -> Shelves | None:
    """Return what the outlet of this code has, as `levels_of` does; None where no such outlet has ever had a phone."""
    rows = _shelves_of_code.rows(code=code)
    if not rows:
        return None
    outlet, state = rows[0][:2]
    trades = state == Outlet.State.OPEN
    levels = {phone: (*numbers, available if trades else 0, at) for _, _, phone, *numbers, available, at in rows}
    told = [_level(phone.slug, *levels[phone.id]) for phone in phones if phone.id in levels]
    return Shelves(outlet, code, state, told)


def levels_of(outlets: Mapping[int, bool], phones: Iterable[Phone]) -> dict[int, list[Level]]:
    """
    Return the shelves of `outlets` (keys, and whether each trades) for `phones`, in the order of these.

    What an outlet that does not trade has can be promised to nobody. A phone that it has never had is left out.
    """
    slugs = {phone.pk: phone.slug for phone in phones}
    keys, never = as_array(outlets), dict.fromkeys(slugs)
    counted = {
        outlet: never | dict(zip(of_phones, moments, strict=True))
        for outlet, of_phones, moments in _last_counts.rows(outlets=keys)
    }
    # Each with room for the phones in their order.
    found = {outlet: (dict.fromkeys(slugs), trades, counted.get(outlet, never)) for outlet, trades in outlets.items()}
    for outlet, phone, on_hand, reserved, safety_stock, available in _levels.rows(outlets=keys, phones=as_array(slugs)):
        levels, trades, counted_at = found[outlet]
        # As `_level` tells it. There are thousands, and to call it takes as long as what it does.
        levels[phone] = {
            "phone": slugs[phone],
            "available": available if trades else 0,
            "on_hand": on_hand,
            "reserved": reserved,
            "safety_stock": safety_stock,
            "counted_at": counted_at[phone],
        }
    return {outlet: [level for level in levels.values() if level] for outlet, (levels, _, _) in found.items()}


def _level(
    slug: str, on_hand: int, reserved: int, safety_stock: int, available: int, counted_at: datetime | None
) -> Level:
    return {
        "phone": slug,
        "available": available,
        "on_hand": on_hand,
        "reserved": reserved,
        "safety_stock": safety_stock,
        "counted_at": counted_at,
    }


@Planned
def _shelves_of_code() -> Any:
    levels = StockLevel.objects.filter(outlet__code=Parameter("code", CharField())).with_counted_at().order_by()
    return levels.values_list(
        "outlet", "outlet__state", "phone", "on_hand", "reserved", "safety_stock", AVAILABLE, "counted_at"
    )


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
