"""A check: credited as of the day on which it is received, and taken to the bank.

It counts from the day of receipt, as 12 CFR 1026.36(c)(1)(i) asks of home loans and 1026.10(a) of open-end credit. Its
cash waits five banking days, the longest that 12 CFR 229.12(c) lets a bank hold a check by its ordinary schedule.
Next: `servicing/rails/rail.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from servicing.rails.instruction import Direction
from servicing.rails.rail import Credited, DeclaredRail, Source

RAIL = DeclaredRail(
    name="check",
    directions=frozenset({Direction.DEBIT, Direction.CREDIT}),
    source=Source.NOTHING,
    method="check",
    days_to_settle=2,
    hold_days=5,
    credited=Credited.AT_SENDING,
    confirmed=False,
)
