"""Days past due at the close of a day, by the rules of the product.

Never: what follows from them (fees, non-accrual). Next: `servicing/aging.py`; `docs/spec/delinquency.md`.
"""

from __future__ import annotations

from datetime import date

from servicing.aging import position_on
from servicing.state import LoanState


def days_past_due(state: LoanState, on: date) -> int:
    """Return the days past due of a loan to which nothing happens after its fold; on the due date itself, none."""
    position = position_on(state.positions, on)
    return 0 if position is None else position.dpd(on)
