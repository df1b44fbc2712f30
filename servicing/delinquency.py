"""Days past due: from the oldest installment that is not satisfied, and the bucket they fall into.

Never: what follows from them (fees, non-accrual). Next: `servicing/state.py`.
"""

from __future__ import annotations

from datetime import date

from servicing.state import LoanState

BUCKETS = ((0, "current"), (29, "1-29"), (59, "30-59"), (89, "60-89"), (119, "90-119"))


def days_past_due(state: LoanState, on: date) -> int:
    """Return the days since the oldest unpaid due date; on the due date itself, none."""
    for installment in state.installments:
        if installment.due >= on:
            return 0
        if installment.unpaid:
            return (on - installment.due).days
    return 0


def bucket(dpd: int) -> str:
    """Return the name of the bucket."""
    return next((name for most, name in BUCKETS if dpd <= most), "120+")
