"""Days on which money moves: effective dates, windows and every limit, against the calendar of 2026.

March 2026 begins on a Sunday; the Federal Reserve is closed on 25 May, 19 June and 3 July is open (4 July a Saturday).
"""

from __future__ import annotations

from datetime import date, time

import pytest

from servicing.nacha.banking_days import (
    change_due_on,
    dishonorable_until,
    effective_date,
    first_live_on,
    returnable_until,
    reversible_until,
)

CUT_OFF = time(16, 0)


@pytest.mark.parametrize(
    ("sent_on", "sent_at", "settles"),
    [
        (date(2026, 3, 12), time(16, 0), date(2026, 3, 13)),
        (date(2026, 3, 12), time(16, 1), date(2026, 3, 16)),
        (date(2026, 3, 13), time(9, 0), date(2026, 3, 16)),
        (date(2026, 3, 14), time(9, 0), date(2026, 3, 17)),
        (date(2026, 6, 18), time(9, 0), date(2026, 6, 22)),
        (date(2026, 7, 2), time(9, 0), date(2026, 7, 3)),
    ],
)
def test_an_ordinary_file_settles_on_the_banking_day_after_it_is_processed(
    sent_on: date, sent_at: time, settles: date
) -> None:
    found = effective_date(sent_on, sent_at, same_day=False, cut_off=CUT_OFF)

    assert (found.on, found.descriptive_date) == (settles, "")


@pytest.mark.parametrize(
    ("sent_on", "sent_at", "settles", "flag"),
    [
        (date(2026, 3, 13), time(10, 30), date(2026, 3, 13), "SD1300"),
        (date(2026, 3, 13), time(14, 45), date(2026, 3, 13), "SD1700"),
        (date(2026, 3, 13), time(16, 45), date(2026, 3, 13), "SD1800"),
        (date(2026, 3, 13), time(16, 46), date(2026, 3, 16), "SD1300"),
        (date(2026, 3, 14), time(8, 0), date(2026, 3, 16), "SD1300"),
        (date(2026, 5, 25), time(8, 0), date(2026, 5, 26), "SD1300"),
    ],
)
def test_a_same_day_file_settles_in_the_next_window(sent_on: date, sent_at: time, settles: date, flag: str) -> None:
    found = effective_date(sent_on, sent_at, same_day=True, cut_off=CUT_OFF)

    assert (found.on, found.descriptive_date) == (settles, flag)


def test_a_consumer_has_sixty_days_and_most_reasons_two() -> None:
    # Monday 2 March: opening of Wednesday; 60 days on is Friday 1 May, the banking day after it Monday.
    found = returnable_until(date(2026, 3, 2), consumer=True)

    assert (found.ordinary, found.unauthorized) == (date(2026, 3, 4), date(2026, 5, 4))


def test_a_company_has_two_days_for_every_reason() -> None:
    found = returnable_until(date(2026, 3, 6), consumer=False)

    assert found.ordinary == found.unauthorized == date(2026, 3, 10)


def test_the_other_limits_count_banking_days() -> None:
    assert dishonorable_until(date(2026, 5, 22)) == date(2026, 6, 1)
    assert reversible_until(date(2026, 3, 2)) == date(2026, 3, 9)
    assert first_live_on(date(2026, 3, 5)) == date(2026, 3, 10)
    assert change_due_on(date(2026, 3, 2)) == date(2026, 3, 10)
    assert change_due_on(date(2026, 3, 2), next_entry_on=date(2026, 4, 1)) == date(2026, 4, 1)
