"""Why a phone that was scanned is refused, in the words of the desk."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from stores.models import Outlet
from stores.refusals import UnitNumberInvalid, UnitProblem


def invalid_in_words(refusal: UnitNumberInvalid) -> str:
    """Say what is wrong with a number as it was scanned or typed."""
    if refusal.reason == "check_digit":
        return _("A digit of this number is wrong. Please scan it again.")
    if refusal.reason == "not_one_or_two":
        return _("This is the same number twice.")
    return _("This is no IMEI: it has 15 digits, below the bar code on the box.")


def problem_in_words(problem: UnitProblem) -> str:
    """Say why this unit cannot be part of the deed; where it is on record elsewhere, at which outlet. One query."""
    return problems_in_words([problem])[0]


def problems_in_words(problems: Iterable[UnitProblem]) -> list[str]:
    """Say it of several units. At most one query."""
    listed = list(problems)
    asked = {problem.outlet_id for problem in listed if problem.outlet_id}
    outlets = {outlet.pk: outlet.name for outlet in Outlet.objects.filter(pk__in=asked)} if asked else {}
    return [_in_words(problem, outlets.get(problem.outlet_id or 0, "")) for problem in listed]


def _in_words(problem: UnitProblem, outlet: str) -> str:
    phone = current_catalogue().by_id.get(problem.phone_id or 0)
    sentences = {
        "sold": _("%(number)s was sold already, at %(outlet)s."),
        "on_shelf": _("%(number)s stands on the shelf of %(outlet)s already."),
        "elsewhere": _("%(number)s belongs to %(outlet)s, not to this outlet."),
        "in_transit": _("%(number)s is on its way from %(outlet)s."),
        "written_off": _("%(number)s was written off at %(outlet)s."),
        "other_phone": _("%(number)s is another phone: %(phone)s."),
        "unknown": _("%(number)s is not on record."),
        "two_units": _("These two numbers belong to two different phones."),
        "named_twice": _("%(number)s was scanned twice."),
        "not_named": _("%(number)s was sent, and nobody has scanned it."),
    }
    facts = {"number": problem.number, "outlet": outlet or _("another outlet"), "phone": phone.name if phone else "?"}
    return sentences[problem.reason] % facts
