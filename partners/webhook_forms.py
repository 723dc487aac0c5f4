"""What a partner may send about webhooks."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from api.examples import shown_as
from api.forms import Choice, Form, Words
from events.models import Type
from partners.api_examples import EVENT, WEBHOOK_FORM
from partners.feed import types_for
from partners.webhook_addresses import BadAddress, parse, refuse_private_name
from partners.webhook_models import LONGEST_URL, Webhook
from stores.models import Outlet

MOST_OUTLETS = 1000


@shown_as(WEBHOOK_FORM)
class WebhookForm(Form):
    url = Words(max_length=LONGEST_URL, help_text="where to, as https://example.com/cunpu; no private network")
    types = serializers.ListField(
        child=Choice(Type.values), required=False, default=list, max_length=len(Type.values),
        help_text="only these; all that the scopes of the key allow, where there are none",
    )  # fmt: skip
    outlets = serializers.ListField(
        child=Words(max_length=20), required=False, default=list, max_length=MOST_OUTLETS,
        help_text="only what happens at these, by their codes; at all that the key reaches, where there are none",
    )  # fmt: skip

    def validate_url(self, url: str) -> str:
        try:
            refuse_private_name(parse(url))
        except BadAddress as refused:
            raise serializers.ValidationError(str(refused)) from None
        return url

    def validate_types(self, types: list[str]) -> list[str]:
        if missing := sorted(set(types) - set(types_for(self.context["reader"]))):
            told = _("The key lacks the scope for these: %(names)s.") % {"names": ", ".join(missing)}
            raise serializers.ValidationError(told)
        return list(dict.fromkeys(types))

    def validate_outlets(self, codes: list[str]) -> list[str]:
        reached = Outlet.objects.reached_by(self.context["credentials"]).filter(code__in=codes)
        if missing := sorted(set(codes) - set(reached.values_list("code", flat=True))):
            raise serializers.ValidationError(_("We have no shop of this code: %(code)s.") % {"code": missing[0]})
        return list(dict.fromkeys(codes))


@shown_as({"state": "active"})
class WebhookChangeForm(WebhookForm):
    """Any of the fields, and whether it is active."""

    state = Choice(Webhook.State.values, help_text="what waits is sent when it is active again")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, partial=True, **options)


@shown_as({"after": EVENT["id"]})
class ReplayForm(Form):
    after = Words(max_length=40, help_text="a cursor of the feed, or the id of the last event that is not sent again")


@shown_as({})
class EmptyForm(Form):
    """Nothing needs to be said."""
