"""Boarding a tape in CSV: every row checked, then booked, against COPY of the same file into a bare table.

A loan is a subledger, its name, its terms, its first event, and the entries of it with their balances: some fifteen rows
for each row of the tape. Next: `servicing/commands/tapes.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from ledger.chart_file import parse_chart
from ledger.commands.books import create_book, load_chart
from ledger.unit_of_work import UnitOfWork, run
from ledger.verify import verify
from servicing.boarding_days import BookDays
from servicing.commands.tapes import board_tape, check_tape
from servicing.product import shipped
from servicing.tapes.column_map import OWN_COLUMNS
from servicing.tapes.fields import Reading
from servicing.tapes.tape import Tape, open_tape
from tests.bench.harness import ADMIN, Bench, BenchDatabase, scaled, seconds

CODE, ACTOR = "bench", "bench"
OPENED, TODAY = date(2026, 1, 1), date(2026, 1, 31)
CHUNK = 1 << 20
NEW = "external_id,principal,rate,installments,frequency,funded_on,first_due_on"
MID_LIFE = (
    "external_id,principal,rate,installments,frequency,funded_on,first_due_on,"
    "principal_balance,interest_balance,days_past_due"
)
FLOOR = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE bench.{name} (external_id text PRIMARY KEY, principal numeric, rate numeric, installments integer, frequency text,
    funded_on date, first_due_on date, principal_balance numeric, interest_balance numeric, days_past_due integer)
"""


def boarding(bench: Bench) -> None:
    """Benchmarks of boarding 100,000 new loans, and as many in mid-life, from CSV."""
    loans = scaled(100_000)
    database = BenchDatabase.create(bench.server, "bench_boarding")
    bench.say(f"{loans:,} loans from CSV")
    _open_book(database)
    _measure(bench, database, "new loans", _written(bench.folder / "new.csv", NEW, _new(loans)), loans)
    _measure(
        bench, database, "loans in mid-life", _written(bench.folder / "mid_life.csv", MID_LIFE, _mid_life(loans)), loans
    )
    engine = database.engine()
    with engine.connect() as connection:
        proof = verify(connection)
    engine.dispose()
    if not proof.holds:
        raise RuntimeError(f"the books that were boarded do not verify: {proof.findings[:3]}")
    database.drop()


def _measure(bench: Bench, database: BenchDatabase, what: str, file: Path, loans: int) -> None:
    engine, tape = database.engine(), _tape(file)
    floor = loans / _copied(database, file, what.replace(" ", "_").replace("-", "_"))
    checking = seconds(lambda: check_tape(engine, CODE, tape))
    done: list[int] = []
    booking = seconds(lambda: done.extend(board_tape(engine, CODE, tape, actor=ACTOR).loan_ids))
    if len(done) != loans:
        raise RuntimeError(f"{len(done)} of {loans} {what} were boarded")
    again = seconds(lambda: board_tape(engine, CODE, tape, actor=ACTOR))
    engine.dispose()
    bench.figure(f"check {loans:,} {what}", loans / checking, "rows/s")
    bench.faster(f"board {loans:,} {what}, checked first", loans / (checking + booking), floor, "rows/s", at_least=None)
    bench.figure(f"pass over {loans:,} {what} that are on the book", loans / again, "rows/s")


def _copied(database: BenchDatabase, file: Path, name: str) -> float:
    """Return how long COPY takes for the same file."""
    header = file.open(encoding="utf-8").readline().strip()

    def copy() -> None:
        statement = f"COPY bench.{name} ({header}) FROM STDIN (FORMAT csv, HEADER)"
        with connection.cursor().copy(statement) as rows, file.open("rb") as content:
            while part := content.read(CHUNK):
                rows.write(part)

    with database.connect(ADMIN) as connection:
        connection.execute(FLOOR.format(name=name))
        taken = seconds(copy)
        connection.execute(f"DROP TABLE bench.{name}")
    return taken


def _tape(file: Path) -> Tape:
    reading = Reading("USD", OWN_COLUMNS.forms, lru_cache(shipped))
    cut_over = date(2026, 1, 20) if "mid_life" in file.name else None
    days = BookDays(CODE, OPENED, TODAY)
    return Tape(open_tape(file, OWN_COLUMNS), OWN_COLUMNS, reading, "installment", days, cut_over)


def _written(file: Path, header: str, rows: Iterator[str]) -> Path:
    with file.open("w", encoding="utf-8") as out:
        out.write(f"{header}\n")
        out.writelines(f"{row}\n" for row in rows)
    return file


def _new(loans: int) -> Iterator[str]:
    """Yield loans funded day by day over four weeks, as a tape of a month comes."""
    for n in range(loans):
        day = 1 + n * 28 // loans
        terms = f"{1_000 + n % 20_000}.00,{6 + n % 20}.5,{12 * (1 + n % 5)},monthly"
        yield f"N-{n:07},{terms},2026-01-{day:02},2026-02-{day:02}"


def _mid_life(loans: int) -> Iterator[str]:
    """Yield loans of the year before, one in twenty of them five days past due."""
    for n in range(loans):
        late = n % 20 == 0
        terms = f"{1_000 + n % 20_000}.00,{6 + n % 20}.5,{24 * (1 + n % 2)},monthly"
        owed = 600 + n % 400
        yield f"M-{n:07},{terms},2025-06-15,2025-07-15,{owed}.00,{owed // 100}.50,{5 if late else 0}"


def _open_book(database: BenchDatabase) -> None:
    def work(uow: UnitOfWork) -> None:
        create_book(uow, code=CODE, name="Benchmark", base_currency="USD", opened_on=OPENED, business_date=TODAY)
        chart = (files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8")
        load_chart(uow, CODE, parse_chart(chart))

    engine = database.engine()
    run(engine, work, actor=ACTOR)
    engine.dispose()
