"""A credit card: as a debit card, but it settles a day later, and its cash waits longer: it is disputed more often.
Next: `servicing/rails/rail.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from servicing.rails.instruction import Direction
from servicing.rails.rail import Credited, DeclaredRail, Source

RAIL = DeclaredRail(
    name="credit_card",
    directions=frozenset({Direction.DEBIT, Direction.CREDIT}),
    source=Source.CARD,
    method="card",
    days_to_settle=2,
    hold_days=3,
    credited=Credited.AT_SENDING,
    confirmed=False,
)
