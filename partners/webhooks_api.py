"""Webhooks for programs: subscribe, read, change, delete, renew the secret, see deliveries, replay, ping."""

from __future__ import annotations

import json
from typing import Any

import django_filters
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request

from api.deeds import DeedDoor, refuse_coded, refuse_long
from api.examples import shown_as
from api.forms import Form
from api.pagination import Key
from api.parameters import Filters
from api.problems import Refusal
from api.rendering import answer, as_json
from api.resources import Resource
from api.views import DetailDoor, ListDoor
from events.feed import Place
from events.models import Type
from partners import feed, webhooks
from partners.api_examples import DELIVERY, WEBHOOK, WEBHOOK_WITH_SECRET
from partners.callers import caller_of
from partners.models import Delivery, Webhook
from partners.webhook_forms import EmptyForm, ReplayForm, WebhookChangeForm, WebhookForm
from partners.webhook_models import PING
from partners.webhook_secrets import secret_of

MOST_BYTES = 50_000


@shown_as(WEBHOOK)
class WebhookResource(Resource):
    code = serializers.CharField()
    url = serializers.CharField()
    types = serializers.ListField(child=serializers.ChoiceField(Type.values), help_text="empty: all")
    outlets = serializers.ListField(child=serializers.CharField(), help_text="empty: all that the key reached")
    state = serializers.ChoiceField(Webhook.State.choices)
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_because = serializers.ChoiceField(
        ["", *Webhook.Reason.values],
        help_text="`asked`: by you; `failing`: for three days; `gone`: the receiver answered 410; `events_forgotten`: "
        "it was behind for longer than events are kept",
    )
    failures = serializers.IntegerField(help_text="attempts that failed one after the other")
    old_secret_until = serializers.DateTimeField(allow_null=True, help_text="until then the old secret signs, too")
    created_at = serializers.DateTimeField()


@shown_as(WEBHOOK_WITH_SECRET)
class WebhookWithSecret(WebhookResource):
    secret = serializers.CharField(help_text="shown this once; for a library of Standard Webhooks")


@shown_as(DELIVERY)
class DeliveryResource(Resource):
    event = serializers.CharField(source="message_id", help_text="the id of the event, and of the header `webhook-id`")
    type = serializers.ChoiceField([*Type.values, PING])
    state = serializers.ChoiceField(Delivery.State.choices)
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    last_attempt_at = serializers.DateTimeField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True, source="comes_again_at")
    delivered_at = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="of the last answer; null without one")
    error = serializers.CharField(help_text="why the last attempt failed, in a few words")
    duration_ms = serializers.IntegerField(allow_null=True, help_text="how long the last attempt took")


def _find(request: Request, code: str) -> Webhook:
    webhook = webhooks.webhooks_of(caller_of(request)).filter(code=code).first()
    if webhook is None:
        raise Http404
    return webhook


def _read(form_class: type[Form], request: Request) -> Any:
    credentials = caller_of(request).credentials
    return form_class.read(request.data, credentials=credentials, reader=credentials)


def _with_secret(request: Request, response: HttpResponse) -> HttpResponse:
    """Put the secret into an answer that went well. The answer that is kept for repeated requests has none."""
    if response.status_code < 300:
        told = json.loads(response.content)
        told["secret"] = secret_of(_find(request, told["code"]))
        response.content = as_json(told)
    return response


@extend_schema_view(
    get=extend_schema(
        tags=["webhooks"], summary="Webhooks", description="Those of the partner within the key's reach."
    ),
    post=extend_schema(
        tags=["webhooks"],
        summary="Subscribe",
        description="From now on every event that the key may read is sent there, of one outlet in order. The answer "
        "shows the secret, this once. A key that ends does not end the webhook, as long as the partner has another one "
        "with this scope.",
        request=WebhookForm,
        responses={201: WebhookWithSecret},
    ),
)
class WebhookList(ListDoor, DeedDoor):
    scope = "webhooks:manage"
    serializer_class = WebhookResource
    order = (Key("code", str),)
    most_bytes = MOST_BYTES

    def get_queryset(self) -> Any:
        return webhooks.webhooks_of(caller_of(self.request))

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return _with_secret(request, super().post(request, *args, **kwargs))

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = _read(WebhookForm, request)
        try:
            webhook = webhooks.subscribe(caller_of(request), **asked)
        except webhooks.TooManyWebhooks:
            most = webhooks.MOST_WEBHOOKS
            raise Refusal("too-many-webhooks", _("At most %(most)d are possible.") % {"most": most}) from None
        address = reverse("api:webhook", args=[webhook.code])
        return answer(WebhookResource.tell(webhook), 201, Location=address)


