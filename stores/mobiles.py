"""Mobile numbers as people type them."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

_MOBILE = phonenumbers.PhoneNumberType.MOBILE
_FORMAT = phonenumbers.PhoneNumberFormat.E164
_TYPED = re.compile(r"[+(]?[0-9][0-9 ().\-]*")


def read_mobile(text: str) -> str | None:
    """
    Return the Chinese mobile number in `text` as E.164 (+8613800138000); None for anything else.

    Takes blanks, hyphens, +86, 0086 and full-width digits.
    """
    plain = unicodedata.normalize("NFKC", text[:40]).strip()
    try:
        # The library would read letters as the keys that they stand on.
        number = phonenumbers.parse(re.sub(r"^00", "+", plain), "CN") if _TYPED.fullmatch(plain) else None
    except phonenumbers.NumberParseException:
        return None
    if (
        number is None
        or number.country_code != 86
        or number.extension
        # A number that nobody can have is of no type.
        or phonenumbers.number_type(number) != _MOBILE
    ):
        return None
    return phonenumbers.format_number(number, _FORMAT)
