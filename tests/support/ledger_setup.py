"""A book to test against: the default chart, a few loans, and short ways to post to them.

Amounts are whole cents; accounts are named by their role. Never: an expectation, which the tests hold.
Next: `tests/support/reference_ledger.py`, what the books should say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from psycopg import sql

from ledger.batch import Batch, BatchRow
from ledger.chart import AccountCode, Chart
from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.commands.periods import PeriodChange, close_period, reopen_period
from ledger.commands.posting import PostedEntry, post_entry, reverse_entry
from ledger.commands.subledgers import open_subledgers
from ledger.dates import Month
from ledger.digests import Finding
from ledger.journal import EntryDraft, Posting, SubledgerId
from ledger.money import Money
from ledger.queries.accounts import balances, role_map
from ledger.queries.entries import EntryView, entries
from ledger.queries.trial_balance import By, trial_balance
from ledger.seals import SealBlock, seal
from ledger.store import Book, load_book
from ledger.unit_of_work import UnitOfWork, run
from ledger.verify import verify
from tests.support.database import ADMIN, Database

T = TypeVar("T")
P = ParamSpec("P")

OPENED_ON = date(2026, 1, 1)
TODAY = date(2026, 1, 15)
CODE = "MAIN"
CHART: Chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text())

Move = tuple[str, str, int]
"""Debit role, credit role, cents."""

FUNDING: Move = ("LOAN_PRINCIPAL", "DISBURSEMENTS_PAYABLE", 100_000)
PAYMENT: Move = ("CASH", "LOAN_PRINCIPAL", 10_000)
ACCRUAL: Move = ("INTEREST_RECEIVABLE", "INTEREST_INCOME", 500)
OWN_MONEY: Move = ("CASH", "CONTRIBUTED_CAPITAL", 1_000)

_keys = itertools.count(1)


@dataclass(frozen=True)
class Ledger:
    """One book and its first loans, worked on through an engine of the application."""

    database: Database
    engine: sa.Engine
    code: str
    roles: Mapping[str, AccountCode]
    loans: tuple[SubledgerId, ...]
    teller: str = field(default="teller")

    @property
    def loan(self) -> SubledgerId:
        """Return the first loan."""
        return self.loans[0]

    @property
    def book(self) -> Book:
        """Return the book as it stands."""
        return self.read(lambda connection: load_book(connection, self.code))

    @property
    def own(self) -> SubledgerId:
        """Return the subledger for entries without a loan."""
        return self.book.own_subledger_id

    def run(
        self,
        work: Callable[[UnitOfWork], T],
        *,
        actor: str = "teller",
        approver: str | None = None,
        dry_run: bool = False,
    ) -> T:
        """Do work in a transaction of its own."""
        return run(self.engine, work, actor=actor, approver=approver, dry_run=dry_run)

    def read(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a query reads."""
        with self.engine.connect() as connection:
            return query(connection, *args, **kwargs)

    def postings(self, *moves: Move, currency: str = "USD") -> tuple[Posting, ...]:
        """Return postings between the accounts that play roles."""
        return tuple(
            Posting(self.roles[debit], self.roles[credit], Money(minor, currency)) for debit, credit, minor in moves
        )

    def draft(self, subledger_id: int, *moves: Move, key: str = "", **fields: Any) -> EntryDraft:
        """Return a draft; its key is a new one unless given."""
        common = {"template": "test", "template_version": 1, "effective_date": TODAY, "actor": self.teller}
        postings = self.postings(*moves, currency=fields.pop("currency", "USD"))
        given = {"postings": postings, "request_key": key or f"key {next(_keys)}", **fields}
        return EntryDraft(subledger_id=SubledgerId(subledger_id), **{**common, **given})

    def post(self, subledger_id: int, *moves: Move, key: str = "", **fields: Any) -> PostedEntry:
        """Book an entry."""
        return self.book_draft(self.draft(subledger_id, *moves, key=key, **fields))

    def book_draft(self, draft: EntryDraft) -> PostedEntry:
        """Book a draft."""
        return self.run(lambda uow: post_entry(uow, draft))

    def reverse(self, subledger_id: int, entry_no: int, *, key: str = "", **fields: Any) -> PostedEntry:
        """Reverse an entry."""
        request_key = key or f"key {next(_keys)}"
        return self.run(lambda uow: reverse_entry(uow, subledger_id, entry_no, request_key=request_key, **fields))

    def batch(self, *rows: tuple[int, Move], key: str = "accrue:2026-01-15", **fields: Any) -> Batch:
        """Return a batch with a row for each loan and move."""
        common = {"template": "accrual", "template_version": 1, "effective_date": TODAY}
        return Batch(
            book_code=self.code,
            request_key=key,
            rows=tuple(
                BatchRow(subledger_id, self.roles[debit], self.roles[credit], Money(minor, "USD"))
                for subledger_id, (debit, credit, minor) in rows
            ),
            **{**common, **fields},
        )

    def advance(self, to: date) -> None:
        """Move the business date."""
        self.run(lambda uow: advance_business_date(uow, self.code, to))

    def close(self, month: str, *, actor: str = "teller", approver: str = "boss") -> PeriodChange:
        """Close a month, written `2026-01`."""
        return close_period(self.engine, self.code, Month.parse(month), actor=actor, approver=approver)

    def reopen(self, month: str, *, approver: str | None = "boss", reason: str = "late invoice") -> PeriodChange:
        """Reopen the latest closed month."""
        return reopen_period(
            self.engine, self.code, Month.parse(month), actor="teller", approver=approver, reason=reason
        )

    def seal(self) -> SealBlock | None:
        """Seal what is not sealed yet."""
        return self.run(seal)

    def findings(self) -> tuple[Finding, ...]:
        """Return what does not hold."""
        return self.read(verify).findings

    def open_loans(self, count: int, currency: str | None = "USD") -> tuple[SubledgerId, ...]:
        """Open further subledgers."""
        ids = self.run(lambda uow: open_subledgers(uow, self.code, currency, count))
        return tuple(SubledgerId(each) for each in ids)

    def balances(self, subledger_id: int) -> dict[str, int]:
        """Return what a subledger keeps a balance of, by account code, in minor units."""
        held = self.read(lambda connection: balances(connection, subledger_id))
        return {str(code): money.minor for code, money in held.items()}

    def entries(self, subledger_id: int) -> tuple[EntryView, ...]:
        """Return every entry of a subledger."""
        return self.read(lambda connection: entries(connection, subledger_id))

    def trial(self, as_of: date, *, by: By = "booking", known_at: int | None = None) -> dict[str, int]:
        """Return debits less credits by account code and, unless it is dollars, currency: `1020`, `1020 EUR`."""
        report = self.read(
            lambda connection: trial_balance(connection, self.code, as_of=as_of, by=by, known_at=known_at)
        )
        return {
            row.account.code if row.currency == "USD" else f"{row.account.code} {row.currency}": (
                row.debits.minor - row.credits.minor
            )
            for row in report.balance.rows
        }


