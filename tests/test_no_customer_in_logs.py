"""Nobody's name or number is in logs, error reports, addresses or caches, whatever goes wrong."""

import logging
import logging.config
import sys
from io import StringIO
from uuid import uuid4

import pytest
from django.conf import settings as project
from django.core.cache import caches
from django.db import IntegrityError, connection, transaction
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter

from config.logs import ScrubbedFormatter, without_customers
from orders.checkout import place_order
from tests.order_factories import create_shelf, request_for

NAME, MOBILE = "欧阳娜娜", "13812345678"


@pytest.fixture
def log():
    """Everything that is logged, down to DEBUG, as the terminal would show it."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ScrubbedFormatter("%(name)s %(message)s"))
    root = logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in ("django", "django.request", "django.db.backends"))]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def clean(text: str) -> bool:
    return MOBILE not in text and NAME not in text and "欧阳" not in text


def test_the_terminal_is_scrubbed():
    assert project.LOGGING["root"]["handlers"] == ["terminal"]
    assert project.LOGGING["handlers"]["terminal"]["formatter"] == "scrubbed"
    assert project.LOGGING["formatters"]["scrubbed"]["()"] == "config.logs.ScrubbedFormatter"


@pytest.mark.django_db
def test_a_row_that_the_database_refuses_is_not_quoted(log):
    order = place_order(**request_for(create_shelf(), name=NAME, mobile=MOBILE))
    # What a trigger refuses says nothing of the row; PostgreSQL itself quotes it.
    again = """
        INSERT INTO orders_order SELECT (jsonb_populate_record(o, '{"id": 0, "channel": null}')).*
        FROM orders_order o WHERE number = %s
    """
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(again, [order.number])
    assert not clean(str(refusal.value))
    logging.getLogger("orders").error("It went wrong", exc_info=refusal.value)

    assert 'null value in column "channel"' in log.getvalue()
    assert clean(log.getvalue())


@pytest.mark.parametrize(
    "text",
    [
        f"DETAIL:  Failing row contains (7, 123456789012, placed, 1, {NAME}, +86{MOBILE}, zh-hans).",
        f"DETAIL:  Key (mobile)=(+86{MOBILE}) already exists.",
        f"could not reach /?PhoneNumbers={MOBILE}&x=1",
    ],
)
def test_what_others_quote_is_taken_out(text: str):
    assert clean(without_customers(text))


def test_an_error_report_shows_neither_the_form_nor_variables():
    request = RequestFactory().post("/checkout/", {"name": NAME, "mobile": MOBILE})
    name, mobile = NAME, MOBILE
    try:
        raise ValueError(f"{len(name)} {len(mobile)}")
    except ValueError:
        reporter = ExceptionReporter(request, *sys.exc_info())

    for report in (reporter.get_traceback_text(), reporter.get_traceback_html()):
        assert "ValueError" in report
        # The source of this very file is quoted, too, and says it no more than NAME and MOBILE.
        assert clean(report)


@pytest.mark.django_db
def test_a_reservation_by_the_page_leaves_no_trace_outside_its_order(log, monkeypatch):
    shelf = create_shelf()
    form = {
        "p": shelf.phone.slug, "outlet": shelf.outlet.code, "total": shelf.phone.price_fen, "form_key": uuid4().hex,
        "name": NAME, "mobile": MOBILE, "language": "zh-hans", "consent": "on",
    }  # fmt: skip
    client = Client(raise_request_exception=False)

    answer = client.post("/checkout/", form)
    assert answer.status_code == 302
    page = client.get(answer["Location"])
    monkeypatch.setattr("orders.views.place_order", lambda **_details: 1 / 0)
    broken = client.post("/checkout/", form | {"form_key": uuid4().hex})

    assert broken.status_code == 500
    assert "ZeroDivisionError" in log.getvalue()
    statements = [line for line in log.getvalue().splitlines() if not line.startswith("django.db.backends")]
    assert clean("\n".join(statements))
    assert clean(answer["Location"] + str(answer.cookies) + str(page.cookies) + str(client.cookies))
    assert clean(broken.content.decode())
    for response in (answer, page):
        assert "no-store" in response["Cache-Control"]
    assert clean(str(vars(caches["default"])))
