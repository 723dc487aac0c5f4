"""The real gateway's official library, talking to a stand-in of the gateway on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from orders.messages import outbox
from orders.models import Order
from tests.order_factories import create_order


class Gateway:
    """Answers as the Short Message Service does. `outcomes` are what the next requests to send get instead."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.outcomes: list[str] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                gateway.headers.append(dict(self.headers))
                answer = gateway.answer(self.headers["x-acs-action"], query)
                if answer is None:
                    self.connection.close()
                    return
                status, body = answer
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, action: str, query: dict[str, str]) -> tuple[int, dict[str, Any]] | None:
        self.asked.append(action)
        if action == "QuerySendDetails":
            found = [
                {"OutId": sms["OutId"], "SendStatus": 3, "PhoneNum": sms["PhoneNumbers"]}
                for sms in self.sent
                if sms["PhoneNumbers"] == query["PhoneNumber"]
            ]
            return 200, {"Code": "OK", "Message": "OK", "TotalCount": str(len(found)),
                         "SmsSendDetailDTOs": {"SmsSendDetailDTO": found}}  # fmt: skip
        outcome = self.outcomes.pop(0) if self.outcomes else "OK"
        if outcome in ("OK", "lost answer"):
            self.sent.append(query)
        if outcome == "lost answer":
            return None
        if outcome == "500":
            return 500, {"Code": "InternalError", "Message": "try later"}
        return 200, {"Code": outcome, "Message": outcome, "BizId": "9006", "RequestId": "1"}


@pytest.fixture
def gateway(settings) -> Iterator[Gateway]:
    gateway = Gateway()
    thread = threading.Thread(target=gateway.server.serve_forever, daemon=True)
    thread.start()
    settings.SMS_BACKEND = "aliyun"
    settings.ALIYUN_ACCESS_KEY_ID, settings.ALIYUN_ACCESS_KEY_SECRET = "an id", "a secret"
    settings.ALIYUN_SMS_ENDPOINT = gateway.address
    settings.ALIYUN_SMS_TEMPLATES = {"placed.zh-hans": "SMS_1", "placed.en": "SMS_2"}
    yield gateway
    gateway.server.shutdown()
    gateway.server.server_close()


pytestmark = pytest.mark.django_db


def later() -> None:
    outbox.send_due(now=timezone.now() + timedelta(hours=2))


def test_sends_the_registered_template_with_its_facts(gateway: Gateway):
    order = create_order()

    outbox.send_due()

    (sms,) = gateway.sent
    facts = json.loads(sms["TemplateParam"])
    assert (sms["PhoneNumbers"], sms["SignName"], sms["TemplateCode"]) == (order.mobile[3:], "村铺", "SMS_1")
    assert (facts["code"], facts["number"], facts["outlet"]) == (order.pickup_code, order.number, order.outlet.name_zh)
    message = order.messages.get()
    assert (message.state, message.receipt, sms["OutId"]) == ("sent", "9006", message.out_id)
    assert "a secret" not in str(gateway.headers)
    assert gateway.headers[0]["Authorization"].startswith("ACS3-HMAC-SHA256 Credential=an id,")


def test_uses_the_template_of_the_language(gateway: Gateway):
    create_order(language="en")

    outbox.send_due()

    assert gateway.sent[0]["TemplateCode"] == "SMS_2"


@pytest.mark.parametrize("outcome", ["isv.BUSINESS_LIMIT_CONTROL", "isp.RAM_PERMISSION_DENY", "500"])
def test_tries_again_when_the_gateway_cannot_now(gateway: Gateway, outcome: str):
    gateway.outcomes = [outcome]
    order = create_order()

    outbox.send_due()
    message = order.messages.get()
    assert message.state == "waiting"
    assert outcome in message.error

    later()
    message.refresh_from_db()
    assert (message.state, message.attempts, len(gateway.sent)) == ("sent", 2, 1)


def test_does_not_send_twice_when_the_answer_was_lost(gateway: Gateway):
    gateway.outcomes = ["lost answer"]
    order = create_order()

    outbox.send_due()
    assert order.messages.get().state == "waiting"
    later()

    assert order.messages.get().state == "sent"
    assert len(gateway.sent) == 1
    assert gateway.asked == ["SendSms", "QuerySendDetails"]


def test_gives_up_on_a_number_that_is_none(gateway: Gateway):
    gateway.outcomes = ["isv.MOBILE_NUMBER_ILLEGAL"]
    order = create_order()

    outbox.send_due()

    assert order.messages.get().state == "given_up"


def test_says_which_template_is_missing(gateway: Gateway, settings):
    settings.ALIYUN_SMS_TEMPLATES = {}
    order = create_order()

    outbox.send_due()

    assert order.messages.get().error == "ALIYUN_SMS_TEMPLATES names no template for placed.zh-hans"
    assert gateway.asked == []


def test_a_gateway_out_of_reach_leaves_no_number_behind(gateway: Gateway, settings, caplog):
    settings.ALIYUN_SMS_ENDPOINT = "http://127.0.0.1:9"
    order = create_order()

    outbox.send_due()

    message = Order.objects.get(pk=order.pk).messages.get()
    assert message.state == "waiting"
    assert message.error
    assert order.mobile[3:] not in message.error + caplog.text
