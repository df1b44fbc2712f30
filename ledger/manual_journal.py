"""Manual journals as values: debits and credits that a person writes down, and the CSV file they come in.

A journal balances or cannot be made. Control accounts refuse it later, in the database. Never: the database, approval.
Next: `ledger/commands/manual_journals.py`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class FiledJournal:
    """A journal of a file, and where it stands there, in words."""

    place: str
    journal: ManualJournal


def read_csv(rows: Iterable[str], *, file: str, book_code: str) -> tuple[ManualJournal, ...]:
    """Read journals from the lines of a CSV file, as `read_filed` does, without their places."""
    return tuple(filed.journal for filed in read_filed(rows, file=file, book_code=book_code))


def read_filed(rows: Iterable[str], *, file: str, book_code: str) -> tuple[FiledJournal, ...]:
    """Read journals from the lines of a CSV file: rows with the same `journal` make one, wherever they stand.

    Raises: MalformedRow naming file, row and field; EntryUnbalanced with a note of the journal's place.
    """
    reader = csv.DictReader(rows, strict=True)
    header = _header(reader, file)
    _check_header(header, file)
    groups: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    for row_no, row in _rows(reader, file):
        groups.setdefault(_text(row, "journal", file, row_no), []).append((row_no, row))
    if not groups:
        raise MalformedRow(file=file, row=1, field="journal", value="", reason="the file has no rows")
    return tuple(_filed(label, group, file, book_code) for label, group in groups.items())


def _filed(label: str, group: list[tuple[int, Mapping[str, str]]], file: str, book_code: str) -> FiledJournal:
    place = f"{file}, row {group[0][0]}, journal {label}"
    try:
        return FiledJournal(place, _journal(group, file, book_code))
    except MalformedRow:
        raise
    except DomainError as error:
        error.add_note(place)
        raise


def _header(reader: csv.DictReader[str], file: str) -> Sequence[str]:
    try:
        header = reader.fieldnames
    except csv.Error as error:
        raise MalformedRow(file=file, row=1, field="(row)", value="", reason=str(error)) from None
    if not header:
        reason = f"the file is empty; it needs the columns {', '.join(REQUIRED_COLUMNS)}"
        raise MalformedRow(file=file, row=1, field="(row)", value="", reason=reason)
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        reason = "columns are separated by commas"
        raise MalformedRow(file=file, row=1, field="(row)", value=header[0], reason=reason)
    return header


def _check_header(header: Sequence[str], file: str) -> None:
    for name in header:
        if header.count(name) > 1:
            raise MalformedRow(file=file, row=1, field=name, value=name, reason="the column stands twice")
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
        if len(text) != 10:
            raise ValueError(text)
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
