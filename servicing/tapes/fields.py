"""The fields of a loan that a tape can fill, each with the reader of its text; an empty text is no value.

Never: files, columns, or the loan that they make (`servicing/drafting.py`).
Next: `servicing/tapes/column_map.py`, which says where the texts come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.errors import DomainError
from ledger.money import Money
from servicing.drafting import BALANCE_FIELDS, Wrong
from servicing.product import Product
from servicing.tapes.texts import ISO, Forms, read_count, read_day, read_list, read_money, read_rate
from servicing.terms import CustomRow, Step


@dataclass(frozen=True, slots=True)
class Reading:
    """What the texts of a tape are read with: its currency, how they are written, and the products by name."""

    currency: str
    forms: Forms
    product_of: Callable[[str], Product]


Read = Callable[[str, Reading], Any]


def _money(text: str, reading: Reading) -> Money:
    return read_money(text, reading.currency, reading.forms)


def _day(text: str, reading: Reading) -> date:
    return read_day(text, reading.forms.days)


def _count(text: str, _: Reading) -> int:
    return read_count(text)


def _steps(text: str, reading: Reading) -> tuple[Step, ...]:
    def step(item: Mapping[str, Any]) -> Step:
        _only(item, "installments", "amount")
        return Step(read_count(str(item.get("installments", ""))), _optional_money(item.get("amount"), reading))

    return read_list(text, step)


def _rows(text: str, reading: Reading) -> tuple[CustomRow, ...]:
    def row(item: Mapping[str, Any]) -> CustomRow:
        _only(item, "due", "principal", "total")
        amounts = (_optional_money(item.get(name), reading) for name in ("principal", "total"))
        return CustomRow(read_day(str(item.get("due", "")), (ISO,)), *amounts)

    return read_list(text, row)


def _only(item: Mapping[str, Any], *names: str) -> None:
    for name in item:
        if name not in names:
            raise ValueError(f"{name} is unknown; known are {', '.join(names)}")


def _optional_money(text: Any, reading: Reading) -> Money | None:
    return None if text is None else Money.parse(str(text), reading.currency)


READERS: Mapping[str, Read] = {
    "external_id": lambda text, _: text,
    "product": lambda text, reading: reading.product_of(text),
    "principal": _money,
    "rate": lambda text, reading: read_rate(text, reading.forms),
    "installments": _count,
    "frequency": lambda text, _: text,
    "funded_on": _day,
    "first_due_on": _day,
    "installment_amount": _money,
    "balloon": _money,
    "steps": _steps,
    "rows": _rows,
    "cut_over_on": _day,
    **dict.fromkeys(BALANCE_FIELDS, _money),
    "days_past_due": _count,
    "past_due": _money,
    "next_due_on": _day,
    "installments_left": _count,
}
"""Every field, and how its text is read."""


def read_fields(texts: Mapping[str, str], reading: Reading, wrong: list[Wrong]) -> dict[str, Any]:
    """Return the values of the texts that are understood; the reasons for the others go to `wrong`."""
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if not text:
            continue
        try:
            values[name] = READERS[name](text, reading)
        except ValueError as mistake:
            wrong.append((name, str(mistake)))
        except DomainError as mistake:
            wrong.append((name, mistake.message))
    return values
