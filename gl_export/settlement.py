"""What the bank still owes a rail for a day, or the rail the bank: the day's movements less what was settled of them.

A settlement is booked between cash and the rail's clearing account, which so comes back to zero. Never: a bank
statement; line by line against one, settlements are matched elsewhere. Next: `gl_export/commands/settlement.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.money import Money
from ledger.templates import Row, Template, Templates

RAIL_ROLES = ("ACH_CLEARING", "CARD_CLEARING", "CHECK_CLEARING", "WIRE_CLEARING", "CASH_CLEARING")
RAIL = "RAIL_CLEARING"

TEMPLATES = Templates(
    (
        Template(
            "rail_settled_in",
            1,
            "{rail} of {day} settled: received from the rail",
            (Row("CASH", RAIL, "amount"),),
        ),
        Template(
            "rail_settled_out",
            1,
            "{rail} of {day} settled: paid to the rail",
            (Row(RAIL, "CASH", "amount"),),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class RailDay:
    """What went over a rail on a day, debits to its clearing account positive, and what was settled of it so far.

    `times` is how often something of this day was settled.
    """

    role: str
    day: date
    moved: Money
    settled: Money
    times: int

    @property
    def open(self) -> Money:
        """Return what is to be settled: positive from the rail into the bank, negative the other way."""
        return self.moved - self.settled

    @property
    def template(self) -> Template:
        """Return the template that settles what is open."""
        return TEMPLATES.get("rail_settled_in" if self.open.minor > 0 else "rail_settled_out")

    @property
    def reference(self) -> str:
        """Return what every settlement of this day bears as its source reference."""
        return reference_of(self.role, self.day)

    @property
    def request_key(self) -> str:
        """Return the key of the next settlement of this day."""
        return f"{self.reference}:{self.open.currency}:{self.times + 1}"


def reference_of(role: str, day: date) -> str:
    """Return the source reference of the settlements of a rail's day."""
    return f"settlement:{role}:{day.isoformat()}"
