"""The first page of the desk: what waits, at the one outlet or at each of several."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from orders.today import today_at, with_work
from stores.access import outlets_of
from stores.desk import DeskRequest, desk_page, is_fragment, show, signed_in_page

# So many outlets are listed at once; the others are found by name or code.
OUTLETS_ON_A_PAGE = 30


@signed_in_page
def home(request: HttpRequest) -> HttpResponse:
    """Lead to one's outlet; who has several sees what waits where, longest first."""
    outlets = outlets_of(request.user)  # type: ignore[arg-type]
    asked = request.GET.get("q", "").replace("\0", "").strip()[:80]
    found = outlets.named(asked) if asked else outlets
    rows = list(with_work(found.select_related("town"), timezone.now())[: OUTLETS_ON_A_PAGE + 1])
    if len(rows) == 1 and not asked:
        return redirect("order_desk:today", rows[0].code)
    context = {
        "rows": rows[:OUTLETS_ON_A_PAGE],
        "are_more": len(rows) > OUTLETS_ON_A_PAGE,
        "asked": asked,
        "now": timezone.now(),
    }
    return show(request, "desk/home.html", context)


@desk_page()
def today(request: DeskRequest) -> HttpResponse:
    """Show what waits at the outlet. The page's script asks for the changing part alone, which has its own tag."""
    context = {"today": today_at(request.outlet, timezone.now())}
    if not is_fragment(request):
        return show(request, "desk/today.html", context)
    response = render(request, "desk/_today.html", context)
    # Django gives no tag to what must not be kept, so the script keeps it by itself.
    response["ETag"] = f'"{hashlib.blake2b(response.content, digest_size=12).hexdigest()}"'
    return response
