"""The daily cycle, payments and replays of loans, each with the database and through the commands.

Every measurement ends with a proof: the books of every loan are those of the pure function. Next: `tests/bench/loans.py`.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from dateutil.relativedelta import relativedelta

from ledger.commands.batches import StagedBatch, post_staged
from ledger.queries.accounts import account_ids, role_map
from servicing.commands.cycle import accrue_loan
from servicing.commands.payments import return_payment, reverse_payment
from servicing.schedule import contract_schedule
from tests.bench import posting
from tests.bench.harness import ADMIN, APP, Bench, BenchDatabase, alternate, driver, scaled, seconds, together
from tests.bench.loans import ACTOR, CURRENCY, Lender, copy_loans, days, live, open_lender, prove_books, usual_terms

ORIGINALS = 100
CATCH_UPS = (1, 7, 30, 100, 300, 700)
HISTORY_MONTHS = 24


def measure_accrual(bench: Bench) -> None:
    """Accrue a month-end over many loans, against the ledger's own batch of the same postings."""
    loans = scaled(1_000_000)
    database = BenchDatabase.create(bench.server, "bench_accrual")
    month_end = date(2026, 1, 31)
    lender = open_lender(database, "ACCRUAL", usual_terms(ORIGINALS, month_end - timedelta(days=4), date(2026, 2, 28)))
    lender.advance(month_end - timedelta(days=3))
    lender.run_day(month_end - timedelta(days=3))
    first, last = copy_loans(lender, loans - ORIGINALS)
    fees = _open_floor(lender, first, last)
    for day in days(month_end - timedelta(days=2), 3):
        lender.advance(day)
        with database.connect(ADMIN) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")
        before = posting.journal_bytes(database)
        taken = seconds(partial(lender.run_day, day))
        added = posting.journal_bytes(database) - before
        floor = sum(_same_by_batch(lender, (first, last), day, template) for template in BOOKED_IN_BULK)
        what = "a month end, fees too" if day == month_end else f"{day:%d %B}"
        name = f"accrue {loans:,} loans, {what}, against batches of the same postings"
        bench.slower(name, taken, floor, "s", at_most=1.3)
        bench.figure(f"bytes on disk of a loan's day, {what}", added / loans, "bytes")
    prove_books(lender, first, last, beside=fees)
    lender.engine.dispose()
    database.drop()


def _open_floor(lender: Lender, first: int, last: int) -> int:
    """Give every copy the balance that the floor's entries move, so that it finds it as an accrual does."""
    with lender.engine.connect() as connection:
        (fees,) = account_ids(connection, lender.code, [role_map(connection, lender.code, "default")[FLOOR[0]]])
    with lender.database.connect(ADMIN) as connection:
        connection.execute(
            "INSERT INTO ledger.account_balance (subledger_id, account_id, currency, balance, may_go_contra)"
            " SELECT id, %s, %s, 0, false FROM generate_series(%s::bigint, %s) id",
            [fees, CURRENCY, first, last],
        )
    return fees


FLOOR = ("LATE_FEES_RECEIVABLE", "LATE_FEE_INCOME")
"""The roles of the accounts that the floor posts to: like those of interest, and no business of an accrual."""


BOOKED_IN_BULK = ("interest_accrued", "deferred_fee_amortized")
"""The templates by which the daily cycle books a day of many loans."""


def _same_by_batch(lender: Lender, loans: tuple[int, int], day: date, template: str) -> float:
    """Return how long the ledger's batch takes for the amounts that were booked on a day: staged, then posted."""
    with lender.engine.connect() as connection:
        roles = role_map(connection, lender.code, "default")
        debit, credit = account_ids(connection, lender.code, [roles[name] for name in FLOOR])
    with lender.database.connect(ADMIN) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_amounts")
        connection.execute(
            "CREATE TABLE bench_amounts AS SELECT e.subledger_id, p.amount, p.currency FROM ledger.journal_entry e"
            " JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no"
            f" WHERE e.template = '{template}' AND e.effective_date = '{day}'"
            f" AND e.subledger_id BETWEEN {loans[0]} AND {loans[1]} ORDER BY e.subledger_id"
        )
        if not _count(connection, "bench_amounts"):
            return 0.0
        connection.execute("VACUUM (ANALYZE) bench_amounts")
        connection.execute("CHECKPOINT")
        staged = seconds(
            lambda: connection.execute(
                "INSERT INTO ledger.batch_staging"
                " (subledger_id, amount, batch_id, debit_account, credit_account, seq, currency)"
                " SELECT subledger_id, amount, 1, %s, %s, 1, currency FROM bench_amounts",
                [debit, credit],
            )
        )
    key = f"bench:{template}:{day}"
    batch = StagedBatch(1, lender.code, key, b"bench", "bench", 1, day, "Accrued", key)
    return staged + seconds(lambda: post_staged(lender.engine, batch, actor=ACTOR))


