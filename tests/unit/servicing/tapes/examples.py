"""A tape of one loan, and how the tests read one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servicing.boarding_days import BookDays
from servicing.errors import TapeInvalid
from servicing.product import Product, shipped
from servicing.tapes.column_map import OWN_COLUMNS, ColumnMap
from servicing.tapes.fields import Reading
from servicing.tapes.tape import Tape, drafts_of, open_tape

HEADER = "external_id,principal,rate,installments,frequency,funded_on,first_due_on\n"
GOOD = "A,100,12,12,monthly,2026-01-01,2026-02-01\n"


def tape_of(path: Path, columns: ColumnMap = OWN_COLUMNS, **more: Any) -> Tape:
    """Return the tape of a file, in dollars."""
    product_of: Callable[[str], Product] = more.get("product_of", shipped)
    book: BookDays | None = more.get("book")
    reading = Reading("USD", columns.forms, product_of)
    return Tape(open_tape(path, columns), columns, reading, more.get("product", "installment"), book)


def written(folder: Path, text: str, name: str = "tape.csv") -> Path:
    """Write a tape and return its file."""
    file = folder / name
    file.write_text(text, encoding="utf-8", newline="")
    return file


def mistakes_of(tape: Tape) -> list[str]:
    """Return every mistake of a tape as text."""
    with pytest.raises(TapeInvalid) as refused:
        drafts_of(tape)
    return [
        f"row {each['row']}" + (f", column {each['column']}" if each["column"] else "") + f": {each['reason']}"
        for each in refused.value.mistakes
    ]
