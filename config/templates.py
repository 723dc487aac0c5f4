"""The template engine: Jinja2, with the translations of Django and what the apps offer to templates."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from jinja2 import ChainableUndefined, Environment

from catalog import page_data, templating
from orders import numbers, pickup_codes
from stores import linked_data


def environment(**options: Any) -> Environment:
    """Return the environment that renders `templates/`. What is missing in a context is empty there, not an error."""
    jinja = Environment(extensions=["jinja2.ext.i18n"], **options | {"undefined": ChainableUndefined})  # noqa: S701 - Django switches autoescape on
    jinja.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    jinja.globals |= templating.FUNCTIONS | page_data.FUNCTIONS | linked_data.FUNCTIONS
    jinja.filters |= templating.FILTERS | {"spoken": numbers.spoken, "in_threes": pickup_codes.in_threes}
    return jinja
