"""Signing in at the desk, and what people do to their own way in."""

from __future__ import annotations

import hashlib
import math
import time

from django.conf import settings
from django.contrib.auth import authenticate, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from api.limits import Limit, TooManyCalls, address_of, count_call
from stores import desk_session, second_step
from stores.desk import open_page, show, signed_in_page
from stores.desk_forms import PASSWORD_LENGTH, CodeForm, PasswordForm, SignInForm
from stores.models import Person
from stores.people import choose_password, find_person, plain_username

# django-axes counts failures of one name from one address. These count names tried from everywhere, and addresses that
# try many names; whole towns are behind one address.
SIGN_INS_OF_A_NAME = Limit("sign-in/name", most=30, seconds=3600)
SIGN_INS_OF_AN_ADDRESS = Limit("sign-in/address", most=200, seconds=600)
# A session that was left open must not tell the password to whoever sits down at it.
PASSWORDS_OF_A_SESSION = Limit("password/person", most=10, seconds=3600)
# How long, in seconds, a password is good for while the code of the second step is looked up.
SECONDS_FOR_CODE = 600
_WAITING = "waiting_for_code"


@open_page
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for username or mobile number, and password."""
    if request.method == "POST":
        return _sign_in(request)
    return _sign_in_page(request, SignInForm())


def _sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form)
    typed = form.cleaned_data["username"]
    try:
        count_call((SIGN_INS_OF_A_NAME, plain_username(typed)), (SIGN_INS_OF_AN_ADDRESS, address_of(request)))
    except TooManyCalls as refusal:
        return _too_often(request, form, refusal.wait_seconds)
    person = find_person(typed)
    # A name that is nobody's may be a password in the wrong field: no table keeps it as it was typed.
    username = person.username if person else f"nobody:{hashlib.sha256(typed.encode()).hexdigest()[:30]}"
    proved = authenticate(request, username=username, password=form.cleaned_data["password"])
    if getattr(request, "axes_locked_out", False):
        return _too_often(request, form, int(settings.AXES_COOLOFF_TIME.total_seconds()))
    if not isinstance(proved, Person):
        form.add_error(None, _("Name and password do not fit. Please try again."))
        return _sign_in_page(request, form)
    if second_step.is_wanted(proved):
        request.session[_WAITING] = {"person": proved.pk, "since": time.time(), "next": _next(request)}
        return redirect("desk:code")
    return _let_in(request, proved, _next(request))


def _let_in(request: HttpRequest, person: Person, address: str) -> HttpResponse:
    desk_session.begin(request, person)
    return HttpResponseRedirect(address) if address else redirect(settings.LOGIN_REDIRECT_URL)


def _next(request: HttpRequest) -> str:
    """Return the address to go on to, if it is one of ours."""
    address = request.POST.get("next") or request.GET.get("next", "")
    is_ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, {request.get_host()})
    return address if is_ours else ""


def _sign_in_page(request: HttpRequest, form: SignInForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "next": _next(request)} | {each: each in request.GET for each in ("ended", "chosen")}
    return show(request, "desk/sign_in.html", context, status)


def _too_often(request: HttpRequest, form: SignInForm, wait_seconds: int) -> HttpResponse:
    form.add_error(None, _wait(wait_seconds))
    response = _sign_in_page(request, form, status=429)
    response["Retry-After"] = str(wait_seconds)
    return response


def _wait(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    text = ngettext(
        "That was wrong too often. Please wait a minute.",
        "That was wrong too often. Please wait %(minutes)d minutes.",
        minutes,
    )
    return text % {"minutes": minutes}


@open_page
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the second step, of somebody whose password was right a moment ago."""
    waiting = request.session.get(_WAITING, {})
    if time.time() - waiting.get("since", 0) > SECONDS_FOR_CODE:
        return redirect("desk:sign_in")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        person = Person.objects.get(pk=waiting["person"])
        if person.is_active and second_step.passes(person, form.cleaned_data["code"]):
            del request.session[_WAITING]
            return _let_in(request, person, waiting["next"])
        form.add_error("code", _("This code does not fit. Wait for the next one; after several wrong ones, longer."))
    return show(request, "desk/code.html", {"form": form})


@signed_in_page
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect(settings.LOGIN_REDIRECT_URL)
    logout(request)
    return redirect("desk:sign_in")


@signed_in_page
def password(request: HttpRequest) -> HttpResponse:
    """Choose another password; who signed in with one that somebody else made up can do nothing before that."""
    person = _person(request)
    if refusal := _too_many_passwords(request, person):
        return show(request, "desk/password.html", {"form": PasswordForm(person), "refusal": refusal}, status=429)
    form = PasswordForm(person, request.POST or None)
    is_done = _is_sent_again(person, request)
    if is_done or form.is_valid():
        if not is_done:
            choose_password(person, form.cleaned_data["new"])
            update_session_auth_hash(request, person)
        desk_session.tell(request, _("Your new password holds from now on."))
        return redirect(settings.LOGIN_REDIRECT_URL)
    return show(request, "desk/password.html", {"form": form})


def _is_sent_again(person: Person, request: HttpRequest) -> bool:
    """Whether this form has made the password what it is, because its answer was lost."""
    old, new, again = (request.POST.get(name, "")[:PASSWORD_LENGTH] for name in ("old", "new", "again"))
    return old != new == again != "" and not person.must_change_password and person.check_password(new)


def _too_many_passwords(request: HttpRequest, person: Person) -> str:
    """Count a form with a password in it; return what to say where there were too many of them."""
    if request.method == "POST":
        try:
            count_call((PASSWORDS_OF_A_SESSION, str(person.pk)))
        except TooManyCalls as refusal:
            return _wait(refusal.wait_seconds)
    return ""


@signed_in_page
def second_step_page(request: HttpRequest) -> HttpResponse:
    """Begin or end the second step. Its secret is shown only until a code has proved that the app has it."""
    person = _person(request)
    is_wanted = second_step.is_wanted(person)
    # Sent again, each of its two forms says what it did.
    if is_wanted and "code" in request.POST:
        return _begun(request)
    if not is_wanted and "password" in request.POST:
        return _given_up(request)
    if is_wanted:
        return _give_up_second_step(request, person)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if second_step.confirm(person, form.cleaned_data["code"]):
            return _begun(request)
        form.add_error("code", _("This code does not fit. Wait for the next one; after several wrong ones, longer."))
    return show(request, "desk/second_step.html", {"form": form, "secret": second_step.prepare(person)})


def _begun(request: HttpRequest) -> HttpResponse:
    desk_session.tell(request, _("From now on you sign in with password and code."))
    return redirect("desk:second_step")


def _given_up(request: HttpRequest) -> HttpResponse:
    desk_session.tell(request, _("From now on your password is enough."))
    return redirect("desk:second_step")


def _give_up_second_step(request: HttpRequest, person: Person) -> HttpResponse:
    refusal = _too_many_passwords(request, person)
    if request.method == "POST" and not refusal:
        if person.check_password(request.POST.get("password", "")[:PASSWORD_LENGTH]):
            second_step.give_up(person)
            return _given_up(request)
        refusal = _("This is not your password.")
    return show(request, "desk/second_step.html", {"refusal": refusal, "is_wanted": True})


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # noqa: S101 - for type checkers; the decorator has let nobody else in
    return request.user
