"""The guide in docs/api.md does what it says, typed in as it stands."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
from django.conf import settings

from orders.models import Order
from stores.models import StockLevel
from tests.partner_site import OUTLET, environment, fill

GUIDE = settings.BASE_DIR / "docs" / "api.md"


def commands() -> str:
    section = GUIDE.read_text().partition("## A first call in five minutes")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


@pytest.mark.django_db(transaction=True)
def test_the_first_calls_work_as_they_stand(live_server: Any) -> None:
    fill()
    script = commands().replace("http://localhost:8000", live_server.url)
    assert live_server.url in script
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=settings.BASE_DIR,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    order = Order.objects.get()
    assert (order.state, order.outlet.code, order.mobile) == ("cancelled", OUTLET, "+8613800138000")
    assert '"reference":"T-1"' in done.stdout
    assert StockLevel.objects.get(outlet__code=OUTLET, phone__slug="uniscope-y401").on_hand == 7
