"""What programs are told when something is wrong: always a problem (RFC 9457), in their language, with a way on."""

from __future__ import annotations

from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import PROBLEMS
from api.views import Door
from config import urls
from config.wsgi import application
from tests.factories import create_outlet

pytestmark = pytest.mark.django_db


class _Line(serializers.Serializer):
    phone = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)


class _Form(serializers.Serializer):
    lines = _Line(many=True)


class Taker(Door):
    """A door that takes something, as those will that write."""

    http_method_names = ["post"]
    open_to_all = True

    def post(self, request: Request) -> Response:
        _Form(data=request.data).is_valid(raise_exception=True)
        raise ZeroDivisionError("for programmers")


urlpatterns = [path("api/v1/taker", Taker.as_view()), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.fixture
def careful_client() -> Client:
    return Client(raise_request_exception=False)


def problem(response: HttpResponse, name: str) -> Any:
    """Return the problem of this kind that `response` holds."""
    told = response.json()  # type: ignore[attr-defined]
    assert response["Content-Type"] == "application/problem+json"
    assert told["type"].endswith(f"/api/problems/{name}/"), told
    assert told["status"] == response.status_code == PROBLEMS[name].status
    return told


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ({"path": "/api/v1/nothing"}, "not-found"),
        ({"path": "/api/v1/phones/"}, "not-found"),
        ({"path": "/api/v1/phones/%00"}, "not-found"),
        ({"path": "/api/v1/phones/none"}, "not-found"),
        ({"path": "/api/v1/regions/99"}, "not-found"),
        ({"path": "/api/v1/phones", "REQUEST_METHOD": "DELETE"}, "method-not-allowed"),
        ({"path": "/api/v1/schema/", "REQUEST_METHOD": "POST"}, "method-not-allowed"),
        ({"path": "/api/v1/phones", "HTTP_ACCEPT": "text/html"}, "not-acceptable"),
        ({"path": "/api/v1/phones", "HTTP_HOST": "a b"}, "bad-request"),
        ({"path": "/api/v1/stock"}, "unauthorized"),
    ],
)
def test_each_wrong_call_has_its_problem(client: Client, call: dict[str, Any], name: str) -> None:
    problem(client.get(**call), name)


def test_an_outlet_that_has_closed_is_gone(client: Client) -> None:
    outlet = create_outlet(state="closed")
    problem(client.get(f"/api/v1/outlets/{outlet.code}"), "gone")


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(
    ("body", "media_type", "name"),
    [
        ("{", "application/json", "malformed-body"),
        (b"\xff", "application/json", "malformed-body"),
        ("[" * 10_000, "application/json", "malformed-body"),
        (b"\xef\xbb\xbfnull", "application/json", "invalid-input"),
        ("a=1", "text/csv", "unsupported-media-type"),
        ("null", "application/json", "invalid-input"),
        ('{"lines":[{"phone":"a","quantity":1}]}', "application/json", "internal-error"),
    ],
)
def test_whatever_is_in_a_body_has_its_problem(careful_client: Client, body: Any, media_type: str, name: str) -> None:
    problem(careful_client.post("/api/v1/taker", body, content_type=media_type), name)


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(
    ("body", "language", "detail"),
    [
        ('{"a":1,\n}', "en", "It is no JSON: line 2, column 1."),
        ('{"a":1,\n}', "zh", "不是 JSON：第 2 行第 1 个字符。"),
        (b'"\xff"', "zh", "不是 UTF-8 文本。"),
        ('{"a": NaN}', "en", "It is no JSON: NaN is no number there."),
        ('{"a": ' + "9" * 9000 + "}", "en", "It has a number that is too long."),
        ('{"a": ' * 9000, "en", "It has too many brackets inside brackets."),
        ('{"a": [{"b": 1, "c": 2, "b": 1}]}', "en", "An object has the field “b” more than once."),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_the_language_that_is_asked_for(
    client: Client, body: Any, language: str, detail: str
) -> None:
    headers = {"Accept-Language": language}
    answer = client.post("/api/v1/taker", body, content_type="application/json", headers=headers)
    assert problem(answer, "malformed-body")["detail"] == detail


@override_settings(ROOT_URLCONF=__name__)
def test_a_body_of_no_type_is_told_which_header_is_missing(client: Client) -> None:
    answer = client.generic("POST", "/api/v1/taker", "{}", content_type="", headers={"Accept-Language": "en"})
    assert problem(answer, "unsupported-media-type")["detail"] == "The header Content-Type is missing."


def test_wrong_texts_are_named_in_words_of_ours(client: Client) -> None:
    answer = client.get("/api/v1/outlets?q=%00", headers={"Accept-Language": "zh"})
    assert problem(answer, "invalid-input")["errors"][0]["detail"] == "不能有空字符（NUL）。"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("phones?sim=three", "Only these can be named: two, one."),
        ("regions?level=x", "Only these can be named: province, city, county, town."),
        ("outlets?region=99", "The code of a region has six or nine digits."),
    ],
)
def test_who_names_what_is_not_there_is_told_what_there_is(
    client: Client, catalogue: Any, query: str, reason: str
) -> None:
    answer = client.get(f"/api/v1/{query}", headers={"Accept-Language": "en"})
    assert problem(answer, "invalid-input")["errors"][0]["detail"] == reason


