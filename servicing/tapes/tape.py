"""A tape: a file and a column map together, read row by row into loans to board, every mistake named.

Rows are read as a stream; none is kept. Never: the database (`servicing/commands/tapes.py`).
Next: `servicing/tapes/fields.py`, which makes the loan of a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from dateutil.relativedelta import relativedelta

from servicing.boarding_days import BookDays, objections
from servicing.drafting import Wrong, draft_of, required, sums_of
from servicing.drafts import LoanDraft
from servicing.errors import TapeInvalid
from servicing.tapes.column_map import ColumnMap, FieldRule
from servicing.tapes.csv_file import CsvFile
from servicing.tapes.fields import Reading, read_fields
from servicing.tapes.json_lines import JsonLinesFile
from servicing.tapes.rows import Header, Mistake, TapeFile, TapeRow
from servicing.tapes.xlsx_file import XlsxFile

SHOWN_MISTAKES = 20
ENDINGS: Mapping[str, str] = {".xlsx": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@dataclass(frozen=True, slots=True)
class TapeLoan:
    """A row and the loan that it makes, or what is wrong with it; `sums` are its amounts, in minor units."""

    row: TapeRow
    draft: LoanDraft | None = None
    mistakes: tuple[Mistake, ...] = ()
    sums: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Tape:
    """A tape that can be read from the beginning as often as it is asked; without a book, any day is right.

    With a cut-over its loans are in mid-life, unless a row says another day.
    """

    file: TapeFile
    columns: ColumnMap
    reading: Reading
    product: str
    book: BookDays | None = None
    cut_over_on: date | None = None

    def header_mistakes(self) -> tuple[Mistake, ...]:
        """Return what is wrong with the columns: those that are missing, unknown, or stand twice.

        Raises: TapeUnreadable.
        """
        return tuple(self._header_mistakes())

    def loans(self) -> Iterator[TapeLoan]:
        """Yield the loan of each row, or its mistakes; rows that are passed over come with neither.

        Raises: TapeUnreadable.
        """
        seen: dict[str, int] = {}
        texts_of = _Texts(self.columns, self._header, self.product)
        for row in self.file.rows():
            if row.is_passed_over or (row.fault is None and not texts_of.takes(row)):
                yield TapeLoan(row)
            elif row.fault is not None:
                yield TapeLoan(row, mistakes=(Mistake(row.number, row.fault),))
            else:
                yield self._loan(row, texts_of, seen)

    @cached_property
    def _header(self) -> Header | None:
        return self.file.header()

    def _loan(self, row: TapeRow, texts_of: _Texts, seen: dict[str, int]) -> TapeLoan:
        texts, wrong = texts_of.read(row)
        values = read_fields(texts, self.reading, wrong)
        if self.cut_over_on is not None:
            values.setdefault("cut_over_on", self.cut_over_on)
        _add_days(self.columns, values, wrong)
        sums = tuple(sums_of(values))
        name = values.get("external_id")
        if name is not None and seen.setdefault(name, row.number) != row.number:
            wrong.append(("external_id", f"{name} stands in row {seen[name]} already"))
        draft = draft_of(values, wrong)
        if draft is not None:
            wrong.extend(objections(draft, self.book))
        if not wrong:
            return TapeLoan(row, draft, sums=sums)
        return TapeLoan(row, mistakes=tuple(texts_of.mistakes(row, wrong)), sums=sums)

    def _header_mistakes(self) -> Iterator[Mistake]:
        if isinstance(self.file, JsonLinesFile):
            return
        header = self._header or Header(1, (), ())
        has = set(header.columns)
        fields = self.columns.fields
        there = {name for name, rule in fields.items() if not rule.column or has & set(rule.column)}
        is_mid_life = self.cut_over_on is not None or "cut_over_on" in there
        for name in required(there, is_mid_life=is_mid_life):
            if name not in there:
                columns = fields[name].column if name in fields else None
                yield Mistake(header.number, "it is missing", " or ".join(columns or (name,)))
        yield from (Mistake(header.number, "it is missing", name) for name in self.columns.take if name not in has)
        known = {"mistakes", *self.columns.sources()}
        for name in dict.fromkeys(header.columns):
            if name not in known and self.columns.file.other_columns == "refuse":
                yield Mistake(header.number, "unknown", name)
            if header.columns.count(name) > 1 and name in known:
                yield Mistake(header.number, "it stands twice", name)


def open_tape(path: Path, columns: ColumnMap, format_: str | None = None) -> TapeFile:
    """Return a file of the format that is given, or that its map says, or its ending; without any, it is CSV."""
    own = columns.file
    match format_ or own.format or ENDINGS.get(path.suffix.lower()):
        case "xlsx":
            return XlsxFile(path, columns.layout(), own.sheet)
        case "jsonl":
            return JsonLinesFile(path)
        case _:
            tabs = path.suffix.lower() == ".tsv" and own.delimiter == ","
            return CsvFile(path, columns.layout(), "\t" if tabs else own.delimiter, own.encoding)


def drafts_of(tape: Tape) -> tuple[LoanDraft, ...]:
    """Return every loan of a tape.

    Raises: TapeUnreadable; TapeInvalid with every mistake.
    """
    mistakes = list(tape.header_mistakes())
    drafts: list[LoanDraft] = []
    for loan in () if mistakes else tape.loans():
        mistakes.extend(loan.mistakes)
        if loan.draft is not None:
            drafts.append(loan.draft)
    refuse(mistakes)
    return tuple(drafts)


def refuse(mistakes: Sequence[Mistake], *, shown: int = SHOWN_MISTAKES) -> None:
    """Refuse a tape that has mistakes; so many of them stand in the message, and all of them beside it.

    Raises: TapeInvalid.
    """
    if mistakes:
        told = tuple(mistake.as_json() for mistake in mistakes)
        rows = len({mistake.row for mistake in mistakes})
        raise TapeInvalid(count=len(mistakes), rows=rows, shown=tuple(map(str, mistakes[:shown])), mistakes=told)


@dataclass(frozen=True)
class _Source:
    """Where the text of a field is in the rows of one tape."""

    columns: tuple[str, ...]
    rule: FieldRule
    pattern: re.Pattern[str] | None

    def column(self, texts: Mapping[str, str]) -> str:
        """Return the first of its columns that a row has."""
        return next((name for name in self.columns if name in texts), self.columns[0])


class _Texts:
    """Finds the texts of the fields in the rows of one tape."""

    def __init__(self, columns: ColumnMap, header: Header | None, product: str) -> None:
        self._map = columns
        self._empty = frozenset(columns.text.empty)
        self._knows_columns = header is not None
        self._known = set(columns.sources())
        has = None if header is None else set(header.columns)
        self._constant = {name: rule.value for name, rule in columns.fields.items() if rule.value is not None}
        self._constant.setdefault("product", product)
        self._sources = {
            name: _Source(here, rule, re.compile(rule.pattern) if rule.pattern else None)
            for name, rule in columns.fields.items()
            if rule.column and (here := tuple(c for c in rule.column if has is None or c in has))
        }

    def takes(self, row: TapeRow) -> bool:
        """Tell whether a row is one of those to take."""
        return all(row.texts.get(name, "").strip() in values for name, values in self._map.take.items())

    def read(self, row: TapeRow) -> tuple[dict[str, str], list[Wrong]]:
        """Return the text of each field, and what keeps it from being one."""
        wrong: list[Wrong] = []
        texts: dict[str, str] = dict(self._constant)
        if not self._knows_columns and self._map.file.other_columns == "refuse":
            wrong.extend((name, "unknown") for name in row.texts if name not in self._known)
        for name, source in self._sources.items():
            found = row.texts.get(source.columns[0] if self._knows_columns else source.column(row.texts))
            if found is None:
                continue
            text = found.strip()
            if text in self._empty:
                text = ""
            if text and source.pattern is not None:
                match = source.pattern.fullmatch(text)
                if match is None:
                    wrong.append((name, f"{text!r} does not have the form {source.rule.pattern}"))
                    continue
                text = match[1]
            if text and source.rule.values:
                if text not in source.rule.values:
                    wrong.append((name, f"{text!r} is none of {', '.join(source.rule.values)}"))
                    continue
                text = source.rule.values[text]
            if text or name not in self._constant:
                texts[name] = text
        return texts, wrong

    def mistakes(self, row: TapeRow, wrong: Sequence[Wrong]) -> Iterator[Mistake]:
        """Yield reasons by the columns that they are about."""
        for name, reason in wrong:
            source = self._sources.get(name)
            column = name if source is None else source.column(row.texts)
            yield Mistake(row.number, reason, column, row.texts.get(column))


def _add_days(columns: ColumnMap, values: dict[str, Any], wrong: list[Wrong]) -> None:
    """Add the days that come so many months or days after others."""
    for name, rule in columns.fields.items():
        if rule.after is None:
            continue
        start = values.get(rule.after.field)
        if not isinstance(start, date):
            # It is not there because the other is not, which is named.
            values[name] = None
            continue
        try:
            values[name] = start + relativedelta(months=rule.after.months) + timedelta(days=rule.after.days)
        except (OverflowError, ValueError):
            wrong.append((name, f"it lies past the calendar: {start} is too late"))
