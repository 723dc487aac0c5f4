"""Reasons that several doors give, and what libraries say in Chinese that no reader would understand."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# Texts of Django and of the REST framework, translated anew: ours are asked for before theirs.
_BETTER_SAID = (
    gettext_noop("Null characters are not allowed."),
    gettext_noop("Invalid data. Expected a dictionary, but got {datatype}."),
    gettext_noop('Expected a list of items but got type "{input_type}".'),
)


def only_these(known: Iterable[str]) -> str:
    """Say what could be named."""
    return _("Only these can be named: %(known)s.") % {"known": ", ".join(known)}


def no_null() -> str:
    """Say that a text has the character that PostgreSQL keeps in none."""
    return _("Null characters are not allowed.")
