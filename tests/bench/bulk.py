"""A batch over every subledger, sealing, verifying, and a close while others post."""

from __future__ import annotations

import threading
import time
from datetime import date
from itertools import pairwise

from ledger.commands.batches import StagedBatch, post_staged
from ledger.commands.books import advance_business_date
from ledger.commands.periods import close_period
from ledger.dates import Month
from ledger.store import load_book
from ledger.unit_of_work import run
from ledger.verify import verify
from tests.bench import posting
from tests.bench.books import ACTOR, CODE, FIRST_LOAN, Accounts
from tests.bench.harness import ADMIN, Bench, BenchDatabase, Load, percentile, pgbench, seconds

# What sealing cannot do without: every entry and its postings read, written in their byte form, and hashed.
BARE_PASS = """
SELECT count(sha256('\\x01'::bytea || ledger.entry_record(e) || (SELECT string_agg(ledger.posting_record(p), NULL ORDER BY p.seq)
       FROM ledger.posting p WHERE p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no))), sum(e.posting_count)
  FROM {entries}
"""
UNSEALED = """ledger.unsealed u
  JOIN ledger.journal_entry e ON e.subledger_id = u.subledger_id AND e.entry_no BETWEEN u.from_no AND u.to_no"""


def measure_batch(bench: Bench, database: BenchDatabase, accounts: Accounts, loans: int) -> None:
    """Give each subledger an entry of one posting, in chunks."""
    floor_statement = (
        "INSERT INTO bench.batch_posting"
        " SELECT subledger_id, amount, 1, debit_account, credit_account, %s::date, 1, 1, currency FROM ledger.batch_staging"
    )
    with database.connect(ADMIN) as connection:
        connection.execute(
            "CREATE TABLE bench.batch_posting (LIKE ledger.posting, PRIMARY KEY (subledger_id, entry_no, seq))"
        )
        connection.execute(
            "INSERT INTO ledger.batch_staging"
            " (subledger_id, amount, batch_id, debit_account, credit_account, seq, currency) SELECT id, 100, 1, %s, %s, 1, 'USD' FROM generate_series(%s::bigint, %s) id",
            [accounts.interest, accounts.income, FIRST_LOAN, FIRST_LOAN + loans - 1],
        )
        connection.execute("VACUUM (ANALYZE) ledger.batch_staging")
        floors = []
        for _ in range(3):
            connection.execute("TRUNCATE bench.batch_posting")
            connection.execute("CHECKPOINT")
            floors.append(seconds(lambda: connection.execute(floor_statement, [date(2026, 1, 1)])))
        connection.execute("CHECKPOINT")
    engine = database.engine()
    moments = [time.perf_counter()]
    staged = StagedBatch(1, CODE, "bench:batch", b"bench", "interest_accrued", 1, date(2023, 1, 31), "Interest accrued")
    before = posting.journal_bytes(database)
    taken = seconds(
        lambda: post_staged(engine, staged, actor=ACTOR, on_progress=lambda _d, _t: moments.append(time.perf_counter()))
    )
    bench.slower(f"batch of {loans:,} entries of one posting", taken, sorted(floors)[1], "s", at_most=8)
    longest = max(later - earlier for earlier, later in pairwise(moments))
    bench.figure("longest chunk of the batch", longest, "s", at_most=0.5)
    measure_seal(bench, database, "each in a subledger of its own", at_most=None)
    bench.figure(
        "bytes on disk of an entry of one posting", (posting.journal_bytes(database) - before) / loans, "bytes"
    )
    engine.dispose()


def bare_pass(database: BenchDatabase, entries: str) -> tuple[float, int]:
    """Return how long a bare pass over these entries takes, and how many postings they have."""
    with database.connect(ADMIN) as connection:
        counted: list[int] = []

        def hash_them() -> None:
            row = connection.execute(BARE_PASS.format(entries=entries)).fetchone()
            assert row is not None
            counted.append(row[1])

        return min(seconds(hash_them) for _ in range(2)), counted[-1]


def measure_seal(bench: Bench, database: BenchDatabase, what: str, *, at_most: float | None) -> None:
    """Seal what is not sealed yet, against a bare pass over the same entries."""
    with database.connect(ADMIN) as connection:
        connection.execute("VACUUM (ANALYZE)")
    floor, postings = bare_pass(database, UNSEALED)
    taken = seconds(lambda: posting.seal_everything(database))
    bench.slower(f"seal {postings:,} postings, {what}", taken, floor, "s", at_most=at_most)


def measure_verify(bench: Bench, database: BenchDatabase) -> None:
    """Verify everything, against a bare pass over the whole journal."""
    floor, postings = bare_pass(database, "ledger.journal_entry e")
    engine = database.engine()
    with engine.connect() as connection:
        reports = []
        taken = seconds(lambda: reports.append(verify(connection)))
    engine.dispose()
    if not reports[0].holds:
        raise RuntimeError(f"the books of the benchmark do not verify: {reports[0].findings[:3]}")
    bench.slower(f"verify {postings:,} postings", taken, floor, "s", at_most=3)


def measure_close(bench: Bench, database: BenchDatabase, accounts: Accounts, loans: int) -> None:
    """Close a month over every subledger while eight clients post into the next."""
    engine = database.engine()
    with engine.connect() as connection:
        month = Month.of(load_book(connection, CODE).business_date)
    run(engine, lambda uow: advance_business_date(uow, CODE, month.next.first_day), actor=ACTOR)
    script = posting.scripts(bench, database, accounts, loans)["post"]
    loads: list[Load] = []

    def post() -> None:
        loads.append(pgbench(database, script, clients=8, transactions=60_000, variables={}, log=True))

    posters = threading.Thread(target=post)
    posters.start()
    time.sleep(1)
    taken = seconds(lambda: close_period(engine, CODE, month, actor=ACTOR, approver="controller"))
    posters.join()
    engine.dispose()
    bench.figure(f"close a month over {loans:,} subledgers, 8 clients posting", taken, "s")
    bench.figure("longest wait of a poster meanwhile", percentile(loads[0].latencies_ms, 1), "ms")
    bench.figure("p99 of a poster meanwhile", percentile(loads[0].latencies_ms, 0.99), "ms")
