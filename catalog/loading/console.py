"""The command line of all loaders: a file, a dry run unless --apply, every problem on a line of its own."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation
from django.utils.translation import gettext as _
from tqdm import tqdm  # type: ignore[import-untyped]

from catalog.acting import acting_as
from catalog.loading.report import Report


def console_language() -> str:
    """Return Chinese where the terminal's locale is Chinese, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh-hans" if value.startswith("zh") else "en"
    return "en"


class ConsoleCommand(BaseCommand):
    """A command that speaks the language of the terminal."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with translation.override(console_language()):
            return super().execute(*args, **options)


class LoadCommand(ConsoleCommand):
    """A subclass says what `load` does with the opened file; the rest is the same for all."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--apply", action="store_true", help="write; without it nothing is changed")

    def handle(self, *args: Any, file: Path, apply: bool, **options: Any) -> None:
        try:
            with acting_as(self.actor), file.open("rb") as stream, progress_of(stream, file) as watched:
                report = self.load(watched, apply=apply)
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be read: %(reason)s") % {"file": file, "reason": error.strerror or error}
            ) from error
        self.show(report)

    @property
    def actor(self) -> str:
        """How the audit trail names this command."""
        return f"system:{type(self).__module__.rpartition('.')[2]}"

    def load(self, stream: BinaryIO, *, apply: bool) -> Report:
        raise NotImplementedError

    def show(self, report: Report) -> None:
        for problem in report.problems:
            self.stderr.write(str(problem))
        self.stdout.write(str(report))
        if report.problems:
            raise CommandError(_("Nothing was written: the file has to be right as a whole."))
        if not report.is_applied:
            self.stdout.write(_("This was a dry run: nothing was written. Add --apply to write."))


def progress_of(stream: BinaryIO, file: Path) -> Any:
    """Wrap a file so that reading it moves a bar on the terminal; without a terminal there is no bar."""
    return tqdm.wrapattr(
        stream,
        "read",
        total=file.stat().st_size,
        desc=file.name,
        unit="B",
        unit_scale=True,
        leave=False,
        disable=not sys.stderr.isatty(),
    )
