"""Reading the audit trail, and writing into it what no trigger sees."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from catalog.acting import current_actor
from office.models import TrailEntry
from stores.people import names_of

SHOWN_CHARACTERS = 200


def note(deed: TrailEntry.Deed, thing: str, key: object, name: str = "", **changes: Any) -> None:
    """Write that whoever is at work (`catalog.acting`) did `deed` to a thing; `changes` say more of it."""
    TrailEntry.objects.create(
        actor=current_actor() or "system:database",
        deed=deed,
        thing=thing,
        key=str(key)[:40],
        name=name[:160],
        changes=changes,
    )


@dataclass(frozen=True)
class Change:
    """One column of an entry: what it was, and what it is. Texts are cut short."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """An entry in words."""

    entry: TrailEntry
    who: str
    thing: str
    changes: list[Change]


def in_words(entries: Sequence[TrailEntry]) -> list[Line]:
    """Return entries as people read them. One query."""
    names, words = names_of(entry.actor for entry in entries), _words()
    return [
        Line(entry, names[entry.actor], words.get(entry.thing, entry.thing), list(_changes(entry))) for entry in entries
    ]


def _words() -> dict[str, str]:
    return {model._meta.db_table: str(model._meta.verbose_name) for model in apps.get_models()}


def _changes(entry: TrailEntry) -> Iterator[Change]:
    columns = {
        field.column: str(field.verbose_name)
        for model in apps.get_models()
        if model._meta.db_table == entry.thing
        for field in model._meta.concrete_fields
    }
    for column, values in sorted(entry.changes.items()):
        before, after = values if isinstance(values, list) and len(values) == 2 else (None, values)
        yield Change(columns.get(column, column), _shown(before), _shown(after))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:SHOWN_CHARACTERS]
