"""Cash over the counter: there when it is counted, final at once.
Next: `servicing/rails/rail.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from servicing.rails.instruction import Direction
from servicing.rails.rail import Credited, DeclaredRail, Source

RAIL = DeclaredRail(
    name="cash",
    directions=frozenset({Direction.DEBIT, Direction.CREDIT}),
    source=Source.NOTHING,
    method="cash",
    days_to_settle=0,
    hold_days=0,
    credited=Credited.AT_SETTLEMENT,
    confirmed=False,
)
