"""Logs and error reports that tell what went wrong, and of no customer."""

import logging
import re
from collections.abc import ItemsView
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

from orders.mobiles import scrub

# PostgreSQL quotes the whole row that a constraint refused.
_ROW = re.compile(r"(Failing row contains|Key \(.*?\)=) ?\(.*?\)(?=[ .\n]|$)")
STARS = SafeExceptionReporterFilter.cleansed_substitute


def without_customers(text: str) -> str:
    """Return `text` with mobile numbers masked and rows of the database left out."""
    return scrub(_ROW.sub(r"\1 (...)", text))


class ScrubbedFormatter(logging.Formatter):
    """Formats as usual, tracebacks included, and takes customers out of what comes out."""

    def format(self, record: logging.LogRecord) -> str:
        return without_customers(super().format(record))


class NoCustomers(SafeExceptionReporterFilter):
    """Leaves what was sent and what variables held out of error reports: either may be somebody's name or number."""

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        return dict.fromkeys(request.POST, STARS) if request else {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, STARS).items()
