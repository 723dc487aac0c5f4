"""The numbers that a phone is known by: IMEI (3GPP TS 23.003) and MEID (3GPP2 S.R0048), in one written form each."""

from __future__ import annotations

import re

from stdnum import imei, luhn, meid
from stdnum.exceptions import InvalidChecksum, ValidationError

from stores.refusals import UnitNumberInvalid

# One number, or two for a phone with two SIM cards, as `unit` returns them.
Unit = tuple[str, ...]


def unit(*texts: str) -> Unit:
    """Return the unit of one or two numbers as scanned or typed; raise UnitNumberInvalid naming the wrong one."""
    numbers = tuple(number(text) for text in texts)
    if len(numbers) not in (1, 2) or len(set(numbers)) < len(numbers):
        raise UnitNumberInvalid(" ".join(texts), "not_one_or_two")
    return numbers


def number(text: str) -> str:
    """
    Return an IMEI as its 15 digits, an MEID as its 14 hexadecimal ones without check digit.

    An MEID of decimal digits only (99...) is the IMEI of the same phone without its check digit, so it gets that.
    Raises UnitNumberInvalid for a wrong check digit ("check_digit") or anything else ("form").
    """
    compact = re.sub(r"[\s.\-]", "", text).upper()
    try:
        if re.fullmatch(r"[0-9]{15}", compact, re.ASCII):
            return str(imei.validate(compact))
        if re.fullmatch(r"[A-F][0-9A-F]{13,14}|99[0-9]{12}|[0-9]{18,19}", compact, re.ASCII):
            return _meid(str(meid.compact(meid.validate(compact), strip_check_digit=True)))
    except InvalidChecksum:
        raise UnitNumberInvalid(text, "check_digit") from None
    except ValidationError:
        pass
    raise UnitNumberInvalid(text, "form")


def _meid(digits: str) -> str:
    if digits.isdecimal():
        return str(imei.validate(digits + luhn.calc_check_digit(digits)))
    return digits
