"""Two sides of one book: each step is predicted by a ledger in plain Python, taken on PostgreSQL, and compared.

After each step, and at the end over every day and every seal block, the books must say the same. Three laws are stated
in SQL of their own: debits equal credits in each currency, numbers have no gaps, nothing is ever deleted.
Next: `tests/support/reference_ledger.py`; `machine_rules.py` for the steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, Literal, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from ledger.commands.books import create_book, load_chart
from ledger.commands.posting import PostedEntry, post_entry
from ledger.commands.subledgers import open_subledgers
from ledger.dates import Month
from ledger.queries.journal import JournalFilter, journal
from ledger.queries.trial_balance import balance_sheet_at, income_statement_between, trial_balance
from ledger.seals import head, seal
from ledger.store import load_book
from ledger.unit_of_work import UnitOfWork, run
from ledger.verify import verify
from tests.property.ledger.machine_words import CHART, FIRST_DAY, NOBODY, OPENED_ON, as_reference, draft_of, moves_of
from tests.support.machine_books import Books
from tests.support.reference_ledger import (
    BatchRequest,
    Booked,
    Head,
    Move,
    Refused,
    Request,
)
from tests.support.reference_periods import ReferenceBook, next_month

T = TypeVar("T")
U = TypeVar("U")


class LedgerSides(RuleBasedStateMachine):
    """One book on PostgreSQL, one in plain Python, and all that is compared between them."""

    books: ClassVar[Books]

    def __init__(self) -> None:
        super().__init__()
        self.keys = itertools.count(1)
        self.batches: list[BatchRequest] = []

    # --- The two sides ------------------------------------------------------------------------------------

    @initialize()
    def open_book(self) -> None:
        """Open a book with a chart, three subledgers and entries on both sides of each month's end."""
        self.database, self.engine, self.code = self.books.next()

        def setup(uow: UnitOfWork) -> int:
            book = create_book(
                uow,
                code=self.code,
                name="Machine",
                base_currency="USD",
                opened_on=OPENED_ON,
                business_date=FIRST_DAY,
            )
            load_chart(uow, self.code, CHART)
            return book.own_subledger_id

        own = self.run(setup)
        # What an example that failed left unsealed is not of this book.
        self.run(seal)
        with self.engine.connect() as connection:
            latest = head(connection)
            self.book_id = load_book(connection, self.code).book_id
        self.first_block = latest.block_no if latest else 0
        self.reference = ReferenceBook(OPENED_ON, FIRST_DAY, own, block=self.first_block)
        for definition in CHART.accounts:
            self.reference.open_account(definition.code, as_reference(definition, OPENED_ON))
        self.reference.open_months(FIRST_DAY)
        for currency in ("USD", "EUR", "USD"):
            self._open_subledgers(currency, 1)
        for subledger in sorted(self.reference.heads):
            fund = [(("1210", "1020"), 1_000, None), (("1220", "4010"), 5, None), (("1020", "2010"), 3, None)]
            for day in (date(2025, 11, 30), date(2025, 12, 1), date(2025, 12, 31), date(2026, 1, 1), None):
                moves = self.moves(subledger, fund)
                self.post(
                    Request(
                        subledger=subledger,
                        key=f"fund {day}",
                        moves=moves,
                        effective=day or FIRST_DAY,
                        booking=day,
                        approver="boss",
                    )
                )

    def run(self, work: Callable[[UnitOfWork], T], *, approver: str | None = None) -> T:
        """Do work in a transaction of its own."""
        return run(self.engine, work, actor="teller", approver=approver)

    def read(self, query: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Return what a query reads."""
        with self.engine.connect() as connection:
            return query(connection, *args, **kwargs)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return what the database itself says."""
        with self.engine.connect() as connection:
            found = connection.execute(sa.text(statement), {"book": self.book_id, **values})
            return [tuple(row) for row in found]

    def step(self, predicted: Callable[[], T], taken: Callable[[], U]) -> tuple[T, U] | None:
        """Take a step on both sides and return both results, or None where both refuse by the same name."""
        try:
            wanted = predicted()
        except Refused as refused:
            with pytest.raises(tuple(refused.wanted)):
                taken()
            return None
        return wanted, taken()

    def both(self, predicted: Callable[[], object], work: Callable[[UnitOfWork], object]) -> bool:
        """Take a step of which only its refusal matters, and tell whether it was taken."""
        return self.step(predicted, lambda: self.run(work)) is not None

    def subledger(self, which: int) -> int:
        """Return one of the subledgers, the book's own among them, or now and then one that is not there."""
        known = sorted(self.reference.heads)
        return known[which % len(known)] if which < 11 else NOBODY

    def compare(self) -> None:
        """Compare all that is compared after a step, and the trial balance of days at the edges of months."""
        self.balances_are_those_of_the_reference()
        self.journal_is_that_of_the_reference()
        self.trial_balance_of_today_is_that_of_the_reference()
        self.debits_equal_credits_and_numbers_have_no_gaps()
        self.activity_is_what_is_sealed()
        for month in self.reference.months:
            for day in (month, next_month(month) - timedelta(days=1)):
                self.compare_trial_balance(day, "booking", None)
                self.compare_trial_balance(day, "effective", self.reference.block)

    def post_correction(self, which: int, back: int) -> None:
        """Book an entry that says that it corrects the one so many numbers before it."""
        subledger = self.subledger(which)
        moves = self.moves(subledger, [(("1220", "4010"), 1, None)])
        today = self.reference.business_date
        number = len(self.reference.heads[subledger].entries) + 1 - back
        self.post(Request(subledger=subledger, key=self.key(None), moves=moves, effective=today, corrects=number))

    def number(self, subledger: int, which: int) -> int:
        """Return the number of an entry of a subledger (0: the latest), or now and then one that it has not."""
        known = self.reference.heads.get(subledger, Head(None)).entries
        return len(known) - which % len(known) if known and which < 9 else len(known) * (which - 9) + which - 9

    def moves(self, subledger: int, wanted: Sequence[Any]) -> tuple[Move, ...]:
        """Return moves in the currency of a subledger, unless another is wanted."""
        known = self.reference.heads.get(subledger, Head(None))
        return tuple((debit, credit, minor, c or known.currency or "USD") for (debit, credit), minor, c in wanted)

    def day(self, wanted: int | str | None) -> date | None:
        """Return a day counted from the business date, or at the edge of its month."""
        today = self.reference.business_date
        if isinstance(wanted, int):
            return today + timedelta(days=wanted)
        return {"first": today.replace(day=1), "last": today.replace(day=1) - timedelta(days=1), None: None}[wanted]

    def key(self, wanted: str | None) -> str:
        """Return a request key: one that may have come before, or a new one."""
        return wanted or f"new {next(self.keys)}"

    def _open_subledgers(self, currency: str | None, count: int) -> None:
        for each in self.run(lambda uow: open_subledgers(uow, self.code, currency, count)):
            self.reference.heads[each] = Head(currency)

    def post(self, request: Request) -> None:
        """Book a request on both sides and compare where it stands."""
        self.expect(
            lambda: self.reference.post(request), lambda: self.run(lambda uow: post_entry(uow, draft_of(request)))
        )

    def expect(self, predicted: Callable[[], Booked], taken: Callable[[], PostedEntry]) -> None:
        """Compare an entry that is booked with the one that the reference has."""
        both = self.step(predicted, taken)
        if both:
            booked, posted = both
            entry = booked.entry
            assert (posted.subledger_id, posted.entry_no) == (entry.request.subledger, entry.number)
            assert (posted.booking_date, posted.replayed) == (entry.booking, booked.replayed)

    @precondition(lambda self: any(entry.block is None for entry in self.reference.entries()))
    @rule()
    def seal(self) -> None:
        """Seal what is not sealed yet."""
        both = self.step(self.reference.seal, lambda: self.run(seal))
        assert both is not None
        counts, block = both
        assert (block and (block.entry_count, block.posting_count)) == counts
        assert block is None or block.block_no == self.reference.block

    def month(self, offset: int) -> date:
        """Return the first day of a month counted from the one in which the book opened."""
        return Month.of(OPENED_ON).plus(offset).first_day

    def compare_trial_balance(self, as_of: date, by: Literal["booking", "effective"], known_at: int | None) -> None:
        """Compare the totals of each account and currency."""
        report = self.read(trial_balance, self.code, as_of=as_of, by=by, known_at=known_at)
        found = {(row.account.code, row.currency): (row.debits.minor, row.credits.minor) for row in report.balance.rows}
        assert found == self.reference.totals(as_of=as_of, by=by, known_at=known_at)

    # --- What always holds --------------------------------------------------------------------------------

    @invariant()
    def balances_are_those_of_the_reference(self) -> None:
        """Compare every balance of every subledger."""
        rows = self.rows(
            "SELECT b.subledger_id, a.code, b.currency, b.balance FROM ledger.account_balance b"
            " JOIN ledger.account a USING (account_id) WHERE a.book_id = :book"
        )
        found = {tuple(key): balance for *key, balance in rows}
        heads = self.reference.heads
        assert found == {(each, *key): minor for each in heads for key, minor in heads[each].balances.items()}

    @invariant()
    def journal_is_that_of_the_reference(self) -> None:
        """Compare every line; hence nothing that was booked has gone or has changed."""
        rows = self.rows(
            "SELECT subledger_id, entry_no, account, currency, debit, credit FROM ledger.journal_line"
            " WHERE book_id = :book"
        )
        assert len(rows) == len(set(rows))
        assert set(rows) == self.reference.lines()

    @invariant()
    def trial_balance_of_today_is_that_of_the_reference(self) -> None:
        """Compare the trial balance as it stands."""
        self.compare_trial_balance(self.reference.business_date, "booking", None)

    @invariant()
    def debits_equal_credits_and_numbers_have_no_gaps(self) -> None:
        """State the hard laws of the journal, without the reference."""
        assert not self.rows(
            "SELECT subledger_id, entry_no, currency FROM ledger.journal_line WHERE book_id = :book"
            " GROUP BY subledger_id, entry_no, currency HAVING sum(debit) <> sum(credit)"
        )
        assert not self.rows(
            "SELECT s.subledger_id, s.last_entry_no FROM ledger.subledger s"
            " LEFT JOIN ledger.journal_entry e USING (subledger_id)"
            " WHERE s.book_id = :book GROUP BY s.subledger_id, s.last_entry_no"
            " HAVING s.last_entry_no <> count(e.entry_no) OR s.last_entry_no <> coalesce(max(e.entry_no), 0)"
            " OR coalesce(min(e.entry_no), 1) <> 1"
        )

    @invariant()
    def activity_is_what_is_sealed(self) -> None:
        """Compare the totals of sealed entries by account and days."""
        rows = self.rows(
            "SELECT c.code, a.currency, a.booking_date, a.effective_date, a.debit, a.credit FROM ledger.activity a"
            " JOIN ledger.account c USING (account_id) WHERE a.book_id = :book"
        )
        found = {
            (code, currency, booked, effective): (int(d), int(c)) for code, currency, booked, effective, d, c in rows
        }
        assert found == self.reference.activity()

    def teardown(self) -> None:
        """Compare the books of every month and block, search them whole, and prove them."""
        if not hasattr(self, "reference"):
            return
        self.compare_entries()
        self.seal()
        blocks = (None, *range(self.first_block, self.reference.block + 1))
        for month, known_at in itertools.product(self.reference.months, blocks):
            last_day = next_month(month) - timedelta(days=1)
            self.compare_trial_balance(last_day, "booking", known_at)
            income = self.read(
                income_statement_between, self.code, from_date=month, to_date=last_day, known_at=known_at
            )
            expected = self.reference.net_income(from_date=month, to_date=last_day, currency="USD", known_at=known_at)
            assert income.net_income.minor == expected
        self.compare_trial_balance(date.max, "effective", None)
        self.read(balance_sheet_at, self.code, as_of=self.reference.business_date)
        assert not self.read(verify).findings

    def compare_entries(self) -> None:
        """Compare every entry with what was asked for, as a search of the journal finds it."""
        page = self.read(journal, JournalFilter(book=self.code), limit=1_000)
        ordered = sorted(self.reference.entries(), key=lambda each: (each.booking, each.request.subledger, each.number))
        assert [view.entry.entry_no for view in page.entries] == [entry.number for entry in ordered]
        for view, entry in zip(page.entries, ordered, strict=True):
            draft, request = view.entry.draft, entry.request
            assert (draft.subledger_id, draft.request_key, draft.template) == (
                request.subledger,
                request.key,
                request.template,
            )
            assert (draft.effective_date, view.entry.booking_date) == (request.effective, entry.booking)
            assert (draft.reverses_no, draft.corrects_no) == (request.reverses, request.corrects)
            assert (draft.approved_by, draft.narration) == (request.approver, request.narration)
            assert moves_of(view.entry.postings) == request.moves
            assert view.block_no == entry.block
            assert view.reversed_by == self.reference.heads[request.subledger].reversed_by(entry.number)
