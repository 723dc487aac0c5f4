"""
The pictures of reports as SVG, drawn here: a bar in each line of a table, a chart of days, a map of dots.

Colours come from `static/reports.css` by class. What a picture shows stands beside it in words and figures, so it is
hidden from those who are read to, or has one sentence for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import cos, radians, sqrt
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.svg import element, number

# A bar is drawn in a field of so many units.
BAR_WIDTH, BAR_HEIGHT = 100, 10
# The chart of days.
WIDTH, HEIGHT, FOOT, HEAD = 600, 190, 22, 18
# A map's longer side, and the dots by size: the largest first.
MAP_SIDE = 600
DOTS = (34.0, 24.0, 17.0, 11.0, 6.0)
NAMED = 3


class Day(NamedTuple):
    """One day of a chart: its size, and how that is written."""

    day: date
    size: float
    words: str


class Dot(NamedTuple):
    """One place of a map, in degrees, its size in the picture, and how that is written."""

    name: str
    longitude: float
    latitude: float
    size: float
    words: str


def bar(size: float, most: float) -> SafeString:
    """Draw how large `size` is beside `most`. A size that is not nothing is seen."""
    length = max(round(BAR_WIDTH * size / most, 1), 0.8) if size > 0 and most > 0 else 0.0
    inside = element("path", d=f"M0 {BAR_HEIGHT / 2:g}h{length:g}") if length else ""
    return _svg(
        inside,
        **{
            "class": "bar",
            "viewBox": f"0 0 {BAR_WIDTH} {BAR_HEIGHT}",
            "preserveAspectRatio": "none",
            "aria-hidden": "true",
        },
    )


def chart(days: Sequence[Day], words: str, *, as_line: bool) -> SafeString:
    """
    Draw sizes day by day, as a line or as columns; `words` say it for those who do not see it.

    The first and last day, the highest and the newest size are written where they are.
    """
    most = max((each.size for each in days), default=0) or 1
    step, room = WIDTH / len(days), HEIGHT - FOOT - HEAD
    points = [(step * (place + 0.5), HEAD + room * (1 - each.size / most)) for place, each in enumerate(days)]
    ground = element("path", d=f"M0 {HEIGHT - FOOT}h{WIDTH}", **{"class": "ground"})
    if as_line:
        d = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
        drawn = element("path", d=d, **{"class": "line"})
    else:
        d = "".join(f"M{number(x)} {HEIGHT - FOOT}V{number(y)}" for x, y in points if y < HEIGHT - FOOT)
        drawn = element("path", d=d, stroke_width=max(step * 0.7, 1), **{"class": "columns"}) if d else ""
    labels = _label(0, HEIGHT - 6, date_format(days[0].day, _("j M")), "start")
    if len(days) > 1:
        labels += _label(WIDTH, HEIGHT - 6, date_format(days[-1].day, _("j M")), "end")
    highest = max(range(len(days)), key=lambda place: days[place].size)
    for place in {highest, len(days) - 1}:
        x, y = points[place]
        labels += _label(
            min(max(x, 24), WIDTH - 4), max(y - 5, 12), days[place].words, "end" if x > WIDTH / 2 else "start"
        )
    label = {"role": "img", "aria-label": words}
    return _svg(ground + drawn + labels, **{"class": "chart", "viewBox": f"0 0 {WIDTH} {HEIGHT}"}, **label)


def dot_map(dots: Sequence[Dot], words: str) -> SafeString:
    """
    Draw places as dots at their places, larger where there is more; the largest have their names.

    Only the dots are drawn, no line of any border. A degree of longitude is shorter than one of latitude by the cosine
    of the latitude in the middle.
    """
    if not dots:
        return mark_safe("")
    west, east = min(dot.longitude for dot in dots), max(dot.longitude for dot in dots)
    south, north = min(dot.latitude for dot in dots), max(dot.latitude for dot in dots)
    narrow = cos(radians((south + north) / 2))
    unit = MAP_SIDE / max((east - west) * narrow, north - south, 0.05)
    width, height = (east - west) * narrow * unit, (north - south) * unit
    most = max(dot.size for dot in dots)
    paths: dict[float, list[str]] = {}
    placed = []
    for dot in dots:
        x, y = (dot.longitude - west) * narrow * unit, (north - dot.latitude) * unit
        paths.setdefault(_diameter(dot.size, most), []).append(f"M{x:.0f} {y:.0f}h0")
        placed.append((x, y, dot))
    drawn = "".join(
        element("path", d="".join(moves), stroke_width=diameter, **{"class": "dots" if diameter > 3 else "none"})
        for diameter, moves in sorted(paths.items())
    )
    largest = sorted((each for each in placed if each[2].size > 0), key=lambda each: -each[2].size)[:NAMED]
    names = "".join(
        _label(min(x, width), y - 14 if y > 20 else y + 26, f"{dot.name} {dot.words}", "middle" if 70 < x < width - 70
               else "start" if x <= 70 else "end")
        for x, y, dot in largest
    )  # fmt: skip
    box = f"-20 -24 {width + 40:.0f} {height + 48:.0f}"
    label = {"role": "img", "aria-label": words}
    return _svg(drawn + names, **{"class": "spots", "viewBox": box}, **label)


def _diameter(size: float, most: float) -> float:
    """Return how wide a dot is: of five sizes by its area, and a speck for nothing."""
    if size <= 0 or most <= 0:
        return 3.0
    wide = sqrt(size / most)
    return next((diameter for diameter in DOTS if wide >= diameter / DOTS[0] * 0.85), DOTS[-1])


def _label(x: float, y: float, words: str, anchor: str) -> str:
    return element("text", str(escape(words)), x=round(x), y=round(y), text_anchor=anchor)


def _svg(inside: str, **attributes: str) -> SafeString:
    return mark_safe(element("svg", inside, **attributes))  # noqa: S308 - every part is ours or escaped
