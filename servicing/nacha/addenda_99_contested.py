"""Record 7/99 with R71 to R77: the receiver's bank stands by its return.

Next: `servicing/nacha/addenda_99_dishonored.py`, what is contested.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.nacha.fields import DIGITS, NEEDED, TEXT, Field, Layout, constant, reserved


@dataclass(frozen=True, slots=True)
class Contested:
    """A dishonored return that is contested, with the trace numbers, days and reasons of what went before."""

    reason_code: str
    original_trace: str
    original_rdfi: str
    return_trace: str
    dishonored_trace: str
    trace: str
    entry_returned_on: str = ""
    original_day: str = ""
    return_day: str = ""
    return_reason: str = ""
    dishonored_day: str = ""
    dishonored_reason: str = ""


CONTESTED = Layout(
    "contested dishonored return",
    (
        Field("", 1, 3, constant("799")),
        Field("reason_code", 4, 3, NEEDED),
        Field("original_trace", 7, 15, DIGITS),
        Field("entry_returned_on", 22, 6, TEXT),
        Field("original_rdfi", 28, 8, DIGITS),
        Field("original_day", 36, 3, TEXT),
        Field("return_trace", 39, 15, DIGITS),
        Field("return_day", 54, 3, TEXT),
        Field("return_reason", 57, 2, TEXT),
        Field("dishonored_trace", 59, 15, DIGITS),
        Field("dishonored_day", 74, 3, TEXT),
        Field("dishonored_reason", 77, 2, TEXT),
        Field("", 79, 1, reserved(1)),
        Field("trace", 80, 15, DIGITS),
    ),
)
