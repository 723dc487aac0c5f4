"""Settings of the site that browsers look at in the tests: the product's, with addresses that fail on purpose."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.site_urls"
LOGGING = {"version": 1, "loggers": {"django.request": {"level": "CRITICAL"}}}
