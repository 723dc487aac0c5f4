"""The catalogue's pages. They take every phone from the copy in memory."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog import cards, pages
from catalog.caching import catalogue_page, stock_page
from catalog.catalogue import Catalogue, current_catalogue
from catalog.comparison import MOST_COMPARED
from catalog.errors import BadQuery, NotHere, Suggestion, nearest
from catalog.filters import read_selection
from catalog.models import Generation, Phone


@catalogue_page
def home(request: HttpRequest) -> HttpResponse:
    catalogue = current_catalogue()
    prices = [phone.price_fen for phone in catalogue.listed]
    context = {
        "catalogue": catalogue,
        "shelves": cards.shelves(catalogue),
        "floor_fen": min(prices, default=None),
        "top_fen": max(prices, default=None),
        "fast": [phone for phone in catalogue.listed if phone.generation == Generation.G4],
    }
    return render(request, "catalog/home.html", context)


@catalogue_page
def phone_list(request: HttpRequest) -> HttpResponse:
    catalogue = current_catalogue()
    selection = read_selection(catalogue, request.GET)
    found = pages.found(catalogue, selection)
    context = {
        "found": found,
        "cards": [cards.card_to_compare(catalogue, phone) for phone in found.phones],
        "canonical_query": selection.query,
    }
    return render(request, "catalog/phone_list.html", context)


@stock_page(60)
def phone_page(request: HttpRequest, slug: str) -> HttpResponse:
    catalogue = current_catalogue()
    phone = find_phone(catalogue, slug)
    context = {
        "phone": phone,
        "portrait": pages.portrait(catalogue, phone),
        "about": pages.about(catalogue, phone),
        # The mark is that of the ordinary price.
        "price_mark": "" if phone.offer.sale else phone.offer.provenance,
    }
    return render(request, "catalog/phone.html", context)


@catalogue_page
def comparison(request: HttpRequest) -> HttpResponse:
    """Show two to four phones side by side; fewer: all phones, to choose from."""
    catalogue = current_catalogue()
    slugs = list(dict.fromkeys(slug for slug in request.GET.getlist("p") if slug))
    if len(slugs) > MOST_COMPARED:
        reason = _("At most %(most)s phones fit side by side.") % {"most": MOST_COMPARED}
        way_on = Suggestion(_("Choose again"), reverse("catalog:compare"))
        raise BadQuery(_("Phones to compare"), str(len(slugs)), reason, [way_on])
    phones = tuple(find_phone(catalogue, slug) for slug in slugs)
    if len(phones) < 2:
        choice = [cards.card_to_compare(catalogue, phone, phone in phones) for phone in catalogue.listed]
        return render(request, "catalog/compare_choose.html", {"cards": choice})
    context = {
        "table": pages.comparison(catalogue, phones),
        "phones": phones,
        "canonical_query": urlencode([("p", phone.slug) for phone in phones]),
    }
    return render(request, "catalog/compare.html", context)


def find_phone(catalogue: Catalogue, slug: str) -> Phone:
    """Return the phone, discontinued ones included. Raises `NotHere` with the phones that are called almost so."""
    phone = catalogue.by_slug.get(slug)
    if phone is None:
        names = [(phone.slug, Suggestion(phone.name, phone.get_absolute_url())) for phone in catalogue.phones]
        raise NotHere(_("We have no phone of this name."), nearest(slug, names))
    return phone
