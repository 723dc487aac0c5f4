"""Who calls a door that asks credentials of everybody."""

from __future__ import annotations

from typing import NamedTuple, cast

from django.db import DEFAULT_DB_ALIAS
from rest_framework.request import Request

from api.credentials import Credentials
from partners.models import Partner


class Caller(NamedTuple):
    """A partner, and what the credentials in use allow it."""

    partner: Partner
    credentials: Credentials


def caller_of(request: Request) -> Caller:
    # The stubs know only users and tokens of the framework itself.
    partner, credentials = cast(int, request.user), cast(Credentials, request.auth)
    # What doors do not ask of a partner is read from the database when somebody asks.
    return Caller(Partner.from_db(DEFAULT_DB_ALIAS, ["id"], [partner]), credentials)
