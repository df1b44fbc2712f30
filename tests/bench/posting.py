"""Posting one entry in one round trip, against a bare INSERT of the same rows into two tables with primary keys.

Twice: by pgbench, which costs next to nothing itself, so that the server alone is compared; and through psycopg from
processes of Python, which is how the product posts. Next: `tests/bench/client.py`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.bench.books import CODE, FIRST_LOAN, Accounts
from tests.bench.harness import ADMIN, APP, Bench, BenchDatabase, alternate, driver, percentile, pgbench, scaled

FLOOR_TABLES = """
CREATE SCHEMA bench;
CREATE TABLE bench.entry (LIKE ledger.journal_entry INCLUDING DEFAULTS, PRIMARY KEY (subledger_id, entry_no));
CREATE TABLE bench.posting (LIKE ledger.posting, PRIMARY KEY (subledger_id, entry_no, seq));
INSERT INTO bench.entry SELECT * FROM ledger.journal_entry;
INSERT INTO bench.posting SELECT * FROM ledger.posting;
GRANT USAGE ON SCHEMA bench TO loanbook_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA bench TO loanbook_app;
VACUUM (ANALYZE) bench.entry; VACUUM (ANALYZE) bench.posting
"""

DIGEST = "'\\x2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'"

# Numbers of the floor's entries are drawn from far above the history's, so that none is met twice.
FLOOR = """\\set loan random({first}, {last})
\\set no random(100000, 2000000000)
WITH header AS (
 INSERT INTO bench.entry (subledger_id, entry_no, book_id, template, template_version, effective_date, booking_date, actor,
  request_key, fingerprint, narration, posting_count)
 VALUES (:loan::bigint, :no::integer, 1, 'payment_applied', 1, '{day}', '{day}', 'user-ann', 'key-' || (:no::integer), {digest},
  'Payment received', 2))
INSERT INTO bench.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount, currency, booking_date)
VALUES (:loan::bigint, :no::integer, 1, 2, {cash}, {interest}, 3, 'USD', '{day}'),
       (:loan::bigint, :no::integer, 2, 2, {cash}, {principal}, 5, 'USD', '{day}');
"""

POST = """\\set loan random({first}, {last})
\\set no random(100000, 2000000000)
SELECT o_entry_no FROM ledger.post_entry(:loan::bigint, 'key-' || (:no::integer), {digest}, 'payment_applied', 1, '{day}', NULL,
 'user-ann', NULL, '{{{cash},{cash}}}', '{{{interest},{principal}}}', '{{3,5}}', '{{USD,USD}}', 'Payment received', NULL, NULL,
 NULL, NULL, NULL);
"""

POST_SPREAD = """\\set loan random({first}, {last})
\\set no random(100000, 2000000000)
\\set cash random({first_cash}, {last_cash})
SELECT o_entry_no FROM ledger.post_entry(:loan::bigint, 'key-' || (:no::integer), {digest}, 'payment_applied', 1, '{day}', NULL,
 'user-ann', NULL, ARRAY[:cash::integer, :cash::integer], '{{{interest},{principal}}}', '{{3,5}}', '{{USD,USD}}',
 'Payment received', NULL, NULL, NULL, NULL, NULL);
"""

CASH_ACCOUNTS = 64


def prepare(database: BenchDatabase) -> None:
    """Make the floor's tables, with the same history."""
    with database.connect(ADMIN) as connection:
        for statement in FLOOR_TABLES.split(";"):
            connection.execute(statement)
        for number in range(CASH_ACCOUNTS):
            connection.execute(
                "SELECT ledger.open_account(%s, 1, %s, %s, %s, 'asset', 'debit', NULL, NULL, false, false, true, false,"
                " (SELECT opened_on FROM ledger.book), 'bench')",
                [900_000 + number, f"9{number:04}", f"till_{number}", f"Till {number}"],
            )


def scripts(bench: Bench, database: BenchDatabase, accounts: Accounts, loans: int) -> dict[str, Path]:
    """Write the pgbench scripts."""
    with database.connect(ADMIN) as connection:
        row = connection.execute("SELECT business_date FROM ledger.book WHERE code = %s", [CODE]).fetchone()
    assert row is not None
    words = {
        "first": FIRST_LOAN,
        "last": FIRST_LOAN + loans - 1,
        "day": row[0],
        "digest": DIGEST,
        "first_cash": 900_000,
        "last_cash": 900_000 + CASH_ACCOUNTS - 1,
        "cash": accounts.cash,
        "interest": accounts.interest,
        "principal": accounts.principal,
    }
    written = {}
    for name, text in (("floor", FLOOR), ("post", POST), ("spread", POST_SPREAD)):
        written[name] = bench.folder / f"{name}-{loans}.sql"
        written[name].write_text(text.format(**words))
    return written


