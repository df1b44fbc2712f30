"""A book with loans on PostgreSQL, and what must hold of it after every step, whatever happened.

Entries balance; the journal holds what the fold says and a replay books nothing; parts sum to payments; nothing is
below zero; what was known at a seal block stays; at the end each loan stands where one stands to which nothing that was
undone ever happened, its days entered in another order. Next: `loan_steps.py` for the steps; `test_loan_machine.py`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeVar

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from ledger.commands.books import advance_business_date
from ledger.queries.trial_balance import trial_balance
from ledger.seals import seal
from ledger.store import load_book
from ledger.unit_of_work import UnitOfWork, run
from ledger.verify import verify
from servicing.buckets import buckets
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.converge import lacking
from servicing.commands.cycle import accrue_loan, run_day
from servicing.drafts import LoanDraft
from servicing.events import UNDOING, Kind
from servicing.posting_rules import postings_of
from servicing.product import PercentFee
from servicing.queries import booked_balances, booked_claim, loan_view
from servicing.schedule import contract_schedule
from servicing.store import Loan, latest_allocations, load_loan, load_roles
from servicing.terms import Terms
from tests.property.servicing.loan_terms import ANY_WATERFALL, any_terms
from tests.support.loan_lives import ACTOR, open_book
from tests.support.machine_books import Books

T = TypeVar("T")

OPENED_ON = date(2026, 1, 1)
FREE = frozenset({Kind.FUNDED, Kind.PAYMENT, Kind.FEE, Kind.GOODWILL_CREDIT, Kind.MERCHANT_REFUND, Kind.RATE_RESET})
"""Kinds whose events can be entered in any order."""

BRINGING = frozenset({Kind.PAYMENT, Kind.RECOVERY, Kind.GOODWILL_CREDIT, Kind.MERCHANT_REFUND})
"""Kinds whose amount is split over what is owed."""

OWED_AGAIN = frozenset({"payment_charged_back", "non_accrual_interest_charged_back"})
"""Templates by which what a payment paid is owed again."""

GIVEN_UP = frozenset({"small_balance_written_off", "settlement_forgiven", "settlement_charged_off"})
"""Templates by which the rest of a loan is given up."""

SENDING = frozenset({Kind.REFUND, Kind.CREDIT_BALANCE_REFUND, Kind.CHARGEBACK})
"""Kinds by which money goes back."""

By = Literal["booking", "effective"]
Totals = dict[str, tuple[int, int]]
Enter = Callable[[UnitOfWork, int, str], Any]
"""Enters an event of a loan under a request key."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was entered: of which loan, as which event, under which key, and how to enter it again."""

    loan_id: int
    event_no: int
    key: str
    enter: Enter


@dataclass(frozen=True, slots=True)
class Known:
    """A trial balance as it was read when its block was the last one."""

    block: int
    as_of: date
    by: By
    totals: Totals


@st.composite
def lived_terms(draw: st.DrawFn) -> Terms:
    """Draw the terms of a loan that charges for returns or not, and withholds a fee or not."""
    terms = draw(any_terms(longest=6, waterfalls=ANY_WATERFALL))
    rules = {
        "returned_payment_fee": Decimal(draw(st.sampled_from([0, 25]))),
        "origination_fee": PercentFee(percent=Decimal(draw(st.sampled_from([0, 3])))),
        "accrual": draw(st.sampled_from(["daily", "daily", "monthly"])),
        "waivers": draw(st.sampled_from(["expense", "contra_income"])),
        "excess": draw(st.sampled_from(["apply", "apply", "hold"])),
        "partial_payments": draw(st.sampled_from(["apply", "apply", "hold"])),
    }
    return replace(terms, product=terms.product.model_copy(update=rules))


