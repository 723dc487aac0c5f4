"""What people type into the desk's forms, as the books can keep it."""

from __future__ import annotations

from django.http import HttpRequest

REASON_LENGTH = 200


def words(request: HttpRequest, name: str, most: int = REASON_LENGTH) -> str:
    """Return what was typed into a field, with single blanks and at most so many characters; empty for nothing."""
    return " ".join(request.POST.get(name, "").replace("\0", "").split())[:most]
