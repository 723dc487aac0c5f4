"""
The doors of the desk: each of its pages goes through one of these decorators, which say who may come in.

`open_page` lets everybody in, `signed_in_page` everybody who has signed in, `desk_page`, `desk_form` and `desk_deed`
those whose standing at the outlet in the address allows it. A view behind one of these three takes a DeskRequest, and
the outlet's code is gone from its arguments. Whoever has no business at an outlet gets the answer of an outlet that
does not exist (404); whoever has, but not this deed, is told who may do it (403).

A form is carried out once (`stores.once`), in one transaction with its key: sent again, it leads to where it led the
first time and tells who did what and when. What only looks is told apart by `once=False`.

Nobody keeps what the desk answers. Its pages have style and script in files of their own, which browsers do keep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from csp.constants import SELF
from django.contrib.auth import logout
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.caching import READING, deed, form_page, personal_page
from catalog.private import private_page
from stores import desk_session, once, presence
from stores.access import Deed, NotAllowed, Standing, standing_at
from stores.desk_keys import sent_key
from stores.durations import moment_in_words
from stores.models import Outlet, Person, Role
from stores.people import name_of

DESK_POLICY = {"style-src": [SELF], "script-src": [SELF], "connect-src": [SELF]}
SIGN_IN_PAGE, PASSWORD_PAGE = "desk:sign_in", "desk:password"
# Scanning with the camera, where the browser can.
DESK_PERMISSIONS = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"


class DeskRequest(HttpRequest):
    """
    A request of somebody who works at `outlet`, of which `role` and `standing` tell; `form_key` is that of its form.
    """

    user: Person
    standing: Standing
    outlet: Outlet
    role: Role
    form_key: str


View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Rule:
    """Who gets through a door: for an outlet's page what one must be allowed to do, to read it and to send its form."""

    of_an_outlet: bool = False
    signed_in: bool = False
    reading: Deed | None = None
    writing: Deed | None = None
    once: bool = True

    def deed_of(self, request: HttpRequest) -> Deed:
        """Return what this request is about to do."""
        asked = self.reading if request.method in READING else self.writing
        if asked is None:
            raise LookupError(f"no {request.method} passes this door")
        return asked


def open_page(view: View) -> View:
    """Make `view` a page of the desk that everybody may see, with a form: signing in."""
    return _door(form_page(view), Rule())


def signed_in_page(view: View) -> View:
    """Make `view` a page, with a form, for everybody who has signed in, whatever the outlet."""
    return _door(form_page(signed_in(view)), Rule(signed_in=True))


def desk_page(reading: Deed = Deed.READ) -> Callable[[View], View]:
    """Make a view a page of one outlet that is read by those who may do `reading` there."""
    return _of_an_outlet(personal_page, Rule(True, True, reading))


def desk_form(writing: Deed, reading: Deed = Deed.READ, *, once: bool = True) -> Callable[[View], View]:
    """
    Make a view a page of one outlet whose form is sent by those who may do `writing` there.

    `once=False`: the form does nothing, or its view keeps the key by itself.
    """
    return _of_an_outlet(form_page, Rule(True, True, reading, writing, once))


def desk_deed(writing: Deed) -> Callable[[View], View]:
    """Make a view something that is done at one outlet by those who may: it takes a form and is not read."""
    return _of_an_outlet(deed, Rule(True, True, None, writing))


def show(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """Answer with a page of the desk; what was done just before (`desk_session.tell`) is told on it, once."""
    done = desk_session.take_told(request)
    return render(request, template, {**(context or {}), "done": done}, status=status)


def _of_an_outlet(asked_by: Callable[[View], View], rule: Rule) -> Callable[[View], View]:
    return lambda view: _door(asked_by(signed_in(_at_outlet(_once(view) if rule.once else view, rule))), rule)


def _door(view: View, rule: Rule) -> View:
    """Tell the rule of a page to those who walk through the desk."""
    door = staff_page(view)
    door.desk_rule = rule  # type: ignore[attr-defined]
    return door


def staff_page(view: View) -> View:
    """Give whatever the view answers the headers of the staff's pages: at the desk, and in head office."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response._csp_update = DESK_POLICY  # type: ignore[attr-defined]
        response["Permissions-Policy"] = DESK_PERMISSIONS
        return response

    return private_page(page)


def signed_in(view: View) -> View:
    """Let in who has signed in, whose session has not ended, and who has chosen a password."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated or desk_session.has_ended(request):
            return _to_sign_in(request)
        if request.user.must_change_password and request.path_info != reverse(PASSWORD_PAGE):
            return HttpResponseRedirect(reverse(PASSWORD_PAGE))
        if not is_fragment(request):
            desk_session.keep_alive(request)
        return view(request, *args, **kwargs)

    return checked


def _at_outlet(view: View, rule: Rule) -> View:
    """Find the outlet in the address and what the person is there; let in who may do the deed of the rule."""

    @wraps(view)
    def checked(request: DeskRequest, outlet_code: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        standing = standing_at(request.user, outlet_code)
        if standing is None:
            return show(request, "desk/no_outlet.html", status=404)
        request.standing, request.outlet, request.role = standing, standing.outlet, standing.role
        try:
            standing.require(rule.deed_of(request))
            if standing.is_at_the_counter and not is_fragment(request):
                presence.note(standing.outlet)
            return view(request, *args, **kwargs)
        except NotAllowed as refusal:
            return show(request, "desk/refused.html", {"refusal": refusal}, status=403)
        except Http404:
            return show(request, "desk/not_here.html", status=404)

    return checked


def _once(view: View) -> View:
    """Carry out each form once, with its key in the same transaction; what is not said to be done can be sent again."""

    @wraps(view)
    def checked(request: DeskRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        key = sent_key(request)
        if key is None:
            return show(request, "desk/no_key.html", status=400)
        request.form_key = key
        return once.again_if_in_the_way(lambda: _carried_out(view, request, *args, **kwargs))

    return checked


@transaction.atomic
def _carried_out(view: View, request: DeskRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    before = once.begin(request.outlet.pk, request.form_key, request.user.actor)
    if before:
        who = {"name": name_of(before.actor), "time": moment_in_words(before.done_at), "said": before.said}
        desk_session.tell(request, _("Done already by %(name)s, %(time)s, and not again: %(said)s") % who)
        return HttpResponseRedirect(before.address)
    response = view(request, *args, **kwargs)
    address = response["Location"] if response.status_code == 302 else request.get_full_path()
    once.end(request.outlet.pk, request.form_key, desk_session.done_in_words(request), address)
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send whoever is not signed in, or not any more, to the sign-in page; it leads back to what can be read again."""
    has_ended = request.user.is_authenticated
    if has_ended:
        logout(request)
    if is_fragment(request):
        return HttpResponse(status=401)
    query = {"ended": "1"} if has_ended else {}
    if request.method in READING:
        query["next"] = request.get_full_path()
    elif request.path_info == reverse(PASSWORD_PAGE):
        # A new password ends the session that the answer was lost in.
        query["chosen"] = "1"
    return HttpResponseRedirect(f"{reverse(SIGN_IN_PAGE)}?{urlencode(query)}")


def is_fragment(request: HttpRequest) -> bool:
    """Whether the page's own script asks for its changing part; nobody has done anything then."""
    return request.headers.get("X-Fragment") == "yes"
