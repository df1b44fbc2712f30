"""Due times: hours pass day and night, business days at the same time of day in the workflow's own zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from origination.workflow.spans import Clock, later, read_span

NEW_YORK = Clock("America/New_York", "US")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2026-11-02T10:00", "4 hours", "2026-11-02T14:00"),
        # Friday to Monday; Saturday and Sunday count as no day.
        ("2026-11-06T10:00", "1 business day", "2026-11-09T10:00"),
        ("2026-11-07T10:00", "1 business day", "2026-11-09T10:00"),
        # Wednesday 11 November 2026 is Veterans Day, a holiday of the Federal Reserve.
        ("2026-11-10T16:30", "1 business day", "2026-11-12T16:30"),
        # Thursday 26 November 2026 is Thanksgiving; 27 November is none of its holidays.
        ("2026-11-25T09:00", "2 business days", "2026-11-30T09:00"),
        # Clocks go back on Sunday 1 November 2026: the same time of day on Monday is 73 hours after Friday's.
        ("2026-10-30T10:00", "1 business day", "2026-11-02T10:00"),
        # And 24 hours after Saturday 10:00 it is 9:00, for the hour between was counted twice.
        ("2026-10-31T10:00", "24 hours", "2026-11-01T09:00"),
    ],
)
def test_a_span_ends_at_its_moment(start: str, span: str, end: str) -> None:
    assert later(local(start), read_span(span), NEW_YORK) == local(end)


@pytest.mark.parametrize("text", ["4", "0 hours", "1.5 hours", "-1 hours", "3 days", "4  hours", "", "99999 hours"])
def test_what_is_no_span_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(ValueError, match="it is written as"):
        read_span(text)


@pytest.mark.parametrize("text", ["1 hour", "2 hours", "1 business day", "10 business days"])
def test_a_span_is_written_as_it_was_read(text: str) -> None:
    assert str(read_span(text)) == text
