"""Texts that are kept in both languages."""

from django.utils.translation import get_language


def speaks_english() -> bool:
    """Whether the active language is English. It takes a while to ask, so a list of things asks once."""
    return is_english(get_language())


def is_english(language: str | None) -> bool:
    return (language or "").startswith("en")


def local_text(chinese: str, english: str) -> str:
    """Return the text of the two that suits the active language."""
    return english if speaks_english() else chinese