@pytest.mark.parametrize("charset", ["base64", "rot13", "undefined", "utf-16"])
def test_an_address_is_read_in_utf_8_whatever_the_body_is_said_to_be(charset: str) -> None:
    environ = {"QUERY_STRING": "q=%E4%B8%B0", "CONTENT_TYPE": f"text/plain; charset={charset}"}
    setup_testing_defaults(environ)
    assert application.request_class(environ).GET.dict() == {"q": "丰"}


@override_settings(ROOT_URLCONF=__name__)
def test_every_wrong_field_of_a_body_is_pointed_at(client: Client) -> None:
    body = '{"lines":[{"phone":"a","quantity":1},{"phone":"","quantity":0}]}'
    told = client.post("/api/v1/taker", body, content_type="application/json")
    pointers = {error["pointer"] for error in problem(told, "invalid-input")["errors"]}
    assert pointers == {"#/lines/1/phone", "#/lines/1/quantity"}


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("near=38", "near"),
        ("near=91,0", "near"),
        ("near=nan,0", "near"),
        ("has=none", "has"),
        ("region=99", "region"),
        ("region=990000", "region"),
        ("q=" + "x" * 61, "q"),
        ("q=%00", "q"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=WyIwIiwiMCJd", "cursor"),
        ("near=1,1&cursor=WzFlOTk5LCIwIl0", "cursor"),
        ("fields=code,price", "fields"),
        ("expand=town,address", "expand"),
        ("near=1,1&near=2,2", "near"),
        ("nearest=1,1", "nearest"),
        ("region=", "region"),
        ("near=+", "near"),
        ("q=%E3%80%80", "q"),
        ("updated_since=%09", "updated_since"),
        ("updated_since=2026-11-11", "updated_since"),
        ("updated_since=0001-01-01T00:00:00Z", "updated_since"),
        ("fields=", "fields"),
    ],
)
def test_each_wrong_parameter_is_named(client: Client, catalogue: Any, query: str, wrong: str) -> None:
    told = problem(client.get(f"/api/v1/outlets?{query}"), "invalid-input")
    assert [error["parameter"] for error in told["errors"]] == [wrong]
    assert told["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("wanted", "language", "title"),
    [
        ("", "zh-Hans", "这个地址上没有东西"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans", "这个地址上没有东西"),
        ("en-GB,en;q=0.9", "en", "There is nothing at this address"),
        ("fr,en;q=0.5", "en", "There is nothing at this address"),
        ("\xff,;q=" + "x" * 600, "zh-Hans", "这个地址上没有东西"),
    ],
)
def test_a_problem_is_told_in_the_language_asked_for(client: Client, wanted: str, language: str, title: str) -> None:
    response = client.get("/api/v1/phones/none", headers={"Accept-Language": wanted})
    assert problem(response, "not-found")["title"] == title
    assert response["Content-Language"] == language
    assert "Accept-Language" in response["Vary"]


def test_every_type_of_problem_has_a_page(client: Client, settings: Any) -> None:
    settings.SITE_URL = "http://testserver"
    for told in PROBLEMS.values():
        chinese = client.get(told.type.removeprefix("http://testserver"))
        english = client.get(told.type.replace("http://testserver/", "/en/"))
        assert told.type in chinese.content.decode()
        assert told.type in english.content.decode()
        assert chinese.content != english.content
    assert client.get("/api/problems/none/").status_code == 404
    assert client.get("/api/problems/").content.decode().count("<h2") == len(PROBLEMS)
