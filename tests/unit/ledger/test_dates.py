"""Months follow each other, ranges leave out their end, fiscal years are named after the year they end in."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.dates import (
    DateRange,
    Month,
    fiscal_month_of,
    fiscal_year_end,
    fiscal_year_of,
    fiscal_year_start,
)
from ledger.errors import DateRangeBackwards, MonthMalformed


@pytest.mark.parametrize(
    ("text", "last_day"),
    [
        ("2026-01", date(2026, 1, 31)),
        ("2026-02", date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 29)),
        ("2000-02", date(2000, 2, 29)),
        ("1900-02", date(1900, 2, 28)),
        ("2026-12", date(2026, 12, 31)),
        ("0001-01", date(1, 1, 31)),
        ("9999-12", date(9999, 12, 31)),
    ],
)
def test_month_knows_its_last_day(text: str, last_day: date) -> None:
    month = Month.parse(text)

    assert month.last_day == last_day
    assert month.first_day == last_day.replace(day=1)
    assert str(month) == text


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "0000-01", "2026-1", "26-01", "2026-01-01", "", "2026/01"])
def test_what_is_not_a_month_is_refused(text: str) -> None:
    with pytest.raises(MonthMalformed) as refusal:
        Month.parse(text)

    assert refusal.value.text == text


def test_months_follow_each_other_across_the_year() -> None:
    december = Month(2025, 12)

    assert december.next == Month(2026, 1)
    assert Month(2026, 1).previous == december
    assert december.plus(14) == Month(2027, 2)
    assert december.months_until(Month(2027, 2)) == 14
    assert december < Month(2026, 1)
    assert sorted([Month(2026, 1), december]) == [december, Month(2026, 1)]


def test_there_is_no_month_after_the_last_of_the_calendar() -> None:
    with pytest.raises(MonthMalformed):
        _ = Month(9999, 12).next
    with pytest.raises(MonthMalformed):
        _ = Month(1, 1).previous


def test_month_contains_its_first_and_last_day_and_no_neighbor() -> None:
    month = Month(2026, 2)

    inside = [month.contains(date(2026, 2, 1)), month.contains(date(2026, 2, 28))]
    outside = [month.contains(date(2026, 1, 31)), month.contains(date(2026, 3, 1))]

    assert (inside, outside) == ([True, True], [False, False])
    assert month.days == DateRange(date(2026, 2, 1), date(2026, 3, 1))
    assert Month.of(date(2026, 2, 14)) == month


def test_range_leaves_out_its_end() -> None:
    span = DateRange(date(2026, 2, 27), date(2026, 3, 2))

    assert span.days == 3
    assert list(span) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    assert date(2026, 2, 27) in span
    assert date(2026, 3, 1) in span
    assert date(2026, 3, 2) not in span


def test_range_of_no_days_is_empty_and_a_backward_one_is_refused() -> None:
    day = date(2026, 2, 27)

    assert list(DateRange(day, day)) == []
    with pytest.raises(DateRangeBackwards):
        DateRange(day, date(2026, 2, 26))


def test_ranges_that_only_touch_share_no_day() -> None:
    january, february = Month(2026, 1).days, Month(2026, 2).days
    middle = DateRange(date(2026, 1, 15), date(2026, 2, 15))

    assert january.intersection(february) is None
    assert middle.intersection(february) == DateRange(date(2026, 2, 1), date(2026, 2, 15))


@pytest.mark.parametrize(
    ("day", "start_month", "year", "month"),
    [
        (date(2026, 1, 1), 1, 2026, 1),
        (date(2026, 12, 31), 1, 2026, 12),
        (date(2025, 9, 30), 10, 2025, 12),
        (date(2025, 10, 1), 10, 2026, 1),
        (date(2026, 2, 28), 3, 2026, 12),
        (date(2025, 12, 1), 12, 2026, 1),
    ],
)
def test_fiscal_year_is_named_after_the_year_in_which_it_ends(
    day: date, start_month: int, year: int, month: int
) -> None:
    assert fiscal_year_of(day, start_month=start_month) == year
    assert fiscal_month_of(day, start_month=start_month) == month


def test_fiscal_year_is_the_calendar_year_unless_said_otherwise() -> None:
    assert (fiscal_year_of(date(2026, 1, 31)), fiscal_month_of(date(2026, 1, 31))) == (2026, 1)


def test_fiscal_year_runs_from_its_first_to_its_last_day() -> None:
    assert fiscal_year_start(2026) == date(2026, 1, 1)
    assert fiscal_year_end(2026) == date(2026, 12, 31)
    assert fiscal_year_start(2026, start_month=10) == date(2025, 10, 1)
    assert fiscal_year_end(2026, start_month=10) == date(2026, 9, 30)
    assert fiscal_year_end(2024, start_month=3) == date(2024, 2, 29)


@pytest.mark.parametrize("start_month", [0, 13])
def test_fiscal_year_starts_in_a_month_that_exists(start_month: int) -> None:
    with pytest.raises(MonthMalformed):
        fiscal_year_of(date(2026, 1, 1), start_month=start_month)
