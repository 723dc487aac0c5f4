"""Accepting what is proposed against running out: a transfer is asked for, an order to the supplier is noted."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from office.models import Proposal
from stores import transfers
from stores.ledger import Act
from stores.models import Person


class ProposalGone(Exception):
    """There is no such proposal any more: it was made anew meanwhile."""

    def __str__(self) -> str:
        return _("This was worked out anew meanwhile. Look at the list as it is now.")


@transaction.atomic
def accept(proposal_id: int, person: Person) -> Proposal:
    """
    Carry a proposal out for `person`, who may have stock moved there; accepted before, it is returned as it is.

    A transfer is requested, and its sender agrees to it at the desk as to any other. Raises ProposalGone.
    """
    proposal = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
    if proposal is None:
        raise ProposalGone
    if proposal.accepted_at is None:
        if proposal.sender_id is not None:
            act = Act(f"proposal:{proposal.pk}", person.actor)
            wanted = {proposal.phone_id: proposal.quantity}
            proposal.transfer = transfers.request(proposal.sender_id, proposal.receiver_id, wanted, act)
        proposal.accepted_at, proposal.accepted_by = timezone.now(), person.actor
        proposal.save(update_fields=["transfer", "accepted_at", "accepted_by"])
    return proposal
