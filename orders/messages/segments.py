"""How many parts a text message takes (3GPP TS 23.038 and 23.040): carriers charge and deliver each by itself."""

# The basic alphabet, and what takes two places of it.
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_TWICE = frozenset("^{}\\[~]|€\f")

# Places in a message alone, and in each part of a longer one.
GSM7_ALONE, GSM7_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67


def count_segments(text: str) -> int:
    """Return the number of parts that `text` is sent in."""
    if set(text) <= GSM7 | GSM7_TWICE:
        places, alone, part = len(text) + sum(character in GSM7_TWICE for character in text), GSM7_ALONE, GSM7_PART
    else:
        places, alone, part = len(text.encode("utf-16-be")) // 2, UCS2_ALONE, UCS2_PART
    return 1 if places <= alone else -(-places // part)
