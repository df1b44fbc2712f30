"""Advances and payments of a CSV file: the columns on, kind and amount, with a count and a frequency for equal ones.

Every mistake is named by row and column. Never: the rate (`servicing/apr.py`). Next: `api/cli/pricing.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servicing.apr import Flow

CSV_NEEDED, CSV_OPTIONAL = ("on", "kind", "amount"), ("count", "frequency")


def looks_like_csv(text: str) -> bool:
    """Tell whether the first line is the header of such a file, or of one that was meant to be."""
    first = text.split("\n", 1)[0]
    return "," in first and ":" not in first


def read_flows(text: str, currency: str) -> tuple[list[Flow], list[Flow]]:
    """Return the advances and the payments of a CSV file.

    Raises: InputMalformed naming row and column; ScenarioInvalid likewise; CurrencyUnknown.
    """
    from api.errors import InputMalformed
    from ledger.money import Currency

    Currency.of(currency)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: dict[str, list[Flow]] = {"advance": [], "payment": []}
    try:
        _check_header(reader.fieldnames or ())
        for row in reader:
            place = f"row {reader.line_num}"
            if None in row or None in row.values():
                raise InputMalformed(place=place, reason="it has not as many values as the header has columns")
            values = {name: value.strip() for name, value in row.items()}
            if values["kind"] not in found:
                raise InputMalformed(place=f"{place}, column kind", reason="it is advance or payment")
            found[values["kind"]] += _flows(values, place, currency)
    except csv.Error as mistake:
        raise InputMalformed(place=f"row {reader.reader.line_num}", reason=str(mistake)) from None
    return found["advance"], found["payment"]


def _check_header(columns: Any) -> None:
    from api.errors import InputMalformed

    for name in CSV_NEEDED:
        if name not in columns:
            raise InputMalformed(place=f"row 1, column {name}", reason="it is missing")
    for name in columns:
        if name not in CSV_NEEDED + CSV_OPTIONAL or columns.count(name) > 1:
            raise InputMalformed(place=f"row 1, column {name}", reason="it is unknown, or stands twice")


def _flows(values: Mapping[str, str], place: str, currency: str) -> Iterator[Flow]:
    """Yield the flows of a row: one, or as many as it counts."""
    from api.errors import InputMalformed
    from servicing.apr import Flow
    from servicing.due_dates import PERIODS_A_YEAR, due_dates, every_days
    from servicing.scenario_values import day, money, whole

    on = day(values["on"], f"{place}, column on")
    each = money(values["amount"], f"{place}, column amount", currency)
    count = whole(values.get("count") or "1", f"{place}, column count")
    frequency = values.get("frequency") or ("monthly" if count == 1 else "")
    if not 1 <= count <= 1200:
        raise InputMalformed(place=f"{place}, column count", reason="it is 1 to 1200")
    if frequency not in PERIODS_A_YEAR and every_days(frequency) is None:
        known = ", ".join(PERIODS_A_YEAR)
        raise InputMalformed(place=f"{place}, column frequency", reason=f"it is one of {known} or days:n")
    yield from (Flow(due, each) for due in due_dates(date.min, on, frequency, count))
