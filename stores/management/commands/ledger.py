"""Show the ledger of an outlet."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import Phone
from stores.models import Outlet, StockMovement


class Command(BaseCommand):
    help = "Show the ledger of an outlet, of all its phones or of one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("outlet", help="code of the outlet, as in its address")
        parser.add_argument("phone", nargs="?", help="slug of the phone, as in its address")

    def handle(self, *args: Any, outlet: str, phone: str | None, **options: Any) -> None:
        lines = StockMovement.objects.filter(outlet=_one(Outlet, code=outlet)).select_related("phone")
        if phone:
            lines = lines.filter(phone=_one(Phone, slug=phone))
        for line in lines.iterator():
            changes = f"{line.change_on_hand:+5} {line.change_reserved:+5} -> {line.on_hand:5} {line.reserved:5}"
            why = " ".join(filter(None, [line.actor, line.reference, line.reason]))
            self.stdout.write(
                f"{line.created_at:%Y-%m-%d %H:%M:%S} {line.phone.slug} #{line.seq} {line.kind:12} {changes} {why}"
            )


def _one(model: Any, **key: str) -> Any:
    try:
        return model.objects.get(**key)
    except model.DoesNotExist:
        name, value = next(iter(key.items()))
        raise CommandError(f"no {model.__name__.lower()} has the {name} {value}") from None
