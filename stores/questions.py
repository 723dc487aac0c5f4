"""What visitors ask of the outlet pages: read from the address, with a clear word where it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from urllib.parse import quote_plus

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.catalogue import current_catalogue
from catalog.errors import BadQuery, NotHere, Suggestion, nearest
from catalog.models import Phone
from stores.geography import Point
from stores.search import LONGEST_QUESTION

# Beyond this page a list of shops helps nobody, and only costs.
LAST_PAGE = 100
# Two decimals are a kilometre: closer is more than we know of most shops, and of the visitor more than we need.
DECIMALS = 2
# Looked up only where one of them is wrong.
LATITUDE, LONGITUDE = gettext_lazy("Latitude"), gettext_lazy("Longitude")


@dataclass(frozen=True)
class Question:
    """Where and what somebody looks for. `only_having`: leave out the shops that have not got `phone`."""

    text: str = ""
    point: Point | None = None
    phone: Phone | None = None
    only_having: bool = False
    page: int = 1

    @property
    def previous(self) -> str:
        return self._query(page=self.page - 1 if self.page > 2 else None)

    @property
    def next(self) -> str:
        return self._query(page=self.page + 1)

    @property
    def without_phone(self) -> str:
        return self._query(phone=None, only=None, page=None)

    @property
    def any_stock(self) -> str:
        return self._query(only=None, page=None)

    @property
    def only_stock(self) -> str:
        return self._query(only=1, page=None)

    def _query(self, **changes: object) -> str:
        """Return this question as the query of an address, with some of its keys changed (None: left out)."""
        keys: dict[str, object] = {"q": self.text or None}
        if self.point:
            keys |= {"lat": f"{self.point.latitude:g}", "lng": f"{self.point.longitude:g}"}
        keys |= {"phone": self.phone.slug if self.phone else None, "only": 1 if self.only_having else None}
        asked = (keys | changes).items()
        return "&".join(f"{key}={quote_plus(str(value))}" for key, value in asked if value is not None)


def read_question(query: QueryDict) -> Question:
    """
    Read `q`, `lat`, `lng`, `phone`, `only` and `page`.

    Raises BadQuery where one of them makes no sense, NotHere for a page behind the last.
    """
    phone = _read_phone(query.get("phone", ""))
    return Question(
        text=_read_text(query.get("q", "")),
        point=read_point(query),
        phone=phone,
        only_having=phone is not None and query.get("only") == "1",
        page=_read_page(query.get("page", "1")),
    )


def _read_text(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_QUESTION:
        reason = _("Type at most %(most)d characters: a town or a county is enough.") % {"most": LONGEST_QUESTION}
        raise BadQuery(_("Place"), text, reason, [_all_shops()])
    if "\0" in text or "\ufffd" in text:
        raise BadQuery(
            _("Place"), text.replace("\0", "\ufffd"), _("Some of its characters cannot be read."), [_all_shops()]
        )
    return text


def read_point(query: Mapping[str, str]) -> Point | None:
    """Return the position that `lat` and `lng` name in degrees, None without them. Raises BadQuery."""
    latitude, longitude = query.get("lat", "").strip(), query.get("lng", "").strip()
    if not latitude and not longitude:
        return None
    return Point(
        _read_angle(latitude, LATITUDE, most=90),
        _read_angle(longitude, LONGITUDE, most=180),
    )


def _read_angle(text: str, field: Promise, *, most: int) -> float:
    if not text:
        raise BadQuery(str(field), "", _("Latitude and longitude go together: one of them is missing."), [_all_shops()])
    try:
        angle = float(text) if len(text) <= 30 and text.isascii() else float("nan")
    except ValueError:
        angle = float("nan")
    if not isfinite(angle) or abs(angle) > most:
        reason = _("It must be a number from -%(most)d to %(most)d.") % {"most": most}
        raise BadQuery(str(field), text, reason, [_all_shops()])
    return round(angle, DECIMALS)


def _read_phone(slug: str) -> Phone | None:
    if not slug:
        return None
    catalogue = current_catalogue()
    phone = catalogue.by_slug.get(slug)
    if phone is None:
        here = reverse("stores:outlets")
        names = [(phone.slug, Suggestion(phone.name, f"{here}?phone={phone.slug}")) for phone in catalogue.phones]
        raise BadQuery(_("Phone"), slug, _("We have no phone of this name."), nearest(slug, names))
    return phone


def _read_page(text: str) -> int:
    page = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
    if page < 1:
        raise BadQuery(_("Page"), text, _("Pages are numbered 1, 2, 3 and so on."), [_all_shops()])
    if page > LAST_PAGE:
        raise no_such_page()
    return page


def no_such_page() -> NotHere:
    """Return what to raise for a page behind the last one."""
    return NotHere(_("The list does not have that many pages."), [_all_shops()])


def _all_shops() -> Suggestion:
    return Suggestion(_("All shops"), reverse("stores:outlets"))
