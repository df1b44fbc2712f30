"""Record 1: who sends the file, to whom, when, and which of the day's files it is.

Never: batches. Next: `servicing/nacha/batch_header.py`.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import date

from servicing.nacha.fields import DATE, NEEDED, TEXT, TIME, Field, Layout, constant, one_of


@dataclass(frozen=True, slots=True)
class FileHeader:
    """The sender, the receiver and the moment of a file.

    `destination` is a space and a routing number; `origin` what the bank asks for, ten characters.
    `modifier` tells the files of one day apart.
    """

    destination: str
    origin: str
    created_on: date | None
    created_at: str = ""
    modifier: str = "A"
    destination_name: str = ""
    origin_name: str = ""
    reference: str = ""


FILE_HEADER = Layout(
    "file header",
    (
        Field("", 1, 1, constant("1")),
        Field("", 2, 2, constant("01")),
        Field("destination", 4, 10, NEEDED),
        Field("origin", 14, 10, NEEDED),
        Field("created_on", 24, 6, DATE),
        Field("created_at", 30, 4, TIME),
        Field("modifier", 34, 1, one_of(*string.ascii_uppercase, *string.digits)),
        Field("", 35, 3, constant("094")),
        Field("", 38, 2, constant("10")),
        Field("", 40, 1, constant("1")),
        Field("destination_name", 41, 23, TEXT),
        Field("origin_name", 64, 23, TEXT),
        Field("reference", 87, 8, TEXT),
    ),
)
