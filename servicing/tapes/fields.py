"""The fields of a loan that a tape can fill, each with the reader of its text, and the loan they make together.

Every field is read, and every mistake named, before the loan is put together. Never: files, columns.
Next: `servicing/tapes/column_map.py`, which says where the texts come from; `servicing/terms.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.errors import DomainError
from ledger.money import Money
from servicing.drafts import LoanDraft
from servicing.errors import TermsInvalid
from servicing.product import Product
from servicing.tapes.texts import ISO, Forms, read_count, read_day, read_list, read_money, read_rate
from servicing.terms import CustomRow, Step, Terms

Wrong = tuple[str, str]
"""A field and the reason why it is refused."""


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
}
"""Every field, and how its text is read."""

NEW_LOAN = ("external_id", "principal", "rate", "installments", "frequency", "funded_on", "first_due_on")
"""The fields that a new loan must have; of the others, an empty text says that there is nothing."""

SUMMED = ("principal",)
"""The fields whose sums are control totals."""


def read_fields(texts: Mapping[str, str], reading: Reading, wrong: list[Wrong]) -> dict[str, Any]:
    """Return the values of the texts that are understood; the reasons for the others go to `wrong`."""
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if not text:
            if name in NEW_LOAN:
                wrong.append((name, "it is empty"))
            continue
        try:
            values[name] = READERS[name](text, reading)
        except ValueError as mistake:
            wrong.append((name, str(mistake)))
        except DomainError as mistake:
            wrong.append((name, mistake.message))
    return values


def draft_of(values: Mapping[str, Any], wrong: list[Wrong]) -> LoanDraft | None:
    """Return the loan that values make; where they do not make one, the reasons go to `wrong`."""
    missing = [name for name in NEW_LOAN if name not in values and name not in {field for field, _ in wrong}]
    wrong.extend((name, "it is missing") for name in missing)
    if wrong:
        return None
    try:
        own = dict(values)
        return LoanDraft(own.pop("external_id"), Terms(**own))
    except TermsInvalid as mistake:
        wrong.append((mistake.field, mistake.reason))
        return None


def sums_of(values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield what a row adds to each control total, in minor units."""
    for name in SUMMED:
        if name in values:
            yield name, values[name].minor
