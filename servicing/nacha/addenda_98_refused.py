"""Record 7/98 with C61 to C69: an originator's bank refuses a notification of change.

Next: `servicing/nacha/addenda_98.py`, what is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.nacha.fields import DIGITS, NEEDED, TEXT, Field, Layout, constant, reserved


@dataclass(frozen=True, slots=True)
class RefusedChange:
    """The refusal of a notification: why, and which notification; `change_sequence` ends its trace number."""

    refusal_code: str
    original_trace: str
    original_rdfi: str
    corrected: str
    change_code: str
    change_sequence: str
    trace: str


REFUSED_CHANGE = Layout(
    "refused notification of change",
    (
        Field("", 1, 3, constant("798")),
        Field("refusal_code", 4, 3, NEEDED),
        Field("original_trace", 7, 15, DIGITS),
        Field("", 22, 6, reserved(6)),
        Field("original_rdfi", 28, 8, DIGITS),
        Field("corrected", 36, 29, TEXT),
        Field("change_code", 65, 3, NEEDED),
        Field("change_sequence", 68, 7, DIGITS),
        Field("", 75, 5, reserved(5)),
        Field("trace", 80, 15, DIGITS),
    ),
)
