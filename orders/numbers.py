"""
Order numbers: twelve digits that tell their outlet and check themselves.

The first eleven digits are a number N with N modulo MODULUS = the outlet's id; which of the many such numbers an order
gets is drawn at random. So a number is unique in the country as soon as it is unique at its outlet, whoever reads it
knows on which server the order lies, and the next number cannot be guessed. The last digit checks the others by
ISO/IEC 7064, MOD 11,10, which notices any one wrong digit and nearly any two exchanged neighbours.
"""

import secrets
import unicodedata

from stdnum.iso7064 import mod_11_10

DIGITS = 12
# A prime: outlets that were opened one after the other do not get numbers that look alike.
MODULUS = 1_999_993
NUMBERS_OF_AN_OUTLET = 10 ** (DIGITS - 1) // MODULUS


def draw_number(outlet_id: int) -> str:
    """Return one of the outlet's 50,000 numbers at random. It may be in use already."""
    if not 0 < outlet_id < MODULUS:
        raise ValueError(f"Order numbers have no room for the outlet {outlet_id}.")
    return number_of(secrets.randbelow(NUMBERS_OF_AN_OUTLET), outlet_id)


def number_of(multiple: int, outlet_id: int) -> str:
    """Return the outlet's number of this place among all it has, 0 to NUMBERS_OF_AN_OUTLET - 1."""
    digits = f"{multiple * MODULUS + outlet_id:0{DIGITS - 1}d}"
    return digits + str(mod_11_10.calc_check_digit(digits))


def outlet_of(number: str) -> int:
    """Return the id of the outlet that a well-formed number belongs to."""
    return int(number[:-1]) % MODULUS


def read_number(text: str) -> str | None:
    """
    Return the order number that somebody typed or read aloud, None if it can be none.

    Digits of any width; spaces, dots and hyphens between them do not matter.
    """
    number = "".join(character for character in unicodedata.normalize("NFKC", text[:60]) if character not in " .-\t·")
    if len(number) != DIGITS or not (number.isascii() and number.isdecimal()):
        return None
    return number if mod_11_10.is_valid(number) else None


def spoken(number: str) -> str:
    """Return the number in three groups of four, as it is printed and read aloud."""
    return f"{number[:4]} {number[4:8]} {number[8:]}"
