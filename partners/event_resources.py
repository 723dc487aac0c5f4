"""How an event is told, in the feed and to webhooks alike."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiWebhook, extend_schema, extend_schema_field
from rest_framework import serializers

from api.resources import MONEY_SCHEMA, Resource
from events.models import Type
from partners.api_examples import EVENT
from partners.webhook_models import PING

_TEXT = {"type": "string"}
_COUNT = {"type": ["integer", "null"]}
_DATA: dict[str, Any] = {
    "type": "object",
    "description": "stock.*: levels; order.*: order, reference, state, moved_to; transfer.*: transfer, state, sender, "
    "receiver, lines; outlet.*: state; price.*: price, ordinary_price, since, until; "
    "phone.*: nothing. Read the thing itself for more.",
    "properties": {
        "levels": {
            "type": "array",
            "description": "phones whose availability changed, and how many can be promised now",
            "items": {
                "type": "object",
                "required": ["phone", "available"],
                "properties": {"phone": _TEXT, "available": {"type": "integer"}},
            },
        },
        "order": {**_TEXT, "description": "the number of the order"},
        "reference": {**_TEXT, "description": "your own name for the order"},
        "state": {**_TEXT, "description": "how it stands since"},
        "moved_to": {"type": ["string", "null"], "description": "the number under which a moved order lives on"},
        "transfer": {"type": "integer"},
        "sender": {**_TEXT, "description": "the code of an outlet"},
        "receiver": {**_TEXT, "description": "the code of an outlet"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "phone": _TEXT, "requested": _COUNT, "sent": _COUNT, "received": _COUNT, "damaged": _COUNT,
                },
            },
        },
        "price": MONEY_SCHEMA,
        "ordinary_price": MONEY_SCHEMA,
        "since": {"type": "string", "format": "date-time", "description": "from when on the phone costs that"},
        "until": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "when it will cost something else, as far as that is planned",
        },
    },
}  # fmt: skip


@extend_schema_field(_DATA)
class DataField(serializers.JSONField):
    """What an event tells beside its outlet and phone, as it is."""


class EventResource(Resource):
    """One thing that happened."""

    id = serializers.CharField(help_text="its place in the feed, never used again; good for `after`")
    type = serializers.ChoiceField([*Type.values, PING], help_text="`webhook.ping` comes to webhooks alone")
    timestamp = serializers.DateTimeField(help_text="when it happened, UTC")
    outlet = serializers.CharField(allow_null=True, help_text="the code of the outlet where it happened")
    phone = serializers.CharField(allow_null=True, help_text="the slug of the phone that it is about")
    data = DataField()  # type: ignore[assignment]  # the framework's own `data` is of whole serializers


EVENT_WEBHOOK = OpenApiWebhook(
    name="event",
    decorator=extend_schema(
        tags=["webhooks"],
        summary="Something changed",
        description="Sent to each webhook, signed by the Standard Webhooks scheme. Answer 2xx within 15 seconds, and "
        "work on it afterwards. Anything else is tried again for three days; 410 disables the webhook.",
        request=EventResource,
        responses={"2XX": None},
        examples=[OpenApiExample("A phone was promised", EVENT)],
    ),
)
