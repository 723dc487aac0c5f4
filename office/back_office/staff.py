"""People and where they work. Nobody is removed, because the books name them: who leaves may sign in no more."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from office.access import OfficeDeed
from office.back_office.base import OfficeAdmin, PlainForm, RowsInside
from office.models import Membership
from office.site import site
from orders.mobiles import mask_mobile
from stores import people
from stores.desk import show
from stores.mobiles import read_mobile
from stores.models import Assignment, Person


class AssignmentsInside(RowsInside):
    model = Assignment
    reading = OfficeDeed.READ_PEOPLE
    writing = OfficeDeed.EDIT_PEOPLE
    may_be_removed = False
    autocomplete_fields = ("outlet", "region")
    fields = ("role", "outlet", "region", "starts_on", "ends_on")


class MembershipsInside(RowsInside):
    """Who is what in head office is said by `manage.py people`: nobody in here can give themselves a role."""

    model = Membership
    reading = OfficeDeed.READ_PEOPLE
    fields = ("role",)


class PersonForm(PlainForm):
    """The number that is on record is shown to nobody; another one can be written over it."""

    new_mobile = forms.CharField(
        required=False, max_length=20, label=_("another mobile number"), help_text=_("Empty: it stays as it is.")
    )

    class Meta:
        model = Person
        fields = ("username", "name", "is_active")

    def clean_username(self) -> str:
        return people.plain_username(self.cleaned_data["username"])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "username" in given:
            try:
                people.check_person(given["username"], given.get("new_mobile", ""), other_than=self.instance.pk)
            except people.BadPerson as refusal:
                self.add_error(None, str(refusal))
        return given


@admin.register(Person, site=site)
class PersonAdmin(OfficeAdmin):
    form = PersonForm
    reading = OfficeDeed.READ_PEOPLE
    writing = OfficeDeed.EDIT_PEOPLE
    actions = ("reset_password",)
    list_display = ("username", "name", "masked_mobile", "is_active", "must_change_password")
    list_filter = ("is_active",)
    search_fields = ("username__startswith", "name__startswith")
    search_help_text = _("The beginning of a username or name, or a whole mobile number.")
    inlines = (AssignmentsInside, MembershipsInside)
    fields = ("username", "name", "masked_mobile", "new_mobile", "is_active")
    readonly_fields = ("masked_mobile",)

    @admin.display(description=_("mobile number"))
    def masked_mobile(self, person: Person) -> str:
        return mask_mobile(person.mobile or "")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may_write = self.has_change_permission(request, obj)
        return [name for name in self.fields or () if may_write or name != "new_mobile"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "username") if obj else self.readonly_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        mobile = read_mobile(search_term)
        if mobile:
            return queryset.filter(mobile=mobile), False
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        mobile = read_mobile(form.cleaned_data["new_mobile"]) or obj.mobile
        if change:
            obj.mobile = mobile
            obj.save()
            return
        person, obj.first_password = people.add_person(obj.username, obj.name, mobile=mobile or "")
        obj.pk, obj.password, obj.created_at, obj.mobile = person.pk, person.password, person.created_at, person.mobile
        obj._state.adding = False

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return _show_password(request, obj, obj.first_password)

    @admin.action(description=_("Give a new first password"), permissions=["change"])
    def reset_password(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Please choose one person."), "error")
            return None
        return _show_password(request, chosen[0], people.reset_password(chosen[0]))


def _show_password(request: HttpRequest, person: Person, password: str) -> HttpResponse:
    says = gettext("%(name)s signs in as %(username)s with this password, and must choose another one at once.")
    context = {
        "says": says % {"name": person.name, "username": person.username},
        "secret": password,
        "back": "admin:stores_person_changelist",
    }
    return show(request, "office/secret.html", context)
