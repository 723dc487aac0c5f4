"""Elements and colours of the SVG drawings. Presentation attributes only: the CSP allows no `style`."""

from __future__ import annotations

from django.utils.html import escape

Number = float | int


def element(name: str, inside: str = "", /, **attributes: str | Number) -> str:
    """Return an element; `stroke_width=2` becomes `stroke-width="2"`, and numbers are rounded to a tenth."""
    written = "".join(f' {key.replace("_", "-")}="{number(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def rect(width: Number, height: Number, **attributes: str | Number) -> str:
    return element("rect", width=width, height=height, **attributes)


def circle(cx: Number, cy: Number, r: Number, **attributes: str | Number) -> str:
    return element("circle", cx=cx, cy=cy, r=r, **attributes)


def path(*d: str | Number, **attributes: str | Number) -> str:
    """Return a path; its commands and numbers may come apart: `path("M", 1.234, " ", 5, "h3")`."""
    return element("path", d="".join(number(part) for part in d), **attributes)


def moved(inside: str, x: Number, y: Number = 0) -> str:
    return element("g", inside, transform=f"translate({number(x)} {number(y)})" if y else f"translate({number(x)})")


def number(value: str | Number) -> str:
    """Return `value` with one decimal at most: a tenth of a millimetre is finer than any screen shows."""
    if isinstance(value, str):
        return escape(value)
    return f"{value:.1f}".removesuffix(".0")


def mix(colour: str, other: str, share: float) -> str:
    """Return `colour` with a `share` (0 to 1) of `other` in it; all as #RRGGBB."""
    pairs = zip(_rgb(colour), _rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def is_dark(colour: str) -> bool:
    """Whether a #RRGGBB is so dark that what is printed on it must be light."""
    red, green, blue = _rgb(colour)
    return red * 0.3 + green * 0.59 + blue * 0.11 < 90


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
