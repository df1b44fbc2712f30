"""Record 7/98: the receiver's bank tells which of the details it was sent are wrong, and what is right.

Never: what the corrected data mean (`servicing/nacha/corrections.py`). Next: `servicing/nacha/reason_codes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.nacha.fields import DIGITS, NEEDED, Field, Layout, constant, reserved


@dataclass(frozen=True, slots=True)
class Change:
    """A notification of change; `original_trace` finds the entry that it corrects."""

    change_code: str
    original_trace: str
    original_rdfi: str
    corrected: str
    trace: str


CHANGE = Layout(
    "notification of change",
    (
        Field("", 1, 3, constant("798")),
        Field("change_code", 4, 3, NEEDED),
        Field("original_trace", 7, 15, DIGITS),
        Field("", 22, 6, reserved(6)),
        Field("original_rdfi", 28, 8, DIGITS),
        Field("corrected", 36, 29, NEEDED),
        Field("", 65, 15, reserved(15)),
        Field("trace", 80, 15, DIGITS),
    ),
)
