"""Phones are drawn from their measurements."""

import gzip
import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from catalog.catalogue import Catalogue
from catalog.drawing import MAKES, MM_PER_EM, make_of, shelf_drawing, sides_drawing
from catalog.models import Phone
from tests.factories import create_brand, create_phone


def size_em(drawing: str) -> tuple[float, float]:
    root = ElementTree.fromstring(drawing)  # noqa: S314 - our own drawing
    return float(root.attrib["width"].removesuffix("em")), float(root.attrib["height"].removesuffix("em"))


def test_no_two_phones_look_the_same(catalogue: Catalogue) -> None:
    drawings = {shelf_drawing(phone) for phone in catalogue.phones}

    assert len(drawings) == 14


def test_no_two_phones_look_the_same_even_in_one_colour_and_size(catalogue: Catalogue) -> None:
    def without_body(phone: Phone) -> str:
        phone.body_width_mm, phone.body_height_mm = Decimal(80), Decimal(160)
        return re.sub("#[0-9a-fA-F]{6}", "", shelf_drawing(phone))

    assert len({without_body(phone) for phone in catalogue.phones}) == 14


def test_sizes_are_to_one_scale(catalogue: Catalogue) -> None:
    for phone in catalogue.phones:
        width, height = size_em(sides_drawing(phone, ""))
        assert height * MM_PER_EM == pytest.approx(float(phone.body_height_mm), abs=2)
        width, height = size_em(shelf_drawing(phone))
        assert width * MM_PER_EM == pytest.approx(float(phone.body_width_mm) + 21, abs=2.5)


def test_phones_on_a_shelf_stand_on_one_line(catalogue: Catalogue) -> None:
    assert {size_em(shelf_drawing(phone))[1] for phone in catalogue.phones} == {15.35}


def test_a_phone_taller_than_the_shelf_gets_its_room(db: None) -> None:
    phone = create_phone(body_height_mm=Decimal(210))

    assert size_em(shelf_drawing(phone))[1] == 21.15


def test_a_bigger_screen_is_drawn_bigger(catalogue: Catalogue) -> None:
    def screen_mm(phone: Phone) -> float:
        found = re.search(r'<svg x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="([\d.]+)"', shelf_drawing(phone))
        assert found
        return (float(found[1]) ** 2 + float(found[2]) ** 2) ** 0.5

    for phone in catalogue.phones:
        assert screen_mm(phone) == pytest.approx(float(phone.screen_inches) * 25.4, abs=0.2)


def test_drawings_are_light_whole_and_free_of_styles(catalogue: Catalogue) -> None:
    for phone in catalogue.phones:
        for drawing in (shelf_drawing(phone), sides_drawing(phone, phone.name)):
            ElementTree.fromstring(drawing)  # noqa: S314 - our own drawing
            assert len(gzip.compress(drawing.encode())) < 1_500
            assert "style" not in drawing
            assert " id=" not in drawing


def test_decoration_is_hidden_and_a_portrait_has_a_name(catalogue: Catalogue) -> None:
    phone = catalogue.phones[0]

    assert 'aria-hidden="true"' in shelf_drawing(phone)
    assert 'role="img" aria-label="a &lt;b&gt; &quot;c&quot;"' in sides_drawing(phone, 'a <b> "c"')


def test_an_unknown_maker_gets_a_hand_that_stays_the_same(db: None) -> None:
    phone = create_phone(brand=create_brand(slug="huawei"))

    assert make_of(phone) is make_of(phone)
    assert make_of(phone) in MAKES.values()


def test_a_phone_without_colours_or_cameras_can_be_drawn(db: None) -> None:
    phone = create_phone(camera_back_mp=0, camera_front_mp=0)

    ElementTree.fromstring(shelf_drawing(phone))  # noqa: S314 - our own drawing


def test_a_screen_never_leaves_its_body(db: None) -> None:
    phone = create_phone(screen_inches=Decimal(9), body_width_mm=Decimal(30), body_height_mm=Decimal(60))

    assert '<svg x="1" y="2.6" width="28" height="54"' in shelf_drawing(phone)
