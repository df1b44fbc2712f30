"""A bank's CSV, by a map in TOML: which column is what, how days and amounts are written.

With a column for the balance, each line must lead from the balance before it to its own. Never: a guess at a column.
Next: `gl_export/bank/statement.py`.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gl_export.bank.statement import BankLine, BankStatement
from gl_export.errors import BankMapInvalid, BankStatementWrong
from ledger.domain_error import DomainError
from ledger.money import Money
from servicing.tapes.texts import ISO, Forms, day_form, read_day, read_money

Place = Literal[
    "booking_date", "value_date", "amount", "credit", "debit", "balance", "bank_id", "reference", "text", "kind"
]  # fmt: skip


class BankCsvMap(BaseModel):
    """Which column holds what. Amounts stand in one column, money that came in positive, or in `credit` and `debit`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str = Field(min_length=1)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    columns: Mapping[Place, str]
    days: tuple[str, ...] = Field(default=(ISO,), min_length=1)
    money_signs: tuple[str, ...] = ()
    thousands: bool = True
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    newest_first: bool = False


def parse_bank_map(text: str) -> BankCsvMap:
    """Read a map.

    Raises: BankMapInvalid naming the first mistake.
    """
    try:
        found = BankCsvMap.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as mistake:
        raise BankMapInvalid(place="the file", reason=f"it is no TOML: {mistake}") from None
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        reason = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise BankMapInvalid(place=".".join(map(str, first["loc"])), reason=reason) from None
    has = set(found.columns)
    if "booking_date" not in has:
        raise BankMapInvalid(place="columns.booking_date", reason="it is missing")
    if ("amount" in has) == bool(has & {"credit", "debit"}):
        raise BankMapInvalid(place="columns", reason="amounts stand in one column, amount, or in two, credit and debit")
    for form in found.days:
        try:
            day_form(form)
        except ValueError as mistake:
            raise BankMapInvalid(place="days", reason=str(mistake)) from None
    return found


def read_bank_csv(text: str, file: str, columns: BankCsvMap) -> tuple[BankStatement, ...]:
    """Read the statement of a file.

    Raises: BankStatementWrong with row and column.
    """
    reader = csv.DictReader(io.StringIO(text), delimiter=columns.delimiter, strict=True)
    try:
        missing = sorted(set(columns.columns.values()) - set(reader.fieldnames or ()))
        rows = [_Row(file, number, row, columns) for number, row in enumerate(reader if not missing else (), start=2)]
    except csv.Error as mistake:
        raise BankStatementWrong(
            file=file, place=f"line {reader.line_num}", reason=f"it is no CSV: {mistake}"
        ) from None
    if missing:
        raise BankStatementWrong(file=file, place="row 1", reason=f"there is no column {missing[0]}")
    if not rows:
        raise BankStatementWrong(file=file, place="row 2", reason="there is no row")
    if columns.newest_first:
        rows.reverse()
    lines = tuple(_lines(rows))
    first, last = rows[0].balance, rows[-1].balance
    days = sorted(line.booking_date for line in lines)
    return (
        BankStatement(
            file=file,
            account=columns.account,
            statement_id=f"{days[0]:%Y%m%d}-{days[-1]:%Y%m%d}",
            currency=columns.currency,
            as_of=days[-1],
            lines=lines,
            opening=None if first is None else first - lines[0].amount,
            closing=last,
        ),
    )


def _lines(rows: list[_Row]) -> Iterator[BankLine]:
    before: Money | None = None
    for row in rows:
        line, balance = row.line(), row.balance
        if before is not None and balance is not None and before + line.amount != balance:
            reason = f"{before.format()} and {line.amount.format()} do not make a balance of {balance.format()}"
            raise BankStatementWrong(file=row.file, place=line.place, reason=reason)
        before = balance
        yield line


class _Row:
    """A row of the file."""

    def __init__(self, file: str, number: int, cells: Mapping[str, str | None], columns: BankCsvMap) -> None:
        self.file, self.number, self.cells, self.columns = file, number, cells, columns
        self.balance = self.money("balance") if self.text("balance") else None

    def line(self) -> BankLine:
        days = self.columns.days
        try:
            booked = read_day(self.text("booking_date"), days)
            value = read_day(self.text("value_date"), days) if self.text("value_date") else None
        except ValueError as mistake:
            raise self.wrong(str(mistake)) from None
        names = (self.text("reference"),) if self.text("reference") else ()
        return BankLine(
            f"row {self.number}",
            booked,
            self.amount(),
            value,
            self.text("kind"),
            self.text("bank_id") or None,
            names,
            self.text("text"),
        )

    def amount(self) -> Money:
        if "amount" in self.columns.columns:
            return self.money("amount")
        return self.money("credit") - abs(self.money("debit"))

    def money(self, place: Place) -> Money:
        text = self.text(place)
        if text in ("", "-"):
            return Money.zero(self.columns.currency)
        if text.startswith("(") and text.endswith(")"):
            text = "-" + text[1:-1]
        forms = Forms(self.columns.days, self.columns.money_signs, self.columns.thousands)
        try:
            found = read_money(text.removeprefix("-").removeprefix("+").strip(), self.columns.currency, forms)
        except DomainError as mistake:
            raise self.wrong(f"column {self.columns.columns[place]}: {mistake}") from None
        return -found if text.startswith("-") else found

    def text(self, place: Place) -> str:
        column = self.columns.columns.get(place)
        return "" if column is None else (self.cells[column] or "").strip()

    def wrong(self, reason: str) -> BankStatementWrong:
        return BankStatementWrong(file=self.file, place=f"row {self.number}", reason=reason)
