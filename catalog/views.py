"""The catalogue's pages. They take every phone from the copy in memory."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog import cards
from catalog.caching import catalogue_page
from catalog.catalogue import current_catalogue


@catalogue_page
def home(request: HttpRequest) -> HttpResponse:
    catalogue = current_catalogue()
    context = {
        "shelves": cards.shelves(catalogue),
        "phone_count": len(catalogue.listed),
        "floor_fen": min((phone.price_fen for phone in catalogue.listed), default=None),
    }
    return render(request, "catalog/home.html", context)


@catalogue_page
def phone_list(request: HttpRequest) -> HttpResponse:
    catalogue = current_catalogue()
    shown = tuple(cards.card(catalogue, phone) for phone in catalogue.listed)
    return render(request, "catalog/phone_list.html", {"cards": shown})


@catalogue_page
def phone_page(request: HttpRequest, slug: str) -> HttpResponse:
    phone = current_catalogue().by_slug.get(slug)
    if phone is None:
        raise Http404(slug)
    return render(request, "catalog/phone.html", {"phone": phone})
