"""The formats there are, as a table: a name, the ending of its files, for whom, and what renders it.

A new receiver is a new file beside this one and a row here. Next: `gl_export/formats/generic_csv.py`, the
simplest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gl_export.batch import GLBatch
from gl_export.errors import FormatUnknown
from gl_export.formats import beancount, generic_csv, hledger, json_lines


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a batch down."""

    name: str
    ending: str
    purpose: str
    render: Callable[[GLBatch], bytes]


FORMATS = (
    Format("csv", "csv", "any general ledger that imports a spreadsheet", generic_csv.render),
    Format("jsonl", "jsonl", "programs", json_lines.render),
    Format("beancount", "beancount", "an independent check by beancount", beancount.render),
    Format("hledger", "journal", "an independent check by hledger or ledger", hledger.render),
)


def format_named(name: str) -> Format:
    """Return a format by its name.

    Raises: FormatUnknown.
    """
    for each in FORMATS:
        if each.name == name:
            return each
    raise FormatUnknown(name=name, known=tuple(each.name for each in FORMATS))
