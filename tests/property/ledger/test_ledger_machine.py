"""Whole lives of a book, on PostgreSQL and beside it in plain Python, step by step.

Each rule asks the reference what must come of a step (an entry, a replay, a refusal by name), takes the step, and
compares; after each step, and at the end over every day and every seal block, the books must say the same. Three laws
are stated in SQL of their own: debits equal credits in each currency, numbers have no gaps, nothing is ever deleted.
Next: `tests/support/reference_ledger.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar, Literal, TypeVar

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.batch import Batch, BatchRow
from ledger.chart import AccountCode, AccountDefinition, AccountType, Chart, Side
from ledger.commands.accounts import close_account, open_account, reopen_account
from ledger.commands.batches import post_batch
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.commands.periods import close_period, lift_soft_close, open_period, reopen_period, soft_close_period
from ledger.commands.posting import PostedEntry, post_entry, reverse_entry
from ledger.commands.subledgers import freeze_subledger, open_subledgers
from ledger.commands.year_end import year_end_close
from ledger.dates import Month
from ledger.journal import EntryDraft, Posting, SubledgerId
from ledger.money import Money
from ledger.queries.entries import entries
from ledger.queries.journal import JournalFilter, journal
from ledger.queries.statement import account_statement
from ledger.queries.trial_balance import balance_sheet_at, income_statement_between, trial_balance
from ledger.seals import head, seal
from ledger.store import load_book
from ledger.unit_of_work import UnitOfWork, run
from ledger.verify import verify
from tests.support.database import OWNER, Database, fresh_database
from tests.support.reference_ledger import (
    MANUAL,
    RETAINED_EARNINGS,
    Account,
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

OPENED_ON = date(2025, 11, 10)
FIRST_DAY = date(2026, 1, 20)
NOBODY = 10**12
BOOKS_PER_DATABASE = 20
"""Proving a database reads every book in it: a fresh one now and then keeps long runs linear."""

A, L, E, I, X, M = AccountType  # noqa: E741 - asset, liability, equity, income, expense, memorandum


def _account(code: str, kind: AccountType, *flags: str, currency: str | None = None) -> AccountDefinition:
    contra = "contra" in flags
    kept = "kept" in flags
    return AccountDefinition(
        code=AccountCode(code),
        slug=f"account_{code}",
        name=f"Account {code}",
        type=kind,
        normal_side=kind.normal_side.opposite if contra else kind.normal_side,
        currency=currency,
        header="header" in flags,
        subledgered=kept,
        may_go_contra=not kept or "either" in flags,
        control="control" in flags,
    )


CHART = Chart(
    "machine",
    accounts=(
        _account("1000", A, "header"),
        _account("1020", A),
        _account("1030", A, currency="EUR"),
        _account("1210", A, "kept", "control"),
        _account("1220", A, "kept", "control"),
        _account("1310", A, "kept", "contra"),
        _account("1600", A, "kept", "either"),
        _account("2010", L, "kept", "control"),
        _account("2600", L, "kept", "either"),
        _account("2650", L, "contra"),
        _account("3010", E),
        _account(RETAINED_EARNINGS, E),
        _account("4010", I),
        _account("4020", I, "contra"),
        _account("5200", X),
        _account("9010", M, "kept"),
        _account("9015", M, "kept", "contra"),
    ),
    roles={"default": {"RETAINED_EARNINGS": AccountCode(RETAINED_EARNINGS)}},
)
USUAL = (
    ("1210", "1020"),  # funding
    ("1020", "1210"),  # payment
    ("1220", "4010"),  # accrual
    ("1020", "1220"),
    ("1310", "4010"),  # fee earned, out of the deferred one
    ("1020", "1310"),
    ("1020", "2010"),
    ("2010", "1210"),
    ("1600", "2600"),  # due from one, due to another: either may turn
    ("2600", "1600"),
    ("2650", "1020"),  # what is due to somebody, contra
    ("1020", "2650"),
    ("5200", "1020"),
    ("4020", "1020"),  # income given back
    ("1020", "3010"),
    ("9010", "9015"),  # memoranda
    ("9015", "9010"),
)
CODES = ("1000", "1020", "1030", "1210", "1220", "1310", "2600", "2650", "4010", "9010", "6001", "6002")
CURRENCIES = ("USD", "EUR", "JPY")

TINY = st.sampled_from([1, 2, 3, 5, 100])
AMOUNTS = TINY | TINY | st.integers(1, 10**12)
USUAL_PAIRS = st.sampled_from(USUAL)
ANY_PAIRS = st.lists(st.sampled_from(CODES), min_size=2, max_size=2, unique=True)
PAIRS = st.one_of(*[USUAL_PAIRS] * 7, ANY_PAIRS)
MOVES = st.lists(st.tuples(PAIRS, AMOUNTS, st.sampled_from([*[None] * 20, *CURRENCIES])), min_size=1, max_size=3)
"""Pairs of accounts, amounts, and a currency (None: the subledger's own, or dollars)."""

WHICH = st.integers(0, 11)
"""Which of those that there are, counted round."""

KEYS = st.sampled_from([None, None, None, "k1", "k2", "k3"])
DAYS = st.sampled_from([None, None, None, "first", "last", "last"]) | st.integers(-75, 2)
"""A day: the first of the business date's month, the last of the one before, or days from the business date."""

APPROVERS = st.sampled_from([None, "boss", "boss"])
MONTHS = st.integers(-1, 3)
"""Months from the one in which the book opened."""


class Books:
    """Hands out books, each new, in a database that many of them share."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._stack = ExitStack()
        self._numbers = itertools.count()
        self._database: Database | None = None
        self._engine: sa.Engine | None = None

    def next(self) -> tuple[Database, sa.Engine, str]:
        """Return a database, an engine for it, and the code of a book that it has not."""
        number = next(self._numbers)
        if self._database is None or self._engine is None or number % BOOKS_PER_DATABASE == 0:
            self.close()
            self._database = self._stack.enter_context(fresh_database(self._server_url))
            self._engine = self._database.engine(pool_size=2)
        return self._database, self._engine, f"BOOK{number}"

    def close(self) -> None:
        """Drop the database."""
        self._stack.close()


class LedgerMachine(RuleBasedStateMachine):
    """One book on PostgreSQL, one in plain Python."""

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
            self.reference.open_account(definition.code, _as_reference(definition, OPENED_ON))
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

    # --- Accounts and subledgers --------------------------------------------------------------------------

    @rule(
        action=st.sampled_from(["open", "close", "reopen"]),
        code=st.sampled_from(["6001", "6002", "6003", "4010", "1310"]),
        kind=st.sampled_from(list(AccountType)),
        flags=st.sets(st.sampled_from(["contra", "kept", "either", "control"])),
        currency=st.sampled_from([None, None, "USD"]),
        offset=st.sampled_from([-60, -5, 0, 3]),
    )
    def change_chart(
        self, action: str, code: str, kind: AccountType, flags: set[str], currency: str | None, offset: int
    ) -> None:
        """Open an account, close one from a day on, or open a closed one again."""
        definition = _account(code, kind, *flags, currency=currency)
        day = self.reference.business_date + timedelta(days=offset)
        if action == "open":
            self.both(
                lambda: self.reference.open_account(code, _as_reference(definition, day)),
                lambda uow: open_account(uow, self.code, definition, effective_from=day),
            )
        elif action == "close":
            self.both(
                lambda: self.reference.close_account(code, day),
                lambda uow: close_account(uow, self.code, code, closed_from=day),
            )
        else:
            self.both(
                lambda: self.reference.reopen_account(code),
                lambda uow: reopen_account(uow, self.code, code, effective_from=day),
            )

    @rule(
        action=st.sampled_from(["open", "open", "freeze", "thaw", "thaw"]),
        currency=st.sampled_from([None, *CURRENCIES]),
        which=WHICH,
    )
    def change_subledgers(self, action: str, currency: str | None, which: int) -> None:
        """Open a subledger behind the gate as it stands, freeze one or thaw it."""
        if action == "open":
            self._open_subledgers(currency, 1 + which % 2)
            return
        subledger = self.subledger(which)
        self.both(
            lambda: self.reference.freeze(subledger, frozen=action == "freeze"),
            lambda uow: freeze_subledger(uow, subledger, frozen=action == "freeze"),
        )

    def _open_subledgers(self, currency: str | None, count: int) -> None:
        for each in self.run(lambda uow: open_subledgers(uow, self.code, currency, count)):
            self.reference.heads[each] = Head(currency)

    # --- Entries ------------------------------------------------------------------------------------------

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

    @rule(
        work=st.lists(
            st.tuples(
                WHICH, MOVES, KEYS, st.integers(-60, 40), DAYS, APPROVERS, st.sampled_from(["test", "test", MANUAL])
            ),
            min_size=1,
            max_size=5,
        )
    )
    def post_entries(self, work: Sequence[Any]) -> None:
        """Book entries of one or several postings, each in a transaction of its own."""
        for which, wanted, key, effective, booking, approver, template in work:
            subledger = self.subledger(which)
            request = Request(
                subledger=subledger,
                key=self.key(key),
                moves=self.moves(subledger, wanted),
                effective=self.reference.business_date + timedelta(days=effective),
                booking=self.day(booking),
                approver=approver,
                template=template,
            )
            self.post(request)

    @rule(work=st.lists(st.tuples(WHICH, USUAL_PAIRS, TINY), min_size=1, max_size=5))
    def post_usual_entries(self, work: Sequence[Any]) -> None:
        """Book what is booked every day."""
        for which, pair, minor in work:
            subledger = self.subledger(which)
            moves = self.moves(subledger, [(pair, minor, None)])
            today = self.reference.business_date
            self.post(Request(subledger=subledger, key=self.key(None), moves=moves, effective=today))

    @precondition(lambda self: any(self.reference.entries()))
    @rule(which=st.integers(0, 50), field=st.sampled_from([None, None, "moves", "effective", "narration", "approver"]))
    def repeat(self, which: int, field: str | None) -> None:
        """Ask again for what was booked, as it was or otherwise."""
        known = list(self.reference.entries())
        request = known[which % len(known)].request
        debit, credit, minor, currency = request.moves[0]
        changes: dict[str, Any] = {
            "moves": ((debit, credit, minor + 1, currency), *request.moves[1:]),
            "effective": request.effective + timedelta(days=1),
            "narration": "another",
            "approver": "another boss",
        }
        self.post(replace(request, **{field: changes[field]}) if field else request)

    @rule(work=st.lists(st.tuples(WHICH, WHICH, KEYS, DAYS, APPROVERS), min_size=1, max_size=4))
    def reverse(self, work: Sequence[Any]) -> None:
        """Undo entries: some for the second time, some that undo another."""
        for which, entry, wanted, booking, approver in work:
            self._reverse(self.subledger(which), entry, self.key(wanted), self.day(booking), approver)

    def _reverse(self, subledger: int, entry: int, key: str, day: date | None, approver: str | None) -> None:
        number = self.number(subledger, entry)
        self.expect(
            lambda: self.reference.post(
                self.reference.reversal(subledger, number, key=key, booking=day, approver=approver)
            ),
            lambda: self.run(
                lambda uow: reverse_entry(
                    uow, subledger, number, request_key=key, booking_date=day, approved_by=approver
                )
            ),
        )

    @rule(which=WHICH, entry=WHICH, wanted=MOVES)
    def correct(self, which: int, entry: int, wanted: Sequence[Any]) -> None:
        """Undo an entry and book it right, both or neither."""
        subledger = self.subledger(which)
        number = self.number(subledger, entry)
        undo, again = self.key(None), self.key(None)
        right = Request(
            subledger=subledger,
            key=again,
            moves=self.moves(subledger, wanted),
            effective=self.reference.business_date,
            corrects=number,
        )

        def predicted() -> Booked:
            wrong = self.reference.reversal(subledger, number, key=undo, booking=None, approver=None)
            return self.reference.post_all([wrong, right])[1]

        def work(uow: UnitOfWork) -> PostedEntry:
            reverse_entry(uow, subledger, number, request_key=undo)
            return post_entry(uow, draft_of(right))

        self.expect(predicted, lambda: self.run(work))

    @rule(
        rows=st.lists(st.tuples(WHICH, MOVES), min_size=1, max_size=4),
        key=st.sampled_from(["k1", "run 1", "run 2"]),
        chunk=st.sampled_from([1, 2, 5_000]),
    )
    def post_batch(self, rows: Sequence[Any], key: str, chunk: int) -> None:
        """Book a batch, whose key may have come before."""
        chosen = [(self.subledger(which), wanted) for which, wanted in rows]
        moves = tuple((each, move) for each, wanted in chosen for move in self.moves(each, wanted))
        self._post_batch(BatchRequest(key=key, effective=self.reference.business_date, rows=moves), chunk)

    @rule(which=st.sets(st.integers(0, 10), min_size=1), minors=st.lists(TINY, min_size=1, max_size=3))
    def post_usual_batch(self, which: set[int], minors: list[int]) -> None:
        """Book what is booked every night."""
        chosen = {self.subledger(each) for each in which}
        wanted = [(("1220", "4010"), minor, None) for minor in minors]
        rows = tuple((each, move) for each in sorted(chosen) for move in self.moves(each, wanted))
        day = self.reference.business_date
        self._post_batch(BatchRequest(key=self.key(None), effective=day, rows=rows), 5_000)

    @precondition(lambda self: self.batches)
    @rule(which=st.integers(0, 20), chunk=st.sampled_from([1, 5_000]))
    def repeat_batch(self, which: int, chunk: int) -> None:
        """Run a batch again: what it has booked is passed over."""
        self._post_batch(self.batches[which % len(self.batches)], chunk)

    def _post_batch(self, request: BatchRequest, chunk: int) -> None:
        self.batches.append(request)
        both = self.step(
            lambda: self.reference.post_batch(request, chunk=chunk),
            lambda: post_batch(self.engine, self._batch_of(request), actor="teller", chunk=chunk),
        )
        if both:
            assert (both[1].posted, both[1].posted_before) == both[0]
            return
        keys = self.rows(
            "SELECT subledger_id FROM ledger.journal_entry WHERE book_id = :book AND request_key = :key",
            key=request.key,
        )
        heads = self.reference.heads
        self.reference.adopt(request, {each for (each,) in keys if not heads[each].of_key(request.key)})

    def _batch_of(self, request: BatchRequest) -> Batch:
        return Batch(
            book_code=self.code,
            request_key=request.key,
            template="batch",
            template_version=1,
            effective_date=request.effective,
            rows=tuple(
                BatchRow(each, AccountCode(debit), AccountCode(credit), Money(minor, currency))
                for each, (debit, credit, minor, currency) in request.rows
            ),
        )

    # --- Days, months, years, seals -----------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 8, 25, 31, 0, 1, -1]))
    def advance(self, days: int) -> None:
        """Move the business date."""
        to = self.reference.business_date + timedelta(days=days)
        self.both(lambda: self.reference.advance(to), lambda uow: advance_business_date(uow, self.code, to))

    @rule(offset=MONTHS, action=st.sampled_from(["open", "soft_close", "lift"]))
    def change_month(self, offset: int, action: str) -> None:
        """Open a month ahead, close one to ordinary work, or lift that."""
        month = self.month(offset)
        predicted, taken = {
            "open": (self.reference.open_month, open_period),
            "soft_close": (self.reference.soft_close, soft_close_period),
            "lift": (self.reference.lift, lift_soft_close),
        }[action]
        self.both(lambda: predicted(month), lambda uow: taken(uow, self.code, Month.of(month)))

    @rule(which=st.sampled_from(["next", "next", "next", 0, 1, -1]))
    def close(self, which: int | str) -> None:
        """Close a month for good, or the next one once it is over: it is sealed, and its balances have a digest."""
        month = min(month for month, state in self.reference.months.items() if state != "closed")
        if isinstance(which, int):
            month = self.month(which)
        elif self.reference.business_date < next_month(month):
            self.advance((next_month(month) - self.reference.business_date).days)
        both = self.step(
            lambda: self.reference.close(month),
            lambda: close_period(self.engine, self.code, Month.of(month), actor="teller", chunk=2),
        )
        if both:
            assert (both[1].block_no, both[1].trial_balance_digest) == both[0]

    @precondition(lambda self: "closed" in self.reference.months.values())
    @rule(
        which=st.sampled_from(["latest", "latest", "latest", 0, 1]),
        approver=st.sampled_from(["boss", "boss", "boss", None, "teller"]),
        reason=st.sampled_from(["late", "late", "late", ""]),
    )
    def reopen(self, which: int | str, approver: str | None, reason: str) -> None:
        """Open a closed month again, by two people."""
        month = max(month for month, state in self.reference.months.items() if state == "closed")
        if isinstance(which, int):
            month = self.month(which)
        self.step(
            lambda: self.reference.reopen(month, actor="teller", approver=approver, reason=reason),
            lambda: reopen_period(
                self.engine, self.code, Month.of(month), actor="teller", approver=approver, reason=reason, chunk=2
            ),
        )

    @rule(
        year=st.sampled_from([2025, 2025, 2025, 2026, 2024]),
        approver=st.sampled_from(["boss", "boss", "boss", "teller", None]),
    )
    def close_year(self, year: int, approver: str | None) -> None:
        """Carry the result of a year to retained earnings."""
        changes = self.reference.year_end_changes(year)
        both = self.step(
            lambda: self.reference.year_end(year, actor="teller", approver=approver),
            lambda: self.run(lambda uow: year_end_close(uow, self.code, year), approver=approver),
        )
        if both is None:
            return
        request, closed = both
        assert (closed.posted is None) == (request is None)
        if closed.posted:
            entry = self.reference.heads[self.reference.own].entries[-1]
            assert closed.posted.entry_no == entry.number
            (view,) = self.read(entries, self.reference.own, after=entry.number - 1)
            moves = moves_of(view.entry.postings)
            moved: dict[tuple[str, str], int] = {}
            for debit, credit, minor, currency in moves:
                moved[debit, currency] = moved.get((debit, currency), 0) + minor
                moved[credit, currency] = moved.get((credit, currency), 0) - minor
            assert moved == changes
            entry.request = replace(entry.request, moves=moves)
            entry.identity = entry.request.identity

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

    # --- Reading ------------------------------------------------------------------------------------------

    @rule(wanted=DAYS, by=st.sampled_from(["booking", "effective"]), back=st.none() | st.integers(0, 3))
    def read_trial_balance(
        self, wanted: int | str | None, by: Literal["booking", "effective"], back: int | None
    ) -> None:
        """Read the trial balance of any day, as known now or some blocks ago."""
        known_at = None if back is None else max(self.reference.block - back, self.first_block)
        self.compare_trial_balance(self.day(wanted) or self.reference.business_date, by, known_at)

    def compare_trial_balance(self, as_of: date, by: Literal["booking", "effective"], known_at: int | None) -> None:
        """Compare the totals of each account and currency."""
        report = self.read(trial_balance, self.code, as_of=as_of, by=by, known_at=known_at)
        found = {(row.account.code, row.currency): (row.debits.minor, row.credits.minor) for row in report.balance.rows}
        assert found == self.reference.totals(as_of=as_of, by=by, known_at=known_at)

    @rule(
        code=st.sampled_from(sorted({code for pair in USUAL for code in pair})),
        which=st.none() | st.integers(0, 10),
        currency=st.sampled_from(CURRENCIES),
        days=st.tuples(st.integers(-50, 20), st.integers(0, 60)),
    )
    def read_statement(self, code: str, which: int | None, currency: str, days: tuple[int, int]) -> None:
        """Read the statement of an account between two days."""
        first = self.reference.business_date + timedelta(days=days[0])
        last = first + timedelta(days=days[1])
        subledger = None if which is None else self.subledger(which)
        found = self.read(
            account_statement,
            self.code,
            code,
            from_date=first,
            to_date=last,
            subledger_id=subledger,
            currency=currency,
        )
        opening, lines = self.reference.statement(code, currency, from_date=first, to_date=last, subledger=subledger)
        assert found.opening.minor == opening
        assert [
            (
                line.booking_date,
                line.subledger_id,
                line.entry_no,
                line.debit.minor,
                line.credit.minor,
                line.balance.minor,
            )
            for line in found.lines
        ] == lines
        assert found.closing.minor == (lines[-1][-1] if lines else opening)

    @rule(
        statement=st.sampled_from(
            ["DELETE FROM ledger.{}", "UPDATE ledger.{} SET subledger_id = 1", "TRUNCATE ledger.{} CASCADE"]
        ),
        table=st.sampled_from(["journal_entry", "posting"]),
        role=st.sampled_from(["loanbook_app", OWNER]),
    )
    def try_to_rewrite(self, statement: str, table: str, role: str) -> None:
        """Try to delete what is booked: the application may not, and its owner is refused."""
        with self.database.connect(role) as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(statement.format(table))
        assert refused.value.sqlstate == ("LB021" if role == OWNER else "42501")

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


def draft_of(request: Request) -> EntryDraft:
    """Return the draft that asks the ledger for what a request asks the reference for."""
    return EntryDraft(
        subledger_id=SubledgerId(request.subledger),
        template=request.template,
        template_version=1,
        effective_date=request.effective,
        booking_date=request.booking,
        actor="teller",
        approved_by=request.approver,
        request_key=request.key,
        narration=request.narration,
        reverses_no=request.reverses,
        corrects_no=request.corrects,
        postings=tuple(
            Posting(AccountCode(debit), AccountCode(credit), Money(minor, currency))
            for debit, credit, minor, currency in request.moves
        ),
    )


def moves_of(postings: Sequence[Posting]) -> tuple[Move, ...]:
    """Return postings as the reference writes them."""
    return tuple((p.debit, p.credit, p.money.minor, p.money.currency) for p in postings)


def _as_reference(definition: AccountDefinition, since: date) -> Account:
    return Account(
        type=str(definition.type),
        debit_normal=definition.normal_side is Side.DEBIT,
        opened_from=since,
        currency=definition.currency,
        header=definition.header,
        subledgered=definition.subledgered,
        may_go_contra=definition.may_go_contra,
        control=definition.control,
    )


@pytest.fixture
def books(server_url: str) -> Iterator[Books]:
    """Yield what hands out books to the machine."""
    LedgerMachine.books = Books(server_url)
    yield LedgerMachine.books
    LedgerMachine.books.close()


Work = tuple[int, list[Any], str | None, int, int | str | None, str | None, str]


def work(
    which: int,
    *pairs: str,
    minor: int = 5,
    currency: str | None = None,
    key: str | None = None,
    day: int | str | None = None,
    approver: str | None = None,
    template: str = "test",
) -> Work:
    """Return an entry for a subledger (0: the book's own) between accounts written `1020/3010`."""
    moves = [(tuple(pair.split("/")), minor, currency) for pair in pairs]
    return which, moves, key, 0, day, approver, template


OWN, LOAN, IN_EUROS, OTHER = range(4)

LIFE: tuple[Callable[[LedgerMachine], object], ...] = (
    # Entries by every road, right and wrong.
    lambda m: m.change_chart("open", "6001", AccountType.INCOME, {"kept"}, "USD", -60),
    lambda m: m.post_entries([work(LOAN, "1020/6001", "1220/6001", key="k1"), work(LOAN, "1020/6001", key="k1")]),
    lambda m: m.post_entries([work(OWN, "1020/3010", currency=each, key="k2") for each in CURRENCIES]),
    lambda m: m.post_entries([work(LOAN, "1020/1030"), work(IN_EUROS, "1020/1030"), work(OWN, "1020/9010")]),
    lambda m: m.post_entries([work(OWN, "5200/1020", approver=each, template=MANUAL) for each in (None, "boss")]),
    lambda m: m.post_entries([work(LOAN, "1210/1020", approver="boss", template=MANUAL)]),
    lambda m: m.post_entries([work(LOAN, "1020/1210", minor=minor) for minor in (5_000, 1, 4_999, 1)]),
    lambda m: m.post_entries([work(OTHER, "1600/2600", "2600/1600", "2600/1600", minor=9)]),
    lambda m: m.post_entries([work(OTHER, "1220/4010", day=day) for day in (0, "first", "last", 1)]),
    lambda m: m.post_entries([work(OTHER, "1220/4010", day=day, approver="boss") for day in (0, "first", "last", 1)]),
    # What corrects an entry: an earlier one of the same subledger, and no other.
    lambda m: m.post_correction(OTHER, 1),
    lambda m: m.post_correction(OTHER, 0),
    lambda m: m.post_correction(OTHER, -1),
    lambda m: m.post_correction(OTHER, 99),
    lambda m: m.correct(OTHER, 0, [(("1210", "1020"), 2_000, None)]),
    lambda m: m.correct(OTHER, 1, [(("1210", "1020"), 2_000, None)]),
    lambda m: m.correct(OTHER, 2, [(("1210", "1020"), 2_000, None)]),
    lambda m: m.correct(LOAN, 1, [(("1020", "1210"), 10**9, None)]),
    lambda m: m.reverse(
        [(OTHER, entry, key, None, None) for entry, key in ((3, "k3"), (4, "k3"), (4, None), (0, None))]
    ),
    lambda m: m.reverse([(OTHER, each, None, "last", "boss") for each in range(12)]),
    # Batches: several rows of one subledger, chunks of which one is refused, and what is left run again.
    lambda m: m.post_usual_batch({OWN, LOAN, IN_EUROS, OTHER}, [3, 4, 4]),
    lambda m: m.repeat_batch(0, 1),
    lambda m: m.change_subledgers("freeze", None, IN_EUROS),
    lambda m: m.post_batch([(each, [(("1220", "4010"), 2, None)] * 2) for each in range(4)], "run 1", 1),
    lambda m: m.repeat(0, None),
    lambda m: m.change_subledgers("thaw", None, IN_EUROS),
    lambda m: m.repeat_batch(1, 1),
    lambda m: m.repeat_batch(1, 5_000),
    lambda m: m.post_batch([(LOAN, [(("1220", "4010"), 3, None)])], "run 1", 5_000),
    lambda m: m.post_batch([(LOAN, [(("1220", "4010"), 3, None)])], "k1", 5_000),
    lambda m: m.seal(),
    # Months: in their order, for good, and open again.
    lambda m: m.close(1),
    lambda m: m.change_month(0, "soft_close"),
    lambda m: m.close(0),
    lambda m: m.change_subledgers("open", "USD", 0),
    lambda m: m.post_entries([work(4, "1220/4010", day=day, approver="boss") for day in (-51, -52, -75, "last")]),
    lambda m: m.close("next"),
    lambda m: m.change_subledgers("open", "USD", 0),
    lambda m: m.post_entries([work(5, "1220/4010", day=day, approver="boss") for day in ("last", "first")]),
    lambda m: m.close_year(2025, "boss"),
    lambda m: m.reopen(0, "boss", "late"),
    lambda m: [m.reopen("latest", approver, why) for approver, why in ((None, "x"), ("teller", "x"), ("boss", ""))],
    lambda m: m.reopen("latest", "boss", "late"),
    lambda m: m.post_entries([work(each, "1220/4010", day="last", approver="boss") for each in (5, 4, OTHER)]),
    lambda m: m.change_month(1, "lift"),
    # The year: closed, closed again for what came later, undone and closed once more.
    lambda m: [m.close_year(2025, approver) for approver in (None, "teller", "boss", "boss")],
    lambda m: m.post_entries([work(OTHER, "1220/4010", minor=8, day="last", approver="boss")]),
    lambda m: m.close_year(2025, "boss"),
    lambda m: m.seal(),
    lambda m: m.reverse([(OWN, 0, None, "last", "boss")]),
    lambda m: m.close_year(2025, "boss"),
    lambda m: m.close("next"),
    lambda m: m.repeat(3, None),
    lambda m: m.close_year(2026, "boss"),
    # An account that is closed, from its first closed day on.
    lambda m: m.change_chart("close", "6001", AccountType.INCOME, set(), None, 0),
    lambda m: m.post_entries([work(LOAN, "1020/6001"), work(LOAN, "1020/6001", day=-1, approver="boss")]),
    lambda m: m.change_chart("reopen", "6001", AccountType.INCOME, set(), None, 0),
    lambda m: m.post_entries([work(LOAN, "1020/6001")]),
    lambda m: [m.advance(days) for days in (-1, 0, 12)],
    lambda m: m.change_month(4, "open"),
    lambda m: m.close("next"),
)


def test_a_life_that_goes_through_everything_once(books: Books) -> None:
    """What chance comes to in some lives only, in every run: the same rules and the same comparisons, in this order."""
    machine = LedgerMachine()
    machine.open_book()

    for step in LIFE:
        step(machine)
        machine.compare()

    machine.teardown()


@pytest.mark.timeout(3600)  # `make test-deep` goes through some hundred lives
def test_the_ledger_does_what_a_ledger_in_plain_python_does(books: Books) -> None:
    examples = max(settings.default.max_examples // 12, 8) if settings.default else 8
    run_state_machine_as_test(LedgerMachine, settings=settings(max_examples=examples, stateful_step_count=40))
