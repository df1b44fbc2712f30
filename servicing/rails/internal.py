"""A transfer within the house, such as from one loan of a borrower to another.

One side takes what the other gives on the same day, both by the cash clearing account, which so comes to nothing by
itself. Neither side waits for a bank.
Next: `servicing/rails/rail.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from servicing.rails.instruction import Direction
from servicing.rails.rail import Credited, DeclaredRail, Source

RAIL = DeclaredRail(
    name="internal",
    directions=frozenset({Direction.DEBIT, Direction.CREDIT}),
    source=Source.NOTHING,
    method="cash",
    days_to_settle=0,
    hold_days=0,
    credited=Credited.AT_SETTLEMENT,
    confirmed=False,
)
