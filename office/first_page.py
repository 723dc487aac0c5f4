"""Where people begin after signing in."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from office.access import office_standing, reach_of
from orders import desk_today
from stores.desk import signed_in_page
from stores.models import Assignment, Person


@signed_in_page
def first_page(request: HttpRequest) -> HttpResponseBase:
    """Lead people of head office who work at no outlet to the back office, and everybody else to the desk."""
    person = request.user
    assert isinstance(person, Person)  # noqa: S101 - for type checkers; the door has let nobody else in
    works_at_outlets = Assignment.objects.on(timezone.localdate()).filter(person=person).exists()
    if not works_at_outlets and office_standing(person):
        return redirect("admin:index")
    request.reach = reach_of(person)  # type: ignore[attr-defined]
    return desk_today.home(request)
