"""Bodies of requests."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from json import JSONDecodeError
from typing import Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JsonParser(JSONParser):
    """Reads JSON. Brackets in brackets without end are malformed, and not more than Python can bear."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        with suppress(ValueError):
            return orjson.loads(body)
        # Slower, but it says where it is wrong, and knows other encodings.
        try:
            return super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError:
            raise ParseError from None
        except ParseError as error:
            # What the framework says of it is in English alone.
            cause = error.__context__
            if isinstance(cause, JSONDecodeError):
                place = {"line": cause.lineno, "column": cause.colno}
                raise ParseError(_("It is no JSON: line %(line)d, column %(column)d.") % place) from None
            raise ParseError(_("It is no text in UTF-8.")) from None
