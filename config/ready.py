"""
Ready pages: finished bytes of pages that anybody may keep, answered before the rest of the middleware does anything.

A page is kept under its address, in each content coding that it was sent in, and only if its own Cache-Control lets a
shared cache keep it. It goes when its max-age has passed (pages of the catalogue alone need not), when a price changes,
or when the version of the catalogue moves, which each process looks up at most once a second.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import django.db
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_max_age

from catalog.caching import NOT_TO_KEEP, cache_control, is_personal
from catalog.catalogue import VERSION_IS_FRESH, Catalogue, Edition, current_catalogue
from config import squeeze

# Bytes that one process spends on ready pages: some 800 pages.
MAX_BYTES = 32 * 2**20
# A page longer than this, or under a longer query, is not worth its place.
MAX_PAGE_BYTES = 256 * 2**10
MAX_QUERY = 300
# How many addresses with a query are remembered as asked for once.
MAX_ASKED_ONCE = 4096
# Squeezing a page as small as it goes costs forty times the quick way, as much as a hundred answers: only what is asked
# for often gets it, and what is good for seconds only when it is asked for very often.
THOROUGH_AFTER = 8
THOROUGH_AFTER_IN_SECONDS = 500

# Scheme and host are part of it, because pages name their own full address.
Address = tuple[str, str, str, str]


class Codings(NamedTuple):
    """What a client can read: the coding that makes pages smallest, and the one that is made quickest."""

    small: str
    quick: str


class ReadyPage:
    """One page's bytes in every coding asked for so far. Threads share it: each assignment leaves it whole."""

    def __init__(
        self, response: HttpResponse, *, good_for: int, edition: Edition, made_at: float, ends_at: float
    ) -> None:
        """
        Copy `response`. `edition` of the catalogue and `made_at` are from before the page was made.

        `good_for` is in seconds; `made_at` and `ends_at`, when its prices end, are seconds of time.monotonic.
        """
        self.edition = edition
        self.made_at = made_at
        self.ends_at = ends_at
        self.is_timeless = getattr(response, "tells_of_catalogue_alone", False)
        self.good_for = good_for
        self.bodies = {"identity": response.content}
        self.is_thorough = False
        self.thorough_after = THOROUGH_AFTER if self.is_timeless else THOROUGH_AFTER_IN_SECONDS
        self.times_asked = 0
        # One weak tag for all codings: they mean the same page.
        response.headers["ETag"] = f'W/"{squeeze.digest(response.content)}"'
        self.headers: dict[str, str] = {}

    def copy_headers(self, response: HttpResponse) -> None:
        """Remember what is said of the page, before an answer adds what is true of that one alone."""
        self.headers = dict(response.headers)

    @property
    def size(self) -> int:
        """Bytes of memory it takes, at most: the codings together are smaller than the plain page."""
        return 2000 + 2 * len(self.bodies["identity"])

    def is_good(self, edition: Edition | None, now: float) -> bool:
        """
        Whether it is still true. Edition None: the database does not answer, and a kept page is better than none.

        Its prices are known to end even then.
        """
        is_known = edition is None or edition == self.edition
        return is_known and now < self.ends_at and (self.is_timeless or now - self.made_at < self.good_for)

    def answer(self, codings: Codings, now: float, response: HttpResponse | None = None) -> HttpResponse:
        """Return the page, in the `response` that it was made of where that is at hand: it has its headers."""
        self.times_asked += 1
        coding = codings.quick
        if codings.small == "br" and self.times_asked >= self.thorough_after:
            coding = "br"
            if not self.is_thorough:
                self.bodies["br"] = squeeze.thoroughly(self.bodies["identity"])
                self.is_thorough = True
        body = self.bodies.get(coding)
        if body is None:
            body = self.bodies[coding] = squeeze.encode(coding, self.bodies["identity"])
        if response is None:
            response = HttpResponse(headers=self.headers)
            if not self.is_timeless:
                response.headers["Age"] = str(math.ceil(now - self.made_at))
            elif self.ends_at - now < self.good_for:
                response.headers["Cache-Control"] = cache_control(False, self.good_for, self.ends_at - now)
        response.content = body
        response.headers["Content-Length"] = str(len(body))
        if coding != "identity":
            response.headers["Content-Encoding"] = coding
        return response


