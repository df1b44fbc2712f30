"""Loans to measure on: a hundred are lived through the real commands, and copied as often as it takes.

Copies are written by the owner in set-based statements, through the same tables, indexes, checks and triggers; each stands
where its original stands, so that at the end the books of all of them can be held against the fold of a hundred.
Next: `tests/bench/servicing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from importlib.resources import files
from typing import Any

import psycopg
import sqlalchemy as sa

from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.cycle import run_cycle
from servicing.commands.payments import take_payment
from servicing.drafts import LoanDraft
from servicing.product import shipped
from servicing.queries import booked_balances, loan_view
from servicing.schedule import contract_schedule
from servicing.terms import Terms
from tests.bench.harness import ADMIN, BenchDatabase

ACTOR = "bench"
CURRENCY = "USD"
SLICE = 20_000
"""How many loans are copied in a statement."""

KEYS = (
    ("ledger.subledger", "subledger_id"),
    ("ledger.journal_entry", "subledger_id"),
    ("ledger.posting", "subledger_id"),
    ("ledger.account_balance", "subledger_id"),
    ("servicing.loan", "loan_id"),
    ("servicing.terms_version", "loan_id"),
    ("servicing.event", "loan_id"),
    ("servicing.allocation_version", "loan_id"),
    ("servicing.standing", "loan_id"),
    ("servicing.checkpoint", "loan_id"),
)
"""Everything that a loan has, and by which column."""


@dataclass(frozen=True)
class Lender:
    """A book and the loans in it that were lived through the commands."""

    database: BenchDatabase
    engine: sa.Engine
    code: str
    originals: tuple[int, ...]
    terms: tuple[Terms, ...]

    def change(self, work: Callable[[UnitOfWork], Any]) -> Any:
        """Do something in a transaction of its own."""
        return run(self.engine, work, actor=ACTOR)

    def advance(self, day: date) -> None:
        """Move the business date."""
        self.change(partial(advance_business_date, book_code=self.code, to=day))

    def run_day(self, day: date) -> Any:
        """Run the daily cycle, and see to it that no loan failed."""
        report = run_cycle(self.engine, self.code, day, actor=ACTOR)
        if report.failures:
            raise RuntimeError(f"loans of the benchmark failed: {report.failures[:3]}")
        return report

    def pay(self, loan_id: int, amount: int, day: date, name: str) -> int:
        """Take a payment of so many minor units and return its number."""
        taken = self.change(
            partial(
                take_payment,
                loan_id=loan_id,
                amount=Money(amount, CURRENCY),
                effective_date=day,
                method="ach",
                external_id=name,
                request_key=name,
            )
        )
        return int(taken.payment_id)


def open_lender(database: BenchDatabase, code: str, terms: Sequence[Terms]) -> Lender:
    """Open a book on the day of the first funding, and board a loan for each of the terms."""
    engine = database.engine()
    opening = min(each.funded_on for each in terms)
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

    def work(uow: UnitOfWork) -> tuple[int, ...]:
        create_book(uow, code=code, name=code, base_currency=CURRENCY, opened_on=opening, business_date=opening)
        load_chart(uow, code, chart)
        return board_and_fund_loans(uow, code, [LoanDraft(f"{code}-{n}", each) for n, each in enumerate(terms)])

    return Lender(database, engine, code, run(engine, work, actor=ACTOR), tuple(terms))


def usual_terms(count: int, funded_on: date, first_due_on: date, installments: int = 24, **rules: Any) -> list[Terms]:
    """Return the terms of so many loans of one product, no two with the same principal and rate."""
    product = shipped("installment").model_copy(update=rules)
    first = Terms(
        product=product,
        principal=Money(1_000_000, CURRENCY),
        rate=Decimal("12.00"),
        installments=installments,
        frequency="monthly",
        funded_on=funded_on,
        first_due_on=first_due_on,
    )
    return [
        replace(first, principal=Money(1_000_000 + 7_919 * n, CURRENCY), rate=Decimal("6.00") + Decimal(n) / 8)
        for n in range(count)
    ]


def copy_loans(lender: Lender, loans: int) -> tuple[int, int]:
    """Copy the originals in turn until there are so many copies; return the first and the last id."""
    originals = list(lender.originals)
    with lender.database.connect(ADMIN) as connection:
        connection.execute("SET synchronous_commit = off")
        row = connection.execute("SELECT next_id FROM ledger.id_block WHERE name = 'subledger'").fetchone()
        assert row is not None
        first = int(row[0])
        connection.execute("UPDATE ledger.id_block SET next_id = %s WHERE name = 'subledger'", [first + loans])
        for begin in range(0, loans, SLICE):
            for table, key in KEYS:
                _copy(connection, table, key, originals, (first, begin, min(SLICE, loans - begin)))
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
    return first, first + loans - 1


def _copy(
    connection: psycopg.Connection[Any], table: str, key: str, originals: list[int], place: tuple[int, int, int]
) -> None:
    first, begin, count = place
    names = connection.execute(f"SELECT * FROM {table} LIMIT 0").description or []
    columns = [column.name for column in names if column.name != key]
    taken = ["t.external_id || '-' || n.n" if name == "external_id" else f"t.{name}" for name in columns]
    connection.execute(
        f"INSERT INTO {table} ({key}, {', '.join(columns)})"
        f" SELECT %s + n.n, {', '.join(taken)} FROM generate_series(%s::bigint, %s) n (n)"
        f" JOIN {table} t ON t.{key} = (%s::bigint[])[1 + n.n %% %s] ORDER BY n.n",
        [first, begin, begin + count - 1, originals, len(originals)],
    )


def prove_books(lender: Lender, first: int, last: int, *, beside: int = 0) -> None:
    """Hold every copy against its original, but for an account, and every original against the fold of its events."""
    with lender.engine.connect() as connection:
        for loan_id in lender.originals:
            if booked_balances(connection, loan_id) != loan_view(connection, loan_id).state.balances():
                raise RuntimeError(f"loan {loan_id} does not stand where its events say")
        different = connection.scalar(
            sa.text(
                "SELECT count(*) FROM ledger.account_balance c"
                " LEFT JOIN ledger.account_balance o ON o.account_id = c.account_id AND o.currency = c.currency"
                " AND o.subledger_id = (CAST(:originals AS bigint[]))[1 + (c.subledger_id - :first) % :count]"
                " WHERE c.subledger_id BETWEEN :first AND :last AND o.balance IS DISTINCT FROM c.balance"
                " AND c.account_id <> :beside"
            ),
            {
                "beside": beside,
                "originals": list(lender.originals),
                "count": len(lender.originals),
                "first": first,
                "last": last,
            },
        )
    if different:
        raise RuntimeError(f"{different} balances of copies differ from those of their originals")


def live(lender: Lender, through: date) -> None:
    """Live every day up to one: each loan pays each installment on its due date, and every day is run."""
    schedules = [contract_schedule(each) for each in lender.terms]
    first = min(each.funded_on for each in lender.terms)
    for day in days(first + timedelta(days=1), (through - first).days):
        lender.advance(day)
        for loan_id, rows in zip(lender.originals, schedules, strict=True):
            for row in rows:
                if row.due == day:
                    lender.pay(loan_id, row.total, day, f"installment {row.no}")
        lender.run_day(day)


def days(first: date, count: int) -> list[date]:
    """Return so many days in a row."""
    return [first + timedelta(days=n) for n in range(count)]
