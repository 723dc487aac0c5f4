"""
The second step of signing in, for who wants it: a code of six digits from an app on one's telephone (TOTP, RFC 6238).

django-otp keeps the secret, lets each code through once, and makes whoever guesses wait longer each time.
"""

from __future__ import annotations

from base64 import b32encode
from typing import NamedTuple

import segno
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_totp.models import TOTPDevice

from stores.models import Person


class Secret(NamedTuple):
    """A secret to put into the app: as a picture for its camera, and as letters to type, four by four."""

    picture: SafeString
    letters: str


def is_wanted(person: Person) -> bool:
    """Whether this person's sign-in has a second step."""
    return TOTPDevice.objects.filter(user=person, confirmed=True).exists()


def prepare(person: Person) -> Secret:
    """Return the secret that `confirm` then waits for a code of; the same until that."""
    device, _created = TOTPDevice.objects.get_or_create(user=person, confirmed=False, defaults={"name": "app"})
    letters = b32encode(device.bin_key).decode().rstrip("=")
    picture = segno.make(device.config_url, micro=False).svg_inline(
        border=4, light="#fff", svgclass="qr", omitsize=True
    )
    return Secret(mark_safe(picture), " ".join(letters[at : at + 4] for at in range(0, len(letters), 4)))  # noqa: S308


@transaction.atomic
def confirm(person: Person, code: int) -> bool:
    """Let the second step begin, if `code` shows that the app has the prepared secret."""
    device = TOTPDevice.objects.select_for_update().filter(user=person, confirmed=False).first()
    if device is None or not device.verify_token(code):
        return False
    TOTPDevice.objects.filter(user=person, confirmed=True).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return True


@transaction.atomic
def passes(person: Person, code: int) -> bool:
    """Whether `code` is what the person's app shows now. Locked, so that one code lets one session in."""
    device = TOTPDevice.objects.select_for_update().filter(user=person, confirmed=True).first()
    return device is not None and device.verify_token(code)


def give_up(person: Person) -> None:
    """Let the password be enough again."""
    TOTPDevice.objects.filter(user=person).delete()
