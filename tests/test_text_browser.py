"""The way to a shop in a text browser: home, a phone, outlets that have it, one outlet; by the links on the pages."""

import gzip
import re
import subprocess
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from tests.site import Site


def w3m(url: str, *options: str) -> str:
    arguments = ["w3m", "-no-cookie", "-cols", "60", "-I", "UTF-8", "-O", "UTF-8", *options, url]
    answer = subprocess.run(
        arguments,
        capture_output=True,
        timeout=30,
        check=True,
        env={"HOME": "/nonexistent", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    sent = answer.stdout
    # The source is dumped as it was sent.
    return (gzip.decompress(sent) if sent.startswith(b"\x1f\x8b") else sent).decode()


def links_of(url: str) -> list[str]:
    """Return where the links of a page lead, as w3m reads them."""
    text = w3m(url, "-dump", "-o", "display_link_number=1")
    numbered = re.findall(r"^\[\d+\] (http\S+)$", text, re.MULTILINE)
    assert numbered, text[-500:]
    return numbered


def first(links: list[str], pattern: str) -> str:
    return next(link for link in links if re.search(pattern, urlsplit(link).path + "?" + urlsplit(link).query))


def submitted(url: str, **typed: str) -> str:
    """Return the address that the form for shops on a page leads to when it is filled in so."""
    form = re.search(r'<form class="find" action="([^"]+)".*?</form>', w3m(url, "-dump_source"), re.DOTALL)
    assert form
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    return urljoin(url, f"{form[1]}?{urlencode(fields | typed)}")


@pytest.mark.parametrize(("language", "home", "has_it"), [("zh", "/", "有货"), ("en", "/en/", "in stock")])
def test_home_to_phone_to_outlet(site: Site, language: str, home: str, has_it: str) -> None:
    home_page = w3m(site.url + home, "-dump")
    assert "299" in home_page
    phone = first(links_of(site.url + home), r"/phones/[a-z0-9-]+/\?$")
    assert "299" in w3m(phone, "-dump") or "元" in w3m(phone, "-dump")
    found = submitted(phone, q="fengning")
    assert "phone=" in found
    outlet = first(links_of(found), r"/outlets/\d{9}-\d{2}/\?")
    page = w3m(outlet, "-dump")
    assert has_it.lower() in page.lower()
    assert ("/en/" in outlet) == (language == "en")
