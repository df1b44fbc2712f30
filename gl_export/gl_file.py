"""What the general ledger says of itself: a trial balance or a list of its postings, in CSV or XLSX.

A map in TOML says which columns hold what; a file is read whole or refused with the row and the column. Never: the
database, or a guess at what a column means. Next: `gl_export/gl_comparison.py`; `docs/spec/gl_reconciliation.md`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gl_export.errors import GLMapInvalid
from ledger.domain_error import DomainError
from ledger.errors import MalformedRow
from ledger.money import Money
from servicing.tapes.csv_file import CsvFile
from servicing.tapes.rows import TapeFile, TapeRow
from servicing.tapes.table import Layout
from servicing.tapes.texts import ISO, Forms, day_form, read_day, read_money
from servicing.tapes.xlsx_file import XlsxFile

Place = Literal[
    "gl_account", "debit", "credit", "amount", "currency", "posting_date", "reference", "description"
]  # fmt: skip


class StatementKind(StrEnum):
    """Balances: a balance for each account on a day. Detail: the postings of a period, one by one."""

    BALANCES = "balances"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class GLRow:
    """A row of a file; `amount` is signed, debits positive. Only rows of detail have a day."""

    row_no: int
    gl_account: str
    amount: Money
    posting_date: date | None = None
    reference: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class GLStatement:
    """A file of the GL as it was taken; `from_date` is None for balances."""

    statement_no: int
    kind: StatementKind
    from_date: date | None
    as_of: date
    file_name: str
    sha256: bytes
    row_count: int
    actor: str


OWN_COLUMNS: Mapping[Place, str] = {"gl_account": "gl_account", "debit": "debit", "credit": "credit"}
"""The columns of a trial balance that needs no map."""


class GLFileMap(BaseModel):
    """Which column holds what, and how days and amounts are written.

    Amounts stand in two columns, debit and credit, or in one, `amount`, that is negative or in parentheses for a
    credit. Rows whose account is one of `pass_over` are no accounts, such as a line of totals.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Mapping[Place, str] = OWN_COLUMNS
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    days: tuple[str, ...] = Field(default=(ISO,), min_length=1)
    money_signs: tuple[str, ...] = ()
    thousands: bool = True
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"
    sheet: str | None = None
    header_within: int = Field(default=10, ge=1, le=100)
    pass_over: tuple[str, ...] = ("Total", "Totals", "TOTAL", "TOTALS")

    @property
    def kind(self) -> StatementKind:
        """Return what a file of this map is: detail where rows have days."""
        return StatementKind.DETAIL if "posting_date" in self.columns else StatementKind.BALANCES

    @property
    def forms(self) -> Forms:
        """Return how amounts and days are written."""
        return Forms(self.days, self.money_signs, self.thousands)


def parse_gl_map(text: str) -> GLFileMap:
    """Read a map.

    Raises: GLMapInvalid naming the first mistake.
    """
    try:
        found = GLFileMap.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as mistake:
        raise GLMapInvalid(place="the file", reason=f"it is no TOML: {mistake}") from None
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        reason = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise GLMapInvalid(place=".".join(map(str, first["loc"])), reason=reason) from None
    for place, reason in _contradictions(found):
        raise GLMapInvalid(place=place, reason=reason)
    return found


def _contradictions(found: GLFileMap) -> Iterator[tuple[str, str]]:
    has = set(found.columns)
    if "gl_account" not in has:
        yield "columns.gl_account", "it is missing"
    if "amount" in has and has & {"debit", "credit"}:
        yield "columns.amount", "amounts stand in one column, or in debit and credit, not in both"
    if "amount" not in has and not {"debit", "credit"} <= has:
        yield "columns", "amounts stand in one column, amount, or in two, debit and credit"
    if len(set(found.columns.values())) < len(found.columns):
        yield "columns", "a column stands there twice"
    for form in found.days:
        try:
            day_form(form)
        except ValueError as mistake:
            yield "days", str(mistake)


def read_gl_file(path: Path, name: str, columns: GLFileMap, *, currency: str) -> tuple[GLRow, ...]:
    """Read all rows of a file, in the currency that they, the map, or the book has.

    Raises: MalformedRow with file, row and column; TapeUnreadable.
    """
    return tuple(_rows(path, name, columns, columns.currency or currency))


def _rows(path: Path, name: str, columns: GLFileMap, currency: str) -> Iterator[GLRow]:
    file = _opened(path, columns)
    header = file.header()
    missing = sorted(set(columns.columns.values()) - set(() if header is None else header.columns))
    if missing:
        reason = f"the columns wanted are {', '.join(columns.columns.values())}"
        raise MalformedRow(
            file=name, row=1 if header is None else header.number, field="header", value=missing[0], reason=reason
        )
    for row in file.rows():
        if row.fault is not None:
            raise MalformedRow(file=name, row=row.number, field="row", value="", reason=row.fault)
        reader = _Row(name, columns, row)
        if reader.text("gl_account") not in columns.pass_over:
            yield reader.read(currency)


def _opened(path: Path, columns: GLFileMap) -> TapeFile:
    layout = Layout(columns.header_within, frozenset(columns.columns.values()))
    if path.suffix.lower() == ".xlsx":
        return XlsxFile(path, layout, columns.sheet)
    return CsvFile(path, layout, columns.delimiter, columns.encoding)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    columns: GLFileMap
    row: TapeRow

    def text(self, place: Place) -> str:
        column = self.columns.columns.get(place)
        return "" if column is None else self.row.texts[column].strip()

    def read(self, currency: str) -> GLRow:
        account = self.text("gl_account")
        if not account:
            raise self.refused("gl_account", "the account is missing")
        return GLRow(
            self.row.number,
            account,
            self._amount(self.text("currency") or currency),
            self._day(),
            self.text("reference") or None,
            self.text("description") or None,
        )

    def _amount(self, currency: str) -> Money:
        if "amount" in self.columns.columns:
            return self._money("amount", currency)
        return self._money("debit", currency) - self._money("credit", currency)

    def _money(self, place: Place, currency: str) -> Money:
        text = self.text(place)
        if text in ("", "-"):
            return Money.zero(currency)
        if text.startswith("(") and text.endswith(")"):
            text = "-" + text[1:-1].strip()
        negative = text.startswith("-")
        try:
            found = read_money(text.removeprefix("-").strip(), currency, self.columns.forms)
        except DomainError as mistake:
            raise self.refused(place, str(mistake)) from None
        return -found if negative else found

    def _day(self) -> date | None:
        if self.columns.kind is StatementKind.BALANCES:
            return None
        try:
            return read_day(self.text("posting_date"), self.columns.days)
        except ValueError as mistake:
            raise self.refused("posting_date", str(mistake)) from None

    def refused(self, place: Place, reason: str) -> MalformedRow:
        column = self.columns.columns[place]
        return MalformedRow(
            file=self.name, row=self.row.number, field=column, value=self.row.texts[column], reason=reason
        )
