"""Settings of the site that browsers look at in the tests: the product's, with addresses that fail on purpose."""

from config.settings import *  # noqa: F403
from config.settings import BASE_DIR, DATABASES

ROOT_URLCONF = "tests.site_urls"
# What was sent in the demo of one day, so that the page of it is as full everywhere.
SMS_FILE = BASE_DIR / "tests" / "site_messages.jsonl"
LOGGING = {"version": 1, "loggers": {"django.request": {"level": "CRITICAL"}}}

# As in tests.settings.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"
