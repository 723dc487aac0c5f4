"""Compare what a catalogue document wants with what is stored, and store the difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from catalog.loading.document import Node
from catalog.loading.report import Problem, Report
from catalog.models import Brand, Colour, Phone, PreinstalledApp, Price, Tier
from catalog.price_events import tell_of_prices
from catalog.prices import Offer, offers_at, set_price

# Added to a position while others move, because positions are unique at every moment.
OUT_OF_THE_WAY = 10_000


@dataclass
class Wanted:
    """A brand, tier or phone as the document has it: an unsaved instance, and for a phone what belongs to it."""

    instance: Any
    node: Node
    brand: Wanted | None = None
    tier_slug: str = ""
    price: Price | None = None
    colours: list[Colour] = field(default_factory=list)
    apps: list[PreinstalledApp] = field(default_factory=list)

    @property
    def slug(self) -> str:
        return self.instance.slug

    def state(self) -> tuple[Any, ...]:
        """Everything that the document says of it, to be compared with `_stored_state`."""
        links = [self.brand.slug, self.tier_slug] if self.brand else []
        price = (self.price.price_fen, self.price.provenance) if self.price else None
        return (*_own_values(self.instance), links, price, _values(self.colours), _values(self.apps))


@transaction.atomic
def merge_catalogue(
    *, brands: list[Wanted], tiers: list[Wanted], phones: list[Wanted], problems: list[Problem], apply: bool
) -> Report:
    """Count what is new and what differs; write it when `apply` says so and nothing is refused."""
    if problems:
        return Report(refused=len({problem.column for problem in problems}), problems=problems)
    kinds = ((Brand, brands), (Tier, tiers), (Phone, phones))
    stored = {model: {row.slug: row for row in model._default_manager.select_for_update()} for model, _wanted in kinds}
    offers = offers_at()
    new = [(model, one) for model, wanted in kinds for one in wanted if one.slug not in stored[model]]
    changed = [
        (model, one)
        for model, wanted in kinds
        for one in wanted
        if one.slug in stored[model] and one.state() != _stored_state(stored[model][one.slug], offers)
    ]
    for model, wanted in ((Tier, tiers), (Phone, phones)):
        _refuse_taken_positions(wanted, stored[model].values())
    if apply and not problems:
        _write(new, changed, stored, offers)
    counted = {"new": len(new), "changed": len(changed)}
    unchanged = len(brands) + len(tiers) + len(phones) - len(new) - len(changed)
    return Report(**counted, unchanged=unchanged, problems=problems, is_applied=apply and not problems)


def _own_values(instance: models.Model) -> list[Any]:
    """Values of all columns but the keys."""
    return [
        getattr(instance, f.attname) for f in instance._meta.concrete_fields if not (f.primary_key or f.is_relation)
    ]


def _values(rows: Iterable[models.Model]) -> list[list[Any]]:
    return [_own_values(row) for row in rows]


def _stored_state(row: Any, offers: Mapping[int, Offer]) -> tuple[Any, ...]:
    if not isinstance(row, Phone):
        return (*_own_values(row), [], None, [], [])
    links = [row.brand.slug, row.tier.slug]
    price = (offers[row.pk].ordinary_fen, offers[row.pk].provenance)
    return (*_own_values(row), links, price, _values(row.colours.all()), _values(row.preinstalled_apps.all()))


def _refuse_taken_positions(wanted: list[Wanted], stored: Any) -> None:
    slugs = {one.slug for one in wanted}
    taken = {row.position: row.slug for row in stored if row.slug not in slugs}
    for one in wanted:
        if owner := taken.get(one.instance.position):
            one.node.refuse("position", _("belongs to %(slug)s, which the file leaves out") % {"slug": owner})


def _write(new: list[Any], changed: list[Any], stored: dict[Any, dict[str, Any]], offers: Mapping[int, Offer]) -> None:
    for model in (Tier, Phone):
        moving = [one.slug for kind, one in changed if kind is model]
        model._default_manager.filter(slug__in=moving).update(position=F("position") + OUT_OF_THE_WAY)
    for model, one in sorted(new + changed, key=lambda pair: (Brand, Tier, Phone).index(pair[0])):
        if known := stored[model].get(one.slug):
            one.instance.pk = known.pk
        if one.brand:
            one.instance.brand = stored[Brand][one.brand.slug]
            one.instance.tier = stored[Tier][one.tier_slug]
        one.instance.save(force_update=bool(known), force_insert=not known)
        stored[model][one.slug] = one.instance
        if one.price:
            _write_price(one.instance, one.price, offers)
    _write_parts([one for model, one in new + changed if model is Phone])
    tell_of_prices()


def _write_parts(phones: list[Wanted]) -> None:
    parts_of_phones: tuple[tuple[Any, list[tuple[Phone, list[Any]]]], ...] = (
        (Colour, [(phone.instance, phone.colours) for phone in phones]),
        (PreinstalledApp, [(phone.instance, phone.apps) for phone in phones]),
    )
    for model, parts_of in parts_of_phones:
        model._default_manager.filter(phone__in=[phone for phone, _parts in parts_of]).delete()
        for phone, parts in parts_of:
            for part in parts:
                part.phone = phone
        model._default_manager.bulk_create(part for _phone, parts in parts_of for part in parts)


def _write_price(phone: Phone, price: Price, offers: Mapping[int, Offer]) -> None:
    """Let the price of the document hold from now on, if the ordinary price is another one."""
    offer = offers.get(phone.pk)
    if offer is None or (offer.ordinary_fen, offer.provenance) != (price.price_fen, price.provenance):
        set_price(phone.pk, price.price_fen, provenance=price.provenance)
