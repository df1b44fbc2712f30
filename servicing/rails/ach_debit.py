"""A debit of the borrower's bank account through the clearing house.

It settles on its effective entry date, the next banking day unless it is due later, and no bank says so: what does not
come back has settled. A return takes up to two banking days more (Nacha Operating Rules, 3.8), so long its cash waits.
Next: `servicing/rails/rail.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from servicing.rails.instruction import Direction
from servicing.rails.rail import CLEARING_TRACE_DAYS, Credited, DeclaredRail, Source

RAIL = DeclaredRail(
    name="ach_debit",
    directions=frozenset({Direction.DEBIT}),
    source=Source.BANK_ACCOUNT,
    method="ach",
    days_to_settle=1,
    hold_days=2,
    credited=Credited.AT_SETTLEMENT,
    confirmed=False,
    trace_days=CLEARING_TRACE_DAYS,
)
