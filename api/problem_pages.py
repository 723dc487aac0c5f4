"""The pages behind the addresses that problems carry as their type."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from api.problems import PROBLEMS


def problems(request: HttpRequest) -> HttpResponse:
    return render(request, "api/problems.html", {"problems": PROBLEMS.values()})


def problem(request: HttpRequest, name: str) -> HttpResponse:
    if name not in PROBLEMS:
        raise Http404
    return render(request, "api/problems.html", {"problems": [PROBLEMS[name]], "is_one": True})
