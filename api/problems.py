"""
Whatever goes wrong at a REST door is answered as `application/problem+json` (RFC 9457).

`type` is an address that stays; behind it is a page that explains the problem (`api.problem_pages`). Title, detail and
the reasons are in the language of Accept-Language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from rest_framework import exceptions

from api.languages import language_of

MEDIA_TYPE = "application/problem+json"
# Everything below it is answered to programs.
DOORS = "/api/v1/"


@dataclass(frozen=True)
class Problem:
    """One kind of problem: `name` ends its address, `title` is a few words, `advice` what a program can do about it."""

    name: str
    status: int
    title: str | Promise
    advice: str | Promise

    @property
    def type(self) -> str:
        return f"{settings.SITE_URL}/api/problems/{self.name}/"


PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem(
            "bad-request",
            400,
            gettext_lazy("The request cannot be understood"),
            gettext_lazy("Something about the request itself is wrong: its host, its encoding or its length."),
        ),
        Problem(
            "malformed-body",
            400,
            gettext_lazy("The body cannot be read"),
            gettext_lazy("The body is not what its Content-Type says, broken JSON for example. Detail says where."),
        ),
        Problem(
            "invalid-input",
            400,
            gettext_lazy("Some of the input is not valid"),
            gettext_lazy(
                "The list “errors” has an entry for everything that is wrong: “parameter” names a parameter of the "
                "address, “pointer” (RFC 6901) a place in the body, and “detail” says why it was refused."
            ),
        ),
        Problem(
            "idempotency-key-missing",
            400,
            gettext_lazy("The header Idempotency-Key is missing or not valid"),
            gettext_lazy(
                "Whatever does something wants a key that you make up for it, a UUID for example: with the same key "
                "and body it is done once, however often it is sent."
            ),
        ),
        Problem(
            "unauthorized",
            401,
            gettext_lazy("The credentials are missing or not valid"),
            gettext_lazy("Send a key that has not expired or been revoked, as “Authorization: Bearer …”."),
        ),
        Problem(
            "forbidden",
            403,
            gettext_lazy("The credentials do not allow this"),
            gettext_lazy("The key lacks the scope that detail names. Ask head office for a key that has it."),
        ),
        Problem(
            "not-found",
            404,
            gettext_lazy("There is nothing at this address"),
            gettext_lazy("Check the code or name in the address. Addresses of resources have no slash at their end."),
        ),
        Problem(
            "method-not-allowed",
            405,
            gettext_lazy("This cannot be done with the method"),
            gettext_lazy("The header Allow names the methods that this address takes."),
        ),
        Problem(
            "not-acceptable",
            406,
            gettext_lazy("The answer is not to be had in this format"),
            gettext_lazy("Send “Accept: application/json”, or no such header."),
        ),
        Problem(
            "still-running",
            409,
            gettext_lazy("The same request is being worked on"),
            gettext_lazy("Send it again under the same key after as many seconds as the header Retry-After says."),
        ),
        Problem(
            "out-of-stock",
            409,
            gettext_lazy("The outlet does not have enough of it"),
            gettext_lazy(
                "“short” says of each phone how many were wanted and how many are left, “outlets” names the nearest "
                "outlets that have all of it. Nothing was ordered."
            ),
        ),
        Problem(
            "outlet-not-open",
            409,
            gettext_lazy("The outlet does no business at present"),
            gettext_lazy("“outlets” names the nearest outlets that have all of it. Nothing was ordered."),
        ),
        Problem(
            "too-many-orders",
            409,
            gettext_lazy("The mobile number has too many open orders"),
            gettext_lazy("The customer must collect or cancel one first. “limit” says how many there may be."),
        ),
        Problem(
            "too-many-of-one-phone",
            409,
            gettext_lazy("The mobile number would have too many of one phone on order"),
            gettext_lazy("“limit” says how many of “phone” one mobile number may have on order."),
        ),
        Problem(
            "price-rose",
            409,
            gettext_lazy("It costs more than was accepted"),
            gettext_lazy("“total” is what it costs now, “prices” what each phone does. Nothing was ordered."),
        ),
        Problem(
            "sale-limit-reached",
            409,
            gettext_lazy("The mobile number has had its phones at the price of the sale window"),
            gettext_lazy("“limit” says how many of “phones” it may have, “prices” what they cost otherwise."),
        ),
        Problem(
            "sale-quota-used-up",
            409,
            gettext_lazy("The outlet has given its phones at the price of the sale window"),
            gettext_lazy("“limit” says how many of “phones” it may give, “prices” what they cost otherwise."),
        ),
        Problem(
            "reference-taken",
            409,
            gettext_lazy("Another order has this reference"),
            gettext_lazy("Each order needs a reference of its own. The list of orders can be asked for a reference."),
        ),
        Problem(
            "wrong-state",
            409,
            gettext_lazy("The order is past this"),
            gettext_lazy("“state” says how the order stands now, “moved_to” under which number it lives on elsewhere."),
        ),
        Problem(
            "too-many-webhooks",
            409,
            gettext_lazy("There are as many webhooks as there may be"),
            gettext_lazy("Delete one that is no longer needed, or change one."),
        ),
        Problem(
            "gone",
            410,
            gettext_lazy("What was here is not coming back"),
            gettext_lazy("An outlet that has closed for good keeps its code, and nothing else will have it."),
        ),
        Problem(
            "events-forgotten",
            410,
            gettext_lazy("What follows this place in the feed has been forgotten"),
            gettext_lazy(
                "Events are kept for a time only. Ask for “after=latest” and keep its cursor, read the lists anew, "
                "and follow the feed from that cursor."
            ),
        ),
        Problem(
            "length-required",
            411,
            gettext_lazy("The body comes without its length"),
            gettext_lazy("Send it whole, with the header Content-Length, and not in chunks (Transfer-Encoding)."),
        ),
        Problem(
            "content-too-large",
            413,
            gettext_lazy("The body is too large"),
            gettext_lazy("Detail says how many bytes are taken. Send less at a time."),
        ),
        Problem(
            "unsupported-media-type",
            415,
            gettext_lazy("The body has a format that is not taken"),
            gettext_lazy("Send JSON, as “Content-Type: application/json”, or what else the address is said to take."),
        ),
        Problem(
            "phone-not-on-sale",
            422,
            gettext_lazy("A phone is no longer on sale"),
            gettext_lazy("“phones” names those that are not. They keep their address, but cannot be ordered."),
        ),
        Problem(
            "idempotency-key-reused",
            422,
            gettext_lazy("The Idempotency-Key belongs to another request"),
            gettext_lazy("Make up a new key for each request; keep it for sending that very request again."),
        ),
        Problem(
            "too-many-requests",
            429,
            gettext_lazy("Too many requests"),
            gettext_lazy(
                "Wait for as many seconds as the header Retry-After says. The headers RateLimit and RateLimit-Policy "
                "of every answer tell how many requests are left, and of how many."
            ),
        ),
        Problem(
            "internal-error",
            500,
            gettext_lazy("Something went wrong on our side"),
            gettext_lazy("It has been noted. Try again later; the request itself need not be changed."),
        ),
        Problem(
            "unavailable",
            503,
            gettext_lazy("We cannot answer for the moment"),
            gettext_lazy(
                "Send it again after as many seconds as the header Retry-After says, under the same Idempotency-Key: "
                "what was done before it failed is not done twice."
            ),
        ),
    )
}
_BY_STATUS = {problem.status: problem for problem in reversed(PROBLEMS.values())}


def usual_problem(status: int) -> Problem:
    """Return the problem that an answer with this status tells of, where nothing more is known."""
    return _BY_STATUS[status]


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the address is one that programs call, whatever is there."""
    return request.path_info.startswith(DOORS)


