"""The Chinese catalogue, kept in step with the texts in code and templates.

Messages are English. The file holds no line numbers, dates or names of machines, so that a change of a text is all
that a diff shows.
"""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LOCALE = "zh_Hans"
FOLDER = Path("locale", LOCALE, "LC_MESSAGES")
HEADERS = [
    ("Content-Type", "text/plain; charset=UTF-8"),
    ("Content-Transfer-Encoding", "8bit"),
    ("Language", LOCALE),
    ("Plural-Forms", "nplurals=1; plural=0;"),
]
NOT_OUR_TEXTS = {"migrations", "tests"}
# Which argument is what, as Babel wants it: c marks the context.
SINGULAR = ("gettext", "gettext_lazy", "gettext_noop", "_")
PLURAL = ("ngettext", "ngettext_lazy")
IN_CONTEXT = ("pgettext", "pgettext_lazy")
PLURAL_IN_CONTEXT = ("npgettext", "npgettext_lazy")
KEYWORDS = (
    dict.fromkeys(SINGULAR)
    | dict.fromkeys(PLURAL, (1, 2))
    | dict.fromkeys(IN_CONTEXT, ((1, "c"), 2))
    | dict.fromkeys(PLURAL_IN_CONTEXT, ((1, "c"), 2, 3))
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


class Files(NamedTuple):
    """What the two files of the catalogue should hold."""

    po: bytes
    mo: bytes
    complaints: list[str]


class _Catalog(Catalog):
    """A catalogue whose header is always the same."""

    mime_headers = property(lambda self: HEADERS, lambda self, headers: None)


def build(base: Path) -> Files:
    """Return the files for the texts in use now, with the translations that the .po file has for them.

    Texts that are no longer used are left out. Complaints name texts without a translation, or with one whose
    placeholders differ, and texts that cannot be found because they stand inside an f-string.
    """
    catalog = _Catalog(locale=LOCALE, fuzzy=False, header_comment="")
    old = _read(base)
    complaints = list(_out_of_sight(base))
    for context, message_id, comments in _texts(base):
        known = old.get(message_id, context)
        string = known.string if known and not known.fuzzy else ""
        message = catalog.add(message_id, string, auto_comments=comments, context=context)
        complaints += _complaints(message)
    return Files(_po(catalog), _mo(catalog), sorted(set(complaints)))


def _read(base: Path) -> Catalog:
    path = base / FOLDER / "django.po"
    if not path.exists():
        return Catalog(locale=LOCALE)
    with path.open("rb") as file:
        return read_po(file, locale=LOCALE)


def _texts(base: Path) -> Iterator[tuple[str | None, str | tuple[str, ...], list[str]]]:
    """Yield context, text (or singular and plural) and comments of each message."""
    for path in sorted(_sources(base)):
        method = "python" if path.suffix == ".py" else "jinja2"
        options = {"encoding": "utf-8", "silent": "false", "newstyle_gettext": "true"}
        source = BytesIO(path.read_bytes())
        found = extract(
            method, source, KEYWORDS, comment_tags=("Translators:",), options=options, strip_comment_tags=True
        )
        for _, message_id, comments, context in found:
            yield context, message_id, comments


def _out_of_sight(base: Path) -> Iterator[str]:
    """Yield a complaint for each text inside an f-string: the extractor does not look in there."""
    for path in sorted(_sources(base)):
        tree = ast.parse(path.read_text(encoding="utf-8") if path.suffix == ".py" else "")
        strings = (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))
        for call in (node for string in strings for node in ast.walk(string) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in KEYWORDS:
                yield f"inside an f-string: {path.relative_to(base)}, line {call.lineno}"


def _sources(base: Path) -> Iterator[Path]:
    for package in base.iterdir():
        if (package / "__init__.py").exists() and package.name not in NOT_OUR_TEXTS:
            yield from (path for path in package.rglob("*.py") if not NOT_OUR_TEXTS.intersection(path.parts))
    yield from (path for path in (base / "templates").rglob("*.html"))


def _complaints(message: Message) -> Iterator[str]:
    ids, strings = _forms(message.id), _forms(message.string)
    if not all(strings):
        yield f"not translated: {ids[0]}"
    # The plural names everything that the singular does; Chinese has the one form for both.
    elif any(set(PLACEHOLDER.findall(ids[-1])) != set(PLACEHOLDER.findall(string)) for string in strings):
        yield f"placeholders differ: {ids[0]}"


def _forms(text: Any) -> tuple[str, ...]:
    """Return singular and plural, or the one text there is."""
    return text if isinstance(text, tuple) else (text,)


def _po(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalog, width=0, no_location=True, sort_output=True)
    return file.getvalue().lstrip()


def _mo(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()
