"""Partners and their keys, which are issued and revoked and never changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from api.credentials import SCOPES
from catalog.moments import midnight
from office.access import OfficeDeed
from office.back_office.base import OfficeAdmin, PlainForm
from office.fields import DayField
from office.site import site
from partners.keys import BadReach, check_reach, issue_key, revoke_key
from partners.models import ApiKey, Partner
from stores.desk import show

REACH = ("outlets", "regions", "phones")


@admin.register(Partner, site=site)
class PartnerAdmin(OfficeAdmin):
    reading = OfficeDeed.READ_PARTNERS
    writing = OfficeDeed.EDIT_PARTNERS
    may_be_removed = True
    list_display = ("name", "created_at")
    search_fields = ("name",)
    fields = ("name",)


class KeyForm(PlainForm):
    scopes = forms.MultipleChoiceField(
        choices=lambda: [(scope, ": ".join([scope, gettext(meaning)])) for scope, meaning in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        label=_("what it may do"),
    )

    expires_at = DayField(label=_("last day"), help_text=_("Empty: for good."))

    class Meta:
        model = ApiKey
        fields = ("partner", "scopes", "outlets", "regions", "phones", "calls_per_minute", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in REACH:
            if name in self.fields:
                self.fields[name].required = False
                self.fields[name].help_text = _("Codes, separated by commas. Empty: all.")

    def clean_expires_at(self) -> datetime | None:
        """Return the end of the last day."""
        day = self.cleaned_data["expires_at"]
        return midnight(day + timedelta(days=1)) if day else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            check_reach(*(given.get(name) or () for name in REACH))
        except BadReach as refusal:
            self.add_error(None, str(refusal))
        return given


@admin.register(ApiKey, site=site)
class KeyAdmin(OfficeAdmin):
    form = KeyForm
    reading = OfficeDeed.READ_PARTNERS
    writing = OfficeDeed.EDIT_PARTNERS
    actions = ("revoke",)
    list_display = ("prefix", "partner", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("partner",)
    search_fields = ("prefix__startswith", "partner__name")
    autocomplete_fields = ("partner",)
    fields = ("partner", "scopes", "outlets", "regions", "phones", "calls_per_minute", "expires_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The list needs it for its one action; no key is changed.
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        obj.whole = issue_key(
            given["partner"],
            given["scopes"],
            expires_at=given["expires_at"],
            outlets=given["outlets"] or (),
            regions=given["regions"] or (),
            phones=given["phones"] or (),
            calls_per_minute=given["calls_per_minute"],
        )
        obj.pk = ApiKey.objects.get(prefix=obj.whole.split("_")[1]).pk

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        says = gettext("The new key of %(partner)s. It is shown this once.") % {"partner": obj.partner}
        context = {"says": says, "secret": obj.whole, "back": "admin:partners_apikey_changelist"}
        return show(request, "office/secret.html", context)

    @admin.action(description=_("Revoke at once"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        moment = timezone.now()
        ended = sum(revoke_key(key.prefix, moment) for key in queryset)
        self.message_user(request, gettext("Keys revoked: %(count)d.") % {"count": ended})
