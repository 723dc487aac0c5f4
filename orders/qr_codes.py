"""
QR codes of eighteen digits: an order's number and its pickup code, for the scanner at the counter.

Each is 21 modules wide (version 1, quality Q), and three digits are ten bits in it. What corrects errors is added up
from the bits, and adding is exclusive or, as for the mask. So the code of any digits is that of eighteen zeros with
what each bit changes in it, and the library is asked about zeros and about bits alone: a code of its own for each order
takes it as long as all else on the page.
"""

from __future__ import annotations

import re
from functools import cache

import segno

DIGITS, SIDE, RIM = 18, 21, 4
# To compare all eight masks takes five times as long, and scanners read each as well as the others.
MASK = 0
_WIDTH = SIDE + 2 * RIM
_DARK = re.compile("1+")


def svg_of(digits: str) -> str:
    """
    Return the code of eighteen digits as an SVG, without a size of its own.

    Always dark on white with a broad rim, whatever the colours of the page: scanners need it so.
    """
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_WIDTH}" class="qr"><path fill="#fff" d="M0 0h{_WIDTH}v{_WIDTH}h-{_WIDTH}z"/>'
        f'<path stroke="#000" d="M{RIM} {RIM}.5{_path(_modules(digits))}"/></svg>'
    )


def _modules(digits: str) -> int:
    """Return the modules as one number, its highest bit the first of the first row; 1 is dark."""
    modules, changes = _zeros_and_bits()
    for place in range(0, DIGITS, 3):
        value = int(digits[place : place + 3])
        for bit, change in enumerate(changes[place // 3]):
            if value >> bit & 1:
                modules ^= change
    return modules


@cache
def _zeros_and_bits() -> tuple[int, list[list[int]]]:
    zeros = _by_library("0" * DIGITS)
    return zeros, [
        [zeros ^ _by_library(f"{1 << bit:03d}".rjust(place + 3, "0").ljust(DIGITS, "0")) for bit in range(10)]
        for place in range(0, DIGITS, 3)
    ]


def _by_library(digits: str) -> int:
    code = segno.make(digits, version=1, error="q", boost_error=False, mode="numeric", mask=MASK)
    return int("".join("".join(map(str, row)) for row in code.matrix), 2)


def _path(modules: int) -> str:
    """Return the dark modules as lines, each told from the end of the one before; the first begins at the corner."""
    bits = f"{modules:0{SIDE * SIDE}b}"
    lines, x, y = [], 0, 0
    for row in range(SIDE):
        for dark in _DARK.finditer(bits[row * SIDE : (row + 1) * SIDE]):
            start, end = dark.span()
            lines.append(f"m{start - x} {row - y}h{end - start}")
            x, y = end, row
    return "".join(lines).removeprefix("m0 0")
