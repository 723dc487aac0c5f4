"""Who may call the API, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from api.credentials import SCOPES
from catalog.acting import acting_as
from catalog.loading.console import ConsoleCommand
from partners.keys import BadReach, check_reach, issue_key, revoke_key, rotate_key
from partners.models import USUAL_CALLS, ApiKey, Partner

# Half a year: who has not changed over by then has lost the key.
MOST_HOURS = 24 * 180


class Command(ConsoleCommand):
    help = "Issue keys of the API to partners, list them, and revoke them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        issue = deeds.add_parser("issue", help="give a partner a new key, and show it this once")
        issue.add_argument("name", help="the partner; a new name makes a new partner")
        issue.add_argument("--scope", action="append", required=True, choices=list(SCOPES), dest="scopes")
        issue.add_argument("--days", type=int, help="after how many days it expires; never without it")
        issue.add_argument("--outlet", action="append", default=[], dest="outlets", help="reach only this outlet")
        issue.add_argument("--region", action="append", default=[], dest="regions", help="reach only this region")
        issue.add_argument("--phone", action="append", default=[], dest="phones", help="reach only this phone")
        issue.add_argument("--calls", type=int, default=USUAL_CALLS, help="calls a minute for each scope")
        deeds.add_parser("list", help="show all keys, without their secrets")
        rotate = deeds.add_parser(
            "rotate", help="give a key a successor, show it this once, and let the old one end soon"
        )
        rotate.add_argument("prefix", help="the part between the two underscores")
        rotate.add_argument("--hours", type=int, default=24, help="how long the old one is still good")
        revoke = deeds.add_parser("revoke", help="end a key at once")
        revoke.add_argument("prefix", help="the part between the two underscores")

    def handle(self, *, deed: str, **options: Any) -> None:
        with acting_as("system:partners"):
            getattr(self, f"_{deed}")(**options)

    def _issue(self, *, name: str, scopes: list[str], days: int | None, calls: int, **options: Any) -> None:
        reach: dict[str, list[str]] = {kind: options[kind] for kind in ("outlets", "regions", "phones")}
        try:
            check_reach(**reach)
        except BadReach as refusal:
            raise CommandError(str(refusal)) from refusal
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("--days must be a number from 1 to 3650.")
        if not 1 <= calls <= 1_000_000:
            raise CommandError("--calls must be a number from 1 to 1000000.")
        if not name.strip() or len(name) > 80:
            raise CommandError("The partner's name must have 1 to 80 characters.")
        partner, _is_new = Partner.objects.get_or_create(name=name.strip())
        expires_at = timezone.now() + timedelta(days=days) if days else None
        self.stdout.write(issue_key(partner, scopes, expires_at=expires_at, calls_per_minute=calls, **reach))

    def _list(self, **options: Any) -> None:
        moment = timezone.now()
        for key in ApiKey.objects.select_related("partner").order_by("partner__name", "created_at"):
            state = "revoked" if key.revoked_at else "good" if key.is_good(moment) else "expired"
            if state == "good" and key.expires_at:
                state = f"good until {_told(key.expires_at)}"
            used = f"last used {_told(key.last_used_at)}" if key.last_used_at else "never used"
            reach = ", ".join([*key.outlets, *key.regions, *key.phones])
            self.stdout.write(f"{key.partner.name}  {key.prefix}  {state}, {used}  {' '.join(key.scopes)}  {reach}")

    def _rotate(self, *, prefix: str, hours: int, **options: Any) -> None:
        if not 0 <= hours <= MOST_HOURS:
            raise CommandError(f"--hours must be a number from 0 to {MOST_HOURS}.")
        key = rotate_key(prefix, timezone.now(), timedelta(hours=hours))
        if key is None:
            raise CommandError(f"There is no key {prefix} that is good.")
        self.stdout.write(key)

    def _revoke(self, *, prefix: str, **options: Any) -> None:
        if not revoke_key(prefix, timezone.now()):
            raise CommandError(f"There is no key {prefix} that could be revoked.")
        self.stdout.write(f"{prefix} opens nothing any more.")


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
