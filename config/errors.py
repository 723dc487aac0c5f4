"""The pages for what went wrong. Each says so in the visitor's language and leads on; programs get a problem."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from api.problems import PROBLEMS, answer, is_for_programs


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


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """Answer 500. No context processors: what they ask the database may be the very thing that failed."""
    if is_for_programs(request):
        return answer(request, PROBLEMS["internal-error"])
    return HttpResponse(render_to_string("errors/500.html", {"request": request}), status=500)
