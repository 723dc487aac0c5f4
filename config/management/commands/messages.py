from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import translations


class Command(BaseCommand):
    help = "Bring the Chinese catalogue up to date with the texts in code and templates; list what is untranslated."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing, fail if something would change")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        files = translations.build(settings.BASE_DIR)
        complaints = list(files.complaints)
        for name, content in {"django.po": files.po, "django.mo": files.mo}.items():
            path = settings.BASE_DIR / translations.FOLDER / name
            if path.exists() and path.read_bytes() == content:
                continue
            if check:
                complaints.append(f"{path.relative_to(settings.BASE_DIR)} is stale: run script/messages")
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        if complaints:
            raise CommandError("\n".join(complaints))
        self.stdout.write("Every text is translated.")
