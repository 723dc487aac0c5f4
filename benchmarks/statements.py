"""Write down the SQL that pages of the product send; run as a module with a JSON object of page name to address."""

import json
import sys
from collections.abc import Callable
from typing import Any

import django
from django.db import connection
from django.test import Client

django.setup()

from api.prepared import Planned, Prepared  # noqa: E402
from config.ready import shelf  # noqa: E402

# As text, as a plain view would send them: what the pages save by having PostgreSQL plan once is theirs.
Planned.rows = Prepared.rows  # type: ignore[method-assign]


def statements_of(address: str) -> list[str]:
    """Return the statements of one request, parameters filled in, once catalogue and hours are in memory."""
    sent: list[str] = []

    def note(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
        sent.append(context["cursor"].mogrify(sql, parameters).decode())
        return execute(sql, parameters, many, context)

    client = Client()
    client.get(address)
    shelf.clear()
    with connection.execute_wrapper(note):
        answer = client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")
    return sent


if __name__ == "__main__":
    addresses: dict[str, str] = json.loads(sys.argv[1])
    print(json.dumps({name: statements_of(address) for name, address in addresses.items()}, ensure_ascii=False))
