"""Mobile numbers and names of customers: read, and masked for everybody but the clerk who hands over."""

import re
import unicodedata

from django.utils.translation import gettext as _

from orders.refusals import BadMobile, BadName
from stores.mobiles import read_mobile

NAME_LENGTH = 30
MOBILE_LENGTH = 14  # +86 and eleven digits
# Whatever could break the line of an SMS or of a list; letters of all scripts, marks, blanks and '·-. pass.
_NOT_IN_A_NAME = re.compile(r"[^\w\s·.'’\-]|[\d_]")


class Mobile(str):
    """A Chinese mobile number as E.164 (+8613800138000), which somebody has read already."""

    __slots__ = ()


def parse_mobile(text: str) -> Mobile:
    """
    Return the Chinese mobile number in `text`.

    Takes blanks, hyphens, +86, 0086 and full-width digits. Raises BadMobile.
    """
    if isinstance(text, Mobile):
        return text
    mobile = read_mobile(text)
    if mobile is None:
        raise BadMobile(
            _("This is not a Chinese mobile number. It has 11 digits and begins with 1, as in 138 0013 8000.")
        )
    return Mobile(mobile)


def parse_name(text: str) -> str:
    """Return the name in `text` with single blanks. Raises BadName."""
    name = " ".join(unicodedata.normalize("NFKC", text[:200]).split())
    if not name:
        raise BadName(_("Please write your name."))
    if len(name) > NAME_LENGTH:
        raise BadName(_("The name may have at most %(limit)d characters.") % {"limit": NAME_LENGTH}, limit=NAME_LENGTH)
    if _NOT_IN_A_NAME.search(name):
        raise BadName(_("A name has letters only."))
    return name


def mask_mobile(mobile: str) -> str:
    """Return `mobile` (E.164) as anybody may see it: 138****8000. Empty stays empty."""
    national = mobile.removeprefix("+86")
    return f"{national[:3]}****{national[-4:]}" if len(national) == 11 else "*" * len(mobile)


def mask_name(name: str) -> str:
    """Return the first character of a name and stars for the rest, however long: 王*. Empty stays empty."""
    return f"{name[0]}*" if name else ""


_ANY_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9])[0-9]{4}([0-9]{4})(?![0-9])")


def scrub(text: str) -> str:
    """Return `text` with every mobile number in it masked; libraries like to quote what they were given."""
    return _ANY_MOBILE.sub(r"\1****\2", text)
