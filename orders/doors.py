"""How often the customers' doors may be used, and what is said when it is too often."""

from __future__ import annotations

import math
from datetime import timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from api.limits import Limit, TooManyCalls
from stores.actors import actor
from stores.hours import SHANGHAI, clock

# Who does what a visitor of the site does: nobody signs in.
CUSTOMER = actor("customer", "web")

# Mobile networks put whole towns behind one address, so these only stop machines. What is asked of one mobile number
# or one order is counted far more closely.
RESERVATIONS_OF_AN_ADDRESS = Limit("reserve/address", most=600, seconds=600)
RESERVATIONS_OF_A_MOBILE = Limit("reserve/mobile", most=20, seconds=3600)
LOOK_UPS_OF_AN_ADDRESS = Limit("look-up/address", most=200, seconds=600)
# Four digits have 10,000 values: at this rate a guesser needs three weeks for even odds, and an order lives for days.
LOOK_UPS_OF_AN_ORDER = Limit("look-up/order", most=10, seconds=3600)


def come_back_later(refusal: TooManyCalls) -> str:
    """Say in how many minutes to try again, and at what time that is."""
    minutes = math.ceil(refusal.wait_seconds / 60)
    at = clock((timezone.now() + timedelta(seconds=refusal.wait_seconds + 30)).astimezone(SHANGHAI))
    return ngettext(
        "That was too often in a short time. Please try again in a minute (%(time)s).",
        "That was too often in a short time. Please try again in %(minutes)d minutes (%(time)s).",
        minutes,
    ) % {"minutes": minutes, "time": at}


def no_such_order() -> str:
    """The one answer to a wrong number and to wrong digits."""
    return _("No order fits these digits. Please compare them with the text message that you got.")


def too_many(response: HttpResponse, refusal: TooManyCalls) -> HttpResponse:
    """Make `response`, which tells a person to wait, tell programs as well."""
    response.status_code = 429
    response["Retry-After"] = str(refusal.wait_seconds)
    return response
