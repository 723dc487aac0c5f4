"""What people type into the desk's forms, as the books can keep it."""

from __future__ import annotations

import re
import unicodedata

from django.http import HttpRequest

REASON_LENGTH = 200


def words(request: HttpRequest, name: str, most: int = REASON_LENGTH) -> str:
    """Return what was typed into a field, with single blanks and at most so many characters; empty for nothing."""
    return " ".join(request.POST.get(name, "").replace("\0", "").split())[:most]


def fen(request: HttpRequest, name: str) -> int | None:
    """Return an amount that was typed in yuan, as "299" or "299.50", in fen; None for what is none."""
    typed = unicodedata.normalize("NFKC", request.POST.get(name, "")[:20]).strip().replace("。", ".")
    found = re.fullmatch(r"([0-9]{1,6})(?:\.([0-9]{1,2}))?", typed, re.ASCII)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else None
