"""Record 7/99: an entry comes back, and why.

Next: `servicing/nacha/reason_codes.py`, what each reason asks of the originator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from servicing.nacha.fields import DATE, DIGITS, NEEDED, TEXT, Field, Layout, constant


@dataclass(frozen=True, slots=True)
class Returned:
    """A return; `original_trace` finds the entry that comes back. A date of death comes with R14 and R15."""

    reason_code: str
    original_trace: str
    original_rdfi: str
    trace: str
    died_on: date | None = None
    information: str = ""


RETURNED = Layout(
    "return",
    (
        Field("", 1, 3, constant("799")),
        Field("reason_code", 4, 3, NEEDED),
        Field("original_trace", 7, 15, DIGITS),
        Field("died_on", 22, 6, DATE),
        Field("original_rdfi", 28, 8, DIGITS),
        Field("information", 36, 44, TEXT),
        Field("trace", 80, 15, DIGITS),
    ),
)
