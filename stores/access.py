"""
Who may do what at which outlet: the one place that knows.

`MAY` is the table; docs/desk.md shows it, and a test walks every page of the desk with it. A door asks for the standing
of a person at the outlet in its address, once, and lets the rules of the deed ask that standing for more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from stores.models import Outlet, Person, Region, Role
from stores.querysets import OutletQuerySet


class Deed(StrEnum):
    """What people do at the desk, under names that docs, refusals and tests share."""

    READ = "read"
    RECEIVE = "receive"
    SET_ASIDE = "set_aside"
    DECLINE = "decline"
    CANCEL = "cancel"
    HAND_OVER = "hand_over"
    HAND_OVER_WITHOUT_CODE = "hand_over_without_code"
    SELL = "sell"
    TAKE_BACK = "take_back"
    WRITE_OFF = "write_off"
    ADJUST = "adjust"
    ADJUST_MUCH = "adjust_much"
    ORDER = "order"
    COUNT = "count"
    REQUEST_TRANSFER = "request_transfer"
    APPROVE_TRANSFER = "approve_transfer"
    SEND_TRANSFER = "send_transfer"
    RECEIVE_TRANSFER = "receive_transfer"
    CANCEL_TRANSFER = "cancel_transfer"


WORDS = {
    Deed.READ: _("read the pages of the outlet"),
    Deed.RECEIVE: _("receive phones from a supplier"),
    Deed.SET_ASIDE: _("set an order aside"),
    Deed.DECLINE: _("decline an order"),
    Deed.CANCEL: _("cancel an order for its customer"),
    Deed.HAND_OVER: _("hand an order over"),
    Deed.HAND_OVER_WITHOUT_CODE: _("hand an order over without its pickup code"),
    Deed.SELL: _("sell at the counter"),
    Deed.TAKE_BACK: _("take a phone back"),
    Deed.WRITE_OFF: _("write a damaged phone off"),
    Deed.ADJUST: _("correct the stock by a few"),
    Deed.ADJUST_MUCH: _("correct the stock by more than a few"),
    Deed.ORDER: _("place an order for a caller or visitor"),
    Deed.COUNT: _("count the shelves"),
    Deed.REQUEST_TRANSFER: _("ask another outlet for phones"),
    Deed.APPROVE_TRANSFER: _("agree to send phones to another outlet"),
    Deed.SEND_TRANSFER: _("send phones to another outlet"),
    Deed.RECEIVE_TRANSFER: _("receive phones from another outlet"),
    Deed.CANCEL_TRANSFER: _("cancel a transfer"),
}

_AT_THE_COUNTER = frozenset({Role.CLERK, Role.MANAGER})
_IN_CHARGE = frozenset({Role.MANAGER, Role.REGION_MANAGER})
_ALL = _AT_THE_COUNTER | _IN_CHARGE

# A region manager decides but does not stand at the counter: no goods and no money pass through these hands.
MAY: dict[Deed, frozenset[Role]] = {
    Deed.READ: _ALL,
    Deed.RECEIVE: _AT_THE_COUNTER,
    Deed.SET_ASIDE: _AT_THE_COUNTER,
    Deed.DECLINE: _AT_THE_COUNTER,
    Deed.CANCEL: _ALL,
    Deed.HAND_OVER: _AT_THE_COUNTER,
    Deed.HAND_OVER_WITHOUT_CODE: frozenset({Role.MANAGER}),
    Deed.SELL: _AT_THE_COUNTER,
    Deed.TAKE_BACK: _AT_THE_COUNTER,
    Deed.WRITE_OFF: _AT_THE_COUNTER,
    Deed.ADJUST: _ALL,
    Deed.ADJUST_MUCH: _IN_CHARGE,
    Deed.ORDER: _AT_THE_COUNTER,
    Deed.COUNT: _AT_THE_COUNTER,
    Deed.REQUEST_TRANSFER: _ALL,
    Deed.APPROVE_TRANSFER: _IN_CHARGE,
    Deed.SEND_TRANSFER: _AT_THE_COUNTER,
    Deed.RECEIVE_TRANSFER: _AT_THE_COUNTER,
    Deed.CANCEL_TRANSFER: _IN_CHARGE,
}


class NotAllowed(Exception):
    """This deed is for others. `deed`; `roles`, who may; `role`, what the person is at the outlet, None for nothing."""

    def __init__(self, deed: Deed, role: Role | None) -> None:
        self.deed, self.role, self.roles = deed, role, MAY[deed]
        super().__init__(f"{role or 'nobody'} may not {deed}")

    def __str__(self) -> str:
        who = " / ".join(str(role.label) for role in Role if role in self.roles)
        return _("This is for the %(who)s: %(deed)s.") % {"who": who, "deed": WORDS[self.deed]}


@dataclass(frozen=True)
class Standing:
    """What a person is at one outlet today; never empty. `roles` may be several: a region manager who also clerks."""

    person: Person
    outlet: Outlet
    roles: frozenset[Role]

    @property
    def role(self) -> Role:
        """The role nearest to the counter that decides most: manager, clerk, region manager."""
        return next(role for role in (Role.MANAGER, Role.CLERK, Role.REGION_MANAGER) if role in self.roles)

    @property
    def is_at_the_counter(self) -> bool:
        """Whether customers who come to the outlet may meet this person there."""
        return not self.roles.isdisjoint(_AT_THE_COUNTER)

    def may(self, deed: Deed) -> bool:
        return not MAY[deed].isdisjoint(self.roles)

    def require(self, deed: Deed) -> None:
        """Raise NotAllowed unless this person may do the deed at this outlet."""
        if not self.may(deed):
            raise NotAllowed(deed, self.role)


def standing_at(person: Person, outlet_code: str, day: date | None = None) -> Standing | None:
    """
    Return what `person` is at the outlet of this code on `day` (today), None for nothing.

    None also where there is no such outlet: who has no business at an outlet learns nothing of it. Two queries.
    """
    outlet = Outlet.objects.filter(code=outlet_code).first()
    if outlet is None:
        return None
    here = Q(outlet=outlet) | Q(region__in=regions_around(outlet.town_id))
    roles = person.assignments.on(day or timezone.localdate()).filter(here).values_list("role", flat=True)
    found = frozenset(map(Role, roles))
    return Standing(person, outlet, found) if found else None


def require(person: Person, outlet: Outlet, deed: Deed) -> Standing:
    """Return the standing of `person` at `outlet`. Raises NotAllowed, also where the person is nothing there."""
    standing = standing_at(person, outlet.code)
    if standing is None:
        raise NotAllowed(deed, None)
    standing.require(deed)
    return standing


def outlets_of(person: Person, day: date | None = None) -> OutletQuerySet:
    """
    Return the outlets where `person` is anything on `day` (today), those of whole regions included.

    One query at once for the assignments; the outlets are a condition each and no join.
    """
    places = Q(pk__in=[])
    for assignment in person.assignments.on(day or timezone.localdate()).select_related("region"):
        if assignment.region:
            places |= Q(town__code__startswith=assignment.region.prefix)
        else:
            places |= Q(pk=assignment.outlet_id)
    return Outlet.objects.filter(places)


def regions_around(town_code: str) -> list[str]:
    """Return the codes of the regions that a town lies in, itself included."""
    digits = Region.PREFIX_DIGITS
    return [town_code[:length].ljust(6, "0") for length in digits.values()]
