"""Language and text size live in the address."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language

from config.addresses import Address, address_middleware


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{get_language()} {request.path_info} {reverse('catalog:phones')}")


def visit(path: str) -> HttpResponse:
    return address_middleware(answer)(RequestFactory().get(path))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/phones/", "zh-hans /phones/ /phones/"),
        ("/en/phones/", "en /en/phones/ /en/phones/"),
        ("/large/phones/", "zh-hans /phones/ /large/phones/"),
        ("/large/en/phones/", "en /en/phones/ /large/en/phones/"),
        ("/english/", "zh-hans /english/ /phones/"),
    ],
)
def test_the_path_names_language_and_size(path: str, said: str) -> None:
    assert visit(path).content.decode() == said


def test_every_link_is_back_to_normal_after_a_large_page() -> None:
    visit("/large/en/phones/")

    assert get_script_prefix() == "/"
    assert get_language() == "zh-hans"


def test_large_without_its_slash_is_shown_the_way() -> None:
    response = visit("/large")

    assert (response.status_code, response["Location"]) == (301, "/large/")


def test_says_the_language_to_caches_and_readers() -> None:
    assert visit("/")["Content-Language"] == "zh-Hans"
    assert visit("/large/en/")["Content-Language"] == "en"


def test_twins_keep_path_and_query() -> None:
    address = Address.of(RequestFactory().get("/large/en/phones/?tier=yunos&sort=price"))

    assert str(address) == "/large/en/phones/?tier=yunos&sort=price"
    assert str(address.twin(large=False)) == "/en/phones/?tier=yunos&sort=price"
    assert str(address.twin(language="zh-hans")) == "/large/phones/?tier=yunos&sort=price"


@pytest.mark.parametrize("path", ["*", "//en/", "/en", "/large//en/", "/large/large/", "/en/large/"])
def test_odd_paths_are_no_trouble(path: str) -> None:
    request = RequestFactory().get("/")
    request.path_info = path

    assert address_middleware(lambda request: HttpResponse("here"))(request).content == b"here"
