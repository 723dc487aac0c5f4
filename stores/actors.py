"""Who did something, as the ledger keeps it: one text, "kind:id"."""

from __future__ import annotations

KINDS = ("person", "partner", "customer", "system")
PATTERN = rf"^({'|'.join(KINDS)}):.+$"


def actor(kind: str, name: object) -> str:
    """Return the actor `name` of one of the KINDS; raise ValueError for another kind or no name."""
    if kind not in KINDS or not str(name):
        raise ValueError(f"{kind!r}:{name!r} is nobody who could do something")
    return f"{kind}:{name}"
