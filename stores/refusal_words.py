"""Why stock was refused, in the words of the counter: which phone or number, why, and where it is."""

from __future__ import annotations

from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from stores.models import Transfer
from stores.refusals import (
    MoreThanWasSent,
    NotOnShelf,
    NumberNeeded,
    OperationKeyReused,
    OutOfStock,
    PhoneNeeded,
    Shortage,
    StockRefusal,
    TransferNotPossible,
    UnitNumberInvalid,
    UnitRefused,
)
from stores.unit_words import invalid_in_words, problems_in_words


def in_words(refusal: StockRefusal) -> str:
    """Return a refusal as one or more sentences in the active language. A query for the outlets that it names."""
    match refusal:
        case UnitRefused():
            return " ".join(problems_in_words(refusal.problems))
        case UnitNumberInvalid():
            return f"{refusal.number[:40]}: {invalid_in_words(refusal)}"
        case OutOfStock():
            return _shortages(_("%(phone)s: %(wanted)d asked for, %(left)d not promised to customers."), refusal)
        case NotOnShelf():
            return _shortages(_("%(phone)s: %(wanted)d to be taken away, %(left)d on the shelf."), refusal)
        case MoreThanWasSent():
            return _shortages(_("%(phone)s: %(wanted)d arrived, but only %(left)d were sent."), refusal)
        case TransferNotPossible():
            return _("This transfer is %(state)s.") % {"state": Transfer.State(refusal.state).label}
        case PhoneNeeded():
            return _("%(number)s is not on record. Choose which phone it is.") % {"number": refusal.number}
        case NumberNeeded():
            phone = current_catalogue().by_id.get(refusal.phone_id)
            known = {"phone": phone.name if phone else "", "numbers": _(", ").join(refusal.numbers)}
            return _("%(phone)s is known here by its numbers: scan the one that leaves. Here: %(numbers)s.") % known
        case OperationKeyReused():
            return _("This form has been sent before, with something else in it. Look at the ledger and begin anew.")
    return str(refusal)


def _shortages(sentence: str, refusal: OutOfStock | NotOnShelf | MoreThanWasSent) -> str:
    return " ".join(_shortage(sentence, short) for short in refusal.shortages)


def _shortage(sentence: str, short: Shortage) -> str:
    phones = current_catalogue().by_id
    name = phones[short.phone_id].name if short.phone_id in phones else ""
    return sentence % {"phone": name, "wanted": short.wanted, "left": short.left}
