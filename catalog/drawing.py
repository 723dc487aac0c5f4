"""
Phones drawn from their own measurements.

All drawings have one scale: a user unit is a millimetre, and ten millimetres are one `em` on the page, so the style
sheet chooses the size of all of them at once and they can be compared by eye.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from zlib import crc32

from catalog.models import Phone
from catalog.svg import circle, element, is_dark, mix, moved, number, path, rect

MM_PER_EM = 10
MM_PER_INCH = 25.4
YUAN_COIN_MM = 25
# How far the back of a phone looks out behind its front, on a shelf.
PEEK_MM = 21
# All drawings on shelves are so high that they stand on one line, whatever is written below them. A taller phone makes
# its own row higher. The style sheet knows this height: it draws the shelf on where no phone stands.
SHELF_ROOM_MM = 152
# Between front, back, side and coin.
GAP_MM = 8

# Wallpapers: far land and near land in a field of 100 by 100 that is stretched over the screen.
HILLS = ("M0 62q22-24 46-6t54-10v54H0z", "M0 80q30-16 58-4t42-6v30H0z")
PEAKS = ("M0 70 30 36 48 58 66 40 100 74v26H0z", "M0 84 24 66 52 82 78 68 100 80v20H0z")
TERRACES = ("M0 56q50 16 100-6v50H0z", "M0 72q50 14 100-6v8q-50 20-100 6zM0 88q50 12 100-6v18H0z")
WAVES = ("M0 60q16-8 33 0t33 0 34 0v40H0z", "M0 76q16-8 33 0t33 0 34 0v24H0z")
LAKE = ("M0 64h100v36H0z", "M0 90q40-16 100-6v16H0zM22 64l8-14v14z")
FIELDS = ("M0 66 100 52v48H0z", "M0 74 56 100H0zM100 62v38H72z")


@dataclass(frozen=True)
class Make:
    """The hand of a maker: what its phones have in common."""

    corner_mm: float
    earpiece_mm: float
    camera_plate: str
    land: tuple[str, str]
    sky_colour: str
    land_colour: str


MAKES = {
    "coolpad": Make(7, 11, "side", WAVES, "#6fb1c9", "#1f6179"),
    "ctyon": Make(5, 9, "pill", PEAKS, "#8fb8a8", "#3d6b5c"),
    "hisense": Make(4, 16, "square", LAKE, "#b9cfdc", "#35607f"),
    "kingsun": Make(12, 14, "ring", TERRACES, "#f2c14e", "#5b8c3a"),
    "tcl": Make(10, 10, "bar", FIELDS, "#e7b7a0", "#8a4a5c"),
    "uniscope": Make(9, 12, "plain", HILLS, "#f0a04b", "#c8553d"),
}


@dataclass(frozen=True)
class Inks:
    """The colours of one body: itself, its outline, its shade and what is printed on it."""

    body: str
    line: str
    shade: str
    print: str

    @classmethod
    def of(cls, body: str) -> Inks:
        if is_dark(body):
            # The outline of a dark phone is light, or it would vanish on a dark page.
            return cls(body, "#77736a", mix(body, "#000000", 0.4), "#b5b0a4")
        return cls(body, mix(body, "#2a2620", 0.45), mix(body, "#2a2620", 0.12), mix(body, "#2a2620", 0.55))


class Figure:
    """One phone about to be drawn: where its parts are, in millimetres from the upper left corner of its front."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.make = make_of(phone)
        colours = phone.colours.all()
        self.inks = Inks.of(colours[0].rgb if colours else "#F5F5F2")
        self.width, self.height = float(phone.body_width_mm), float(phone.body_height_mm)
        self.depth = float(phone.body_depth_mm)
        pixel = float(phone.screen_inches) * MM_PER_INCH / math.hypot(phone.screen_width_px, phone.screen_height_px)
        # A screen that is larger than its body by the figures is drawn as large as the body allows.
        self.screen_width = min(phone.screen_width_px * pixel, self.width - 2)
        self.screen_height = min(phone.screen_height_px * pixel, self.height - 6)
        self.screen_left = (self.width - self.screen_width) / 2
        self.screen_top = (self.height - self.screen_height) * 0.44
        self.screen_bottom = self.screen_top + self.screen_height
        self.camera_radius = lens_radius(phone.camera_back_mp)
        # From 720 pixels of width on there is room to draw the keys on the screen.
        self.has_soft_keys = phone.screen_width_px >= 720

    def front(self) -> str:
        """Return the front: side keys, body, earpiece, front camera, lit screen, keys."""
        middle, rim, ear = self.width / 2, self.screen_top / 2, self.make.earpiece_mm
        second_key = 14 if self.make.corner_mm > 8 else 9
        eye = lens_radius(self.phone.camera_front_mp) * 0.45
        return (
            path(
                "M", self.width, " ", self.screen_top + 8, "v9m0 6v", second_key, stroke=self.inks.line, stroke_width=2
            )
            + self._body(self.inks.body)
            + path(
                "M",
                middle - ear / 2,
                " ",
                rim,
                "h",
                ear,
                stroke=self.inks.print,
                stroke_width=1.6,
                stroke_linecap="round",
            )
            + circle(middle + ear / 2 + 6, rim, eye, fill="#15202b", stroke=self.inks.print, stroke_width=0.5)
            + self._screen()
            + self._keys()
        )

    def back(self) -> str:
        """Return the back: camera and flash as the maker places them, its mark, the loudspeaker."""
        r, ink = self.camera_radius, self.inks.print
        x, y = 5.5 + r, 9 + r
        plate = self._camera_plate(x, y)
        lens = circle(x, y, r, fill="#23272b", stroke=ink) + circle(x, y, r * 0.45, fill="#4d6a86")
        flash_x, flash_y = (x + r + 4, y) if self.make.camera_plate == "side" else (x, y + r + 5)
        flash = circle(flash_x, flash_y, 1.6, fill="#fff6cf", stroke=ink, stroke_width=0.5)
        mark = rect(14, 4, x=self.width / 2 - 7, y=self.height * 0.3, rx=min(self.make.corner_mm / 4, 2), fill=ink)
        dots = path(
            *("M6 ", self.height - 13, "h11"),
            stroke=ink,
            stroke_width=1.5,
            stroke_linecap="round",
            stroke_dasharray="0 2.8",
        )
        return self._body(self.inks.shade) + plate + lens + flash + mark + dots

    def side(self) -> str:
        """Return the side: as deep as the body, with the keys that a thumb finds."""
        body = rect(self.depth, self.height, rx=self.depth * 0.35, fill=self.inks.shade, stroke=self.inks.line)
        keys = path("M", self.depth / 2, " ", self.screen_top + 8, "v9m0 6v11", stroke=self.inks.line, stroke_width=1.8)
        return body + keys

    def _body(self, fill: str) -> str:
        return rect(self.width, self.height, rx=self.make.corner_mm, fill=fill, stroke=self.inks.line)

    def _camera_plate(self, x: float, y: float) -> str:
        r, shade, ink = self.camera_radius, mix(self.inks.shade, "#000000", 0.12), self.inks.print
        match self.make.camera_plate:
            case "pill":
                return rect(2 * r + 3.2, 2 * r + 10, x=x - r - 1.6, y=y - r - 1.6, rx=r + 1.6, fill=shade)
            case "square":
                return rect(2 * r + 3, 2 * r + 3, x=x - r - 1.5, y=y - r - 1.5, rx=1.5, fill=shade, stroke=ink)
            case "ring":
                return circle(x, y, r + 2, fill="none", stroke=ink, stroke_width=0.8)
            case "bar":
                return path("M", x - 2.4, " ", y + r + 8.5, "h4.8", stroke=ink, stroke_width=1.2)
        return ""

    def _screen(self) -> str:
        """Return the lit screen: the maker's landscape, and as many icons in a row as the pixels allow."""
        w, h = self.screen_width, self.screen_height
        # The sun stands elsewhere on every phone.
        sun_x, sun_y = 20 + self.phone.position * 37 % 60, 16 + self.phone.position * 11 % 22
        sun = element("ellipse", cx=sun_x, cy=sun_y, rx=600 / w, ry=600 / h, fill="#fff3d6")
        far, near = self.make.land
        land = path(far, fill=self.make.land_colour, opacity=".55") + path(near, fill=self.make.land_colour)
        scene = element(
            "svg",
            path("M0 0h100v100H0z", fill=self.make.sky_colour) + sun + land,
            x=self.screen_left,
            y=self.screen_top,
            width=w,
            height=h,
            viewBox="0 0 100 100",
            preserveAspectRatio="none",
        )
        return scene + self._icons()

    def _icons(self) -> str:
        icons = 3 if self.phone.screen_width_px <= 480 else 4 if self.phone.screen_width_px <= 720 else 5
        step = (self.screen_width - 8) / icons
        y = self.screen_bottom - (17 if self.has_soft_keys else 10)
        # Dashes of no length with round ends are a row of discs.
        return path(
            *("M", self.screen_left + 4 + step / 2, " ", y, "h", step * (icons - 1) + 0.4),
            stroke="#fff",
            stroke_width=step * 0.62,
            stroke_linecap="round",
            stroke_dasharray=f"0 {number(step)}",
        )

    def _keys(self) -> str:
        """Return the keys: drawn on the screen, or a home button on a small phone, or printed touch keys."""
        middle, ink = self.width / 2, self.inks.print
        y = (self.screen_bottom + self.height) / 2
        if self.has_soft_keys:
            y = self.screen_bottom - 4
            return path("M", middle - 16, " ", y, "l3-2v4zm14-2a2 2 0 1 0 .1 0zm14 0h4v4h-4z", fill="#fff")
        if self.phone.screen_inches < Decimal("4.5"):
            button = rect(12, 7, x=middle - 6, y=y - 3.5, rx=3.5, fill=self.inks.shade, stroke=ink)
            return button + path("M", middle - 20, " ", y, "h6m28 0h6", stroke=ink, stroke_width=1.6)
        menu_home_back = "h6m-6 3h6m8-3 4-3 4 3v4h-8zm20-1h5a2 2 0 1 1 0 5h-4"
        return path("M", middle - 19, " ", y - 1.5, menu_home_back, fill="none", stroke=ink, stroke_width=1.1)