def measure(bench: Bench, database: BenchDatabase, accounts: Accounts, loans: int, *, goal: float) -> None:
    """Measure posting with 1 and with 8 clients; equal numbers of transactions, each run right after a checkpoint."""
    prepare(database)
    script = scripts(bench, database, accounts, loans)
    before = _counters(database)
    for clients, transactions in ((1, scaled(20_000)), (8, scaled(100_000))):

        def at_server(name: str, clients: int = clients, transactions: int = transactions) -> float:
            _checkpoint(database)
            return pgbench(database, script[name], clients=clients, transactions=transactions, variables={}).rate

        def by_driver(name: str, clients: int = clients, transactions: int = transactions) -> float:
            _checkpoint(database)
            return driver(database, script[name], clients=clients, transactions=transactions // 4)

        for rate, how in ((at_server, "pgbench"), (by_driver, "psycopg")):
            floor, ours = alternate(partial(rate, "floor"), partial(rate, "post"))
            name = f"post one entry, {loans:,} subledgers, {clients} clients, {how}"
            bench.faster(name, ours, floor, "entries/s", at_least=goal)
    after = _counters(database)
    bench.figure(f"MultiXacts made, {loans:,} subledgers", after["multixacts"] - before["multixacts"], "", at_most=0)
    bench.figure(f"deadlocks, {loans:,} subledgers", after["deadlocks"] - before["deadlocks"], "", at_most=0)


def measure_hot_cash(bench: Bench, database: BenchDatabase, accounts: Accounts, loans: int) -> None:
    """Measure one cash account against many."""
    script = scripts(bench, database, accounts, loans)

    def rate(name: str) -> float:
        _checkpoint(database)
        return pgbench(database, script[name], clients=8, transactions=scaled(50_000), variables={}).rate

    spread, hot = alternate(lambda: rate("spread"), lambda: rate("post"))
    bench.faster("one cash account against many, 8 clients", hot, spread, "entries/s", at_least=0.85)
    _checkpoint(database)
    load = pgbench(database, script["post"], clients=8, transactions=scaled(25_000), variables={}, log=True)
    bench.figure("latency of a post, 8 clients, p50", percentile(load.latencies_ms, 0.5), "ms")
    bench.figure("latency of a post, 8 clients, p99", percentile(load.latencies_ms, 0.99), "ms")


def bytes_of_a_post(bench: Bench, database: BenchDatabase, accounts: Accounts, loans: int) -> None:
    """Measure what an entry of two postings adds on disk, seal included."""
    script = scripts(bench, database, accounts, loans)["post"]
    entries = scaled(100_000)
    seal_everything(database)
    before = journal_bytes(database)
    pgbench(database, script, clients=8, transactions=entries, variables={})
    seal_everything(database)
    bench.figure("bytes on disk of an entry of two postings", (journal_bytes(database) - before) / entries, "bytes")


def seal_everything(database: BenchDatabase) -> None:
    """Seal, as the application does."""
    with database.connect(APP) as connection:
        connection.execute("SELECT ledger.seal()")


def journal_bytes(database: BenchDatabase) -> int:
    """Return the size of the journal, its indexes and its seals."""
    tables = ("journal_entry", "posting", "seal_member", "seal_block", "seal_total")
    with database.connect(ADMIN) as connection:
        row = connection.execute(
            "SELECT sum(pg_total_relation_size('ledger.' || t)) FROM unnest(%s::text[]) t", [list(tables)]
        ).fetchone()
    assert row is not None
    return int(row[0])


def _checkpoint(database: BenchDatabase) -> None:
    with database.connect(ADMIN) as connection:
        connection.execute("CHECKPOINT")


def _counters(database: BenchDatabase) -> dict[str, int]:
    with database.connect(ADMIN) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(
            "SELECT (SELECT next_multixact_id::text::bigint FROM pg_control_checkpoint()),"
            " (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database())"
        ).fetchone()
    assert row is not None
    return {"multixacts": row[0], "deadlocks": row[1]}
