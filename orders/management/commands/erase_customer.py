from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.mobiles import parse_mobile
from orders.privacy import erase_customer
from orders.refusals import OrderRefused


class Command(BaseCommand):
    help = "Erase a customer's name and number from all orders that ended. The number is asked for."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            erased = erase_customer(parse_mobile(input("Mobile number: ")))
        except OrderRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Erased from {erased} orders.")
