"""Whatever is posted, sealed and built in whatever order: each sealed entry leaves in exactly one batch."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gl_export.commands.batches import build_batch
from gl_export.queries.batches import batches, entries_behind, rebuild
from gl_export.queries.tie_out import tie_out
from ledger.chart import AccountCode, AccountDefinition, AccountType, Chart, Side
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.commands.posting import post_entry, reverse_entry
from ledger.commands.subledgers import open_subledgers
from ledger.journal import EntryDraft, Posting, SubledgerId
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.seals import seal
from ledger.unit_of_work import UnitOfWork, run
from tests.support.database import Database

OPENED = date(2026, 1, 30)
_books = itertools.count(1)

CHART = Chart(
    name="small",
    accounts=(
        AccountDefinition(AccountCode("1120"), "clearing", "Clearing", AccountType.ASSET, Side.DEBIT),
        AccountDefinition(
            AccountCode("1210"), "principal", "Principal", AccountType.ASSET, Side.DEBIT, subledgered=True
        ),
        AccountDefinition(AccountCode("4010"), "income", "Income", AccountType.INCOME, Side.CREDIT),
    ),
    roles={"default": {"ACH_CLEARING": AccountCode("1120")}},
)

PAIRS = st.sampled_from([("1210", "1120"), ("1120", "4010"), ("1210", "4010"), ("1120", "1210")])
POST = st.tuples(st.just("post"), st.integers(0, 2), PAIRS, st.integers(1, 10**9))
OPERATIONS = st.lists(
    st.one_of(POST, POST, st.sampled_from([("seal",), ("build",), ("day",), ("late",), ("reverse",), ("other",)])),
    min_size=4,
    max_size=25,
)


class Lived:
    """A new book in a database that other books share, and what is done to it."""

    def __init__(self, engine: sa.Engine) -> None:
        """Open the book with three loans."""
        self.engine = engine
        self.code = f"B{next(_books)}"
        self.loans = run(engine, self._open, actor="setup")
        self.keys = itertools.count(1)
        self.posted: list[tuple[int, int]] = []

    def _open(self, uow: UnitOfWork) -> range:
        create_book(uow, code=self.code, name=self.code, base_currency="USD", opened_on=OPENED)
        load_chart(uow, self.code, CHART)
        return open_subledgers(uow, self.code, "USD", 3)

    def do(self, operation: tuple[object, ...]) -> None:
        match operation:
            case ("post", int() as loan, (str() as debit, str() as credit), int() as minor):
                self.post(self.loans[loan], debit, credit, minor)
            case ("late",):
                self.post(self.loans[0], "1210", "4010", 7, booking_date=OPENED, approved_by="boss")
            case ("reverse",) if self.posted:
                self.reverse(*self.posted.pop())
            case ("seal",):
                run(self.engine, seal, actor="sealer")
            case ("build",):
                run(self.engine, lambda uow: build_batch(uow, self.code), actor="ops")
            case ("day",):
                run(self.engine, self._next_day, actor="ops")
            case ("other",):
                Lived(self.engine).post(1, "1120", "4010", 1)

    def _next_day(self, uow: UnitOfWork) -> None:
        today = book(uow.connection, self.code).business_date
        advance_business_date(uow, self.code, today + timedelta(days=1))

    def post(
        self,
        loan: int,
        debit: str,
        credit: str,
        minor: int,
        booking_date: date | None = None,
        approved_by: str | None = None,
    ) -> None:
        subledger_id = loan if loan in self.loans else self.loans[0]
        draft = EntryDraft(
            subledger_id=SubledgerId(subledger_id),
            template="test",
            template_version=1,
            effective_date=OPENED,
            booking_date=booking_date,
            approved_by=approved_by,
            actor="clerk",
            request_key=f"k{next(self.keys)}",
            postings=(Posting(AccountCode(debit), AccountCode(credit), Money(minor, "USD")),),
        )
        posted = run(self.engine, lambda uow: post_entry(uow, draft), actor="clerk")
        self.posted.append((subledger_id, posted.entry_no))

    def reverse(self, subledger_id: int, entry_no: int) -> None:
        key = f"k{next(self.keys)}"
        run(
            self.engine,
            lambda uow: reverse_entry(uow, subledger_id, entry_no, request_key=key),
            actor="clerk",
        )


@pytest.fixture(scope="module")
def engine(module_database: Database) -> sa.Engine:
    """Return the application's engine on a database that the examples share."""
    return module_database.engine()


@settings(max_examples=25)
@given(operations=OPERATIONS)
def test_every_sealed_entry_is_in_exactly_one_batch(engine: sa.Engine, operations: list[tuple[object, ...]]) -> None:
    lived = Lived(engine)
    for operation in operations:
        lived.do(operation)
    run(engine, seal, actor="sealer")
    run(engine, lambda uow: build_batch(uow, lived.code), actor="ops")

    with engine.connect() as connection:
        kept = [record.prove() for record in batches(connection, lived.code)]
        behind: Counter[tuple[int, int]] = Counter()
        for batch in kept:
            assert rebuild(connection, lived.code, batch.batch_no) == batch
            for line in batch.lines:
                found = entries_behind(connection, lived.code, batch.batch_no, line.line_no)
                assert sum(entry.amount.minor for entry in found) == line.money.minor
                behind.update((entry.subledger_id, entry.entry_no) for entry in found)
        entries = connection.execute(
            sa.text("SELECT subledger_id, entry_no FROM ledger.journal_entry WHERE subledger_id = ANY (:ids)"),
            {"ids": list(lived.loans)},
        )
        # An entry of one posting has a debit and a credit: it stands behind two lines of one batch.
        assert behind == {tuple(entry): 2 for entry in entries}
        tied = tie_out(connection, lived.code, as_of=date(2027, 1, 1), known_at=10**9)
    assert not tied.breaks
    assert all(first.blocks.last + 1 == second.blocks.first for first, second in itertools.pairwise(kept))
