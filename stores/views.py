"""Pages about shops: find one, look at a region, look at one shop, choose it as one's own."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from catalog.caching import deed, stock_page
from catalog.errors import NotHere
from catalog.models import Phone
from catalog.same_origin import takes_forms_without_token
from stores import finder, pages
from stores.lines import items, outlet_lines, phone_lines, region_lines, shelf_lines
from stores.maps import map_of
from stores.models import Outlet, Region, RegionStock
from stores.my_outlet import forget_outlet, remember_outlet
from stores.questions import read_question

# How long, in seconds, others may keep a page that says "open now" or "in stock".
SECONDS = 60


@stock_page(SECONDS)
def outlets(request: HttpRequest) -> HttpResponse:
    """Show the shops that answer a question; without one, the country."""
    question = read_question(request.GET)
    if question.text:
        found = finder.find_by_text(question, timezone.now())
    elif question.point:
        found = finder.find_near(question.point, question, timezone.now())
    else:
        return render(request, "stores/country.html", {"question": question} | _country(question.phone))
    context = {
        "question": question,
        "found": found,
        "rows": items(outlet_lines(found.outlets, question.phone), apart="\n"),
    }
    return render(request, "stores/found.html", context)


def _country(phone: Phone | None) -> dict[str, object]:
    provinces = list(Region.objects.filter(parent=None))
    if phone:
        stock = RegionStock.objects.filter(region__in=provinces, phone=phone)
        having = dict(stock.values_list("region", "outlets_with"))
        places = [(province, having.get(province.pk, 0)) for province in provinces]
    else:
        places = [(province, province.outlet_count) for province in provinces]
    return {"places": places, "map": map_of(None), "outlet_count": sum(p.outlet_count for p in provinces)}


@stock_page(SECONDS)
def region(request: HttpRequest, code: str) -> HttpResponse:
    question = read_question(request.GET)
    place = pages.find_region(code)
    found = finder.find_in_region(place, question, timezone.now())
    context = {
        "question": replace(question, text="", point=None),
        "region": place,
        "around": pages.around(place)[:-1],
        "children": items(region_lines(pages.children_of(place), question.phone)),
        "map": map_of(place),
        "stock": items(phone_lines(pages.outlets_with_each_phone(place))),
        "found": found,
        "rows": items(outlet_lines(found.outlets, question.phone), apart="\n"),
        "canonical_query": f"page={question.page}" if question.page > 1 else "",
    }
    return render(request, "stores/region.html", context)


@stock_page(SECONDS)
def outlet(request: HttpRequest, code: str) -> HttpResponse:
    question = read_question(request.GET)
    page = pages.outlet_page(code, timezone.now(), question.point)
    context = {
        "page": page,
        "outlet": page.outlet,
        "name": page.outlet.name,
        "address": page.outlet.address,
        "rows": items(shelf_lines(page.shelves, page.outlet), apart="\n"),
    }
    return render(request, "stores/outlet.html", context)


@deed
@takes_forms_without_token
def choose_outlet(request: HttpRequest, code: str) -> HttpResponse:
    """Make this outlet the visitor's own, and go back to where they came from."""
    chosen = Outlet.objects.visible().filter(code=code).first()
    if chosen is None:
        raise NotHere(_("We have no shop with this code."), pages.regions_like(code))
    response = HttpResponseRedirect(_way_back(request, chosen.get_absolute_url()))
    remember_outlet(response, chosen)
    return response


@deed
@takes_forms_without_token
def forget_my_outlet(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect(_way_back(request, reverse("stores:outlets")))
    forget_outlet(response)
    return response


def _way_back(request: HttpRequest, otherwise: str) -> str:
    """Return the page that the form names, if it is one of ours."""
    address = request.POST.get("next", "")
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else otherwise
