"""What a page says about itself: who may keep it and for how long, in which language it is, what it may do."""

from __future__ import annotations

import re

import pytest

from tests.all_pages import MODES, Page, customer_pages
from tests.site import Site

LANGUAGES = {"zh": "zh-Hans", "en": "en", "large zh": "zh-Hans", "large en": "en"}


@pytest.fixture(scope="module")
def pages(site: Site) -> list[Page]:
    return [page for page in customer_pages(site) if page.is_public]


@pytest.fixture(scope="module")
def private_pages(site: Site) -> list[Page]:
    return [page for page in customer_pages(site) if not page.is_public]


@pytest.mark.parametrize("mode", MODES)
def test_every_page_says_who_may_keep_it(site: Site, pages: list[Page], mode: str) -> None:
    for page in pages:
        answer, _ = site.get(page.address(mode), cookie=site.cookie_of(page.outlet), accept_encoding="gzip")
        policy = str(answer.getheader("Cache-Control"))
        varies = str(answer.getheader("Vary")).lower()
        assert answer.status == page.status, page
        if page.status != 200:
            assert policy in ("private, no-cache", "no-store"), page
            continue
        assert re.fullmatch(r"private, max-age=\d+" if page.outlet else r"public, max-age=\d+", policy), page
        assert "cookie" in varies
        assert "accept-encoding" in varies


@pytest.mark.parametrize("mode", MODES)
def test_nobody_else_keeps_what_is_of_one_visitor(site: Site, private_pages: list[Page], mode: str) -> None:
    for page in private_pages:
        answer, body = site.get(page.address(mode))
        assert answer.status == page.status, page
        assert str(answer.getheader("Cache-Control")) in ("private, no-cache", "no-store, private"), page
        assert f'<html lang="{LANGUAGES[mode]}"' in body.decode(), page


def test_pages_that_show_stock_are_soon_forgotten(site: Site, pages: list[Page]) -> None:
    for page in pages:
        if page.status == 200 and page.path.startswith(("/outlets/", "/regions/")):
            answer, _ = site.get(page.address("zh"))
            assert int(str(answer.getheader("Cache-Control")).partition("max-age=")[2]) <= 60


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_who_has_a_page_is_not_sent_it_again(site: Site, pages: list[Page], coding: str) -> None:
    for page in pages:
        if page.status != 200:
            continue
        address, cookie = page.address("en"), site.cookie_of(page.outlet)
        for _ in range(3):  # made, kept, ready
            answer, _ = site.get(address, accept_encoding=coding, cookie=cookie)
            tag = str(answer.getheader("ETag"))
            again, body = site.get(address, accept_encoding=coding, cookie=cookie, if_none_match=tag)
            assert (again.status, body) == (304, b""), page
            assert again.getheader("ETag", "").removeprefix("W/") == tag.removeprefix("W/")


@pytest.mark.parametrize("mode", MODES)
def test_the_language_is_in_the_header_the_page_and_its_links(site: Site, pages: list[Page], mode: str) -> None:
    for page in pages:
        answer, body = site.get(page.address(mode), cookie=site.cookie_of(page.outlet))
        text = body.decode()
        assert answer.getheader("Content-Language") == LANGUAGES[mode], page
        assert f'<html lang="{LANGUAGES[mode]}"' in text, page
        if page.status == 200:
            twins = dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)"', text))
            bare = page.path.partition("?")[0]
            assert twins["zh-Hans"].partition("?")[0] == site.url + bare, page
            assert twins["en"].partition("?")[0] == site.url + "/en" + bare, page


def test_no_page_sets_a_cookie(site: Site, pages: list[Page]) -> None:
    for page in pages:
        answer, _ = site.get(page.address("zh"))
        assert answer.getheader("Set-Cookie") is None, page


def test_every_answer_is_locked_down(site: Site, pages: list[Page], private_pages: list[Page]) -> None:
    for page in pages + private_pages:
        answer, _ = site.get(page.address("zh"))
        policy = dict(
            part.strip().partition(" ")[::2] for part in str(answer.getheader("Content-Security-Policy")).split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert "unsafe" not in str(policy)
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", policy["style-src"])
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Referrer-Policy") == "same-origin"
        assert "geolocation=(self)" in str(answer.getheader("Permissions-Policy"))
        assert answer.getheader("X-Frame-Options") == "DENY"


def test_nothing_is_styled_or_scripted_outside_the_hashes(
    site: Site, pages: list[Page], private_pages: list[Page]
) -> None:
    for page in pages + private_pages:
        _, body = site.get(page.address("zh"), cookie=site.cookie_of(page.outlet))
        assert not re.search(rb"<[^>]+\s(style|on[a-z]+)=", body), page
        assert body.count(b"<style>") == 1, page
