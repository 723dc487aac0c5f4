"""
Who may do what in head office: the one place that knows, as `stores.access` is for the desk.

`MAY` is the table; docs/office.md shows it, and a test walks every page of `/admin/` with it. Reports are read by
others, too: `reach_of` says whose figures somebody may see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from office.models import OfficeRole
from stores.models import Outlet, Person, Region, Role
from stores.querysets import OutletQuerySet


class OfficeDeed(StrEnum):
    """What people do in head office, under names that docs, refusals and tests share."""

    READ = "read"
    READ_REPORTS = "read_reports"
    READ_ORDERS = "read_orders"
    READ_PEOPLE = "read_people"
    READ_PARTNERS = "read_partners"
    READ_JOBS = "read_jobs"
    READ_TRAIL = "read_trail"
    EDIT_CATALOGUE = "edit_catalogue"
    SET_PRICES = "set_prices"
    EDIT_OUTLETS = "edit_outlets"
    EDIT_PEOPLE = "edit_people"
    MOVE_STOCK = "move_stock"
    EDIT_PARTNERS = "edit_partners"
    RETRY_JOBS = "retry_jobs"
    SHOW_PERSONAL = "show_personal"


WORDS = {
    OfficeDeed.READ: gettext_lazy("read catalogue and outlets"),
    OfficeDeed.READ_REPORTS: gettext_lazy("read reports of the whole country"),
    OfficeDeed.READ_ORDERS: gettext_lazy("read orders, phones and ledger, customers masked"),
    OfficeDeed.READ_PEOPLE: gettext_lazy("read who works where"),
    OfficeDeed.READ_PARTNERS: gettext_lazy("read partners and their keys"),
    OfficeDeed.READ_JOBS: gettext_lazy("read what the worker gave up"),
    OfficeDeed.READ_TRAIL: gettext_lazy("read the audit trail"),
    OfficeDeed.EDIT_CATALOGUE: gettext_lazy("change phones, brands and tiers"),
    OfficeDeed.SET_PRICES: gettext_lazy("set prices and sale windows"),
    OfficeDeed.EDIT_OUTLETS: gettext_lazy("open, change, suspend and close outlets, correct names of regions"),
    OfficeDeed.EDIT_PEOPLE: gettext_lazy("let people work at outlets"),
    OfficeDeed.MOVE_STOCK: gettext_lazy("have stock moved between outlets"),
    OfficeDeed.EDIT_PARTNERS: gettext_lazy("issue and revoke keys of partners"),
    OfficeDeed.RETRY_JOBS: gettext_lazy("have the worker try again"),
    OfficeDeed.SHOW_PERSONAL: gettext_lazy("have a customer's name and number shown"),
}

_CATALOGUE = frozenset({OfficeRole.CATALOGUE})
_NETWORK = frozenset({OfficeRole.NETWORK})
_SUPPORT = frozenset({OfficeRole.SUPPORT})
_AUDITOR = frozenset({OfficeRole.AUDITOR})
_ALL = frozenset(OfficeRole)

# An auditor changes nothing, and sees everything but whom the customers are.
MAY: dict[OfficeDeed, frozenset[OfficeRole]] = {
    OfficeDeed.READ: _ALL,
    OfficeDeed.READ_REPORTS: _ALL,
    OfficeDeed.READ_ORDERS: _NETWORK | _SUPPORT | _AUDITOR,
    OfficeDeed.READ_PEOPLE: _NETWORK | _SUPPORT | _AUDITOR,
    OfficeDeed.READ_PARTNERS: _SUPPORT | _AUDITOR,
    OfficeDeed.READ_JOBS: _SUPPORT | _AUDITOR,
    OfficeDeed.READ_TRAIL: _AUDITOR,
    OfficeDeed.EDIT_CATALOGUE: _CATALOGUE,
    OfficeDeed.SET_PRICES: _CATALOGUE,
    OfficeDeed.EDIT_OUTLETS: _NETWORK,
    OfficeDeed.EDIT_PEOPLE: _NETWORK,
    OfficeDeed.MOVE_STOCK: _NETWORK,
    OfficeDeed.EDIT_PARTNERS: _SUPPORT,
    OfficeDeed.RETRY_JOBS: _SUPPORT,
    OfficeDeed.SHOW_PERSONAL: _SUPPORT,
}


class NotInOffice(Exception):
    """This deed of head office is for others. `deed`."""

    def __init__(self, deed: OfficeDeed) -> None:
        self.deed = deed
        super().__init__(f"may not {deed}")

    def __str__(self) -> str:
        who = " / ".join(str(role.label) for role in OfficeRole if role in MAY[self.deed])
        return _("This is for head office (%(who)s): %(deed)s.") % {"who": who, "deed": WORDS[self.deed]}


@dataclass(frozen=True)
class OfficeStanding:
    """What a person is in head office; nobody has an empty one."""

    person: Person
    roles: frozenset[OfficeRole]

    def may(self, deed: OfficeDeed) -> bool:
        return not MAY[deed].isdisjoint(self.roles)

    def require(self, deed: OfficeDeed) -> None:
        """Raise NotInOffice unless this person may do the deed."""
        if not self.may(deed):
            raise NotInOffice(deed)


def office_standing(person: Person) -> OfficeStanding | None:
    """Return what `person` is in head office, None for nothing. One query."""
    roles = person.office_memberships.values_list("role", flat=True)
    found = frozenset(map(OfficeRole, roles))
    return OfficeStanding(person, found) if found else None


@dataclass(frozen=True)
class Reach:
    """Whose figures somebody may see: those of the whole country, or of `regions` and what lies in them."""

    person: Person
    standing: OfficeStanding | None = None
    regions: tuple[Region, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.standing is not None and self.standing.may(OfficeDeed.READ_REPORTS)

    def covers(self, code: str) -> bool:
        """Whether the region of this division code (a town's, too) is within reach; "" is the whole country."""
        return self.is_whole or any(code.startswith(region.prefix) for region in self.regions)

    def outlets(self) -> OutletQuerySet:
        """Return the outlets within reach."""
        if self.is_whole:
            return Outlet.objects.all()
        found = Outlet.objects.none()
        for region in self.regions:
            found |= Outlet.objects.in_region(region)
        return found

    def may_move_stock(self, code: str) -> bool:
        """Whether this person may have stock moved inside the region of this code: network, or its region manager."""
        in_charge = any(code.startswith(region.prefix) for region in self.regions)
        return in_charge or (self.standing is not None and self.standing.may(OfficeDeed.MOVE_STOCK))


def reach_of(person: Person, day: date | None = None) -> Reach | None:
    """Return whose figures `person` may see on `day` (today), None for nobody's. Two queries."""
    standing = office_standing(person)
    posts = person.assignments.on(day or timezone.localdate()).filter(role=Role.REGION_MANAGER)
    regions = tuple(post.region for post in posts.select_related("region") if post.region)
    reach = Reach(person, standing, regions)
    return reach if reach.is_whole or regions else None
