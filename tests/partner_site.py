"""A running API with a few outlets, for tests that are programs of partners themselves."""

from __future__ import annotations

import os

from api.credentials import SCOPES
from catalog.catalogue import current_catalogue
from partners.keys import issue_key
from partners.models import Partner
from stores.search import index_places
from tests.databases import own_database_url
from tests.factories import create_outlet, create_region, create_stock, load_sample_phones

OUTLET = "130121100-01"


def fill() -> None:
    """Three outlets near 38.03 N 114.14 E, each with plenty of every phone."""
    load_sample_phones()
    for code in ("130121100", "130121101", "130122100"):
        outlet = create_outlet(code=f"{code}-01", town=create_region(code))
        for phone in current_catalogue().phones:
            create_stock(outlet=outlet, phone=phone, on_hand=500)
    index_places()


def key_for_all(name: str = "ERP") -> str:
    """A key that may do everything, as often as it likes."""
    return issue_key(Partner.objects.create(name=name), list(SCOPES), calls_per_minute=1_000_000)


def environment() -> dict[str, str]:
    """The environment for a program that uses the database of the tests."""
    return os.environ | {
        "DATABASE_URL": own_database_url(),
        "DEMO": "yes",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        # No name is looked up when somebody subscribes: tests ask no network.
        "WEBHOOKS_PRIVATE": "yes",
    }
