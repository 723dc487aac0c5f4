"""Mobile numbers and names as customers write them, and as others may see them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.mobiles import mask_mobile, mask_name, parse_mobile, parse_name, scrub
from orders.refusals import BadMobile, BadName


@pytest.mark.parametrize(
    "text",
    [
        "13800138000", "138 0013 8000", "138-0013-8000", "+8613800138000", "+86 138 0013 8000", "0086 13800138000",
        "8613800138000", "１３８００１３８０００", "＋８６１３８００１３８０００", " 13800138000 ",
    ],
)  # fmt: skip
def test_is_read_as_people_write_it(text: str):
    assert parse_mobile(text) == "+8613800138000"


@given(st.text() | st.from_regex(r"\A\+?[0-9 ]{0,20}\Z"))
def test_anything_is_a_number_or_refused_politely(text: str):
    try:
        mobile = parse_mobile(text)
    except BadMobile:
        return
    assert mobile.startswith("+861")
    assert len(mobile) == 14


def test_a_refusal_shows_what_a_number_looks_like():
    with pytest.raises(BadMobile, match="138 0013 8000"):
        parse_mobile("12345")


@given(st.text())
def test_any_name_is_tidy_or_refused_politely(text: str):
    try:
        name = parse_name(text)
    except BadName:
        return
    assert name == " ".join(name.split())
    assert 0 < len(name) <= 30
    assert parse_name(name) == name


@pytest.mark.parametrize("name", ["王小明", "阿卜杜拉·买买提", "Anne-Marie O'Neil", "J. Smith", "Müller"])
def test_names_of_all_peoples_are_names(name: str):
    assert parse_name(name) == name


def test_masks_show_little():
    assert mask_mobile("+8613800138000") == "138****8000"
    assert mask_mobile("") == ""
    assert mask_name("王小明") == "王*"
    assert mask_name("") == ""


@given(st.integers(13_000_000_000, 19_999_999_999), st.sampled_from(["{}", "+86{}", "86{}&x=1", "to {}.", "a={};b"]))
def test_no_number_survives_scrubbing(number: int, form: str):
    assert str(number) not in scrub(form.format(number))


@given(st.text(alphabet=st.characters(exclude_categories=["Nd"])))
def test_scrubbing_leaves_other_text_alone(text: str):
    assert scrub(text) == text
