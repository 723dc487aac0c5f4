"""Let a day happen at the outlets of the demo."""

from typing import Any

from django.utils.translation import gettext as _

from catalog.loading.console import ConsoleCommand
from orders.demo_day import play


class Command(ConsoleCommand):
    help = (
        "Let a day happen at the two outlets where the people of the demo work, so that its desk has something to show."
        " Nothing happens outside a demo, or where orders wait already. `serve` does it by itself."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(_("A day happened at %(count)d outlets.") % {"count": play()})
