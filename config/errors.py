"""The pages for what went wrong. Each says so in the visitor's language and leads on; programs get a problem."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.log import log_response

from api.problems import PROBLEMS, answer, is_for_programs
from config.database.absence import is_away

# A PostgreSQL that is started anew is there again after so many seconds, and asking sooner would only be in its way.
SECONDS_TO_RETURN = 10


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400; a `BadQuery` names the field and the value."""
    if is_for_programs(request):
        return answer(request, PROBLEMS["bad-request"])
    return render(request, "errors/400.html", {"error": exception}, status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """Answer 403, also where a form came without its token (then Django gives a reason, which is for programmers)."""
    if is_for_programs(request):
        return answer(request, PROBLEMS["forbidden"])
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404, or 410 for what is gone for good; a `NotHere` brings suggestions."""
    if is_for_programs(request):
        return answer(request, PROBLEMS["not-found"])
    return render(request, "errors/404.html", {"error": exception}, status=getattr(exception, "status", 404))


def wrong_method(request: HttpRequest, allowed: Sequence[str]) -> HttpResponse:
    """Answer 405, and which methods the address takes."""
    if is_for_programs(request):
        refusal = answer(request, PROBLEMS["method-not-allowed"])
    else:
        refusal = render(request, "errors/405.html", status=405)
    refusal["Allow"] = ", ".join(allowed)
    return refusal


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """
    Answer 500, or 503 where the exception that is being handled is that the database is away.

    No context processors: what they ask the database may be the very thing that failed.
    """
    error = sys.exception()
    if is_away(error):
        return _not_now(request, error)
    if is_for_programs(request):
        return answer(request, PROBLEMS["internal-error"])
    return HttpResponse(render_to_string("errors/500.html", {"request": request}), status=500)


def _not_now(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    if is_for_programs(request):
        response = answer(request, PROBLEMS["unavailable"])
    else:
        response = HttpResponse(render_to_string("errors/503.html", {"request": request}), status=503)
    response["Retry-After"] = str(SECONDS_TO_RETURN)
    # One line for each request, where Django would write down how every one of them came there.
    reason = str(error).partition("\n")[0]
    log_response("The database is away: %s (%s)", request.path, reason, response=response, request=request)
    return response
