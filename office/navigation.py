"""The ways to the pages of head office, as its frame shows them: each for those who may go there."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from office.access import OfficeDeed


class Link(NamedTuple):
    text: str
    address: str
    is_here: bool


# What may be read there, and what it is called.
PAGES = (
    ("admin:index", OfficeDeed.READ, _("Back office")),
    ("office:prices", OfficeDeed.READ, _("Prices")),
    ("office:orders", OfficeDeed.READ_ORDERS, _("Orders")),
    ("office:find", OfficeDeed.READ_ORDERS, _("Find")),
    ("office:imports", OfficeDeed.EDIT_OUTLETS, _("Open outlets")),
    ("office:trail", OfficeDeed.READ_TRAIL, _("Audit trail")),
    ("office:jobs", OfficeDeed.READ_JOBS, _("Given up")),
)

# What region managers read, too.
REPORTS = [("reports:country", _("Reports")), ("reports:run_out", _("What will run out"))]


def office_links(request: Any) -> list[Link]:
    """Return the links for whoever asks; the one to the page itself `is_here`."""
    reach = getattr(request, "reach", None)
    standing = getattr(request, "standing", None) or getattr(reach, "standing", None)
    names = [(name, text) for name, deed, text in PAGES if standing and standing.may(deed)]
    if reach or (standing and standing.may(OfficeDeed.READ_REPORTS)):
        names += REPORTS
    return [Link(str(text), reverse(name), request.path == reverse(name)) for name, text in names]


FUNCTIONS = {"office_links": office_links, "office_messages": get_messages}
