"""Ways out for text messages. Which one is taken is a setting."""

from __future__ import annotations

import fcntl
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from django.conf import settings

from orders.messages.segments import count_segments
from orders.mobiles import mask_mobile


class Sms(NamedTuple):
    """One message to one customer. `out_id` is the same at every attempt; `template` and `facts` say what `words`."""

    out_id: str
    mobile: str
    words: str
    template: str
    facts: dict[str, str]
    created_at: datetime


class SendFailed(Exception):
    """The message was not taken. `lasting`: trying again would not help."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(reason)


class Backend(Protocol):
    def send(self, sms: Sms) -> str:
        """Hand over a message and return the receipt. Raise SendFailed."""

    def find(self, sms: Sms) -> str | None:
        """Return the receipt of a message if an attempt whose answer was lost had handed it over. Raise SendFailed."""


class FileBackend:
    """Messages as lines of JSON in a file, for the demo."""

    def __init__(self) -> None:
        self.path = Path(settings.SMS_FILE)

    def send(self, sms: Sms) -> str:
        self.path.parent.mkdir(exist_ok=True)
        record = {
            "out_id": sms.out_id,
            "mobile": sms.mobile,
            "words": sms.words,
            "segments": count_segments(sms.words),
            "created_at": sms.created_at.isoformat(),
        }
        with self.path.open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
        return sms.out_id

    def find(self, sms: Sms) -> str | None:
        return next((sms.out_id for record in read_file(self.path) if record["out_id"] == sms.out_id), None)


def read_file(path: Path) -> list[dict[str, str]]:
    """Return what FileBackend wrote to `path`, oldest first. A line that a killed writer left half is passed over."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


class ConsoleBackend:
    """Messages on the terminal, with the number masked."""

    def send(self, sms: Sms) -> str:
        sys.stdout.write(f"SMS {sms.out_id} to {mask_mobile(sms.mobile)}: {sms.words}\n")
        sys.stdout.flush()
        return sms.out_id

    def find(self, sms: Sms) -> str | None:
        return None
