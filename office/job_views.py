"""What the worker gave up, to look at and to have tried again."""

from __future__ import annotations

from itertools import islice

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from office.access import OfficeDeed
from office.doors import OfficeRequest, office_deed, office_page
from office.failures import failed, retry
from stores.desk import show

SHOWN = 200


@office_page(OfficeDeed.READ_JOBS)
def jobs(request: OfficeRequest) -> HttpResponse:
    context = {"jobs": list(islice(failed(), SHOWN)), "may_retry": request.standing.may(OfficeDeed.RETRY_JOBS)}
    return show(request, "office/jobs.html", context)


@office_deed(OfficeDeed.RETRY_JOBS)
def retry_job(request: OfficeRequest) -> HttpResponse:
    if retry(request.POST.get("job", "")[:100]):
        messages.success(request, _("It is tried again."))
    else:
        messages.error(request, _("Nothing that failed is called so."))
    return redirect("office:jobs")
