"""What tests of pages ask of an answer."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin

from django.test import Client

CHINESE = re.compile(r"[\u3400-\u9fff]")
# Chinese that an English page may have: the name of the other language, and the attribution in its own words.
MAY_BE_CHINESE = re.compile(r'<(\w+)[^>]* lang="zh-Hans"[^>]*>.*?</\1>', re.DOTALL)
# A word of English, and those that a Chinese page may have besides what the visitor typed: names, and our sources.
ENGLISH = re.compile(r"\b[A-Z]?[a-z]{2,}\b")
MAY_BE_ENGLISH = {"English", "Android", "china", "division", "cpca"}
ENDS_THEMSELVES = {"meta", "link", "br", "input", "img"}


class Page(HTMLParser):
    """A page taken apart: its text without style, its links, its tags; complains of tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.links: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.attributes: set[str] = set()
        self._text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes |= given.keys()
        if tag == "a":
            self.links.append(given["href"] or "")
        if "id" in given:
            self.ids.append(given["id"] or "")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in ENDS_THEMSELVES:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= dict(attrs).keys()

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1:] == [tag], f"</{tag}> closes {self._open}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "script"}.intersection(self._open):
            self._text.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._text).split())


def read(client: Client, address: str, status: int = 200) -> Page:
    """Get `address`, check its status and what every page of the shop must keep to, and return it taken apart."""
    response = client.get(address)
    assert response.status_code == status, address
    page = Page(response.content.decode())
    assert "style" not in page.attributes, "the CSP allows no style attribute"
    assert len(page.ids) == len(set(page.ids)), "an id is there twice"
    assert page.headings[:1] == [1], "the first heading is not the first level"
    assert page.headings.count(1) == 1
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(below - above <= 1 for above, below in steps), "a heading level is left out"
    if "/en/" in address:
        assert not CHINESE.search(MAY_BE_CHINESE.sub("", page.html)), "Chinese on an English page"
    else:
        english = {word for word in ENGLISH.findall(page.text) if word not in unquote(address)}
        assert not english - MAY_BE_ENGLISH, "English on a Chinese page"
    assert not re.search("最|第一(?!次)|[!！]", page.text), "a superlative or a shout"
    return page


def follow(address: str, link: str) -> str:
    """Return where `link` on the page at `address` leads."""
    return urljoin(address, link)
