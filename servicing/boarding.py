"""A loan tape: a CSV file with a header, read whole, every mistake named by row and column before anything is boarded.

Columns: external_id, principal, rate, installments, frequency, funded_on, first_due_on; installment_amount and balloon
may be left out. Control totals, where they are given, must agree with what was read. Never: boarding, or guessing.
Next: `servicing/commands/boarding.py`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ledger.errors import DomainError
from ledger.money import Money
from servicing.drafts import LoanDraft
from servicing.errors import ControlTotalWrong, TapeInvalid, TermsInvalid
from servicing.product import Product
from servicing.terms import Terms

REQUIRED = ("external_id", "principal", "rate", "installments", "frequency", "funded_on", "first_due_on")
OPTIONAL = ("installment_amount", "balloon")
SHOWN_MISTAKES = 20


@dataclass(frozen=True, slots=True)
class Tape:
    """The loans of a tape, and its totals."""

    drafts: tuple[LoanDraft, ...]
    count: int
    principal: Money


def read_tape(
    text: str,
    product: Product,
    currency: str,
    *,
    expected_count: int | None = None,
    expected_principal: Money | None = None,
) -> Tape:
    """Read a tape.

    Raises: TapeInvalid with every mistake by row and column; ControlTotalWrong.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    mistakes: list[str] = []
    drafts: list[LoanDraft] = []
    seen: dict[str, int] = {}
    readers = _readers(currency)
    try:
        _refuse(list(_header_mistakes(reader.fieldnames or ())))
        for row in reader:
            _read_row(row, reader.line_num, product, readers, drafts, seen, mistakes)
    except csv.Error as mistake:
        mistakes.append(f"row {reader.reader.line_num}: {mistake}")
    _refuse(mistakes)
    principal = Money.sum((draft.terms.principal for draft in drafts), currency)
    _check_total("count", len(drafts), expected_count)
    _check_total("principal", principal, expected_principal)
    return Tape(tuple(drafts), len(drafts), principal)


def _header_mistakes(columns: Sequence[str]) -> Iterator[str]:
    yield from (f"row 1, column {name}: it is missing" for name in REQUIRED if name not in columns)
    yield from (f"row 1, column {name}: unknown" for name in columns if name not in REQUIRED + OPTIONAL)
    yield from (f"row 1, column {name}: it stands twice" for name in dict.fromkeys(columns) if columns.count(name) > 1)


def _read_row(
    row: Mapping[Any, Any],
    line: int,
    product: Product,
    readers: Mapping[str, Callable[[str], Any]],
    drafts: list[LoanDraft],
    seen: dict[str, int],
    mistakes: list[str],
) -> None:
    """Read one row into `drafts`, or its mistakes into `mistakes`."""
    if None in row or None in row.values():
        mistakes.append(f"row {line}: it has not as many values as the header has columns")
        return
    values: dict[str, Any] = {}
    for name, read in readers.items():
        try:
            values[name] = read(row.get(name, "").strip())
        except (ValueError, DomainError) as mistake:
            reason = str(mistake) if isinstance(mistake, DomainError) else f"{row[name]!r} is not understood"
            mistakes.append(f"row {line}, column {name}: {reason}")
    if len(values) < len(readers):
        return
    external_id = values.pop("external_id")
    if external_id in seen:
        mistakes.append(f"row {line}, column external_id: {external_id} stands in row {seen[external_id]} already")
        return
    seen[external_id] = line
    try:
        drafts.append(LoanDraft(external_id, Terms(product=product, **values)))
    except TermsInvalid as mistake:
        mistakes.append(f"row {line}, column {mistake.field}: {mistake.reason}")


def _readers(currency: str) -> Mapping[str, Callable[[str], Any]]:
    return {
        "external_id": str,
        "principal": lambda text: Money.parse(text, currency),
        "rate": _reader(r"[0-9]{1,4}(\.[0-9]{1,12})?", Decimal),
        "installments": _reader(r"[0-9]{1,4}", int),
        "frequency": str,
        "funded_on": _DAY,
        "first_due_on": _DAY,
        "installment_amount": lambda text: Money.parse(text, currency) if text else None,
        "balloon": lambda text: Money.parse(text, currency) if text else None,
    }


def _reader(pattern: str, read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a reader of texts of one form; others are a ValueError, as are those that `read` refuses."""
    form = re.compile(pattern, re.ASCII)

    def reader(text: str) -> Any:
        if form.fullmatch(text) is None:
            raise ValueError(text)
        return read(text)

    return reader


_DAY = _reader(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date.fromisoformat)


def _refuse(mistakes: Sequence[str]) -> None:
    if mistakes:
        raise TapeInvalid(count=len(mistakes), mistakes=tuple(mistakes[:SHOWN_MISTAKES]))


def _check_total(name: str, found: object, expected: object | None) -> None:
    if expected is not None and found != expected:
        raise ControlTotalWrong(total=name, found=str(found), expected=str(expected))
