"""Settings of the tests: those of the demo, but for what would only cost time or get in the way."""

import os

from jinja2 import StrictUndefined, Undefined

os.environ.setdefault("DEMO", "yes")

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STORAGES, TEMPLATES

# live_server serves files as they are in static/, under their own names.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Test data may be lost with the machine.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c synchronous_commit=off")

# A password that is costly to guess is costly to test with.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class MissingName(StrictUndefined):
    """A name that a template prints or goes through must be there; it may ask whether one is."""

    __bool__, __eq__, __ne__, __hash__ = Undefined.__bool__, Undefined.__eq__, Undefined.__ne__, Undefined.__hash__


ours, *others = TEMPLATES
TEMPLATES = [ours | {"OPTIONS": ours["OPTIONS"] | {"undefined": MissingName}}, *others]