def measure_run_day(bench: Bench) -> None:
    """Run days over a portfolio of which one loan in twenty is past due, and is charged for it on one of them."""
    loans = scaled(200_000)
    database = BenchDatabase.create(bench.server, "bench_run_day")
    due = date(2026, 2, 15)
    lender = open_lender(database, "RUNDAY", usual_terms(ORIGINALS, due - timedelta(days=10), due))
    charged_on = due + timedelta(days=10)
    for day in days(due - timedelta(days=9), 19):
        lender.advance(day)
        for number, loan_id in enumerate(lender.originals):
            if day == due and number % 20:
                lender.pay(loan_id, contract_schedule(lender.terms[number])[0].total, day, "first")
        lender.run_day(day)
    first, last = copy_loans(lender, loans - ORIGINALS)
    for day, what in ((charged_on, "5% past due and charged"), (charged_on + timedelta(days=1), "5% past due")):
        lender.advance(day)
        taken = seconds(partial(lender.run_day, day))
        bench.figure(f"run-day over {loans:,} loans, {what}", loans / taken, "loans/s")
    prove_books(lender, first, last)
    lender.engine.dispose()
    database.drop()


def measure_catch_up(bench: Bench) -> None:
    """Close the business of 1,000 loans of 24 installments at 12% after so many days in which nobody did."""
    for number in CATCH_UPS:
        database = BenchDatabase.create(bench.server, f"bench_catch_up_{number}")
        funded_on = date(2026, 1, 1)
        lender = open_lender(database, "CATCHUP", usual_terms(1_000, funded_on, date(2026, 2, 1), HISTORY_MONTHS))
        day = funded_on + timedelta(days=number)
        lender.advance(day)
        before = posting.journal_bytes(database)
        taken = seconds(partial(lender.run_day, day))
        bench.figure(f"close of business, 1,000 loans, {number} days to catch up", 1_000 / taken, "loans/s")
        bench.figure(f"the same, in days of a loan, {number} days", 1_000 * number / taken, "loan-days/s")
        added = posting.journal_bytes(database) - before
        bench.figure(f"bytes on disk of a loan's day, {number} days", added / 1_000 / number, "bytes")
        first = lender.originals[0]
        prove_books(lender, first, first - 1)
        lender.engine.dispose()
        database.drop()


