"""Questions that PostgreSQL reads and plans once a connection."""

from datetime import UTC, datetime

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import TextField

from api.prepared import IsAnyOf, Parameter, Planned, PlannedOnce, as_row
from orders.checkout import Asked
from stores.models import Region
from tests.factories import create_region


@Planned
def one_region():
    return Region.objects.filter(code=Parameter("code", TextField())).values_list("code", "name_zh")


@PlannedOnce
def some_regions():
    codes = Parameter("codes", ArrayField(TextField()))
    return Region.objects.filter(IsAnyOf("code", codes)).values_list("code")


@PlannedOnce
def written_out() -> str:
    return "SELECT %(word)s::text || %(word)s::text || %(number)s::int"


def test_it_answers_for_each_value(db):
    create_region("130000")
    create_region("140000", name_zh="山西省")

    assert one_region.rows(code="140000") == [("140000", "山西省")]
    assert one_region.rows(code="150000") == []
    assert some_regions.rows(codes=["140000", "130000"], limit=1) == [("130000",)]
    assert some_regions.rows(codes=[]) == []
    assert some_regions.rows(codes=["130000", "140000"], limit=5, offset=1) == [("140000",)]


def test_written_out_it_takes_each_value_as_often_as_it_is_named(db):
    assert written_out.rows(word="%s'", number=7) == [("%s'%s'7",)]


@Planned
def fields_of_a_row() -> str:
    return """
        SELECT d.name, d.names_zh, d.most_units, d.prices, d.windows, d.customer, d.placed_at
        FROM (SELECT (%(row)s::orders_draft).*) AS d
    """


def test_a_row_is_read_as_it_was_given(db):
    words = ["", " ", "NULL", "a,b", '"', "\\", "\\'\"", "(x)", "{y}", "%s", "两\n行"]
    moment = datetime(2026, 11, 11, 23, 59, 59, 999999, tzinfo=UTC)
    given = dict.fromkeys(Asked._fields) | {
        "names_zh": words, "most_units": 3, "windows": [None, 7], "customer": b"\x00\"\\", "placed_at": moment
    }  # fmt: skip

    for word in words:
        [(name, names, most, prices, windows, customer, placed_at)] = fields_of_a_row.rows(
            row=as_row((given | {"name": word}).values())
        )
        assert (name, names, most, prices, windows, placed_at) == (word, words, 3, None, [None, 7], moment)
        assert bytes(customer) == given["customer"]


def test_it_is_planned_once_and_leaves_the_connection_as_it_was(transactional_db):
    for number in range(12):
        some_regions.rows(codes=[str(number)], limit=3)

    with connection.cursor() as cursor:
        # Not those of tests before, whose connection it may be.
        cursor.execute("""
            SELECT sum(custom_plans) FROM pg_prepared_statements
            WHERE statement LIKE '%%stores_region%%ANY%%LIMIT 3'
        """)
        assert cursor.fetchone() == (0,)
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("auto",)
