"""Bodies of requests."""

from __future__ import annotations

from collections import Counter
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

LONGEST_NAME = 60


class JsonParser(JSONParser):
    """
    Reads JSON as RFC 8259 has it, in UTF-8. Raises ParseError, which says what is wrong and where.

    A field that an object has twice is refused: which of the two is meant, every reader would guess in its own way.
    Brackets in brackets without end are malformed, and not more than Python can bear.
    """

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return _DECODER.decode(stream.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ParseError(_("It is no text in UTF-8.")) from None
        except JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno}
            raise ParseError(_("It is no JSON: line %(line)d, column %(column)d.") % place) from None
        except RecursionError:
            raise ParseError(_("It has too many brackets inside brackets.")) from None
        except ValueError:
            # Python reads no number of more than some thousand digits.
            raise ParseError(_("It has a number that is too long.")) from None


def field_twice(fields: list[tuple[str, Any]]) -> str | None:
    """Return the name of a field that an object has more than once, None without: which is meant would be a guess."""
    if len(dict(fields)) == len(fields):
        return None
    [(name, _times)] = Counter(name for name, _value in fields).most_common(1)
    return name


def _object(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    if (name := field_twice(fields)) is not None:
        raise ParseError(_("An object has the field “%(name)s” more than once.") % {"name": name[:LONGEST_NAME]})
    return dict(fields)


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(_("It is no JSON: %(name)s is no number there.") % {"name": name})


_DECODER = JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
