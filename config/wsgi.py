"""The WSGI application that the web server runs."""

import os

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)


class Request(WSGIRequest):
    """
    A request whose address and form are in UTF-8, as all of ours are.

    Django would read the address, too, in what `Content-Type` says of the body, and fail before anything could answer
    where that is base64.
    """

    encoding = property(lambda request: None, lambda request, of_body: None)


class Handler(WSGIHandler):
    request_class = Request


application = Handler()
