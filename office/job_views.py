"""What the worker gave up, to look at and to have tried again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django_q.models import Failure

from office.access import OfficeDeed
from office.doors import OfficeRequest, office_deed, office_page
from office.failures import failed, retry
from office.list_files import hand_out, moment_cell
from stores.desk import show

SHOWN = 200


@office_page(OfficeDeed.READ_JOBS)
def jobs(request: OfficeRequest) -> HttpResponse:
    context = {"jobs": list(islice(failed(), SHOWN)), "may_retry": request.standing.may(OfficeDeed.RETRY_JOBS)}
    return show(request, "office/jobs.html", context)


@office_page(OfficeDeed.READ_JOBS)
def jobs_file(request: OfficeRequest) -> HttpResponseBase:
    """Hand out all of it as a file."""
    return hand_out(request, "given-up.csv", _rows(), Failure)


def _rows() -> Iterator[Sequence[object]]:
    yield [_("Number"), _("What"), _("When"), _("Why")]
    for job in failed():
        yield [job.id, job.what, moment_cell(job.when), job.why]


@office_deed(OfficeDeed.RETRY_JOBS)
def retry_job(request: OfficeRequest) -> HttpResponse:
    if retry(request.POST.get("job", "")[:100]):
        messages.success(request, _("It is tried again."))
    else:
        messages.error(request, _("Nothing that failed is called so."))
    return redirect("office:jobs")
