"""A credit to the borrower's bank account through the clearing house.

The loan's cash is spent when it is sent, not when it arrives.
Next: `servicing/rails/rail.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from servicing.rails.instruction import Direction
from servicing.rails.rail import CLEARING_TRACE_DAYS, Credited, DeclaredRail, Source

RAIL = DeclaredRail(
    name="ach_credit",
    directions=frozenset({Direction.CREDIT}),
    source=Source.BANK_ACCOUNT,
    method="ach",
    days_to_settle=1,
    hold_days=0,
    credited=Credited.AT_SENDING,
    confirmed=False,
    trace_days=CLEARING_TRACE_DAYS,
)