def new_ledger(
    database: Database,
    *,
    code: str = CODE,
    loans: int = 3,
    opened_on: date = OPENED_ON,
    business_date: date = TODAY,
    pool_size: int = 5,
) -> Ledger:
    """Open a book with the default chart and some loans."""
    engine = database.engine(pool_size=pool_size)

    def setup(uow: UnitOfWork) -> range:
        create_book(
            uow,
            code=code,
            name=f"{code} Lending Inc.",
            base_currency="USD",
            opened_on=opened_on,
            business_date=business_date,
        )
        load_chart(uow, code, CHART)
        return open_subledgers(uow, code, "USD", loans)

    ids = run(engine, setup, actor="founder")
    with engine.connect() as connection:
        roles = role_map(connection, code, "default")
    return Ledger(database, engine, code, roles, tuple(SubledgerId(each) for each in ids))


def contents(database: Database) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a digest of each table, but for the ids handed out, which may have gaps."""
    with database.connect(ADMIN) as admin:
        tables = admin.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE tablename <> 'id_block'"
            " AND schemaname IN ('ledger', 'servicing', 'origination', 'gl_export', 'api')"
        ).fetchall()
        each = sql.SQL(
            "SELECT {name}, count(*), coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {table} t"
        )
        parts = [each.format(name=f"{schema}.{table}", table=sql.Identifier(schema, table)) for schema, table in tables]
        rows = admin.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    return {str(name): (int(count), str(digest)) for name, count, digest in rows}