class LoanSides(RuleBasedStateMachine):
    """Loans of one book, as the commands left them, and as the pure functions say they should be."""

    books: ClassVar[Books]

    def __init__(self) -> None:
        super().__init__()
        self.keys = itertools.count(1)
        self.done: list[Done] = []
        self.known: list[Known] = []
        self.loan_ids: tuple[int, ...] = ()

    @initialize(first=lived_terms(), second=lived_terms())
    def board(self, first: Terms, second: Terms) -> None:
        """Open a book, and board two loans in it on the day on which they are funded."""
        _, self.engine, self.code = self.books.next()
        open_book(self.engine, self.code, OPENED_ON)
        self.run(lambda uow: advance_business_date(uow, self.code, first.funded_on))
        self.loan_ids = self.board_loans("A", first) + self.board_loans("B", second)
        with self.engine.connect() as connection:
            self.book_id = load_book(connection, self.code).book_id

    def board_loans(self, name: str, terms: Terms) -> tuple[int, ...]:
        """Board one loan."""
        return self.run(lambda uow: board_and_fund_loans(uow, self.code, [LoanDraft(name, terms)]))

    # --- How things are asked and done --------------------------------------------------------------------

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Do work in a transaction of its own."""
        return run(self.engine, work, actor=ACTOR)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return what the database itself says."""
        with self.engine.connect() as connection:
            found = connection.execute(sa.text(statement), {"book": self.book_id, **values})
            return [tuple(row) for row in found]

    def loan(self, loan_id: int) -> Loan:
        """Return a loan as it is stored."""
        with self.engine.connect() as connection:
            return load_loan(connection, loan_id, lock=False)

    @property
    def today(self) -> date:
        """Return the business date."""
        with self.engine.connect() as connection:
            return load_book(connection, self.code).business_date

    def enter(self, loan_id: int, enter: Enter) -> Done:
        """Enter an event of a loan, and remember how."""
        key = f"key {next(self.keys)}"
        self.run(lambda uow: enter(uow, loan_id, key))
        done = Done(loan_id, self.loan(loan_id).request_keys[key], key, enter)
        self.done.append(done)
        return done

    def written(self) -> int:
        """Return how many entries the book has."""
        return int(self.rows("SELECT count(*) FROM ledger.journal_entry WHERE book_id = :book")[0][0])

    def accounts_of(self, loan_id: int) -> dict[str, int]:
        """Return what each account holds of a loan, debits positive, by the journal's lines."""
        rows = self.rows(
            "SELECT account, sum(debit - credit) FROM ledger.journal_line"
            " WHERE book_id = :book AND subledger_id = :loan_id GROUP BY account",
            loan_id=loan_id,
        )
        return {code: int(minor) for code, minor in rows if minor}

    def totals(self, as_of: date, by: By, known_at: int | None) -> Totals:
        """Return the trial balance of a day: debits and credits of each account."""
        with self.engine.connect() as connection:
            report = trial_balance(connection, self.code, as_of=as_of, by=by, known_at=known_at)
        return {row.account.code: (row.debits.minor, row.credits.minor) for row in report.balance.rows}

    # --- What always holds --------------------------------------------------------------------------------

    @invariant()
    def entries_balance_and_balances_are_their_sums(self) -> None:
        """State the laws of the journal in SQL."""
        assert not self.rows(
            "SELECT subledger_id, entry_no, currency FROM ledger.journal_line WHERE book_id = :book"
            " GROUP BY subledger_id, entry_no, currency HAVING sum(debit) <> sum(credit)"
        )
        assert not self.rows(
            "SELECT l.subledger_id, l.account, sum(l.debit - l.credit), b.balance FROM ledger.journal_line l"
            " JOIN ledger.account a ON a.book_id = l.book_id AND a.code = l.account AND a.subledgered"
            " LEFT JOIN ledger.account_balance b ON b.subledger_id = l.subledger_id AND b.account_id = a.account_id"
            " WHERE l.book_id = :book GROUP BY l.subledger_id, l.account, a.normal_side, b.balance"
            " HAVING sum(l.debit - l.credit) * (CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END)"
            " IS DISTINCT FROM coalesce(b.balance, 0)"
        )

    @invariant()
    def the_journal_is_what_the_fold_says(self) -> None:
        """Compare each account of each loan with the entries that should be; a replay books nothing."""
        for loan_id in self.loan_ids:
            with self.engine.connect() as connection:
                loan = load_loan(connection, loan_id, lock=False)
                roles = load_roles(connection, self.code)
                state, steps = lacking(connection, loan)
            should: Counter[str] = Counter()
            for item in state.planned:
                for posting in postings_of(item, roles, loan.terms.currency):
                    should[posting.debit] += posting.money.minor
                    should[posting.credit] -= posting.money.minor
            assert steps == ()
            assert {code: minor for code, minor in should.items() if minor} == self.accounts_of(loan_id)

    @invariant()
    def parts_sum_and_nothing_is_below_zero(self) -> None:
        """Check allocations, installments and balances of each loan today, and the versions that were kept."""
        for loan_id in self.loan_ids:
            with self.engine.connect() as connection:
                view = loan_view(connection, loan_id)
                booked = booked_balances(connection, loan_id)
                versions = latest_allocations(connection, loan_id)
            state, undone = view.state, {event.of for event in view.loan.events if event.kind in UNDOING}
            paid = {e.no: e.amount for e in view.loan.events if e.kind in BRINGING and e.no not in undone}
            assert {no: parts.total for no, parts in state.allocations.items()} == paid
            assert {no: parts for no, (_, parts) in versions.items() if no not in undone} == {
                no: parts.components() for no, parts in state.allocations.items()
            }
            for no, parts in state.allocations.items():
                assert min(parts.components().values()) >= 0
                laid = sum(taken.total for taken in state.by_installment[no].values())
                assert laid + parts.recoverable + parts.unapplied == parts.total
            assert min(*state.balances().values(), *booked.values()) >= 0
            assert all(0 <= fee.paid <= fee.amount - fee.waived and fee.waived >= 0 for fee in state.fees)
            assert sum(fee.owed for fee in state.fees) == state.penalties + state.other_fees
            owed = {name: of.total for name, of in buckets(state).items()}
            assert owed == {name: state.balances()[name] for name in owed}
            assert all(min(of.past_due, of.due, of.in_advance) >= 0 for of in buckets(state).values())
            self.ties_out(loan_id, interest_lags=True)
            if state.charged_off_on is not None:
                continue
            sent = sum(e.amount for e in view.loan.events if e.kind in SENDING and e.no not in undone)
            again = [item.amounts for item in state.planned if item.template in OWED_AGAIN]
            given_up = [item.amounts for item in state.planned if item.template in GIVEN_UP]
            owed_again = sum(minor for each in again for name, minor in each.items() if name != "recoverable")
            recoverable = state.recoverable + sum(each["recoverable"] for each in given_up)
            kept = sum(line.paid for line in state.installments) + state.unapplied
            assert kept - recoverable == sum(paid.values()) - sent + owed_again
            assert sum(row.principal for row in contract_schedule(view.loan.terms)) == view.loan.terms.principal.minor

    def teardown(self) -> None:
        """Compare each loan with one to which nothing that was undone ever happened, and prove the books."""
        if not self.loan_ids:
            return
        today = self.today
        for loan_id in self.loan_ids:
            self.bring_to(loan_id, today)
            with self.engine.connect() as connection:
                assert loan_view(connection, loan_id).on == today
            self.ties_out(loan_id)
            if self.can_have_a_twin(loan_id):
                self.compare_with_a_twin(loan_id, today)
        self.run(seal)
        for known in self.known:
            assert self.totals(known.as_of, known.by, known.block) == known.totals
        with self.engine.connect() as connection:
            assert not verify(connection).findings

    def ties_out(self, loan_id: int, *, interest_lags: bool = False) -> None:
        """Compare what the books and their memoranda hold with what is owed by contract today."""
        with self.engine.connect() as connection:
            state = loan_view(connection, loan_id).state
            booked, claim = booked_balances(connection, loan_id), booked_claim(connection, loan_id)
        owed = state.balances()
        if interest_lags and booked["unapplied"] > owed["unapplied"]:
            # Cash that is held has paid on a due date whose day is still to be run.
            return
        if state.charged_off_on is None:
            said = f"loan {loan_id}, held {state.held}: booked {booked}, claim {claim}, owed {owed}"
            assert {**booked, "interest": 0, "claim": claim} == {**owed, "interest": 0, "claim": 0}, said
            assert booked["interest"] <= owed["interest"]
            assert interest_lags or booked == owed
        else:
            assert booked == {**dict.fromkeys(booked, 0), "unapplied": owed["unapplied"]}
            assert claim == state.payoff

    def bring_to(self, loan_id: int, day: date) -> None:
        """Book the interest of a loan up to a day."""
        self.run(lambda uow: accrue_loan(uow, loan_id, day))

    def can_have_a_twin(self, loan_id: int) -> bool:
        """Tell whether nothing stands but what can be entered in any order, and no return has cost anything."""
        loan = self.loan(loan_id)
        undone = {event.of for event in loan.events if event.kind in UNDOING}
        returned = any(event.kind is Kind.RETURNED for event in loan.events)
        costs = returned and bool(loan.terms.product.returned_payment_fee)
        return not costs and {event.kind for event in loan.events if event.no not in undone} <= FREE | UNDOING

    def compare_with_a_twin(self, loan_id: int, today: date) -> None:
        """Board the same loan again, enter the latest days first, and expect every account to hold the same."""
        loan = self.loan(loan_id)
        undone = {event.of for event in loan.events if event.kind in UNDOING}
        order = {event.no: event for event in loan.events if event.no not in undone and event.kind not in UNDOING}
        (twin,) = self.board_loans(f"twin of {loan_id}", loan.terms)
        again = [done for done in self.done if done.loan_id == loan_id and done.event_no in order]
        again.sort(key=lambda done: (-order[done.event_no].effective_date.toordinal(), done.event_no))
        for done in again:
            self.run(lambda uow, done=done: done.enter(uow, twin, done.key))  # type: ignore[misc]
        marked = loan.fees_through
        if marked is not None:
            self.run(lambda uow: run_day(uow, twin, marked))
        self.bring_to(twin, today)
        assert self.accounts_of(twin) == self.accounts_of(loan_id)
