"""A source that is a file: a table in CSV, or lines of JSON, looked up by one column.

It is read anew for each question, so that a file which is replaced is the new one at once.
Next: `origination/sources/asking.py`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from origination.verification.answers import Answer, SourceFailed, facts_of
from origination.verification.kinds import COMPLETED, MALFORMED, NO_RECORD, UNREACHABLE
from origination.verification.source import Source


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file, and the column by which it is looked up."""

    declared: Source

    def ask(self, request: Mapping[str, Any], *, key: str) -> Answer:
        """Return the facts of the first row whose column equals the request's; the key makes no difference.

        Raises: SourceFailed if the file cannot be read.
        """
        ((column, wanted),) = request.items() or [("", None)]
        if wanted is None:
            return Answer(NO_RECORD, {}, "")
        try:
            for row in self._rows():
                if _same(row.get(column), wanted):
                    text = json.dumps(row, default=str, sort_keys=True)
                    return Answer(COMPLETED, facts_of(self.declared, row), text)
        except OSError as trouble:
            raise SourceFailed(UNREACHABLE, trouble.strerror or "it cannot be read") from None
        except (UnicodeDecodeError, csv.Error, ValueError):
            raise SourceFailed(MALFORMED, "the file is not what its name says", again=False) from None
        return Answer(NO_RECORD, {}, "")

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        path = Path(self.declared.path or "")
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() not in (".jsonl", ".ndjson"):
                yield from csv.DictReader(file, strict=True)
                return
            for line in file:
                if line.strip():
                    found = json.loads(line, parse_float=Decimal)
                    if not isinstance(found, dict):
                        raise ValueError("no object")
                    yield found


def _same(value: Any, wanted: Any) -> bool:
    """Tell whether two values are the same, spaces and dashes of numbers aside."""
    return value is not None and _bare(value) == _bare(wanted)


def _bare(value: Any) -> str:
    return str(value).replace("-", "").replace(" ", "").casefold()
