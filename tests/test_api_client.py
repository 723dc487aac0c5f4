"""A client that a public generator makes from the description places an order and cancels it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from orders.models import Order
from tests.partner_site import OUTLET, fill, key_for_all


def generated(folder: Path) -> Any:
    """Return the client that is made from docs/openapi.json."""
    command = Path(sys.executable).parent / "openapi-python-client"
    document = settings.BASE_DIR / "docs" / "openapi.json"
    subprocess.run(
        [command, "generate", "--path", document, "--output-path", folder / "made", "--meta", "none"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    sys.path.insert(0, str(folder))
    return importlib.import_module("made")


@pytest.mark.django_db(transaction=True)
def test_it_places_an_order_and_cancels_it(live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    made = generated(tmp_path)
    api = importlib.import_module("made.api.orders")
    for name in ("orders_create", "orders_cancel_create", "orders_retrieve"):
        importlib.import_module(f"made.api.orders.{name}")
    models = importlib.import_module("made.models")
    fill()
    client = made.AuthenticatedClient(base_url=live_server.url, token=key_for_all())

    form = models.OrderForm(
        reference="T-1",
        outlet=OUTLET,
        customer=models.CustomerForm(name="王小明", mobile="13800138000"),
        lines=[models.LineForm(phone="uniscope-y401", quantity=1)],
    )
    placed = api.orders_create.sync(client=client, body=form, idempotency_key="one")
    assert isinstance(placed, models.OrderResource)
    read = api.orders_retrieve.sync(placed.number, client=client)
    assert (read.reference, read.customer.name) == ("T-1", "王小明")
    cancelled = api.orders_cancel_create.sync(
        placed.number, client=client, body=models.CancelForm(), idempotency_key="two"
    )
    assert cancelled.state == "cancelled"
    assert Order.objects.get().state == "cancelled"

    kinds = [models.EventsRetrieveTypesItem(kind) for kind in ("order.placed", "order.cancelled")]
    feed = importlib.import_module("made.api.events.events_retrieve").sync(client=client, types=kinds)
    assert [event.type_ for event in feed.results] == kinds
