"""What may stand in a text that a file brings."""

import re

# Control characters (C0, DEL, C1), line separators, marks that turn the direction of writing, the byte order mark, and
# the lone surrogates that stand for bytes which are no UTF-8.
NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