class WrongParameters(exceptions.ValidationError):
    """What follows the question mark is wrong, whatever the method; by the parameters' names."""


class Refusal(exceptions.APIException):
    """
    A door says no, with the problem of this name.

    `wait` is in seconds, for Retry-After. `members` are told beside the problem's own (RFC 9457, section 3.2).
    """

    def __init__(self, name: str, detail: str = "", *, wait: int | None = None, **members: Any) -> None:
        self.problem = PROBLEMS[name]
        self.status_code = self.problem.status
        super().__init__(detail)
        self.wait = wait
        self.members = members


def answer(
    request: HttpRequest,
    problem: Problem,
    detail: str = "",
    errors: Sequence[dict[str, str]] = (),
    members: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Return the answer that tells of `problem`, in the language that `request` asks for."""
    language = language_of(request)
    with translation.override(language):
        told: dict[str, Any] = {"type": problem.type, "title": str(problem.title), "status": problem.status}
        if detail:
            told["detail"] = detail
        if errors:
            told["errors"] = list(errors)
        told |= members or {}
    body = json.dumps(told, ensure_ascii=False)
    response = HttpResponse(body.encode("utf-8", "replace"), status=problem.status, content_type=MEDIA_TYPE)
    response["Content-Language"] = "en" if language == "en" else "zh-Hans"
    response["Vary"] = "Accept-Language"
    return response


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Answer what a view raised. None for what nobody expected: it is logged, and `config.errors` answers it."""
    request: HttpRequest = context["request"]
    if isinstance(error, Http404):
        error_status, detail = getattr(error, "status", 404), getattr(error, "reason", "")
        return answer(request, usual_problem(error_status), str(detail))
    if isinstance(error, PermissionDenied):
        return answer(request, PROBLEMS["forbidden"])
    if isinstance(error, exceptions.ValidationError):
        of_address = isinstance(error, WrongParameters) or request.method in ("GET", "HEAD")
        return answer(request, PROBLEMS["invalid-input"], errors=list(_reasons(error.detail, of_address=of_address)))
    if not isinstance(error, exceptions.APIException):
        return None
    detail = str(error.detail)
    if isinstance(error, exceptions.UnsupportedMediaType) and not request.headers.get("Content-Type"):
        detail = translation.gettext("The header Content-Type is missing.")
    response = answer(request, _problem_of(error), detail, members=getattr(error, "members", None))
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait))
    if challenge := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    return response


def _problem_of(error: exceptions.APIException) -> Problem:
    if isinstance(error, Refusal):
        return error.problem
    return PROBLEMS["malformed-body"] if isinstance(error, exceptions.ParseError) else usual_problem(error.status_code)


def _reasons(detail: Any, *, of_address: bool, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Yield an entry for each reason in the nested errors of a serializer or a form."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            # What is wrong with several fields together is said of the whole.
            here = path if key == "non_field_errors" else (*path, str(key))
            yield from _reasons(inner, of_address=of_address, path=here)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            is_nested = isinstance(inner, dict | list)
            yield from _reasons(inner, of_address=of_address, path=(*path, str(number)) if is_nested else path)
    elif of_address:
        yield {"parameter": path[0] if path else "", "detail": str(detail)}
    else:
        pointer = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path)
        yield {"pointer": f"#{pointer}", "detail": str(detail)}
