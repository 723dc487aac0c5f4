"""
The doors of head office: each of its pages goes through one of these decorators, which say who may come in.

`office_page` is read, `office_form` takes a form, too, and `office_deed` takes a form and is not read; their views take
an OfficeRequest. `report_page` and `report_form` are for reports, which region managers read of their regions; their
views take a ReportRequest and ask its `reach`. Everybody else gets the answer of a page that does not exist (404);
who is in head office, but not for this deed, is told who may do it (403).

Sessions and signing in are those of the desk. What a form changes is one transaction, in the name of who sent it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from catalog.acting import acting_as
from catalog.caching import READING, deed, form_page, personal_page
from office.access import NotInOffice, OfficeDeed, OfficeStanding, Reach, office_standing, reach_of
from stores.desk import show, signed_in, staff_page
from stores.models import Person

View = Callable[..., HttpResponseBase]


class OfficeRequest(HttpRequest):
    """A request of somebody in head office."""

    user: Person
    standing: OfficeStanding


class ReportRequest(HttpRequest):
    """A request of somebody who may read figures, at least of a region."""

    user: Person
    reach: Reach


@dataclass(frozen=True)
class OfficeRule:
    """Who gets through a door of head office: what one must be allowed to do, to read it and to send its form."""

    reading: OfficeDeed | None = None
    writing: OfficeDeed | None = None
    is_report: bool = False


def office_page(reading: OfficeDeed = OfficeDeed.READ) -> Callable[[View], View]:
    """Make a view a page that is read by those who may do `reading`."""
    return _office(personal_page, OfficeRule(reading))


def office_form(writing: OfficeDeed, reading: OfficeDeed | None = None) -> Callable[[View], View]:
    """Make a view a page whose form is sent by those who may do `writing`; they read it unless `reading` says who."""
    return _office(form_page, OfficeRule(reading or writing, writing))


def office_deed(writing: OfficeDeed) -> Callable[[View], View]:
    """Make a view something that is done by those who may: it takes a form and is not read."""
    return _office(deed, OfficeRule(None, writing))


def report_page(view: View) -> View:
    """Make `view` a page of figures."""
    return _report(personal_page, view)


def report_form(view: View) -> View:
    """Make `view` a page of figures that takes a form, too; it asks the reach what may be done."""
    return _report(form_page, view)


def _office(asked_by: Callable[[View], View], rule: OfficeRule) -> Callable[[View], View]:
    return lambda view: _door(asked_by(signed_in(_in_office(view, rule))), rule)


def _report(asked_by: Callable[[View], View], view: View) -> View:
    return _door(asked_by(signed_in(_in_reach(view))), OfficeRule(is_report=True))


def _door(view: View, rule: OfficeRule) -> View:
    """Tell the rule to those who walk through head office."""
    door = staff_page(view)
    door.office_rule = rule  # type: ignore[attr-defined]
    return door


def _in_office(view: View, rule: OfficeRule) -> View:
    @wraps(view)
    def checked(request: OfficeRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        standing = office_standing(request.user)
        if standing is None:
            raise Http404
        request.standing = standing
        asked = rule.reading if request.method in READING else rule.writing
        try:
            if asked is not None:
                standing.require(asked)
            return _done(view, request, *args, **kwargs)
        except NotInOffice as refusal:
            return show(request, "office/refused.html", {"refusal": refusal}, status=403)

    return checked


def _in_reach(view: View) -> View:
    @wraps(view)
    def checked(request: ReportRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        reach = reach_of(request.user)
        if reach is None:
            raise Http404
        request.reach = reach
        return _done(view, request, *args, **kwargs)

    return checked


def _done(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Answer; what a form changes is all or nothing, and the trail knows who sent it."""
    if request.method in READING:
        return view(request, *args, **kwargs)
    with acting_as(request.user.actor):  # type: ignore[union-attr]
        return view(request, *args, **kwargs)


def in_office_form(view: View) -> View:
    """Make `view` a page of Django's admin: whoever is in head office comes in, and the page asks the standing on."""
    return _office(form_page, OfficeRule())(view)