def measure_payments(bench: Bench) -> None:
    """Take payments of loans that have two years behind them, from eight clients, against the bare insert."""
    each, clients = max(50, scaled(4_000) // 8), 8
    funded_on = date(2024, 1, 15)
    database = BenchDatabase.create(bench.server, "bench_payments")
    lender = open_lender(database, "PAYMENTS", usual_terms(8, funded_on, date(2024, 2, 15), HISTORY_MONTHS + 1))
    today = date(2026, 2, 15)
    live(lender, today - timedelta(days=1))
    lender.advance(today)
    rounds = 3
    first, last = copy_loans(lender, rounds * each * clients)
    posting.prepare(database)
    script = _floor_script(bench, lender, first, last, today)
    url = database.server.url_for(database.name, APP)
    places = iter(range(first, last + 1, each))

    def pay() -> float:
        commands = [
            [sys.executable, "-m", "tests.bench.payer", url, str(next(places)), str(each), today.isoformat()]
            for _ in range(clients)
        ]
        return each * clients / together(commands)

    floor, ours = alternate(
        partial(driver, database, script, clients=clients, transactions=scaled(20_000)), pay, rounds
    )
    name = f"take a payment, {HISTORY_MONTHS} months of history, {clients} clients"
    bench.faster(name, ours, floor, "payments/s", at_least=0.3)
    for loan_id in lender.originals:
        lender.pay(loan_id, 47_073, today, f"bench-{today}")
    prove_books(lender, first, last)
    lender.engine.dispose()
    database.drop()


def _floor_script(bench: Bench, lender: Lender, first: int, last: int, day: date) -> Path:
    """Write the bare insert of a header and two postings into two tables with the same history."""
    with lender.engine.connect() as connection:
        roles = role_map(connection, lender.code, "default")
        names = ("ACH_CLEARING", "INTEREST_RECEIVABLE", "LOAN_PRINCIPAL")
        cash, interest, principal = account_ids(connection, lender.code, [roles[name] for name in names])
    words = {"cash": cash, "interest": interest, "principal": principal, "digest": posting.DIGEST}
    script = bench.folder / "floor-payments.sql"
    script.write_text(posting.FLOOR.format(first=first, last=last, day=day, **words))
    return script


def measure_replays(bench: Bench) -> None:
    """Undo a payment of a year ago, and one of sixty days ago on a loan that is three years old."""
    for months, back, undo in ((24, 12, "reversed"), (36, 2, "returned")):
        _measure_replay(bench, months, back, undo)


def _measure_replay(bench: Bench, months: int, back: int, undo: str) -> None:
    database = BenchDatabase.create(bench.server, f"bench_replays_{months}")
    funded_on, replays = date(2023, 1, 15), 20
    lender = open_lender(database, "REPLAYS", usual_terms(4, funded_on, date(2023, 2, 15), 60))
    live(lender, funded_on + relativedelta(months=months, days=1))
    first, last = copy_loans(lender, replays)
    payment_id = months - back + 2  # the funding is the first event, then an installment each month
    act = {
        "reversed": partial(reverse_payment, payment_id=payment_id, reason="", request_key="undo"),
        "returned": partial(return_payment, payment_id=payment_id, code="R01", request_key="undo"),
    }[undo]

    def replay(loans: Sequence[int]) -> None:
        for loan_id in loans:
            lender.change(partial(act, loan_id=loan_id))

    before = posting.journal_bytes(database)
    with database.connect(ADMIN) as connection:
        entries = _count(connection, "ledger.journal_entry")
        taken = seconds(partial(replay, range(first, last + 1)))
        what = f"a payment {undo} after {back} months, loan of {months}"
        bench.figure(f"replay: {what}", replays / taken, "replays/s")
        bench.figure(
            f"entries booked by it: {what}", (_count(connection, "ledger.journal_entry") - entries) / replays, "entries"
        )
    bench.figure(f"bytes on disk of it: {what}", (posting.journal_bytes(database) - before) / replays, "bytes")
    replay(lender.originals)
    prove_books(lender, first, last)
    lender.engine.dispose()
    database.drop()


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def measure_pathological(bench: Bench) -> None:
    """Live with one loan that has 4,000 events: payments of a dollar, several a day."""
    events, funded_on = 4_000, date(2024, 1, 15)
    database = BenchDatabase.create(bench.server, "bench_pathological")
    lender = open_lender(database, "PATHOLOGY", usual_terms(1, funded_on, date(2024, 2, 15), 60))
    (loan_id,) = lender.originals
    today = funded_on + timedelta(days=events // 6)
    with database.connect(ADMIN) as connection:
        connection.execute(
            "INSERT INTO servicing.event (loan_id, event_no, kind, effective_date, entered_on, payload, actor, request_key)"
            " SELECT %s, 1 + n, 'payment', %s::date + n / 6, %s::date + n / 6, jsonb_build_object('amount', 100, 'method', 'ach',"
            " 'external_id', 'P' || n, 'currency', 'USD'), 'bench', 'P' || n FROM generate_series(1, %s) n",
            [loan_id, funded_on, funded_on, events - 2],
        )
    lender.advance(today)
    taken = seconds(lambda: lender.change(partial(accrue_loan, loan_id=loan_id, day=today)))
    bench.figure(f"a loan of {events:,} events, all of it at once", taken, "s")
    lender.run_day(today)
    taken = seconds(lambda: lender.pay(loan_id, 100, today, "one more"))
    bench.figure(f"a loan of {events:,} events, one more payment", taken * 1_000, "ms")
    undo = partial(reverse_payment, loan_id=loan_id, payment_id=events // 2, reason="", request_key="undo")
    taken = seconds(lambda: lender.change(undo))
    bench.figure(f"a loan of {events:,} events, the one in the middle reversed", taken, "s")
    prove_books(lender, loan_id, loan_id - 1)
    lender.engine.dispose()
    database.drop()


def measure_schedule(bench: Bench) -> None:
    """Draw up a schedule of thirty years, without a database."""
    terms = usual_terms(2_000, date(2026, 1, 15), date(2026, 2, 15), 360)
    remaining = iter(terms)
    best = min(timeit.repeat(lambda: contract_schedule(next(remaining)), number=100, repeat=10)) / 100
    bench.figure("a schedule of 360 installments", best * 1e6, "microseconds")


def measure(bench: Bench) -> None:
    """Measure everything about loans."""
    measure_schedule(bench)
    measure_accrual(bench)
    measure_run_day(bench)
    measure_catch_up(bench)
    measure_payments(bench)
    measure_replays(bench)
    measure_pathological(bench)
