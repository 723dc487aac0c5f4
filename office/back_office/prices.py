"""
Ordinary prices and sale windows.

What is valid, or was, is only read: a new price begins now or later, and of a window that is open the end alone can be
brought forward. The guards of the database say the same (catalog/migrations/0005_price_rule.py); here it is said where
it was typed.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.models import Price, SaleWindow, SaleWindowPrice
from catalog.moments import moment_in_words
from catalog.price_events import tell_of_prices
from catalog.prices import time_of_transaction
from catalog.templating import yuan
from office.access import OfficeDeed
from office.back_office.base import OfficeAdmin, PlainForm, RowsInside
from office.site import site


class YuanField(forms.DecimalField):
    """Yuan for people, fen for the database."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=Decimal("0.01"), max_value=1_000_000, decimal_places=2, **options)

    def prepare_value(self, value: Any) -> Any:
        return yuan(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        given = super().clean(value)
        return None if given is None else int(given * 100)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def refuse_past(moment: datetime) -> None:
    """Raise ValidationError for a moment that has passed by the clock of the database."""
    if moment < time_of_transaction():
        raise forms.ValidationError(_("This has passed. What was valid once stays as it was."))


class PriceForm(PlainForm):
    price_fen = YuanField(label=_("price in yuan"))
    valid_from = forms.SplitDateTimeField(
        label=_("valid from"),
        required=False,
        help_text=_("empty: from now on"),
        widget=AdminSplitDateTime,
    )

    def clean_valid_from(self) -> datetime:
        moment = self.cleaned_data["valid_from"] or time_of_transaction()
        refuse_past(moment)
        return moment


@admin.register(Price, site=site)
class PriceAdmin(OfficeAdmin):
    form = PriceForm
    writing = OfficeDeed.SET_PRICES
    may_be_removed = True
    list_display = ("phone", "in_yuan", "valid_from", "provenance")
    list_filter = ("phone",)
    list_select_related = ("phone",)
    fields = ("phone", "price_fen", "valid_from")
    ordering = ("-valid_from", "phone")

    @admin.display(description=_("price in yuan"))
    def in_yuan(self, price: Price) -> str:
        return yuan(price.price_fen)

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        tell_of_prices()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (isinstance(obj, Price) and obj.has_begun)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (isinstance(obj, Price) and obj.has_begun)


class WindowPriceForm(PlainForm):
    price_fen = YuanField(label=_("price in yuan"))


class PricesInside(RowsInside):
    model = SaleWindowPrice
    form = WindowPriceForm
    writing = OfficeDeed.SET_PRICES
    extra = 1

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_add_permission(request, obj) and not _has_begun(obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _has_begun(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _has_begun(obj)


class WindowForm(PlainForm):
    def clean_starts_at(self) -> datetime:
        refuse_past(self.cleaned_data["starts_at"])
        return self.cleaned_data["starts_at"]

    def clean_ends_at(self) -> datetime:
        moment = self.cleaned_data["ends_at"]
        refuse_past(moment)
        if _has_begun(self.instance) and moment > self.initial["ends_at"]:
            raise forms.ValidationError(_("A window that is open can end earlier than planned, not later."))
        return moment


@admin.register(SaleWindow, site=site)
class SaleWindowAdmin(OfficeAdmin):
    form = WindowForm
    writing = OfficeDeed.SET_PRICES
    may_be_removed = True
    list_display = ("__str__", "starts_at", "ends_at", "limit_per_customer")
    fields = ("name_zh", "name_en", "starts_at", "ends_at", "limit_per_customer", "open_together")
    inlines = (PricesInside,)
    actions = ("end_now",)

    @admin.display(description=_("open at the same time"))
    def open_together(self, window: SaleWindow) -> str:
        return _together(window) if window.pk else ""

    @admin.action(description=_("End now"), permissions=["change"])
    @transaction.atomic
    def end_now(self, request: HttpRequest, windows: Any) -> None:
        """End what is open; what has not begun is removed on its own page, and what has ended stays."""
        now = time_of_transaction()
        ended = windows.filter(starts_at__lt=now, ends_at__gt=now).update(ends_at=now)
        tell_of_prices()
        messages.success(request, _("Ended: %(number)d") % {"number": ended})

    def get_readonly_fields(self, request: HttpRequest, obj: SaleWindow | None = None) -> Any:
        settled = ("name_zh", "name_en", "starts_at", "limit_per_customer") if _has_begun(obj) else ()
        return (*settled, "open_together")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_past = isinstance(obj, SaleWindow) and obj.has_ended
        return super().has_change_permission(request, obj) and not is_past

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Its prices go with it.
        may = self.has_change_permission(request, obj)
        return may and not _has_begun(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        tell_of_prices()
        if others := _together(form.instance):
            said = _("Open at the same time: %(windows)s. Where both have a phone, the lower price counts.")
            messages.warning(request, said % {"windows": others})


def _has_begun(window: Model | None) -> bool:
    return isinstance(window, SaleWindow) and window.pk is not None and window.has_begun


def _together(window: SaleWindow) -> str:
    return "; ".join(
        f"{other} ({moment_in_words(other.starts_at)} – {moment_in_words(other.ends_at)})"
        for other in SaleWindow.objects.overlapping(window)
    )
