"""Month arithmetic agrees with dateutil, and ranges with sets of days."""

from __future__ import annotations

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from ledger.dates import DateRange, Month, fiscal_month_of, fiscal_year_end, fiscal_year_of, fiscal_year_start

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
MONTHS = st.builds(Month.of, DAYS)
RANGES = st.builds(
    lambda start, days: DateRange(start, start + timedelta(days=days)),
    st.dates(date(2025, 1, 1), date(2025, 3, 1)),
    st.integers(0, 60),
)


@given(MONTHS, st.integers(-1200, 1200))
def test_adding_months_agrees_with_dateutil(month: Month, count: int) -> None:
    moved = month.plus(count)

    assert moved.first_day == month.first_day + relativedelta(months=count)
    assert moved.last_day == moved.first_day + relativedelta(day=31)
    assert month.months_until(moved) == count
    assert moved.plus(-count) == month


@given(MONTHS)
def test_a_month_is_its_text_and_its_days(month: Month) -> None:
    assert Month.parse(str(month)) == month
    assert month.next.previous == month
    assert all(month.contains(day) for day in month.days)
    assert month.days.days == month.last_day.day
    assert month.days.to_date == month.last_day + timedelta(days=1)


@given(MONTHS, MONTHS)
def test_months_are_ordered_as_their_texts_and_days_are(left: Month, right: Month) -> None:
    assert (left < right) == (str(left) < str(right)) == (left.last_day < right.first_day)


@given(DAYS, st.integers(1, 12))
def test_every_day_lies_in_its_fiscal_year(day: date, start_month: int) -> None:
    year = fiscal_year_of(day, start_month=start_month)
    first = fiscal_year_start(year, start_month=start_month)
    last = fiscal_year_end(year, start_month=start_month)

    assert first <= day <= last
    assert last.year == year
    assert last + timedelta(days=1) == fiscal_year_start(year + 1, start_month=start_month)
    assert Month.of(first).plus(fiscal_month_of(day, start_month=start_month) - 1) == Month.of(day)


@given(RANGES, RANGES)
def test_ranges_meet_where_their_days_do(left: DateRange, right: DateRange) -> None:
    common = left.intersection(right)

    assert set(common or ()) == set(left) & set(right)
    assert len(list(left)) == left.days
    assert all(day in left for day in left)
    assert left.to_date not in left
