"""The audit package of a period: a CSV for each table with a dictionary, and the evidence bundle that proves them.

Drawn from sealed entries alone, on one seal block, so that it comes out the same at any later time. Large tables are
copied out by the database and never held in memory. Never: a clock.
Next: `gl_export/queries/audit_tables.py`; `docs/spec/audit_package.md`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gl_export import store
from gl_export.errors import AuditPackageRefused
from gl_export.queries.audit_tables import (
    CHART_COLUMNS,
    COPIED,
    DECLARED,
    DICTIONARY_COLUMNS,
    TRIAL_BALANCE_COLUMNS,
    AuditColumn,
    AuditTable,
)
from gl_export.queries.balances import control_balances
from ledger.errors import DateRangeBackwards
from ledger.evidence import export as write_evidence
from ledger.queries.accounts import accounts, book
from ledger.queries.trial_balance import trial_balance

EVIDENCE = "evidence.zip"
PACKAGE = "package.json"
CHECKSUMS = "SHA256SUMS"
README = """What lies here: a file for each table, and data_dictionary.csv, which says what every column holds.

Amounts are minor units of their currency (cents of USD); debits are positive. For every account and currency
trial_balance.csv has: beginning + debits - credits = ending, and debits and credits are those of gl_detail.csv.

evidence.zip holds the entries with their seals and the script that verifies them without the database:
unpack it and run `python verify.py .`; README inside says more. `sha256sum --check SHA256SUMS` checks these files.
"""

Progress = Callable[[int, int, str], None]
"""Called with the tables that are written, how many there are, and the next one's name."""


@dataclass(frozen=True, slots=True)
class AuditPackage:
    """A package that was written: where, on which block, and its files with their SHA-256."""

    folder: str
    block_no: int
    rows: int
    files: dict[str, str]


def write_audit_package(
    connection: sa.Connection,
    book_code: str,
    folder: Path,
    *,
    from_date: date,
    as_of: date,
    known_at: int | None = None,
    on_progress: Progress | None = None,
) -> AuditPackage:
    """Write the package of a period to a new folder, whole or not at all.

    Raises: BookUnknown; DateRangeBackwards; AuditPackageRefused if the folder is there, or nothing is sealed.
    """
    found = book(connection, book_code)
    if from_date > as_of:
        raise DateRangeBackwards(from_date=from_date, to_date=as_of)
    block_no = store.head_block(connection) if known_at is None else known_at
    if folder.exists():
        raise AuditPackageRefused(folder=str(folder), reason="it is there already")
    if not block_no:
        raise AuditPackageRefused(folder=str(folder), reason="nothing is sealed yet")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        values = {"book_id": found.book_id, "from_date": from_date, "as_of": as_of, "known_at": block_no}
        rows = _write_tables(connection, aside, book_code, values, on_progress or _nobody)
        write_evidence(connection, aside / EVIDENCE, to_block=block_no)
        files = _list_files(aside, {**values, "book": book_code})
        aside.chmod(0o755)
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return AuditPackage(str(folder), block_no, rows, files)


def _write_tables(
    connection: sa.Connection, folder: Path, book_code: str, values: dict[str, Any], report: Progress
) -> int:
    (folder / "README.txt").write_text(README, encoding="utf-8")
    rows = 0
    for number, table in enumerate(COPIED):
        report(number, len(DECLARED), table.name)
        rows += _copy(connection, folder / f"{table.name}.csv", table, values)
    drawn = {
        "trial_balance": (TRIAL_BALANCE_COLUMNS, _trial_balance(connection, book_code, values)),
        "chart_of_accounts": (CHART_COLUMNS, _chart(connection, book_code, values)),
        "data_dictionary": (DICTIONARY_COLUMNS, _dictionary()),
    }
    for number, (name, (columns, cells)) in enumerate(drawn.items(), start=len(COPIED)):
        report(number, len(DECLARED), name)
        rows += _write(folder / f"{name}.csv", columns, cells)
    return rows


def _copy(connection: sa.Connection, file: Path, table: AuditTable, values: dict[str, Any]) -> int:
    """Let the database write a table; return its rows."""
    driver: Any = connection.connection.driver_connection
    with file.open("wb") as target, driver.cursor() as cursor:
        target.write((",".join(column.name for column in table.columns) + "\n").encode())
        with cursor.copy(f"COPY ({table.query}) TO STDOUT WITH (FORMAT csv)", values) as lines:
            for block in lines:
                target.write(block)
        return int(cursor.rowcount)


def _trial_balance(connection: sa.Connection, book_code: str, values: dict[str, Any]) -> Iterable[Sequence[object]]:
    before = values["from_date"] - timedelta(days=1)
    bounds = {"known_at": values["known_at"]}
    opening = control_balances(connection, book_code, as_of=before, **bounds)
    turned = {
        (str(row.account.code), row.currency): (row.debits, row.credits)
        for row in trial_balance(connection, book_code, as_of=before, **bounds).balance.rows
    }
    for row in trial_balance(connection, book_code, as_of=values["as_of"], **bounds).balance.rows:
        key = (str(row.account.code), row.currency)
        debits, credits = row.debits, row.credits
        if key in turned:
            debits, credits = debits - turned[key][0], credits - turned[key][1]
        beginning = opening[key].minor if key in opening else 0
        yield (*key, beginning, debits.minor, credits.minor, beginning + debits.minor - credits.minor)


def _chart(connection: sa.Connection, book_code: str, values: dict[str, Any]) -> Iterable[Sequence[object]]:
    for each in accounts(connection, book_code, values["as_of"]):
        flags = ("yes" if each.subledgered else "no", "yes" if each.header else "no")
        yield (each.code, each.name, str(each.type), str(each.normal_side), each.parent, *flags)


def _dictionary() -> Iterable[Sequence[object]]:
    for table in DECLARED:
        for column in table.columns:
            yield (table.name, table.about, column.name, column.kind, column.about)


def _write(file: Path, columns: Sequence[AuditColumn], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is how many there are
            writer.writerow(row)
    return count


def _list_files(folder: Path, values: dict[str, Any]) -> dict[str, str]:
    """Write what the package is drawn from, and the hash of each of its files; return the hashes."""
    told = {
        "book": values["book"],
        "from_date": values["from_date"].isoformat(),
        "as_of": values["as_of"].isoformat(),
        "block_no": values["known_at"],
    }
    (folder / PACKAGE).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    hashes = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    lines = "".join(f"{digest}  {name}\n" for name, digest in hashes.items())
    (folder / CHECKSUMS).write_text(lines, encoding="utf-8")
    return hashes


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _nobody(_done: int, _whole: int, _name: str) -> None:
    """Report to nobody."""
