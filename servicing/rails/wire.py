"""A wire: final when it arrives, and the bank says when.

Source: Regulation J, 12 CFR 210.31: payment by Fedwire is final when the amount is credited.
Next: `servicing/rails/rail.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from servicing.rails.instruction import Direction
from servicing.rails.rail import Credited, DeclaredRail, Source

RAIL = DeclaredRail(
    name="wire",
    directions=frozenset({Direction.DEBIT, Direction.CREDIT}),
    source=Source.NOTHING,
    method="wire",
    days_to_settle=0,
    hold_days=0,
    credited=Credited.AT_SETTLEMENT,
    confirmed=True,
)