@extend_schema_view(
    get=extend_schema(tags=["webhooks"], summary="A webhook"),
    patch=extend_schema(
        tags=["webhooks"],
        summary="Change a webhook",
        description="What is not named stays. Active again, it goes on where it stood, with all that happened "
        "meanwhile and is still kept.",
        request=WebhookChangeForm,
        responses={200: WebhookResource},
    ),
    delete=extend_schema(tags=["webhooks"], summary="Delete a webhook", responses={204: None}),
)
class WebhookDetail(DetailDoor):
    scope = "webhooks:manage"
    serializer_class = WebhookResource

    def find(self, code: str) -> Webhook:
        return _find(self.request, code)

    def patch(self, request: Request, code: str, *args: Any, **kwargs: Any) -> HttpResponse:
        refuse_coded(request)
        refuse_long(request, MOST_BYTES)
        webhook = _find(request, code)
        return answer(WebhookResource.tell(webhooks.change(webhook, **_read(WebhookChangeForm, request))))

    def delete(self, request: Request, code: str, *args: Any, **kwargs: Any) -> HttpResponse:
        _find(request, code).delete()
        return HttpResponse(status=204)


@extend_schema_view(
    post=extend_schema(
        tags=["webhooks"],
        summary="Renew the secret",
        description="The answer shows the new secret, this once. For 24 hours the old one signs, too, so that "
        "receivers can change over in their own time.",
        request=EmptyForm,
        responses={200: WebhookWithSecret},
    )
)
class WebhookSecret(DeedDoor):
    scope = "webhooks:manage"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return _with_secret(request, super().post(request, *args, **kwargs))

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        _read(EmptyForm, request)
        return answer(WebhookResource.tell(webhooks.rotate_secret(_find(request, kwargs["code"]))))


class DeliveryFilters(Filters):
    state = django_filters.ChoiceFilter(choices=Delivery.State.choices)

    described = {
        "state": {
            "description": "Only deliveries in this state.",
            "schema": {"type": "string", "enum": list(Delivery.State.values)},
        }
    }


@extend_schema(
    tags=["webhooks"],
    summary="Deliveries",
    description="What was sent or waits, the oldest first; kept as long as events are. At most 500 wait, more follows "
    "from the feed.",
)
class DeliveryList(ListDoor):
    scope = "webhooks:manage"
    serializer_class = DeliveryResource
    filterset_class = DeliveryFilters
    order = (Key("id", int),)

    def get_queryset(self) -> Any:
        return _find(self.request, self.kwargs["code"]).deliveries.all()


@extend_schema_view(
    post=extend_schema(
        tags=["webhooks"],
        summary="Replay",
        description="Sends everything after a place of the feed once more, in order. The ids are those of the first "
        "time: a receiver that keeps them sees what it has already.",
        request=ReplayForm,
        responses={200: WebhookResource},
    )
)
class WebhookReplay(DeedDoor):
    scope = "webhooks:manage"

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        webhook, after = _find(request, kwargs["code"]), _read(ReplayForm, request)["after"]
        try:
            webhooks.replay(webhook, Place.of(after))
        except feed.ForgottenEvents:
            raise Refusal("events-forgotten") from None
        except (ValueError, feed.UnknownPlace):
            raise serializers.ValidationError({"after": [_("This webhook has not been there.")]}) from None
        return answer(WebhookResource.tell(_find(request, webhook.code)))


@extend_schema_view(
    post=extend_schema(
        tags=["webhooks"],
        summary="Ping",
        description="Sends an event of the type webhook.ping, once, also while it is disabled. The deliveries tell "
        "what became of it.",
        request=EmptyForm,
        responses={202: DeliveryResource},
    )
)
class WebhookPing(DeedDoor):
    scope = "webhooks:manage"

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        _read(EmptyForm, request)
        delivery = webhooks.ping(_find(request, kwargs["code"]))
        address = reverse("api:webhook_deliveries", args=[kwargs["code"]])
        return answer(DeliveryResource.tell(delivery), 202, Location=address)
