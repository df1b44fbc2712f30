"""Record 7/99 with R61 to R70: the originator's bank does not accept a return.

Next: `servicing/nacha/addenda_99_contested.py`, the answer to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.nacha.fields import DIGITS, NEEDED, TEXT, Field, Layout, constant, reserved


@dataclass(frozen=True, slots=True)
class Dishonored:
    """A return that is dishonored; `return_day` is the day of the year on which it settled, `return_reason` the two
    digits of its reason."""

    reason_code: str
    original_trace: str
    original_rdfi: str
    return_trace: str
    trace: str
    return_day: str = ""
    return_reason: str = ""
    information: str = ""


DISHONORED = Layout(
    "dishonored return",
    (
        Field("", 1, 3, constant("799")),
        Field("reason_code", 4, 3, NEEDED),
        Field("original_trace", 7, 15, DIGITS),
        Field("", 22, 6, reserved(6)),
        Field("original_rdfi", 28, 8, DIGITS),
        Field("", 36, 3, reserved(3)),
        Field("return_trace", 39, 15, DIGITS),
        Field("return_day", 54, 3, TEXT),
        Field("return_reason", 57, 2, TEXT),
        Field("information", 59, 21, TEXT),
        Field("trace", 80, 15, DIGITS),
    ),
)
