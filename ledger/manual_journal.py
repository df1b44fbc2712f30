"""Manual journals as values: debits and credits that a person writes down, and the CSV file they come in.

A journal balances or cannot be made. Control accounts refuse it later, in the database. Never: the database, approval.
Next: `ledger/commands/manual_journals.py`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from ledger.chart import AccountCode, Side
from ledger.errors import DomainError, MalformedRow
from ledger.journal import Line, Posting
from ledger.money import Money
from ledger.pairing import pair

TEMPLATE = "manual_journal"
TEMPLATE_VERSION = 1

COLUMNS = ("journal", "effective_date", "account", "debit", "credit", "currency", "narration", "source_ref")
REQUIRED_COLUMNS = COLUMNS[:6]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualJournal:
    """A journal by hand. `booking_date` None is the business date of the day on which it is approved.

    Raises: EntryUnbalanced with both totals and the difference; EntryEmpty.
    """

    book_code: str
    effective_date: date
    narration: str
    lines: tuple[Line, ...]
    booking_date: date | None = None
    source_ref: str | None = None

    def __post_init__(self) -> None:
        pair(self.lines)

    @property
    def postings(self) -> tuple[Posting, ...]:
        """Return the lines paired into postings."""
        return pair(self.lines)


def read_csv(rows: Iterable[str], *, file: str, book_code: str) -> tuple[ManualJournal, ...]:
    """Read journals from the lines of a CSV file: rows with the same `journal` make one, wherever they stand.

    Raises: MalformedRow naming file, row and field; EntryUnbalanced.
    """
    reader = csv.DictReader(rows, strict=True)
    header = reader.fieldnames or []
    _check_header(header, file)
    groups: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    for row_no, row in _rows(reader, file):
        groups.setdefault(_text(row, "journal", file, row_no), []).append((row_no, row))
    if not groups:
        raise MalformedRow(file=file, row=1, field="journal", value="", reason="the file has no rows")
    return tuple(_journal(group, file, book_code) for group in groups.values())


def _check_header(header: Iterable[str], file: str) -> None:
    for name in header:
        if name not in COLUMNS:
            raise MalformedRow(
                file=file, row=1, field=name, value=name, reason=f"a column is one of {', '.join(COLUMNS)}"
            )
    for name in REQUIRED_COLUMNS:
        if name not in header:
            raise MalformedRow(file=file, row=1, field=name, value="", reason="the column is missing")


def _rows(reader: csv.DictReader[str], file: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        for row in reader:
            if None in row or None in row.values():
                raise MalformedRow(
                    file=file,
                    row=reader.line_num,
                    field="(row)",
                    value="",
                    reason="it has not as many cells as the header",
                )
            yield reader.line_num, row
    except csv.Error as error:
        # The inner reader counts the line that failed, the outer one only those before it.
        row_no = reader.reader.line_num
        raise MalformedRow(file=file, row=row_no, field="(row)", value="", reason=str(error)) from None


def _journal(group: list[tuple[int, Mapping[str, str]]], file: str, book_code: str) -> ManualJournal:
    first_no, first = group[0]
    for row_no, row in group[1:]:
        for name in ("effective_date", "narration", "source_ref"):
            if row.get(name, "") not in ("", first.get(name, "")):
                reason = f"the journal's first row has {first.get(name, '')!r}"
                raise MalformedRow(file=file, row=row_no, field=name, value=row[name], reason=reason)
    return ManualJournal(
        book_code=book_code,
        effective_date=_day(first, file, first_no),
        narration=first.get("narration") or "Manual journal",
        source_ref=first.get("source_ref") or f"{file}#{first['journal']}",
        lines=tuple(_line(row, file, row_no) for row_no, row in group),
    )


def _line(row: Mapping[str, str], file: str, row_no: int) -> Line:
    debit, credit = row["debit"].strip(), row["credit"].strip()
    if bool(debit) == bool(credit):
        raise MalformedRow(
            file=file,
            row=row_no,
            field="debit",
            value=debit,
            reason="a row has a debit or a credit, and not both",
        )
    field, side = ("debit", Side.DEBIT) if debit else ("credit", Side.CREDIT)
    try:
        money = Money.parse(debit or credit, _text(row, "currency", file, row_no))
        return Line(AccountCode(_text(row, "account", file, row_no)), side, money)
    except MalformedRow:
        raise
    except DomainError as error:
        raise MalformedRow(file=file, row=row_no, field=field, value=debit or credit, reason=error.message) from None


def _day(row: Mapping[str, str], file: str, row_no: int) -> date:
    text = _text(row, "effective_date", file, row_no)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise MalformedRow(
            file=file, row=row_no, field="effective_date", value=text, reason="a date is YYYY-MM-DD"
        ) from None


def _text(row: Mapping[str, str], name: str, file: str, row_no: int) -> str:
    text = row[name].strip()
    if not text:
        raise MalformedRow(file=file, row=row_no, field=name, value="", reason="it is empty")
    return text
