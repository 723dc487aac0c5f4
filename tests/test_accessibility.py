"""Anybody can read and use every page: axe finds nothing, nothing sticks out, the keyboard is enough."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage
from playwright.sync_api import Page as Tab

from tests.all_pages import MODES, Page, customer_pages
from tests.site import Site

HEIGHT = 780
# Width, mode and colours. Every page is seen in one set of four: at each width, and with every pair of language, size
# and colours. Neighbours in the list of pages take turns.
LOOKS = [
    [(320, "zh", "light"), (360, "large zh", "dark"), (768, "en", "dark"), (1280, "large en", "light")],
    [(320, "large en", "dark"), (360, "en", "light"), (768, "large zh", "light"), (1280, "zh", "dark")],
]
SLACK = 1
AXE = Axe()
# No rule that runs asks for the style sheets that axe would load once more before it begins.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
# It takes as long as all other rules together, and asks for colours and sizes of letters alone: each page is asked in
# both colours and both sizes, and all four pairs of them take turns.
CONTRAST = "color-contrast"
CONTRAST_LOOKS = [(0, 1), (2, 3)]


@pytest.fixture(scope="module")
def pages(site: Site) -> list[Page]:
    return customer_pages(site)


@pytest.mark.parametrize("turn", [0, 1])
def test_anybody_can_read_and_use_every_page(site: Site, pages: list[Page], browser: Browser, turn: int) -> None:
    findings: list[str] = []
    for look, (width, mode, colours) in enumerate(LOOKS[turn]):
        context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=colours)
        tab = context.new_page()
        said = listen(tab)
        for number, page in enumerate(pages[turn::2]):
            look_at(site, page, mode, tab)
            found = said + sticking_out(tab, width)
            # The phones' pages differ in words alone, and axe takes its time: each gets one look.
            if page not in phones(pages) or number % len(LOOKS[turn]) == look:
                is_asked = look in CONTRAST_LOOKS[turn] or page in phones(pages)
                found += breaches(tab, without=[] if is_asked else [CONTRAST])
            found += past_the_head(tab)
            findings += [f"{page.name}, {mode}, {colours}, {width} px: {each}" for each in found]
            said.clear()
        context.close()
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("turn", [0, 1])
def test_contrast_is_asked_of_every_page_in_both_colours_and_sizes(turn: int) -> None:
    looks = [LOOKS[turn][look] for look in CONTRAST_LOOKS[turn]]

    assert {colours for _width, _mode, colours in looks} == {"light", "dark"}
    assert {mode.startswith("large") for _width, mode, _colours in looks} == {True, False}


def phones(pages: list[Page]) -> list[Page]:
    return [page for page in pages if page.name.startswith("phone ")]


def listen(tab: Tab) -> list[str]:
    """Return a list that fills with what the console says: breaches of the CSP, errors of scripts."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Chromium says this of every page that answers with an error.
        if message.type == "error" and "Failed to load resource" not in message.text:
            said.append(f"console: {message.text}")

    tab.on("console", hear)
    tab.on("pageerror", lambda error: said.append(f"script: {error}"))
    return said


def look_at(site: Site, page: Page, mode: str, tab: Tab) -> None:
    tab.context.clear_cookies()
    if page.outlet:
        tab.context.add_cookies([site.browser_cookie(page.outlet)])
    answer = tab.goto(site.url + page.address(mode))
    assert answer is not None
    assert answer.status == page.status, f"{page.address(mode)} answered {answer.status}"


def sticking_out(tab: Tab, width: int) -> list[str]:
    across = tab.evaluate("document.documentElement.scrollWidth")
    return [f"scrolls sideways, {across} px wide: {tab.evaluate(WIDEST)}"] if across > width + SLACK else []


def breaches(tab: Tab, without: Iterable[str] = ()) -> list[str]:
    """Return what axe finds, by all its rules but those `without`."""
    findings = []
    options = AXE_OPTIONS | {"rules": {rule: {"enabled": False} for rule in without}}
    for violation in AXE.run(tab, options=options).response["violations"]:
        places = "; ".join(
            " ".join(node["target"]) + " " + node.get("failureSummary", "") for node in violation["nodes"][:3]
        )
        findings.append(f"{violation['id']} ({len(violation['nodes'])}): {places}")
    return findings


def examine(tab: Tab, width: int) -> list[str]:
    return sticking_out(tab, width) + breaches(tab)


def past_the_head(tab: Tab) -> list[str]:
    """Return what is wrong with the first thing that the Tab key leads to: the way past the head of the page."""
    tab.keyboard.press("Tab")
    focused = tab.evaluate(FOCUSED)
    is_right = focused["href"] == "#main" and focused["visible"] and tab.locator("#main").count() == 1
    return [] if is_right else [f"the first Tab leads to {focused}"]


def in_turn(number: int, look: int) -> bool:
    """Say whether a look (0 to 3) is at this of many things: each has two looks, its neighbours the other two."""
    return look in ((0, 3), (1, 2))[number % 2]


WIDEST = """() => [...document.body.querySelectorAll('*')]
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map(each => each.outerHTML.slice(0, 120)).join(' | ')"""


FOCUSED = """() => { const each = document.activeElement, box = each.getBoundingClientRect();
    return {href: each.getAttribute('href'), text: each.textContent,
            visible: box.width > 20 && box.height > 10 && box.top >= 0 && box.left >= 0}; }"""


def test_focus_is_seen_on_everything_that_takes_it(site: Site, browser: Browser) -> None:
    tab = browser.new_page(viewport={"width": 360, "height": HEIGHT})
    for path in ("/", "/phones/", "/outlets/"):
        tab.goto(site.url + path)
        order = []
        for _ in range(40):
            tab.keyboard.press("Tab")
            seen = tab.evaluate(FOCUS_MARK)
            if seen is None:
                break
            assert seen["marked"], f"{path}: no visible focus on {seen['what']}"
            order.append(seen["top"])
        assert len(order) > 5
    tab.close()


# A mark is an outline, or a ring drawn as shadow.
FOCUS_MARK = """() => { const each = document.activeElement; if (!each || each === document.body) return null;
    const style = getComputedStyle(each);
    return {what: each.outerHTML.slice(0, 100), top: each.getBoundingClientRect().top,
            marked: style.boxShadow !== 'none' ||
                (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)}; }"""


def test_without_script_everything_is_there(site: Site, pages: list[Page], browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": HEIGHT})
    tab = context.new_page()
    for page in pages:
        look_at(site, page, "zh", tab)
        assert tab.locator("h1").count() == 1
        assert len(tab.locator("main").inner_text().strip()) > 20
    tab.goto(site.url + "/outlets/")
    tab.locator("main input[name=q]").first.fill("fengning")
    tab.locator("main input[name=q]").first.press("Enter")
    assert "丰宁" in tab.locator("main").inner_text()
    context.close()


@pytest.mark.parametrize("mode", ["large zh", "large en"])
def test_large_text_is_large(site: Site, browser: Browser, mode: str) -> None:
    tab = browser.new_page(viewport={"width": 360, "height": HEIGHT})
    for path in ("", "phones/", "outlets/"):
        tab.goto(site.url + MODES[mode] + path)
        size, line = tab.evaluate(
            "(() => { const style = getComputedStyle(document.querySelector('main p')); "
            "return [parseFloat(style.fontSize), parseFloat(style.lineHeight)]; })()"
        )
        assert size >= 18
        assert line >= 1.5 * size
    tab.close()
