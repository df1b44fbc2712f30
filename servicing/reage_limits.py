"""Whether a loan may be reaged: old enough, paid again, and not too often, as its product says.

Source: Uniform Retail Credit Classification and Account Management Policy, 65 FR 36903 (FDIC FIL-17-99): nine months on
the books, three consecutive payments or as much in all, once in twelve months and twice in five years.
Never: the reage itself. Next: `servicing/commands/modifications.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dateutil.relativedelta import relativedelta

from servicing.events import UNDOING, Event, Kind
from servicing.state import LoanState
from servicing.terms import Terms


def objection_to_reage(terms: Terms, before: LoanState, events: Sequence[Event], on: date) -> str | None:
    """Return why a loan is not reaged on a day, if it is not; `before` is the loan as it stands then."""
    rules = terms.product.reage
    if rules.months_on_book is not None and terms.funded_on + relativedelta(months=rules.months_on_book) > on:
        return f"it must be on the books for {rules.months_on_book} months"
    for most, years in ((rules.per_year, 1), (rules.per_five_years, 5)):
        since = on - relativedelta(years=years)
        count = sum(each.kind == "reage" and date.fromisoformat(each.on) > since for each in before.modified)
        if most is not None and count >= most:
            return f"it was reaged {count} times within {12 * years} months, and may be {most} times"
    if rules.payments is not None and _paid_since(events, on - relativedelta(months=rules.payments), on) < (
        rules.payments * usual_installment(before)
    ):
        return f"{rules.payments} installments must have been paid in the last {rules.payments} months"
    return None


def usual_installment(state: LoanState) -> int:
    """Return the amount that most installments of the contract ask for, the earliest of those as frequent."""
    totals = [row.total for row in state.schedule if row.total]
    return max(totals, key=totals.count, default=0)


def _paid_since(events: Sequence[Event], since: date, on: date) -> int:
    undone = {event.of for event in events if event.kind in UNDOING}
    payments = [event for event in events if event.kind is Kind.PAYMENT and event.no not in undone]
    return sum(event.amount for event in payments if since < event.effective_date <= on)
