"""Each price card says what the chosen shop has."""

from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.translation import override

from catalog import cards
from catalog.catalogue import Catalogue
from config.addresses import Address


def level(available: int) -> SimpleNamespace:
    return SimpleNamespace(available=available)


@pytest.mark.parametrize(
    ("stock", "said"), [(level(7), "✓ 有货"), (level(1), "① 只剩一台"), (level(0), "✗ 这里没有"), (None, "✗ 这里没有")]
)
def test_stock_is_a_mark_and_a_word(stock: SimpleNamespace | None, said: str) -> None:
    assert said in cards.stock_line(stock)


def test_the_words_follow_the_language() -> None:
    with override("en"):
        assert "in stock" in cards.stock_line(level(2))
    assert "有货" in cards.stock_line(level(2))


def test_a_row_without_a_shop_promises_nothing(catalogue: Catalogue) -> None:
    shelf = cards.shelves(catalogue)[0]

    assert 'class="stock' not in cards.row(shelf.cards, None)


def test_a_row_says_for_each_phone_what_the_shop_has(catalogue: Catalogue) -> None:
    shelf = cards.shelves(catalogue)[0]
    first, second, *others = shelf.phones

    html = cards.row(shelf.cards, {first.pk: level(3), second.pk: level(1)})

    words = [part.split("</span>")[0] for part in html.split('class="stock ')[1:]]
    assert words[:2] == ['yes">✓ 有货', 'last">① 只剩一台']
    assert words[2:] == ['no">✗ 这里没有'] * len(others)


def test_cards_are_made_once_for_each_version_language_and_size(catalogue: Catalogue) -> None:
    phone = catalogue.phones[0]
    chinese = cards.card(catalogue, phone)

    assert cards.card(catalogue, phone) is chinese
    with override("en"):
        assert "Uniscope" in cards.card(catalogue, phone).closing
    assert cards.card(catalogue, phone) is chinese


def home(catalogue: Catalogue, *, is_open: bool) -> str:
    outlet = SimpleNamespace(
        name="大阁镇营业厅",
        get_absolute_url=lambda: "/outlets/1/",
        is_open=is_open,
        get_state_display=lambda: "暂停营业",
    )
    stock = {phone.pk: level(3) for phone in catalogue.phones}
    request = RequestFactory().get("/")
    request.address = Address.of(request)
    context = {
        "request": request,
        "catalogue": catalogue,
        "shelves": cards.shelves(catalogue),
        "my_outlet": SimpleNamespace(outlet=outlet, stock=stock),
    }
    return render_to_string("catalog/home.html", context)


def test_the_chosen_shop_is_named_and_every_card_says_what_it_has(catalogue: Catalogue) -> None:
    html = home(catalogue, is_open=True)

    assert '<a href="/outlets/1/">大阁镇营业厅</a>' in html
    assert html.count("✓ 有货") == 14


def test_a_shop_that_is_shut_promises_nothing(catalogue: Catalogue) -> None:
    html = home(catalogue, is_open=False)

    assert "<b>暂停营业</b>" in html
    assert 'class="stock' not in html
