"""What walks through the site in a browser share."""

from playwright.sync_api import Locator


def follow(target: Locator) -> None:
    """Click on a link or button and wait for the page that it leads to: a click alone returns before that."""
    with target.page.expect_navigation():
        target.click()
