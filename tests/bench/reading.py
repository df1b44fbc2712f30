"""Reading: the trial balance over years of closed months, and one loan's statement among millions of postings."""

from __future__ import annotations

import statistics
from functools import partial

from ledger.queries.statement import account_statement
from ledger.queries.trial_balance import trial_balance
from ledger.seals import head
from ledger.store import load_book
from tests.bench.books import CODE, FIRST_LOAN
from tests.bench.harness import ADMIN, Bench, BenchDatabase, seconds

FULL_SUM = (
    "SELECT debit_account, credit_account, currency, sum(amount) FROM ledger.posting"
    " GROUP BY debit_account, credit_account, currency"
)


def measure_trial_balance(bench: Bench, database: BenchDatabase, months: int) -> float:
    """Measure the official trial balance, at the last block, and the live one; return the first."""
    engine = database.engine()
    with database.connect(ADMIN) as connection:
        floor = statistics.median(seconds(lambda: connection.execute(FULL_SUM).fetchall()) for _ in range(3))
        counted = connection.execute("SELECT count(*) FROM ledger.posting").fetchone()
    assert counted is not None
    with engine.connect() as connection:
        as_of, block = load_book(connection, CODE).business_date, head(connection)
        assert block is not None

        def read(known_at: int | None) -> float:
            return statistics.median(
                seconds(lambda: trial_balance(connection, CODE, as_of=as_of, known_at=known_at)) for _ in range(9)
            )

        sealed, live = read(block.block_no), read(None)
    engine.dispose()
    name = f"{counted[0]:,} postings, {months} closed months"
    bench.slower(f"trial balance at a block, {name}", sealed, floor, "s", at_most=0.02)
    bench.slower(f"trial balance with what is not sealed, {name}", live, floor, "s", at_most=None)
    return sealed


def measure_statement(bench: Bench, database: BenchDatabase, loans: int) -> None:
    """Measure the statement of one loan's principal."""
    engine = database.engine()
    with engine.connect() as connection:

        def read(number: int) -> None:
            loan = FIRST_LOAN + number * (loans // 20)
            account_statement(connection, CODE, "loan_principal", subledger_id=loan)

        times = [seconds(partial(read, number)) for number in range(20)]
    engine.dispose()
    bench.figure(
        "one loan's statement, with everything around the query", statistics.median(times) * 1000, "ms", at_most=10
    )
