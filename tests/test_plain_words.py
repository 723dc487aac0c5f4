"""Specifications in plain words: the borders of each rule."""

from decimal import Decimal

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from catalog import plain_words as words


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.mark.parametrize(
    ("mah", "said"),
    [
        (1799, "charge it every night"),
        (1800, "lasts a full day"),
        (2499, "lasts a full day"),
        (2500, "two days with light use"),
    ],
)
def test_battery(mah: int, said: str) -> None:
    assert words.battery_words(mah) == said


@pytest.mark.parametrize(
    ("inches", "said"),
    [
        ("4.4", "small, easy to hold"),
        ("4.5", "medium screen"),
        ("4.9", "medium screen"),
        ("5.0", "large, clear screen"),
        ("5.5", "extra large screen"),
    ],
)
def test_screen(inches: str, said: str) -> None:
    assert words.screen_words(Decimal(inches)) == said


def test_sharpness_counts_the_dots_of_the_diagonal() -> None:
    assert words.pixels_per_inch(Decimal(5), 300, 400) == 100
    assert words.sharpness_words(219) != words.sharpness_words(220) != words.sharpness_words(290)


@pytest.mark.parametrize(
    ("grams", "said"),
    [
        (55, "about as heavy as one egg"),
        (118, "about as heavy as two eggs"),
        (124, "about as heavy as two and a half eggs"),
        (165, "about as heavy as three eggs"),
        (400, "about as heavy as 7 eggs"),
    ],
)
def test_weight_in_eggs(grams: int, said: str) -> None:
    assert words.weight_words(grams) == said


@pytest.mark.parametrize(
    ("megapixels", "worth"), [("13", "enlarged"), ("8", "print"), ("5", "by day"), ("2", "simple")]
)
def test_photos(megapixels: str, worth: str) -> None:
    assert worth in words.back_camera_words(Decimal(megapixels))


def test_what_is_not_there_is_said() -> None:
    assert words.back_camera_words(Decimal(0)) == "takes no photos"
    assert words.front_camera_words(Decimal(0)) == "no video calls"
    assert words.memory_card_words(0) == "no slot for a memory card"


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_more_storage_never_means_fewer_photos(one: int, other: int) -> None:
    less, more = sorted((one, other))

    assert 0 < words.photos_that_fit(less) <= words.photos_that_fit(more)


def test_every_rule_has_chinese_words() -> None:
    with override("zh-hans"):
        said = [
            words.battery_words(2000), words.screen_words(Decimal(5)), words.sharpness_words(300),
            words.network_words("3G"), words.network_words("4G"), words.sim_words(True), words.sim_words(False),
            words.back_camera_words(Decimal(5)), words.front_camera_words(Decimal(2)), words.speed_words(4),
            words.memory_words(512), words.storage_words(8), words.memory_card_words(32), words.weight_words(150),
            words.depth_words(Decimal(9)), words.system_words("YunOS"),
        ]  # fmt: skip

    assert all(not any("a" <= letter <= "z" for letter in sentence) for sentence in said)
    assert "大约能存 2700 张照片" in said
