"""What will run out: the proposals of a region, to be accepted line by line, and what was accepted, as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.csv_answers import csv_answer
from office.doors import ReportRequest, report_form, report_page
from office.models import Forecast, Proposal
from office.proposals import ProposalGone, accept
from office.report_places import name_of
from stores.desk import show
from stores.models import Region

LINES = 40
LAST_PAGE = 200
# An id of the database has no more digits.
DIGITS = 18


@report_form
def run_out(request: ReportRequest, code: str = "") -> HttpResponseBase:
    """Show what is proposed, the most urgent first; a line that is sent back is accepted."""
    if not code and not request.reach.is_whole:
        return redirect("reports:run_out_of", request.reach.regions[0].code)
    region = _region(request, code)
    if request.method == "POST":
        return _accept(request, region)
    return _page(request, region)


@report_page
def accepted_file(request: ReportRequest, code: str = "") -> HttpResponseBase:
    """Hand out what was accepted in a region, for whoever orders from the supplier and plans the vans."""
    accepted = _proposals(request, code).filter(accepted_at__isnull=False)
    return csv_answer(f"accepted-{code or 'china'}.csv", _file_rows(accepted.order_by("accepted_at", "pk")))


@report_page
def proposed_file(request: ReportRequest, code: str = "") -> HttpResponseBase:
    """Hand out what is proposed in a region, the most urgent first."""
    waiting = _waiting(_proposals(request, code), request)
    return csv_answer(f"proposed-{code or 'china'}.csv", _file_rows(waiting))


def _proposals(request: ReportRequest, code: str) -> QuerySet[Proposal]:
    if not code and not request.reach.is_whole:
        raise Http404
    return Proposal.objects.filter(_in(_region(request, code)))


def _waiting(proposals: QuerySet[Proposal], request: ReportRequest) -> QuerySet[Proposal]:
    """Keep what nobody has accepted, of the kind that is asked for, the most urgent first."""
    kind = request.GET.get("kind", "")
    waiting = proposals.filter(accepted_at=None)
    if kind in Proposal.Kind.values:
        waiting = waiting.filter(kind=kind)
    return waiting.order_by("cover_days", "pk")


def _region(request: ReportRequest, code: str) -> Region | None:
    """Return the region within reach, None for the country."""
    if not code:
        return None
    region = Region.objects.filter(code=code, level__lt=Region.Level.TOWN).first()
    if region is None or not request.reach.covers(code):
        raise Http404
    return region


def _in(region: Region | None) -> Q:
    """Keep what is in the region; counties are in the order of their codes."""
    if region is None:
        return Q()
    return Q(county_code__gte=region.prefix, county_code__lt=region.prefix + ":")


def _accept(request: ReportRequest, region: Region | None) -> HttpResponseBase:
    sent = request.POST.get("proposal", "")
    if not (sent.isascii() and sent.isdecimal() and len(sent) <= DIGITS):
        raise BadRequest("no proposal")
    found = Proposal.objects.filter(_in(region), pk=int(sent)).values_list("county_code", flat=True).first()
    if found is not None and not request.reach.may_move_stock(found):
        return show(request, "reports/refused.html", {}, status=403)
    try:
        if found is None:
            raise ProposalGone
        proposal = accept(int(sent), request.user)
    except ProposalGone as refusal:
        return _page(request, region, str(refusal))
    messages.success(request, _done(proposal))
    return redirect(request.get_full_path())


def _done(proposal: Proposal) -> str:
    if proposal.transfer_id:
        return _("Transfer %(number)d is asked for. The sender agrees to it at the desk.") % {
            "number": proposal.transfer_id
        }
    return _("Noted for the supplier: it is in the table file.")


def _page(request: ReportRequest, region: Region | None, refused: str = "") -> HttpResponseBase:
    page, kind = _number(request.GET.get("page", "")), request.GET.get("kind", "")
    waiting = _waiting(Proposal.objects.filter(_in(region)), request).select_related("receiver", "sender")
    lines = list(waiting[(page - 1) * LINES : page * LINES + 1])
    forecasts = {
        (each.outlet_id, each.phone_id): each
        for each in Forecast.objects.filter(outlet__in=[line.receiver_id for line in lines[:LINES]])
    }
    here = reverse("reports:run_out_of", args=[region.code]) if region else reverse("reports:run_out")
    query = f"&kind={kind}" if kind in Proposal.Kind.values else ""
    context = {
        "region": region,
        "name": name_of(region),
        "report": reverse("reports:region", args=[region.code]) if region else reverse("reports:country"),
        "kinds": [
            (text, f"{here}{'?kind=' if value else ''}{value}", kind == value)
            for value, text in [("", _("everything")), *Proposal.Kind.choices]
        ],
        "lines": [_line(request, line, forecasts) for line in lines[:LINES]],
        "as_of": lines[0].made_at if lines else _as_of(),
        "before": f"{here}?page={page - 1}{query}" if page > 1 else "",
        "after": f"{here}?page={page + 1}{query}" if len(lines) > LINES and page < LAST_PAGE else "",
        "file": f"{here}csv/",
        "proposed": f"{here}proposed/{query.replace('&', '?')}",
        "refused": refused,
        "is_demo": settings.DEMO,
    }
    return show(request, "reports/run_out.html", context, status=409 if refused else 200)


def _as_of() -> Any:
    return Forecast.objects.values_list("as_of", flat=True).first()


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 1
    return min(max(number, 1), LAST_PAGE)


def _line(request: ReportRequest, proposal: Proposal, forecasts: dict[tuple[int, int], Forecast]) -> dict[str, Any]:
    phone = current_catalogue().by_id.get(proposal.phone_id)
    return {
        "proposal": proposal,
        "phone": phone.name if phone else proposal.phone_id,
        "forecast": forecasts.get((proposal.receiver_id, proposal.phone_id)),
        "cover": round(proposal.cover_days),
        "km": max(round(proposal.distance_km or 0), 1),
        "may": request.reach.may_move_stock(proposal.county_code),
    }


def _file_rows(proposals: QuerySet[Proposal]) -> Iterator[Sequence[object]]:
    phones = current_catalogue().by_id
    yield [_("What"), _("Phone"), _("How many"), _("To"), _("Name"), _("From"), _("Accepted"), _("Transfer")]
    for each in proposals.select_related("receiver", "sender").iterator(chunk_size=2_000):
        phone, moment = phones.get(each.phone_id), each.accepted_at
        yield [
            each.get_kind_display(),
            phone.slug if phone else each.phone_id,
            each.quantity,
            each.receiver.code,
            each.receiver.name,
            each.sender.code if each.sender else "",
            moment.isoformat(timespec="seconds") if moment else "",
            each.transfer_id,
        ]
