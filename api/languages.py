"""In which language a program wants to be answered. Programs have no `/en/` in their addresses: they send a header."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header


def language_of(request: HttpRequest) -> str:
    """Return the language of the site that Accept-Language likes best; Chinese where it names none of them."""
    for tag, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        for language, _name in settings.LANGUAGES:
            if tag.partition("-")[0] == language.partition("-")[0]:
                return language
    return settings.LANGUAGE_CODE
