"""Record 7/05: eighty characters of free text for the receiver.

Next: `servicing/nacha/addenda.py`, which tells the kinds of addenda apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.nacha.fields import DIGITS, NUMBER, TEXT, Field, Layout, constant


@dataclass(frozen=True, slots=True)
class Note:
    """Text that goes with an entry; `sequence` counts from 1, `entry_sequence` ends the entry's trace number."""

    text: str
    sequence: int
    entry_sequence: str


NOTE = Layout(
    "addenda of text",
    (
        Field("", 1, 3, constant("705")),
        Field("text", 4, 80, TEXT),
        Field("sequence", 84, 4, NUMBER),
        Field("entry_sequence", 88, 7, DIGITS),
    ),
)
