"""Saying whether a shop is open, and when it opens next."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from stores.hours import NO_WEEK, SHANGHAI, Closure, clock, opening_at, week_in_words, weeks_of
from stores.models import ClosedPeriod, Outlet
from tests.factories import create_outlet

NINE_TO_FIVE = ((time(9), time(17)),)
WEEKDAYS = (NINE_TO_FIVE,) * 5 + ((), ())
NOON_BREAK = (((time(8, 30), time(12)), (time(14), time(18))),) * 7
# A Monday.
MONDAY = date(2026, 11, 23)


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def says(*args, language="en", **kwargs) -> str:
    with translation.override(language):
        return str(opening_at(*args, **kwargs))


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (at(8, 59), "closed, opens today at 9 am"),
        (at(9), "open, until 5 pm"),
        (at(16, 59), "open, until 5 pm"),
        (at(17), "closed, opens tomorrow at 9 am"),
        (at(18, day=date(2026, 11, 27)), "closed, opens Monday at 9 am"),
        (at(12, day=date(2026, 11, 28)), "closed, opens Monday at 9 am"),
        (at(12, day=date(2026, 11, 29)), "closed, opens tomorrow at 9 am"),
    ],
)
def test_weekdays_from_nine_to_five(moment, words):
    assert says(moment, WEEKDAYS) == words


def test_closes_at_noon():
    assert says(at(12, 30), NOON_BREAK) == "closed, opens today at 2 pm"
    assert says(at(8, 30), NOON_BREAK) == "open, until 12 pm"


def test_the_moment_may_be_of_any_zone():
    assert opening_at(datetime(2026, 11, 23, 1, 0, tzinfo=UTC), WEEKDAYS).is_open
    assert not opening_at(datetime(2026, 11, 23, 0, 59, tzinfo=UTC), WEEKDAYS).is_open


def test_stays_closed_on_closed_days_and_says_why():
    spring = Closure(MONDAY, MONDAY + timedelta(days=8), "春节放假", "Spring Festival")

    opening = opening_at(at(10), WEEKDAYS, [spring])

    assert not opening.is_open
    assert opening.closure == spring
    assert opening.changes_at == at(9, day=date(2026, 12, 2))
    with translation.override("en"):
        assert str(opening) == "closed, opens December 2 at 9 am"


@pytest.mark.parametrize("state", ["planned", "suspended", "closed"])
def test_hours_do_not_matter_to_a_shop_that_does_no_business(state):
    opening = opening_at(at(10), WEEKDAYS, state=state)

    assert not opening.is_open
    assert opening.changes_at is None
    with translation.override("en"):
        assert str(opening) == Outlet.State(state).label


def test_without_hours_it_is_closed():
    assert says(at(10), NO_WEEK) == "closed for now"


hours = st.tuples(st.times(), st.times()).filter(lambda pair: pair[0] < pair[1])
weeks = st.tuples(*[st.lists(hours, max_size=2).map(lambda day: tuple(sorted(day)))] * 7)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=SHANGHAI))
closures = st.lists(
    st.tuples(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 20)).map(
        lambda pair: Closure(pair[0], pair[0] + timedelta(days=pair[1]))
    ),
    max_size=3,
)


def is_open(moment: datetime, week, closed) -> bool:
    """The rule said backwards: not on a closed day, and inside one of the day's hours."""
    day, clock = moment.date(), moment.timetz().replace(tzinfo=None)
    return all(not c.first_day <= day <= c.last_day for c in closed) and any(
        opens <= clock < closes for opens, closes in week[day.weekday()]
    )


@given(moments, weeks, closures)
def test_open_means_inside_the_hours_of_a_day_that_is_not_closed(moment, week, closed):
    assert opening_at(moment, week, closed).is_open == is_open(moment, week, closed)


@given(moments, weeks, closures, st.data())
def test_nothing_changes_before_it_says_so(moment, week, closed, data):
    opening = opening_at(moment, week, closed)

    end = opening.changes_at or moment + timedelta(days=90)
    between = data.draw(st.integers(0, int((end - moment).total_seconds())))
    later = moment + timedelta(seconds=between)

    if opening.is_open:
        assert later >= end or is_open(later, week, closed)
    else:
        assert later >= end or not is_open(later, week, closed)
        assert opening.changes_at is None or is_open(opening.changes_at, week, closed)


def test_reads_hours_and_closed_days_of_an_outlet(db, django_assert_num_queries):
    outlet = create_outlet()
    outlet.timetable.hours.exclude(weekday__in=[0, 2]).delete()
    ClosedPeriod.objects.create(
        outlet=outlet, first_day=MONDAY, last_day=MONDAY, reason_zh="盘点", reason_en="Stocktaking"
    )
    ClosedPeriod.objects.create(
        outlet=outlet, first_day=date(2026, 1, 1), last_day=date(2026, 1, 2), reason_zh="旧", reason_en="Old"
    )

    with django_assert_num_queries(2):
        outlet = Outlet.objects.with_closures(MONDAY).get()
        week = weeks_of([outlet.timetable_id])[outlet.timetable_id]
    opening = opening_at(at(10), week, map(Closure.from_json, outlet.closures), outlet.state)

    assert [closure["reason_en"] for closure in outlet.closures] == ["Stocktaking"]
    assert opening.changes_at == at(8, 30, day=date(2026, 11, 25))


def test_the_week_in_words():
    with translation.override("en"):
        assert week_in_words(WEEKDAYS) == [("Monday to Friday", "09:00–17:00"), ("Saturday to Sunday", "closed")]
        assert week_in_words(NOON_BREAK) == [("Monday to Sunday", "08:30–12:00, 14:00–18:00")]


@pytest.mark.parametrize(
    ("hour", "chinese", "english"),
    [
        (time(0), "凌晨 12 点", "12 am"),
        (time(8, 30), "上午 8 点半", "8:30 am"),
        (time(12), "中午 12 点", "12 pm"),
        (time(17, 5), "下午 5 点 05 分", "5:05 pm"),
        (time(20), "晚上 8 点", "8 pm"),
    ],
)
def test_the_clock_in_words(hour, chinese, english):
    with translation.override("zh-hans"):
        assert clock(hour) == chinese
    with translation.override("en"):
        assert clock(hour) == english
