import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.mobiles import parse_mobile
from orders.privacy import export_customer
from orders.refusals import BadMobile


class Command(BaseCommand):
    help = "Write everything that is known of a customer as JSON. The number is asked for, so that no shell keeps it."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            known = export_customer(parse_mobile(input("Mobile number: ")))
        except BadMobile as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(json.dumps(known, ensure_ascii=False, indent=2))
