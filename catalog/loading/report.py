"""What a loader says about a file: what would change, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _


class Problem(NamedTuple):
    """
    One reason to refuse a file.

    `line` is the line of the file, from 1; 0 where lines say nothing (JSON). `column` is the name of the column, or the
    path inside a JSON document; empty when the whole line is meant.
    """

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        if not self.line:
            return f"{self.column}: {self.reason}" if self.column else self.reason
        if not self.column:
            return _("line %(line)d: %(reason)s") % {"line": self.line, "reason": self.reason}
        return _("line %(line)d, column %(column)s: %(reason)s") % self._asdict()


@dataclass(frozen=True)
class Report:
    """How many rows of a file are new, differ from what is stored, equal it, or are refused; and why."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: Sequence[Problem] = field(default=())
    is_applied: bool = False

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.unchanged + self.refused

    @property
    def may_be_applied(self) -> bool:
        return not self.problems

    @property
    def writes(self) -> bool:
        """Whether the database differs from the file in anything."""
        return bool(self.new or self.changed)

    def __str__(self) -> str:
        return _("%(rows)d rows: %(new)d new, %(changed)d changed, %(unchanged)d unchanged, %(refused)d refused.") % {
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "refused": self.refused,
        }
