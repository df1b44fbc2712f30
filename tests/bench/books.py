"""Books to measure on: a chart, many subledgers, and a history that is written in bulk and closed month by month.

The history is written by the owner in set-based statements, through the same tables, indexes, checks and triggers; it
is sealed and closed by the product itself. Next: `tests/bench/harness.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import psycopg

from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.commands.periods import close_period
from ledger.dates import Month
from ledger.queries.accounts import role_map
from ledger.store import ids_of
from ledger.unit_of_work import UnitOfWork, run
from tests.bench.harness import ADMIN, BenchDatabase

CODE = "bench"
ACTOR = "bench"
OPENING = date(2023, 1, 1)
FIRST_LOAN = 1_001


@dataclass(frozen=True)
class Accounts:
    """Ids of the accounts that the benchmarks post to."""

    cash: int
    principal: int
    interest: int
    income: int
    bank: int


def open_books(database: BenchDatabase, loans: int) -> Accounts:
    """Open the book, its subledgers, and a funding entry for each, so that balances have a row."""
    engine = database.engine()

    def work(uow: UnitOfWork) -> Accounts:
        create_book(uow, code=CODE, name="Benchmark", base_currency="USD", opened_on=OPENING)
        chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))
        load_chart(uow, CODE, chart)
        roles = role_map(uow.connection, CODE, "default")
        names = ("ACH_CLEARING", "LOAN_PRINCIPAL", "INTEREST_RECEIVABLE", "INTEREST_INCOME", "CASH")
        return Accounts(*ids_of(uow.connection, 1, [roles[name] for name in names]))

    accounts = run(engine, work, actor=ACTOR)
    with database.connect(ADMIN) as connection:
        connection.execute("UPDATE ledger.id_block SET next_id = %s WHERE name = 'subledger'", [FIRST_LOAN + loans])
        connection.execute(
            "INSERT INTO ledger.subledger (subledger_id, book_id, last_entry_no, closed_through, currency)"
            " SELECT id, 1, 0, %s::date - 1, 'USD' FROM generate_series(%s::bigint, %s) id",
            [OPENING, FIRST_LOAN, FIRST_LOAN + loans - 1],
        )
        for account in (accounts.principal, accounts.interest):
            connection.execute(
                "INSERT INTO ledger.account_balance (subledger_id, account_id, currency, balance, may_go_contra)"
                " SELECT id, %s, 'USD', 0, false FROM generate_series(%s::bigint, %s) id",
                [account, FIRST_LOAN, FIRST_LOAN + loans - 1],
            )
        write_entries(connection, loans, OPENING, "fund", [(accounts.principal, accounts.bank, 1_000_000_000)])
        write_entries(connection, loans, OPENING, "open", [(accounts.interest, accounts.income, 1_000_000_000)])
    engine.dispose()
    return accounts


def write_entries(
    connection: psycopg.Connection[tuple[object, ...]],
    loans: int,
    day: date,
    template: str,
    postings: list[tuple[int, int, int]],
) -> None:
    """Write one entry for every loan: header, postings, balances and heads."""
    first, last = FIRST_LOAN, FIRST_LOAN + loans - 1
    with connection.transaction():
        connection.execute(
            "UPDATE ledger.subledger SET last_entry_no = last_entry_no + 1 WHERE subledger_id BETWEEN %s AND %s",
            [first, last],
        )
        connection.execute(
            "INSERT INTO ledger.journal_entry (subledger_id, entry_no, book_id, template, template_version,"
            " effective_date, booking_date, actor, request_key, fingerprint, narration, posting_count)"
            " SELECT subledger_id, last_entry_no, 1, %s, 1, %s, %s, 'user-ann', %s || ':' || %s, sha256('bench'),"
            " 'Payment received', %s FROM ledger.subledger WHERE subledger_id BETWEEN %s AND %s",
            [template, day, day, template, str(day), len(postings), first, last],
        )
        debits, credits, amounts = zip(*postings, strict=True)
        connection.execute(
            "INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account,"
            " amount, currency, booking_date)"
            " SELECT s.subledger_id, s.last_entry_no, p.seq, %s, p.debit, p.credit, p.amount, 'USD', %s FROM ledger.subledger s, unnest(%s::integer[], %s::integer[], %s::bigint[]) WITH ORDINALITY"
            " p (debit, credit, amount, seq) WHERE s.subledger_id BETWEEN %s AND %s",
            [len(postings), day, list(debits), list(credits), list(amounts), first, last],
        )
        connection.execute(
            "UPDATE ledger.account_balance b SET balance = b.balance + (SELECT sum(CASE WHEN p.debit = b.account_id"
            " THEN p.amount WHEN p.credit = b.account_id THEN -p.amount ELSE 0 END)"
            " FROM unnest(%s::integer[], %s::integer[], %s::bigint[]) p (debit, credit, amount))"
            " WHERE b.subledger_id BETWEEN %s AND %s AND b.account_id = ANY (%s)",
            [list(debits), list(credits), list(amounts), first, last, [*debits, *credits]],
        )


def live_month(database: BenchDatabase, loans: int, accounts: Accounts, month: Month) -> None:
    """Write a month's accrual and payment of every loan, and close the month."""
    engine = database.engine()
    with database.connect(ADMIN) as connection:
        write_entries(connection, loans, month.first_day, "accrue", [(accounts.interest, accounts.income, 800)])
        pay = [(accounts.cash, accounts.interest, 800), (accounts.cash, accounts.principal, 500)]
        write_entries(connection, loans, month.first_day.replace(day=15), "pay", pay)
    run(engine, lambda uow: advance_business_date(uow, CODE, month.next.first_day), actor=ACTOR)
    close_period(engine, CODE, month, actor=ACTOR, approver="controller")
    engine.dispose()


def settle_down(database: BenchDatabase) -> None:
    """Vacuum, analyze and write everything out, so that a measurement pays for itself alone."""
    with database.connect(ADMIN) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