def shelf_drawing(phone: Phone) -> str:
    """Return `phone` on a shelf as SVG: its front, and its back looking out behind. Decorative, so hidden."""
    figure = Figure(phone)
    parts = figure.back() + moved(figure.front(), PEEK_MM)
    room = max(SHELF_ROOM_MM - figure.height, 0)
    return _svg(parts, figure.width + PEEK_MM, figure.height, 'aria-hidden="true"', room)


def sides_drawing(phone: Phone, label: str) -> str:
    """Return front, back and side of `phone` beside a 1-yuan coin as SVG, named `label` for who cannot see it."""
    figure = Figure(phone)
    back_at = figure.width + GAP_MM
    side_at = back_at + figure.width + GAP_MM
    coin_at = side_at + figure.depth + GAP_MM
    parts = (
        figure.front()
        + moved(figure.back(), back_at)
        + moved(figure.side(), side_at)
        + moved(coin(), coin_at, figure.height - YUAN_COIN_MM)
    )
    return _svg(parts, coin_at + YUAN_COIN_MM, figure.height, f'role="img" aria-label="{number(label)}"')


def coin() -> str:
    """Return a 1-yuan coin, 25 mm wide, from its upper left corner."""
    return (
        circle(12.5, 12.5, 12, fill="#d9d6cd", stroke="#77736a")
        + circle(12.5, 12.5, 10, fill="none", stroke="#a8a498", stroke_width=0.7)
        + path("M9.5 9.5l4-3v12m-4 0h8", fill="none", stroke="#5d594f", stroke_width=2)
    )


def make_of(phone: Phone) -> Make:
    """Return the hand of the phone's maker; one that is not known gets one of the others', always the same."""
    known = MAKES.get(phone.brand.slug)
    return known or sorted(MAKES.items())[crc32(phone.brand.slug.encode()) % len(MAKES)][1]


def lens_radius(megapixels: Decimal) -> float:
    """Return how large a camera of so many megapixels looks, in millimetres."""
    return 2.2 + math.sqrt(float(megapixels)) * 0.75


def _svg(parts: str, width: float, height: float, attributes: str, room: float = 0) -> str:
    """Wrap `parts` in an SVG of `width` by `height` millimetres, with `room` of air above them."""
    # A millimetre for the outline and the side keys; below only half, so that the phone stands on the shelf.
    w, h = width + 2, height + room + 1.5
    box = f"-1 {number(-1 - room)} {number(w)} {number(h)}"
    size = f'width="{w / MM_PER_EM:.2f}em" height="{h / MM_PER_EM:.2f}em"'
    return f'<svg viewBox="{box}" {size} {attributes}>{parts}</svg>'
