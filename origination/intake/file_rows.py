"""Applications as the rows of a file: each column a field by its path, or a section as an object.

Values are texts: amounts in the major unit, days as `YYYY-MM-DD`. What is wrong is named by row and column, and no
value of a personal field is repeated. Never: how a file is written (`servicing/tapes/`).
Next: `origination/intake_commands.py`; `docs/spec/intake.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from origination.intake.checking import Problem, check
from origination.intake.documents import Document, flat, nested
from origination.intake.form import Form
from servicing.tapes.csv_file import CsvFile
from servicing.tapes.json_lines import JsonLinesFile
from servicing.tapes.rows import MISTAKES, Header, Mistake, TapeFile, TapeRow
from servicing.tapes.tape import ENDINGS
from servicing.tapes.xlsx_file import XlsxFile

NAME = "external_id"


@dataclass(frozen=True, slots=True)
class FileApplication:
    """A row and the application that it makes, or what is wrong with it."""

    row: TapeRow
    external_id: str = ""
    data: Mapping[str, Any] | None = None
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationFile:
    """A file of applications for one product, read from the beginning as often as it is asked."""

    file: TapeFile
    form: Form
    today: date

    def header_mistakes(self) -> tuple[Mistake, ...]:
        """Return what is wrong with the columns of a table.

        Raises: TapeUnreadable.
        """
        header = self.file.header()
        return () if header is None else tuple(_header_mistakes(header, self.form))

    def applications(self) -> Iterator[FileApplication]:
        """Yield the application of each row, or its mistakes.

        Raises: TapeUnreadable.
        """
        seen: dict[str, int] = {}
        for row in self.file.rows():
            if row.is_passed_over:
                continue
            if row.fault is not None:
                yield FileApplication(row, mistakes=(Mistake(row.number, row.fault),))
                continue
            yield self._application(row, seen)

    def _application(self, row: TapeRow, seen: dict[str, int]) -> FileApplication:
        name = row.texts.get(NAME, "").strip()
        problems = []
        if not name:
            problems.append(Problem(NAME, "it is missing"))
        elif seen.setdefault(name, row.number) != row.number:
            problems.append(Problem(NAME, f"it stands in row {seen[name]} already"))
        checked = check(self.form, data_of(self.form, row.texts), whole=True, today=self.today)
        problems += checked.problems
        if problems:
            return FileApplication(row, name, mistakes=tuple(mistakes_of(self.form, row, problems)))
        return FileApplication(row, name, checked.data)


def open_file(path: Path, format_: str | None = None) -> TapeFile:
    """Return a file of the format that is given, or of its ending; without any, it is CSV."""
    match format_ or ENDINGS.get(path.suffix.lower()):
        case "xlsx":
            return XlsxFile(path)
        case "jsonl":
            return JsonLinesFile(path)
        case _:
            return CsvFile(path, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")


def data_of(form: Form, texts: Mapping[str, str]) -> Document:
    """Return the document that the texts of a row make; what is no value of its kind stays a text, and is refused."""
    fields = form.definitions
    sections = {path.partition(".")[0] for path in fields}
    values: dict[str, Any] = {}
    for column, text in texts.items():
        said = text.strip()
        if column == NAME or not said:
            continue
        found = _object(said) if column in sections else None
        if found is None:
            values[column] = said
        else:
            values.update(flat({column: found}))
    return nested(_without_clashes({path: _value(form, path, value) for path, value in values.items()}))


def mistakes_of(form: Form, row: TapeRow, problems: Sequence[Problem]) -> Iterator[Mistake]:
    """Yield problems by row and column; the value stands beside it unless it is personal."""
    fields = form.definitions
    for each in problems:
        known = each.path in fields and not fields[each.path].is_personal
        value = row.texts.get(each.path) if known or each.path == NAME else None
        yield Mistake(row.number, each.reason, each.path, value)


def _header_mistakes(header: Header, form: Form) -> Iterator[Mistake]:
    fields = form.definitions
    sections = {path.partition(".")[0] for path in fields}
    known = {MISTAKES, NAME, *fields, *sections}
    if NAME not in header.columns:
        yield Mistake(header.number, "it is missing", NAME)
    for name in dict.fromkeys(header.columns):
        if name not in known:
            yield Mistake(header.number, "there is no such field", name)
        if header.columns.count(name) > 1:
            yield Mistake(header.number, "it stands twice", name)
    for path, rule in form.fields.items():
        if rule.required and path not in header.columns and path.partition(".")[0] not in header.columns:
            yield Mistake(header.number, "it is missing", path)


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _value(form: Form, path: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    fields = form.definitions
    return fields[path].of.of_text(value.strip(), form.currency) if path in fields else value


def _without_clashes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what stands under a column that is a value itself; the value is refused."""
    return {
        path: value
        for path, value in values.items()
        if not any(path.startswith(f"{other}.") for other in values if other != path)
    }
