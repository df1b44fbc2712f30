"""Run every benchmark, print a table, write `out/bench.json`: `python -m tests.bench`, `SCALE=0.1` for a quick one.

`python -m tests.bench servicing` runs the parts that are named alone.
Exit code 0 even where a goal is missed: a benchmark informs, it is no test. Next: `tests/bench/harness.py`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ledger.dates import Month
from ledger.embedded.server import start
from tests.bench import bulk, posting, reading, servicing
from tests.bench.boarding import boarding
from tests.bench.books import OPENING, live_month, open_books, settle_down
from tests.bench.decisions import decisions
from tests.bench.harness import SCALE, Bench, BenchDatabase, scaled
from tests.bench.reconciliation import reconciliation

OUT = Path("out/bench.json")
MONTHS = 36
CONSOLE = Console(stderr=True)


def history(bench: Bench) -> None:
    """Benchmarks on 100,000 loans with three years of closed months: some ten million postings."""
    loans = scaled(92_000)
    database = BenchDatabase.create(bench.server, "bench_history")
    bench.say(f"{loans:,} loans, {MONTHS} months")
    accounts = open_books(database, loans)
    after_a_year = 0.0
    for number in range(MONTHS):
        live_month(database, loans, accounts, Month.of(OPENING).plus(number))
        if number + 1 == 12:
            settle_down(database)
            after_a_year = reading.measure_trial_balance(bench, database, 12)
    settle_down(database)
    after_all = reading.measure_trial_balance(bench, database, MONTHS)
    bench.slower("trial balance after 36 months against 12", after_all, after_a_year, "s", at_most=1.25)
    reading.measure_statement(bench, database, loans)
    posting.measure(bench, database, accounts, loans, goal=0.6)
    posting.measure_hot_cash(bench, database, accounts, loans)
    bulk.measure_seal(bench, database, f"in {loans:,} subledgers", at_most=3)
    bulk.measure_verify(bench, database)
    posting.bytes_of_a_post(bench, database, accounts, loans)
    database.drop()


def breadth(bench: Bench) -> None:
    """Benchmarks on a million loans with a short history."""
    loans = scaled(1_000_000)
    database = BenchDatabase.create(bench.server, "bench_breadth")
    bench.say(f"{loans:,} loans")
    accounts = open_books(database, loans)
    posting.seal_everything(database)
    settle_down(database)
    posting.measure(bench, database, accounts, loans, goal=0.45)
    posting.seal_everything(database)
    settle_down(database)
    bulk.measure_batch(bench, database, accounts, loans)
    bulk.measure_close(bench, database, accounts, loans)
    database.drop()


PARTS = {
    "history": history,
    "breadth": breadth,
    "boarding": boarding,
    "servicing": servicing.measure,
    "decisions": decisions,
    "reconciliation": reconciliation,
}


def show(bench: Bench) -> None:
    """Print the table."""
    table = Table(title=f"Loanbook, {bench.server.description}, scale {SCALE:g}")
    for heading in ("benchmark", "value", "unit", "floor", "ratio", "goal", "met"):
        table.add_column(heading, justify="left" if heading in ("benchmark", "unit", "goal", "met") else "right")
    for result in bench.results:
        table.add_row(
            result.name,
            f"{result.value:,.3f}",
            result.unit,
            "" if result.floor is None else f"{result.floor:,.3f}",
            "" if result.ratio is None else f"{result.ratio:.3f}",
            result.goal or "",
            {None: "", True: "yes", False: "NO"}[result.ok],
        )
    Console(width=150).print(table)


def main(wanted: list[str]) -> int:
    """Run the benchmarks, or the parts that are wanted, on a server of their own."""
    unknown = set(wanted) - set(PARTS)
    if unknown:
        CONSOLE.print(f"known are {', '.join(PARTS)}; not {', '.join(sorted(unknown))}")
        return 2
    with tempfile.TemporaryDirectory(prefix="loanbook-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        server = start(folder / "state", durable=True, lifetime="child")
        try:
            bench = Bench(server, folder, lambda text: CONSOLE.print(text, highlight=False))
            for name in wanted or PARTS:
                PARTS[name](bench)
        finally:
            server.stop()
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(bench.rows(), indent=1) + "\n", encoding="utf-8")
    show(bench)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
