"""Terms of a loan of which only the rest is known: what is owed, when the next installment is due, how many are left.

The loan is taken as one that was made when the period of its oldest unpaid installment began, of the principal that is
owed. Never: what happened before (`servicing/opening.py`). Next: `servicing/drafting.py`; `docs/spec/boarding.md`.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from servicing.due_dates import PERIODS_A_YEAR, every_days
from servicing.errors import TermsInvalid
from servicing.opening import Opening
from servicing.terms import Terms

LONGEST = 1200


def continued_terms(
    own: Mapping[str, Any], opening: Opening, *, next_due_on: date | None, installments_left: int
) -> Terms:
    """Return the terms of what is left of a loan; `own` are the terms that it goes on with, such as its rate.

    Raises: TermsInvalid.
    """
    frequency, cut_over = own["frequency"], opening.cut_over_on
    if every_days(frequency) is None and frequency not in PERIODS_A_YEAR:
        raise TermsInvalid(field="frequency", reason=f"it must be one of {', '.join(PERIODS_A_YEAR)} or days:n")
    oldest = cut_over - timedelta(days=opening.days_past_due)
    if (next_due_on is None) != (installments_left == 0):
        raise TermsInvalid(field="next_due_on", reason=f"{installments_left} installments are left")
    if next_due_on is None:
        dues = [oldest]
        if not opening.days_past_due:
            raise TermsInvalid(field="installments_left", reason="none is left, and none is past due")
    elif next_due_on < cut_over:
        reason = f"it lies before the cut-over on {cut_over}; what is past due is said by days_past_due"
        raise TermsInvalid(field="next_due_on", reason=reason)
    else:
        dues = _back_to(oldest, next_due_on, frequency) if opening.days_past_due else [next_due_on]
        if opening.days_past_due and _before(next_due_on, frequency, next_due_on.day) >= cut_over:
            raise TermsInvalid(field="next_due_on", reason="a loan that is past due has paid none ahead")
    begun = _before(dues[0], frequency, max(due.day for due in dues))
    return Terms(
        **own,
        principal=opening.principal,
        installments=len(dues) - (next_due_on is not None) + installments_left,
        funded_on=min(begun, cut_over),
        first_due_on=dues[0],
    )


def _back_to(oldest: date, next_due_on: date, frequency: str) -> list[date]:
    """Return the due dates from the oldest unpaid one, or one before it, to the next."""
    anchor = max(next_due_on.day, oldest.day) if _ends_month(next_due_on) else next_due_on.day
    dues = [next_due_on]
    while dues[0] > oldest and len(dues) < LONGEST:
        dues.insert(0, _before(dues[0], frequency, anchor))
    return dues


def _before(due: date, frequency: str, anchor: int) -> date:
    """Return the due date before one, on the anchor's day of the month."""
    days = every_days(frequency) or {"weekly": 7, "biweekly": 14}.get(frequency)
    if days is not None:
        return due - timedelta(days=days)
    if frequency == "semimonthly":
        if due.day > 15:
            return due.replace(day=due.day - 15) if not _ends_month(due) else due.replace(day=min(15, anchor))
        month = due - relativedelta(months=1)
        return month.replace(day=min(due.day + 15, calendar.monthrange(month.year, month.month)[1]))
    return due - relativedelta(months=12 // PERIODS_A_YEAR[frequency]) + relativedelta(day=anchor)


def _ends_month(day: date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]
