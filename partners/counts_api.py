"""Counts for programs: send up to 210,000 lines, see how far they are, and read why lines were refused."""

from __future__ import annotations

from typing import Any, BinaryIO, cast
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django_q.tasks import async_task
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from api.credentials import credentials_of
from api.deeds import DeedDoor
from api.examples import shown_as
from api.pagination import Key
from api.problems import WrongParameters
from api.reasons import only_these
from api.rendering import answer
from api.resources import Resource
from api.views import DetailDoor, ListDoor
from partners import counts
from partners.api_examples import COUNT, REFUSAL
from partners.callers import caller_of
from partners.count_lines import MEDIA_TYPES, MOST_LINES, BrokenBody
from partners.count_models import CountRefusal, StockCount
from partners.keys import KeyInUse
from partners.uploads import Upload, receive
from stores.loading.stock import MOST_ON_HAND

# What is not larger, unpacked, is dealt with while the caller waits: some thousand lines.
AT_ONCE_BYTES = 100_000
REFUSALS_AT_ONCE = 1000


@shown_as(REFUSAL)
class CountRefusalResource(Resource):
    line = serializers.IntegerField(
        help_text="of the body; in a JSON array the number of the element; from 1, 0 for the whole"
    )
    field = serializers.CharField(help_text="empty where the whole line is meant")
    reason = serializers.CharField(help_text="in the language of Accept-Language when it was sent")


@shown_as(COUNT)
class StockCountResource(Resource):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(StockCount.State.choices)
    mode = serializers.ChoiceField(StockCount.Mode.choices)
    is_applied = serializers.BooleanField(
        help_text="whether anything of it counts: not where all or nothing was nothing"
    )
    lines = serializers.IntegerField(help_text="lines that were read")
    written = serializers.IntegerField(help_text="of these, how many are dealt with so far")
    opened = serializers.IntegerField(help_text="shelves that were not known before")
    changed = serializers.IntegerField(help_text="shelves with another number than was known")
    unchanged = serializers.IntegerField(help_text="shelves found as they were known, or sent before")
    outdated = serializers.IntegerField(help_text="left out, since a newer count of the shelf is known")
    refused = serializers.IntegerField(help_text="lines that were left out for what is wrong with them")
    received_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    refusals = serializers.SerializerMethodField(
        help_text=f"why lines were left out, the first {REFUSALS_AT_ONCE}; all of them at the address …/refusals"
    )

    def get_refusals(self, count: StockCount) -> list[dict[str, Any]]:
        return [CountRefusalResource.tell(refusal) for refusal in count.refusals.all()[:REFUSALS_AT_ONCE]]


_LINE = {"outlet": "130121100-01", "phone": "uniscope-y401", "on_hand": 7, "counted_at": "2026-11-22T01:30:00Z"}


@shown_as(_LINE)
class CountLineForm(serializers.Serializer):
    """One line, for the description alone: `partners.count_lines` reads them."""

    outlet = serializers.CharField(help_text="the code of an outlet")
    phone = serializers.CharField(help_text="the slug of a phone")
    on_hand = serializers.IntegerField(min_value=0, max_value=MOST_ON_HAND, help_text="how many stand on the shelf")
    counted_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="when it was counted, without a zone by the clock of Asia/Shanghai; when it is received, without it",
    )


_CSV = "outlet,phone,on_hand,counted_at\n130121100-01,uniscope-y401,7,2026-11-22T01:30:00Z\n"
_NDJSON = '{"outlet":"130121100-01","phone":"uniscope-y401","on_hand":7,"counted_at":"2026-11-22T01:30:00Z"}\n'
_JSON_BODY: serializers.ListSerializer = serializers.ListSerializer(child=CountLineForm(), max_length=MOST_LINES)
_TEXT_BODY = {"type": "string"}


class StockCountList(DeedDoor):
    scope = "stock:write"
    parameters_to_change = (
        OpenApiParameter(
            "mode",
            {"type": "string", "enum": list(StockCount.Mode.values), "default": StockCount.Mode.PARTIAL},
            description="Whether lines that are right count where others are refused.",
        ),
    )
    upload: Upload

    @extend_schema(
        tags=["stock"],
        summary="Send counts",
        description=f"Up to {MOST_LINES:,} lines as a JSON array, as NDJSON or as CSV with a header, gzip or not. A "
        f"body of up to {AT_ONCE_BYTES:,} bytes (unpacked) is dealt with at once; a larger one is taken in, and a "
        "worker writes it. A count is what stood on the shelf at `counted_at`; what moved since is added to it. An "
        "older count never replaces a newer one, and one that is sent again changes nothing. Lines of outlets or "
        "phones that the key does not reach are refused.",
        request={
            MEDIA_TYPES["json"]: _JSON_BODY,
            MEDIA_TYPES["ndjson"]: OpenApiRequest(_TEXT_BODY, examples=[OpenApiExample("NDJSON", _NDJSON)]),
            MEDIA_TYPES["csv"]: OpenApiRequest(_TEXT_BODY, examples=[OpenApiExample("CSV", _CSV)]),
        },
        responses={
            200: StockCountResource,
            202: OpenApiResponse(StockCountResource, description="Taken in; Location says where to ask how far it is."),
        },
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().post(request, *args, **kwargs)

    def receive(self, request: Request) -> bytes:
        self.upload = receive(request)
        return self.upload.digest

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        count = StockCount(
            partner=caller_of(request).partner,
            api_key=cast(KeyInUse, credentials_of(request)).record(),
            state=StockCount.State.RUNNING,
            mode=_mode(request),
            media_type=_media_type(request),
            language=translation.get_language(),
            received_at=timezone.now(),
        )
        address = reverse("api:stock_count", args=[count.pk])
        file = cast(BinaryIO, self.upload.file)
        if self.upload.plain_bytes > AT_ONCE_BYTES:
            count.state = StockCount.State.WAITING
            counts.keep(count, file)
            # It goes by the clock, too, if this one gets lost.
            async_task("partners.counts.deal_with_waiting")
            return answer(StockCountResource.tell(count), 202, Location=address)
        try:
            with transaction.atomic():
                count.save(force_insert=True)
                counts.deal_with(count, file)
        except BrokenBody as broken:
            raise ParseError(str(broken)) from None
        return answer(StockCountResource.tell(count), Location=address)


@extend_schema(tags=["stock"], summary="How far counts are", description="Uploads of the partner, for 30 days.")
class StockCountDetail(DetailDoor):
    scope = "stock:write"
    serializer_class = StockCountResource

    def find(self, code: str) -> StockCount:
        return _own(self.request, code)


@extend_schema(tags=["stock"], summary="Why lines were left out", description="In the order of the lines.")
class StockCountRefusals(ListDoor):
    scope = "stock:write"
    serializer_class = CountRefusalResource
    order = (Key("seq", int),)

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return CountRefusal.objects.none()
        return _own(self.request, self.kwargs["code"]).refusals.all()


def _own(request: Request, code: str) -> StockCount:
    try:
        return StockCount.objects.get(pk=UUID(code), partner=caller_of(request).partner)
    except (ValueError, StockCount.DoesNotExist):
        raise Http404 from None


def _mode(request: Request) -> str:
    mode = request.query_params.get("mode", StockCount.Mode.PARTIAL)
    if mode not in StockCount.Mode.values:
        raise WrongParameters({"mode": only_these(StockCount.Mode.values)})
    return mode


def _media_type(request: Request) -> str:
    sent = str(request.content_type or "").partition(";")[0].strip().lower()
    if sent not in MEDIA_TYPES.values():
        raise UnsupportedMediaType(sent)
    return sent
