"""
Text messages by Alibaba Cloud (Short Message Service, API version 2017-05-25), through its official library.

Carriers in China take registered templates only: ALIYUN_SMS_TEMPLATES names one for each kind of message and language,
with the same words and facts as `orders.messages.texts`. The gateway does not refuse the same OutId twice, so whoever
does not know the end of an attempt looks for it among the messages sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.models import Config
from darabonba.runtime import RuntimeOptions
from django.conf import settings
from django.utils import timezone

from orders.messages.backends import SendFailed, Sms

PAGE_SIZE = 50
# Trying again does not help: the number is none, or its owner wants no messages.
LASTING = {"isv.MOBILE_NUMBER_ILLEGAL", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.BLACK_KEY_CONTROL_LIMIT"}


class AliyunBackend:
    def __init__(self) -> None:
        endpoint = urlsplit(settings.ALIYUN_SMS_ENDPOINT, scheme="https")
        self.client = Client(
            Config(
                access_key_id=settings.ALIYUN_ACCESS_KEY_ID,
                access_key_secret=settings.ALIYUN_ACCESS_KEY_SECRET,
                endpoint=endpoint.netloc or endpoint.path,
                protocol=endpoint.scheme,
            )
        )
        # The outbox tries again, and asks first what became of the last attempt.
        self.options = RuntimeOptions(autoretry=False, connect_timeout=5_000, read_timeout=10_000)

    def send(self, sms: Sms) -> str:
        template = settings.ALIYUN_SMS_TEMPLATES.get(sms.template)
        if template is None:
            raise SendFailed(f"ALIYUN_SMS_TEMPLATES names no template for {sms.template}")
        request = models.SendSmsRequest(
            phone_numbers=sms.mobile.removeprefix("+86"),
            sign_name=settings.SMS_SIGNATURE,
            template_code=template,
            # The signature is put in front by the gateway.
            template_param=json.dumps(sms.facts | {"sign": ""}, ensure_ascii=False),
            out_id=sms.out_id,
        )
        answer = self._ask(self.client.send_sms_with_options, request)
        return str(answer.biz_id or sms.out_id)

    def find(self, sms: Sms) -> str | None:
        return next((sms.out_id for sent in self._sent(sms) if sent.out_id == sms.out_id), None)

    def _sent(self, sms: Sms) -> Iterator[Any]:
        """Yield what the gateway has sent to this number since the message was written, day by day."""
        day, today = timezone.localdate(sms.created_at), timezone.localdate()
        while day <= today:
            page, more = 1, True
            while more:
                request = models.QuerySendDetailsRequest(
                    phone_number=sms.mobile.removeprefix("+86"),
                    send_date=day.strftime("%Y%m%d"),
                    page_size=PAGE_SIZE,
                    current_page=page,
                )
                answer = self._ask(self.client.query_send_details_with_options, request)
                found = (answer.sms_send_detail_dtos and answer.sms_send_detail_dtos.sms_send_detail_dto) or []
                yield from found
                more = bool(found) and page * PAGE_SIZE < int(answer.total_count or 0)
                page += 1
            day += timedelta(days=1)

    def _ask(self, call: Any, request: Any) -> Any:
        try:
            answer = call(request, self.options).body
        except Exception as error:  # The library lets its transport's and its own exceptions through, without one root.
            raise SendFailed(f"{type(error).__name__}: {error}") from error
        if answer.code != "OK":
            raise SendFailed(f"{answer.code}: {answer.message}", lasting=answer.code in LASTING)
        return answer
