"""The steps in the lives of loans: each is what a person, a bank or the calendar does, through the real command.

Next: `loan_sides.py` for what holds after each; `test_loan_machine.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.commands.books import advance_business_date
from ledger.commands.periods import close_period
from ledger.dates import Month
from ledger.errors import DomainError, RequestKeyReused
from ledger.periods import PeriodState
from ledger.queries.periods import periods
from ledger.seals import head, seal
from servicing.commands.charge_offs import charge_off
from servicing.commands.cycle import accrue_loan, accrue_through, run_cycle, run_day
from servicing.commands.non_accrual import enter_non_accrual, return_to_accrual
from servicing.commands.payments import return_payment, reverse_payment
from servicing.commands.payoffs import quote_payoff
from servicing.commands.reversals import reverse_event
from servicing.commands.waivers import WAIVABLE
from servicing.errors import (
    AccrualStateRefused,
    BalanceNotSmall,
    ChargebackBeforePayment,
    ChargebackExceedsPayment,
    CommissionExceedsRecovery,
    DrawdownExceedsCommitment,
    DrawdownRefused,
    EffectiveBeforeFunding,
    EffectiveDateAhead,
    EventNotReversible,
    EventReversed,
    FeeUnknown,
    NoCreditBalance,
    NotChargedOff,
    NothingToChargeOff,
    PaymentChargedBack,
    PaymentDuplicate,
    PaymentNotPositive,
    PaymentUndone,
    PaymentUnknown,
    RateFixed,
    RateKept,
    RefundExceedsUnapplied,
    WaiverExceedsOwed,
)
from servicing.events import CLEARING_ROLES, PAYMENTS, UNDOING, Event, Kind
from servicing.queries import loan_view
from servicing.state import IN_REPAYMENT
from servicing.waterfall_order import NAMED, PAIRS
from tests.property.servicing.loan_entries import (
    charging,
    charging_back,
    crediting,
    deciding,
    drawing,
    recovering,
    refunding,
    resetting,
    restoring,
    settling,
    taking,
    taking_again,
    undoing_again,
    undoing_by,
    waiving,
    writing_off,
)
from tests.property.servicing.loan_sides import By, Enter, Known
from tests.property.servicing.loan_workout_steps import WorkoutSteps
from tests.support.loan_lives import ACTOR

WHICH = st.integers(0, 50)
"""Which of those that there are, counted round."""

LOANS = st.sampled_from([0, 0, 1])
BACK = st.sampled_from([0, 0, 0, 1, 5, 20, 45, 70])
"""How many days before today something took effect."""

SIZES = st.one_of(
    st.tuples(st.sampled_from(["installments"]), st.integers(1, 3)),
    st.tuples(st.sampled_from(["percent of the payoff"]), st.sampled_from([1, 30, 60, 99, 100, 101, 150])),
    st.tuples(st.sampled_from(["cents"]), st.sampled_from([1, 2, 50, 5_000])),
)
OWN_WATERFALLS = st.permutations(list(PAIRS)).map(list)
WAYS: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.just(("product", None)),
    st.just(("product", None)),
    st.tuples(st.just("waterfall"), st.sampled_from(sorted(NAMED)) | OWN_WATERFALLS),
    st.tuples(st.just("split"), st.lists(st.integers(0, 5), min_size=5, max_size=5)),
)
"""How a payment is allocated: as the product has it, by a waterfall of its own, or by shares of the components."""


class LoanMachine(WorkoutSteps):
    """Takes any step at any time."""

    # --- Payments -----------------------------------------------------------------------------------------

    @rule(loan=LOANS, size=SIZES, back=BACK, way=WAYS, method=st.sampled_from(sorted(CLEARING_ROLES)))
    def pay(self, loan: int, size: tuple[str, int], back: int, way: tuple[str, Any], method: str) -> None:
        """Take a payment of today or an earlier day."""
        loan_id = self.loan_ids[loan]
        today, funded_on = self.today, self.loan(loan_id).terms.funded_on
        on = max(funded_on, today - timedelta(days=back))
        self.enter(loan_id, taking(self.amount(loan_id, size), on, method, way))

    @rule(loan=LOANS, sizes=st.lists(SIZES, min_size=2, max_size=4), back=BACK)
    def pay_often_on_one_day(self, loan: int, sizes: Sequence[tuple[str, int]], back: int) -> None:
        """Take several payments of one day."""
        for size in sizes:
            self.pay(loan, size, back, ("product", None), "ach")

    @precondition(lambda self: self.payments())
    @rule(which=WHICH, returned=st.booleans())
    def undo(self, which: int, returned: bool) -> None:
        """Return or reverse a payment that stands, whatever came after it."""
        standing = self.payments()
        loan_id, event = standing[which % len(standing)]
        undoing = partial(return_payment, code="R01") if returned else partial(reverse_payment, reason="wrong loan")
        enter = partial(undoing_by, undoing=undoing, payment=event.no)
        self.enter_or_refuse(loan_id, enter, (PaymentChargedBack,))

    @precondition(lambda self: len(self.payments()) > 1)
    @rule(which=WHICH, returned=st.tuples(st.booleans(), st.booleans()))
    def undo_two_that_cross(self, which: int, returned: tuple[bool, bool]) -> None:
        """Undo two payments, the later one first."""
        for each in returned:
            if self.payments():
                self.undo(max(0, len(self.payments()) - 1 - which), each)

    @rule(
        loan=LOANS, ahead=st.sampled_from([0, 0, 5, 40]), over=st.sampled_from([0, 0, 0, 1, -1]), quoted=st.booleans()
    )
    def pay_off(self, loan: int, ahead: int, over: int, quoted: bool) -> None:
        """Pay what a quote through a day asks for, or a cent more or less of it, today."""
        loan_id, today = self.loan_ids[loan], self.today
        good_through = today + timedelta(days=ahead)
        key = f"quote {next(self.keys)}"
        asked = partial(quote_payoff, loan_id=loan_id, good_through=good_through, request_key=key)
        quote = self.run(asked)
        assert self.run(asked) == quote
        if quote.total + over <= 0:
            return
        self.enter(loan_id, settling(quote.total + over, today, loan_id, quote.quote_id if quoted else None))
        with self.engine.connect() as connection:
            view = loan_view(connection, loan_id)
        # A quote knows what the closes before its day will bring; the loan, only once they were run.
        closed = (view.loan.fees_through or date.min) >= today - timedelta(days=1)
        if closed and not ahead:
            state = view.state
            owed = sum(state.balances().values()) - state.unapplied
            assert owed <= max(0, -over)
            assert state.status in ({"paid_off", "settled"} if owed == 0 else IN_REPAYMENT) | {"charged_off"}

    @rule(loan=LOANS, percent=st.sampled_from([1, 50, 100, 101]), back=BACK, credit_balance=st.booleans())
    def refund(self, loan: int, percent: int, back: int, credit_balance: bool) -> None:
        """Send unapplied cash back, or more than there is."""
        loan_id, today = self.loan_ids[loan], self.today
        on = max(self.loan(loan_id).terms.funded_on, today - timedelta(days=back))
        with self.engine.connect() as connection:
            cash = loan_view(connection, loan_id).state.unapplied
        enter = refunding(max(1, cash * percent // 100), on, credit_balance)
        self.enter_or_refuse(loan_id, enter, (RefundExceedsUnapplied, NoCreditBalance))

    @rule(loan=LOANS, size=SIZES, back=BACK, goodwill=st.booleans())
    def credit(self, loan: int, size: tuple[str, int], back: int, goodwill: bool) -> None:
        """Credit a loan, out of goodwill or by a merchant's refund."""
        loan_id = self.loan_ids[loan]
        self.enter(loan_id, crediting(self.amount(loan_id, size), self.day(loan_id, back), goodwill))

    @precondition(lambda self: self.payments())
    @rule(which=WHICH, percent=st.sampled_from([1, 50, 100, 101]), back=BACK)
    def charge_back(self, which: int, percent: int, back: int) -> None:
        """Take back a part of a payment that stands, or more than it brought."""
        standing = self.payments()
        loan_id, event = standing[which % len(standing)]
        amount = max(1, event.amount * percent // 100)
        enter = charging_back(event.no, amount, self.day(loan_id, back))
        self.enter_or_refuse(loan_id, enter, (ChargebackBeforePayment, ChargebackExceedsPayment))

    # --- The contract -------------------------------------------------------------------------------------

    @rule(loan=LOANS, rate=st.sampled_from(["0", "4.25", "12", "36"]), back=BACK)
    def reset_rate(self, loan: int, rate: str, back: int) -> None:
        """Let another rate be in force from today or an earlier day on."""
        loan_id = self.loan_ids[loan]
        self.enter_or_refuse(loan_id, resetting(rate, self.day(loan_id, back)), (RateFixed, RateKept))

    @rule(loan=LOANS, amount=st.sampled_from([1, 5_000, 500_000]), back=BACK)
    def draw_down(self, loan: int, amount: int, back: int) -> None:
        """Pay out more of a loan."""
        loan_id = self.loan_ids[loan]
        enter = drawing(amount, self.day(loan_id, back))
        self.enter_or_refuse(loan_id, enter, (DrawdownRefused, DrawdownExceedsCommitment))

    # --- What people decide -------------------------------------------------------------------------------

    @rule(
        loan=LOANS,
        amount=st.sampled_from([1, 500, 3_000]),
        back=BACK,
        penalty=st.booleans(),
        ahead=st.sampled_from([None, None, -40, 40]),
    )
    def charge_fee(self, loan: int, amount: int, back: int, penalty: bool, ahead: int | None) -> None:
        """Charge a fee of today or an earlier day, asked for with an installment of another."""
        loan_id, today = self.loan_ids[loan], self.today
        on = max(self.loan(loan_id).terms.funded_on, today - timedelta(days=back))
        due = None if ahead is None else today + timedelta(days=ahead)
        self.enter(loan_id, charging(amount, on, penalty, due))

    @rule(loan=LOANS, which=WHICH, percent=st.sampled_from([1, 50, 100, 101]), back=BACK)
    def waive(self, loan: int, which: int, percent: int, back: int) -> None:
        """Waive interest, a component of fees or one fee, or more than is owed of it."""
        loan_id, today = self.loan_ids[loan], self.today
        on = max(self.loan(loan_id).terms.funded_on, today - timedelta(days=back))
        with self.engine.connect() as connection:
            state = loan_view(connection, loan_id).state
        owed = {name: state.balances()[name] for name in WAIVABLE} | {fee.id: fee.owed for fee in state.fees}
        of = list(owed)[which % len(owed)]
        enter = waiving(of, max(1, owed[of] * percent // 100), on)
        self.enter_or_refuse(loan_id, enter, (WaiverExceedsOwed, FeeUnknown))

    @rule(loan=LOANS, back=BACK)
    def write_off(self, loan: int, back: int) -> None:
        """Write off what is left, if it is little."""
        loan_id, today = self.loan_ids[loan], self.today
        on = max(self.loan(loan_id).terms.funded_on, today - timedelta(days=back))
        self.enter_or_refuse(loan_id, writing_off(on), (BalanceNotSmall,))

    @rule(loan=LOANS, which=WHICH)
    def reverse(self, loan: int, which: int) -> None:
        """Reverse any event that was entered, as far as there is a way."""
        loan_id = self.loan_ids[loan]
        events = self.loan(loan_id).events
        of = events[which % len(events)].no
        errors = (EventNotReversible, EventReversed, PaymentUndone, PaymentChargedBack)
        self.enter_or_refuse(loan_id, lambda uow, loan_id, key: reverse_event(uow, loan_id, of, "wrong", key), errors)

    @rule(loan=LOANS, what=st.sampled_from([charge_off, enter_non_accrual, return_to_accrual]), back=BACK)
    def decide_loss(self, loan: int, what: Callable[..., Any], back: int) -> None:
        """Charge a loan off, stop its income, or let it be income again."""
        loan_id = self.loan_ids[loan]
        self.enter_or_refuse(
            loan_id, deciding(what, self.day(loan_id, back)), (NothingToChargeOff, AccrualStateRefused)
        )

    @rule(loan=LOANS, size=SIZES, back=BACK, percent=st.sampled_from([0, 25, 100, 101]))
    def recover(self, loan: int, size: tuple[str, int], back: int, percent: int) -> None:
        """Take a recovery, of which an agency keeps a part."""
        loan_id = self.loan_ids[loan]
        amount = self.amount(loan_id, size)
        enter = recovering(amount, self.day(loan_id, back), amount * percent // 100)
        self.enter_or_refuse(loan_id, enter, (NotChargedOff, CommissionExceedsRecovery))

    @rule(loan=LOANS)
    def restore(self, loan: int) -> None:
        """Reverse a charge-off, by a person or by the policy."""
        self.enter_or_refuse(self.loan_ids[loan], restoring, (NotChargedOff,))

    # --- Days and months ----------------------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 9, 20, 31, 62]))
    def advance(self, days: int) -> None:
        """Move the business date."""
        self.advance_to(self.today + timedelta(days=days))

    def advance_to(self, day: date) -> None:
        """Move the business date to a day."""
        self.run(lambda uow: advance_business_date(uow, self.code, day))

    @rule(skipped=st.sampled_from([0, 0, 1, 15]))
    def run_days(self, skipped: int) -> None:
        """Run the daily cycle over the book up to a day; again, it books nothing."""
        day = self.today - timedelta(days=skipped)
        assert not run_cycle(self.engine, self.code, day, actor=ACTOR).failures
        before = self.written()
        assert run_cycle(self.engine, self.code, day, actor=ACTOR).entries == 0
        assert self.written() == before
        if not skipped:
            for loan_id in self.loan_ids:
                self.ties_out(loan_id, interest_lags=self.loan(loan_id).terms.product.accrual != "daily")

    @rule(loan=LOANS, accrue=st.booleans())
    def run_one(self, loan: int, accrue: bool) -> None:
        """Run the daily cycle of one loan."""
        loan_id, today = self.loan_ids[loan], self.today
        self.run(lambda uow: (accrue_loan if accrue else run_day)(uow, loan_id, today))

    @rule()
    def close_month(self) -> None:
        """Accrue through the next month that is open, and close it for good."""
        with self.engine.connect() as connection:
            open_ = [each.month for each in periods(connection, self.code) if each.state is not PeriodState.CLOSED]
        month = min(open_, key=lambda each: each.first_day)
        if self.today <= month.last_day:
            self.advance_to(month.next.first_day)
        accrue_through(self.engine, self.code, month.last_day, actor=ACTOR)
        close_period(self.engine, self.code, month, actor=ACTOR)
        self.remember()

    @rule()
    def seal(self) -> None:
        """Seal what is not sealed yet, and remember what the books say."""
        self.run(seal)
        self.remember()

    def remember(self) -> None:
        """Remember the trial balances of today and of the last month end, as they are known now."""
        with self.engine.connect() as connection:
            latest = head(connection)
        assert latest is not None
        bys: tuple[By, ...] = ("booking", "effective")
        for day in (self.today, Month.of(self.today).first_day - timedelta(days=1)):
            for by in bys:
                self.known.append(Known(latest.block_no, day, by, self.totals(day, by, latest.block_no)))

    # --- The same again, and what is refused --------------------------------------------------------------

    @precondition(lambda self: self.done)
    @rule(which=WHICH)
    def repeat(self, which: int) -> None:
        """Enter again what was entered: nothing is booked, and the answer is the same event."""
        done = self.done[which % len(self.done)]
        before = self.written()
        again = self.run(lambda uow: done.enter(uow, done.loan_id, done.key))
        assert again.replayed
        assert again.entries == ()
        assert self.written() == before

    @precondition(lambda self: self.done)
    @rule(which=WHICH)
    def reuse_a_key(self, which: int) -> None:
        """Enter something else under a key that was used."""
        done = self.done[which % len(self.done)]
        self.refused(
            done.loan_id, taking(777, self.loan(done.loan_id).terms.funded_on, "cash"), RequestKeyReused, done.key
        )

    @rule(loan=LOANS)
    def refuse(self, loan: int) -> None:
        """Try what cannot be: it is refused by name, and writes nothing."""
        loan_id, today = self.loan_ids[loan], self.today
        funded_on = self.loan(loan_id).terms.funded_on
        self.refused(loan_id, taking(0, today, "cash"), PaymentNotPositive)
        self.refused(loan_id, taking(1, today + timedelta(days=1), "cash"), EffectiveDateAhead)
        self.refused(loan_id, taking(1, funded_on - timedelta(days=1), "cash"), EffectiveBeforeFunding)
        for event in self.loan(loan_id).events:
            if event.of is not None and event.kind in (Kind.RETURNED, Kind.REVERSED):
                self.refused(loan_id, partial(undoing_again, payment=event.of), PaymentUndone)
            elif event.kind not in PAYMENTS:
                self.refused(loan_id, partial(undoing_again, payment=event.no), PaymentUnknown)
            else:
                taken_before = partial(taking_again, name=event.details["external_id"], on=today)
                self.refused(loan_id, taken_before, PaymentDuplicate)

    def enter_or_refuse(self, loan_id: int, enter: Enter, errors: tuple[type[DomainError], ...]) -> None:
        """Enter what may be refused by some errors; then nothing is written."""
        before = self.written()
        try:
            self.enter(loan_id, enter)
        except errors:
            assert self.written() == before

    def refused(self, loan_id: int, enter: Enter, error: type[DomainError], key: str = "refused") -> None:
        """Enter what is refused by an error."""
        before = self.written()
        with pytest.raises(error):
            self.run(lambda uow: enter(uow, loan_id, key))
        assert self.written() == before

    # --- What there is to choose from ---------------------------------------------------------------------

    def day(self, loan_id: int, back: int) -> date:
        """Return a day so many days ago, but not before the funding."""
        return max(self.loan(loan_id).terms.funded_on, self.today - timedelta(days=back))

    def payments(self) -> list[tuple[int, Event]]:
        """Return the payments that stand, with their loans, in the order in which they were entered."""
        found = []
        for loan_id in self.loan_ids:
            events = self.loan(loan_id).events
            undone = {event.of for event in events if event.kind in UNDOING}
            found += [(loan_id, e) for e in events if e.kind in PAYMENTS and e.no not in undone]
        return found

    def amount(self, loan_id: int, size: tuple[str, int]) -> int:
        """Return an amount in cents: of some installments, of the payoff, or as it is."""
        unit, number = size
        if unit == "cents":
            return number
        with self.engine.connect() as connection:
            state = loan_view(connection, loan_id).state
        if unit == "installments":
            return max(1, number * (state.installments[0].principal + state.installments[0].interest))
        return max(1, state.payoff * number // 100)
