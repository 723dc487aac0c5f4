"""Settings of the product without ready pages: every page is made for every request."""

from config.settings import *  # noqa: F403
from config.settings import MIDDLEWARE

MIDDLEWARE = ["benchmarks.made_anew.MadeAnew" if name == "config.ready.ReadyPages" else name for name in MIDDLEWARE]
