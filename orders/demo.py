"""The messages that the demo has sent, to look at instead of a telephone. Wired by the settings of a demo only."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.caching import personal_page
from catalog.private import private_page
from orders.messages.backends import read_file
from orders.mobiles import mask_mobile
from orders.order_page import moment_in_words

NEWEST = 30


@personal_page
@private_page
def messages(request: HttpRequest) -> HttpResponse:
    """Show the newest messages, to numbers that are masked even here."""
    newest = read_file(settings.SMS_FILE)[: -NEWEST - 1 : -1]
    shown = [
        {
            "mobile": mask_mobile(record["mobile"]),
            "words": record["words"],
            "segments": record["segments"],
            "moment": moment_in_words(datetime.fromisoformat(record["created_at"])),
        }
        for record in newest
    ]
    return render(request, "orders/demo_messages.html", {"messages": shown})
