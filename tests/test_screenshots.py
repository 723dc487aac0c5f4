"""Pictures for the README. Collected only with --write-docs; they show the demo as it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.all_pages import customer_pages
from tests.databases import ROOT
from tests.site import Site

FOLDER = ROOT / "docs" / "screenshots"
MOST_BYTES = 3_000_000
SUBJECTS = {
    "home": "home",
    "phones": "list",
    "phone uniscope-y401": "phone",
    "compare 3": "compare",
    "finder, nearest": "finder",
    "region, city": "region",
    "outlet": "outlet",
}
# Suffix of the file: width, mode, colours, pixels of the device for each of CSS.
LOOKS = {
    "zh-360": (360, "zh", "light"),
    "zh-1280": (1280, "zh", "light"),
    "en-360": (360, "en", "light"),
    "en-1280": (1280, "en", "light"),
    "zh-360-dark": (360, "zh", "dark"),
    "zh-360-large": (360, "large zh", "light"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_take_pictures(site: Site, browser: Browser, look: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    width, mode, colours = LOOKS[look]
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=colours)
    tab = context.new_page()
    for page in customer_pages(site):
        if page.name in SUBJECTS:
            tab.goto(site.url + page.address(mode))
            tab.screenshot(path=FOLDER / f"{SUBJECTS[page.name]}-{look}.png", full_page=False)
    context.close()


def test_the_pictures_are_small() -> None:
    pictures = [FOLDER / f"{subject}-{look}.png" for subject in SUBJECTS.values() for look in LOOKS]
    assert sum(picture.stat().st_size for picture in pictures) < MOST_BYTES
