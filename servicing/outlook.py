"""How the interest of a loan goes on if nothing happens to it: what bulk accrual works with instead of a fold.

Earned by a later day is `earned + balance * nightly * nights`, exactly, as long as the days are not past
`holds_through`. Never: the database (`servicing/sql/accrual.sql` does the same arithmetic).
Next: `servicing/running_interest.py`, which makes them; `servicing/standing.py`; `docs/spec/interest.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Outlook:
    """Interest earned and booked by a day, in minor units, and a night's interest on a minor unit of a balance.

    `is_on_principal` tells whether that balance is the principal owed; else it is a figure of the contract.
    """

    through: date
    earned: Fraction
    booked: int
    balance: int
    is_on_principal: bool
    nightly: Fraction
    holds_through: date

    def earned_by(self, day: date) -> Fraction:
        """Return the exact interest earned by a day, from `through` to `holds_through`."""
        return self.earned + self.balance * self.nightly * (day - self.through).days
