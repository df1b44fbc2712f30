"""Terms of a loan of which only the rest is known: what is owed, when the next installment is due, how many are left.

The loan is taken as one that was made when the period of its oldest unpaid installment began, of the principal that is
owed. Never: what happened before (`servicing/opening.py`). Next: `servicing/drafting.py`; `docs/spec/boarding.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from servicing.due_dates import PERIODS_A_YEAR, every_days, regular_start
from servicing.errors import TermsInvalid
from servicing.opening import Opening
from servicing.product import Grace, Product
from servicing.terms import Terms

LONGEST = 1200
MOVES_BACK = {"preceding": timedelta(days=6), "modified_following": timedelta(days=3)}
"""How far a due date can lie after the business day that it moves to, by the convention."""


def continued_terms(
    own: Mapping[str, Any], opening: Opening, *, next_due_on: date | None, installments_left: int
) -> Terms:
    """Return the terms of what is left of a loan; `own` are the terms that it goes on with, such as its rate.

    Raises: TermsInvalid.
    """
    for field, wrong, reason in _checks(own, opening, next_due_on, installments_left):
        if wrong:
            raise TermsInvalid(field=field, reason=reason)
    frequency, cut_over = own["frequency"], opening.cut_over_on
    oldest = cut_over - timedelta(days=opening.days_past_due)
    dues = [oldest]
    if next_due_on is not None:
        dues = _back_to(oldest, next_due_on, own) if opening.days_past_due else [next_due_on]
        if opening.days_past_due and regular_start(oldest, next_due_on, frequency) >= cut_over:
            raise TermsInvalid(field="next_due_on", reason="a loan that is past due has paid none ahead")
    return Terms(
        **own,
        principal=opening.principal,
        installments=len(dues) - (next_due_on is not None) + installments_left,
        funded_on=min(regular_start(oldest, dues[0], frequency), cut_over),
        first_due_on=dues[0],
    )


def _checks(
    own: Mapping[str, Any], opening: Opening, next_due_on: date | None, installments_left: int
) -> Iterator[tuple[str, bool, str]]:
    product: Product = own["product"]
    begins_otherwise = product.grace != Grace() or product.odd_days is not None
    yield "principal", begins_otherwise, f"loans of {product.name} do not begin as they go on: it needs original terms"
    known = every_days(own["frequency"]) is not None or own["frequency"] in PERIODS_A_YEAR
    yield "frequency", not known, f"it must be one of {', '.join(PERIODS_A_YEAR)} or days:n"
    unequal = (next_due_on is None) != (installments_left == 0)
    yield "next_due_on", unequal, f"{installments_left} installments are left"
    nothing = not installments_left and not opening.days_past_due
    yield "installments_left", nothing, "none is left, and none is past due"
    early = next_due_on is not None and next_due_on < opening.cut_over_on
    reason = f"it lies before the cut-over on {opening.cut_over_on}; what is past due is said by days_past_due"
    yield "next_due_on", early, reason


def _back_to(oldest: date, next_due_on: date, own: Mapping[str, Any]) -> list[date]:
    """Return the due dates from the oldest unpaid one, or one before it, to the next; all of them before they move."""
    reached = oldest + MOVES_BACK.get(own["product"].business_days.convention, timedelta())
    dues = [next_due_on]
    while dues[0] > reached and len(dues) < LONGEST:
        dues.insert(0, regular_start(oldest, dues[0], own["frequency"]))
    return dues
