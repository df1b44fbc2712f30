"""Tapes in JSON Lines: an object on each line, its keys the columns.

Numbers keep their text and never become floats; lists and objects are handed on as JSON text.
Never: types; every value is text. Next: `servicing/tapes/rows.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servicing.errors import TapeUnreadable
from servicing.tapes.rows import MISTAKES, Header, Mistake, Refused, TapeRow


@dataclass(frozen=True)
class JsonLinesFile:
    """A tape in JSON Lines."""

    path: Path

    def header(self) -> Header | None:
        """Return nothing: each row names its columns."""
        return None

    def rows(self) -> Iterator[TapeRow]:
        """Yield a row for each line that is not empty."""
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        yield _row(number, line.strip())
        except OSError as trouble:
            raise TapeUnreadable(path=str(self.path), reason=trouble.strerror or "it cannot be read") from None
        except UnicodeDecodeError:
            raise TapeUnreadable(path=str(self.path), reason="it is not UTF-8") from None

    @contextmanager
    def refused_to(self, path: Path) -> Iterator[Refused]:
        """Open a file for the rows that are refused: the reasons first, then the row as it was written."""
        with path.open("w", encoding="utf-8") as file:

            def add(row: TapeRow, mistakes: Sequence[Mistake]) -> None:
                reasons = json.dumps([mistake.told for mistake in mistakes], ensure_ascii=False)
                file.write(f"{_with_reasons(row, reasons)}\n")

            yield add


def _row(number: int, line: str) -> TapeRow:
    try:
        found = json.loads(
            line, parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_each_key_once
        )
    except (ValueError, RecursionError) as mistake:
        return TapeRow(number, {}, line, f"it is no JSON: {mistake}")
    if not isinstance(found, dict):
        return TapeRow(number, {}, line, "it is no JSON object")
    return TapeRow(number, {name: _text(value) for name, value in found.items() if name != MISTAKES}, line)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return json.dumps(value)


def _with_reasons(row: TapeRow, reasons: str) -> str:
    if row.fault is not None:
        return f'{{"{MISTAKES}": {reasons}, "line": {json.dumps(row.original, ensure_ascii=False)}}}'
    rest = _without_reasons(row.original)[1:].lstrip()
    return f'{{"{MISTAKES}": {reasons}{"" if rest.startswith("}") else ", "}{rest}'


def _without_reasons(line: str) -> str:
    """Return a line without the reasons of an errors file that it came from; its decimals become texts then."""
    found = json.loads(line, parse_float=str)
    if MISTAKES not in found:
        return line
    return json.dumps({name: value for name, value in found.items() if name != MISTAKES}, ensure_ascii=False)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise ValueError(f"{twice} stands twice")
    return found
