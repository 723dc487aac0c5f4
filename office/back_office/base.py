"""What every model's pages in the back office have in common."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Model, QuerySet
from django.forms.models import InlineForeignKeyField
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import path
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from office.access import OfficeDeed, OfficeStanding
from office.back_office.exports import export_list
from office.back_office.words import BROKEN_RULES

ROWS = 50


class ShortPaginator(Paginator):
    """Counts no further than what anybody pages through; more is found by searching."""

    MOST = 2000

    @cached_property
    def count(self) -> int:
        return self.object_list[: self.MOST].count()  # type: ignore[attr-defined]


class PlainForm(forms.ModelForm):
    """A form that says in words which of the database's rules an entry would break."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            # As Django does with the names of columns.
            field.label = capfirst(field.label)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if any(isinstance(field, InlineForeignKeyField) for field in self.fields.values()):
            # Django leaves out the rules that name the thing whose page it is.
            try:
                self.instance.validate_constraints(exclude=self._get_validation_exclusions())  # type: ignore[attr-defined]
            except ValidationError as error:
                self._update_errors(error)

    def _update_errors(self, errors: ValidationError) -> None:
        found = errors.update_error_dict({})
        broken = found.pop(NON_FIELD_ERRORS, [])
        if found:
            super()._update_errors(ValidationError(found))  # type: ignore[misc]
        for message in ValidationError(broken).messages:
            said = str(BROKEN_RULES.get(_rule_in(message), message))
            if said not in self.non_field_errors():
                self.add_error(None, said)


def _rule_in(message: str) -> str:
    """Return the name of the database's rule in Django's message about it."""
    named = re.search(r"[a-z]+_[a-z_]+", message)
    return named[0] if named else ""


class AsksTheStanding:
    """Who may read and change rows of a model: those of head office who may do `reading` and `writing`."""

    reading = OfficeDeed.READ
    writing: OfficeDeed | None = None
    may_be_added = True
    may_be_removed = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return standing_of(request).may(self.reading)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.writing is not None and standing_of(request).may(self.writing)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_be_added and self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_be_removed and self.has_change_permission(request) and (obj is None or not is_named(obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class OfficeAdmin(AsksTheStanding, admin.ModelAdmin):
    """A model's pages. Its own history is the audit trail, not the admin's log."""

    form = PlainForm
    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = ROWS
    list_max_show_all = ROWS
    sortable_by = ()
    save_on_top = False

    def get_urls(self) -> list[Any]:
        address = path("export/", self.admin_site.admin_view(self.export), name=f"{self.opts.db_table}_export")
        return [address, *super().get_urls()]

    def export(self, request: HttpRequest) -> Any:
        """Answer with the list as a file."""
        standing_of(request).require(self.reading)
        return export_list(self, request)

    @admin.display(description=mark_safe('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: Model) -> SafeString:
        """Return the box of a row as Django's is, without a template for each of them: a third of a list's cost."""
        label = _("Select %(thing)s") % {"thing": obj}
        box = '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">'
        return format_html(box, ACTION_CHECKBOX_NAME, obj.pk, label)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return redirect("office:history", self.opts.db_table, object_id)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Leave it to the triggers of the audit trail, like the two below."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        pass

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        pass


class RowsInside(AsksTheStanding, admin.StackedInline):
    """Rows that belong to the thing whose page it is; below each other, for narrow screens."""

    form = PlainForm
    extra = 0
    may_be_removed = True


def is_named(thing: Model) -> bool:
    """Whether rows that must stay name this one, so that it must stay, too."""
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: thing}).exists()
        for relation in thing._meta.related_objects
        if relation.on_delete is models.PROTECT
    )


def standing_of(request: HttpRequest) -> OfficeStanding:
    """Return what the person who is signed in may do; the door of the page has found it out."""
    return request.standing  # type: ignore[attr-defined]
