"""Each price card says what the chosen shop has."""

from types import SimpleNamespace

import pytest
from django.utils.translation import override

from catalog import cards
from catalog.catalogue import Catalogue


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