class Shelf:
    """
    Ready pages by address; when bytes run out, the page leaves that was not asked for longest.

    Addresses with a query are without number, and a flood of them must not sweep the shelf: such a page gets its place
    when it is asked for the second time.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._pages: OrderedDict[Address, ReadyPage] = OrderedDict()
        self._asked_once: OrderedDict[Address, None] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._pages)

    def take(self, address: Address) -> ReadyPage | None:
        with self._lock:
            page = self._pages.get(address)
            if page is not None:
                self._pages.move_to_end(address)
            return page

    def wants(self, address: Address) -> bool:
        """Whether a page for this address would be put on the shelf; remembers that it was asked for."""
        query = address[3]
        if not query:
            return True
        if len(query) > MAX_QUERY:
            return False
        with self._lock:
            if address in self._pages or address in self._asked_once:
                return True
            self._asked_once[address] = None
            if len(self._asked_once) > MAX_ASKED_ONCE:
                self._asked_once.popitem(last=False)
            return False

    def put(self, address: Address, page: ReadyPage) -> None:
        with self._lock:
            self._drop(address)
            self._asked_once.pop(address, None)
            self._pages[address] = page
            self.bytes += page.size
            while self.bytes > self.max_bytes:
                self._drop(next(iter(self._pages)))

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._asked_once.clear()
            self.bytes = 0

    def _drop(self, address: Address) -> None:
        page = self._pages.pop(address, None)
        if page is not None:
            self.bytes -= page.size


shelf = Shelf()


class ReadyPages:
    """
    The middleware. Stands inside the two that compress and answer If-None-Match, and outside all others.

    Those two find a ready page with coding and ETag set, and so do the same for ready and for freshly made pages.
    """

    # One for the process: its threads share it.
    shelf = shelf

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        codings = codings_for(meta.get("HTTP_ACCEPT_ENCODING", "")[:200])
        # What is squeezed for one visitor alone is squeezed small: the link is what is slow.
        meta["HTTP_ACCEPT_ENCODING"] = codings.small
        if request.method not in ("GET", "HEAD") or is_personal(request):
            return self._make(request)
        address = (request.scheme or "", meta.get("HTTP_HOST", ""), request.path, meta.get("QUERY_STRING", ""))
        now = time.monotonic()
        catalogue = _believed_catalogue()
        page = self.shelf.take(address)
        if page is not None and page.is_good(catalogue.edition if catalogue else None, now):
            return page.answer(codings, now)
        response = self._make(request)
        good_for = seconds_to_keep(response)
        if catalogue is None or not good_for:
            return response
        # Also where it gets no place yet: its tag must be the one that it will have there.
        page = ReadyPage(
            response,  # type: ignore[arg-type]
            good_for=good_for,
            edition=catalogue.edition,
            made_at=now,
            ends_at=catalogue.ends_at,
        )
        if self.shelf.wants(address):
            page.copy_headers(response)  # type: ignore[arg-type]
            self.shelf.put(address, page)
        return page.answer(codings, now, response)  # type: ignore[arg-type]

    def _make(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", NOT_TO_KEEP)
        return response


def seconds_to_keep(response: HttpResponseBase) -> int:
    """Return how long `response` says that a shared cache may keep it; 0 where it is not the same whoever asks."""
    if response.status_code != 200 or response.streaming or response.cookies or "Content-Encoding" in response.headers:
        return 0
    if len(response.content) > MAX_PAGE_BYTES:  # type: ignore[attr-defined]
        return 0
    return _seconds_to_keep(response.headers.get("Cache-Control", ""), response.headers.get("Vary", ""))


@lru_cache(maxsize=256)
def _seconds_to_keep(control: str, vary: str) -> int:
    if "public" not in _words(control) or not _words(vary) <= {"cookie", "accept-encoding"}:
        return 0
    return get_max_age(HttpResponse(headers={"Cache-Control": control})) or 0


def _words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",") if word.strip()}


@lru_cache(maxsize=256)
def codings_for(accept_encoding: str) -> Codings:
    """Return what an Accept-Encoding header allows."""
    allowed = set()
    for part in accept_encoding.lower().split(","):
        coding, _, quality = part.partition(";")
        try:
            if float(quality.strip().removeprefix("q=") or 1) > 0:
                allowed.add(coding.strip())
        except ValueError:
            continue
    small = next((coding for coding in ("br", "gzip") if coding in allowed), "identity")
    return Codings(small, "zstd" if "zstd" in allowed else small)


# Until when (time.monotonic) the database counts as away: asking in vain may take seconds, which each page would pay.
_away_until = 0.0


def forget_absence() -> None:
    """Let the next page ask the database, also where it was away just now."""
    global _away_until
    _away_until = 0.0


def _believed_catalogue() -> Catalogue | None:
    global _away_until
    if time.monotonic() < _away_until:
        return None
    try:
        return current_catalogue()
    except django.db.Error:
        _away_until = time.monotonic() + VERSION_IS_FRESH
        return None
