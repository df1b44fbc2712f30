"""A debit card: the processor authorizes and captures at once, and pays the lender on the next banking day.

The processor's yes is as good as cash to the borrower, so the loan is credited at sending; what is charged back comes
weeks later, and is a chargeback.
Next: `servicing/rails/rail.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from servicing.rails.instruction import Direction
from servicing.rails.rail import Credited, DeclaredRail, Source

RAIL = DeclaredRail(
    name="debit_card",
    directions=frozenset({Direction.DEBIT, Direction.CREDIT}),
    source=Source.CARD,
    method="card",
    days_to_settle=1,
    hold_days=1,
    credited=Credited.AT_SENDING,
    confirmed=False,
)
