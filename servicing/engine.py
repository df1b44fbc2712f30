"""The fold: terms and events, in the order of replay, become allocations, installments and the entries that should be.

Always from the start, so that a back-dated payment, a return and a reversal need no code of their own: a payment that
was undone is left out, and everything after it comes out as if it had never been, the fee for the return excepted.
The order of a day: what people and banks entered, by entry; then the close of the day, with late fees.
Never: what the journal holds (`servicing/replay.py`). Next: `servicing/waterfall.py`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from servicing.accrual import interest_of, to_book
from servicing.events import CLEARING_ROLES, UNDOING, Event, Kind
from servicing.schedule import contract_schedule
from servicing.state import InstallmentState, LoanState, PlannedEntry
from servicing.terms import Terms
from servicing.waterfall import Allocation, allocate


def fold(
    terms: Terms,
    events: Sequence[Event],
    through: date,
    *,
    fees_through: date | None = None,
    accrual_days: Iterable[date] = (),
) -> LoanState:
    """Return the loan at the close of a day.

    Interest is planned to be booked on the day of every event, on each month end, and on `accrual_days`. Late fees are
    assessed up to `fees_through`, the last day whose close was evaluated (None: not yet). A
    payment that was undone, on whatever day, is left out on every day.
    """
    known = sorted((event for event in events if event.effective_date <= through), key=lambda e: e.order)
    undone = {event.of for event in events if event.kind in UNDOING}
    folding = _Folding(terms, known, undone)
    fee_days = dict(_late_fee_days(terms, fees_through))
    booking_days = {event.effective_date for event in known} | set(accrual_days)
    booking_days |= set(_month_ends(terms.funded_on, through))
    for day in sorted(booking_days | set(fee_days) | {through}):
        if not terms.funded_on <= day <= through:
            continue
        folding.accrue_to(day)
        if day in booking_days:
            folding.book_interest(day)
        for event in folding.events_of(day):
            folding.take(event)
        if day in fee_days:
            folding.assess_late_fee(fee_days[day], day)
    return folding.state(through)


class _Folding:
    """The running figures of one fold; it lives only inside `fold`."""

    def __init__(self, terms: Terms, events: Sequence[Event], undone: Set[int | None]) -> None:
        self.terms = terms
        self.undone = undone
        self.by_day: dict[date, list[Event]] = {}
        for event in events:
            self.by_day.setdefault(event.effective_date, []).append(event)
        self.installments = [
            InstallmentState(no=i.no, due=i.due, principal=i.principal, interest=i.interest)
            for i in contract_schedule(terms)
        ]
        self.period_starts = [terms.funded_on, *(i.due for i in self.installments)]
        self.period = 0
        self.accrued_to = terms.funded_on
        self.cumulative, self.booked = Fraction(0), 0
        self.owed = dict.fromkeys(("late_fees", "returned_payment_fees", "other_fees", "interest", "principal"), 0)
        self.unapplied = 0
        self.allocations: dict[int, Allocation] = {}
        self.by_installment: dict[int, dict[int, dict[str, int]]] = {}
        self.planned: list[PlannedEntry] = []
        self.paid_off_on: date | None = None

    def events_of(self, day: date) -> Sequence[Event]:
        return self.by_day.get(day, ())

    def accrue_to(self, day: date) -> None:
        """Accrue the nights before a day, interest period by interest period."""
        while self.accrued_to < day:
            later = self.period + 1 < len(self.period_starts)
            period_end = self.period_starts[self.period + 1] if later else date.max
            end = min(day, period_end)
            if self.owed["principal"]:
                self.cumulative += interest_of(
                    self.owed["principal"],
                    self.terms.rate,
                    self.terms.product.day_count,
                    self.period_starts[self.period],
                    self.accrued_to,
                    end,
                )
            self.accrued_to = end
            self.period += end == period_end

    def book_interest(self, day: date) -> None:
        amount = to_book(self.cumulative, self.booked, self.terms.product.rounding)
        if amount > 0:
            self.booked += amount
            self.owed["interest"] += amount
            self._plan(f"accrual:{day}", "interest_accrued", day, interest=amount)

    def take(self, event: Event) -> None:
        match event.kind:
            case Kind.FUNDED:
                self._fund(event)
            case Kind.PAYMENT if event.no not in self.undone:
                self._pay(event)
            case Kind.RETURNED:
                self._charge_return_fee(event)

    def assess_late_fee(self, no: int, day: date) -> None:
        """Assess the fee of an installment, unless it is paid but for what penalties took from payments."""
        installment = self.installments[no - 1]
        excused = sum(parts.penalties for parts in self.allocations.values())
        if installment.penalties or installment.unpaid <= excused:
            return
        fee = self.terms.amount(self.terms.product.late_fee.amount).minor
        self.owed["late_fees"] += fee
        self.installments[no - 1] = replace(installment, penalties=fee)
        self._plan(f"late_fee:{no}", "late_fee_assessed", day, fee=fee)

    def state(self, through: date) -> LoanState:
        unbooked = to_book(self.cumulative, self.booked, self.terms.product.rounding)
        funded = bool(self.events_of(self.terms.funded_on))
        return LoanState(
            through=through,
            principal=self.owed["principal"],
            interest=self.owed["interest"] + unbooked,
            late_fees=self.owed["late_fees"],
            returned_payment_fees=self.owed["returned_payment_fees"],
            other_fees=self.owed["other_fees"],
            unapplied=self.unapplied,
            status="pending" if not funded else "paid_off" if self.paid_off_on else "active",
            allocations=self.allocations,
            by_installment=self.by_installment,
            installments=tuple(self.installments),
            planned=tuple(self.planned),
        )

    def _fund(self, event: Event) -> None:
        fee = self.terms.origination_fee.minor
        proceeds = self.terms.principal.minor - fee
        self.owed["principal"] += self.terms.principal.minor
        day = event.effective_date
        self._plan(f"event:{event.no}/funded", "loan_funded", day, proceeds=proceeds, fee=fee)
        self._plan(f"event:{event.no}/sent", "disbursement_sent", day, amount=proceeds)

    def _pay(self, event: Event) -> None:
        parts = allocate(event.amount, self.owed, self.terms.product.order)
        for receivable in self.owed:
            self.owed[receivable] -= getattr(parts, receivable)
        self.unapplied += parts.unapplied
        self.allocations[event.no] = parts
        self.by_installment[event.no] = self._spread(parts, event.effective_date)
        if not any(self.owed.values()) and self.paid_off_on is None:
            self._pay_off(event.effective_date)
        self._keep_last_open()
        amounts = {name: getattr(parts, name) for name in (*self.owed, "unapplied")}
        role = CLEARING_ROLES[event.method]
        self._plan(f"event:{event.no}", "payment_applied", event.effective_date, role, **amounts)

    def _charge_return_fee(self, event: Event) -> None:
        fee = self.terms.amount(self.terms.product.returned_payment_fee).minor
        if fee:
            self.owed["returned_payment_fees"] += fee
            self.paid_off_on = None
            day = event.effective_date
            self._plan(f"event:{event.no}/fee", "returned_payment_fee_assessed", day, fee=fee)

    def _spread(self, parts: Allocation, day: date) -> dict[int, dict[str, int]]:
        """Lay a payment on the installments, the oldest unsatisfied first, and return what each one took."""
        left = {"penalties": parts.late_fees, "interest": parts.interest, "principal": parts.principal}
        taken: dict[int, dict[str, int]] = {}
        for index, state in enumerate(self.installments):
            if not any(left.values()):
                break
            last = index == len(self.installments) - 1
            took = {"penalties": min(left["penalties"], state.penalties - state.paid_penalties)}
            room = sum(left.values()) if last else state.unpaid
            for component in ("interest", "principal"):
                took[component] = min(room, left[component])
                room -= took[component]
            for component, amount in took.items():
                left[component] -= amount
            if any(took.values()):
                taken[state.no] = took
                self.installments[index] = _paid_on(state, took, day)
        return taken

    def _pay_off(self, day: date) -> None:
        self.paid_off_on = day
        self.installments = [i if i.paid_off_on is not None else replace(i, paid_off_on=day) for i in self.installments]

    def _keep_last_open(self) -> None:
        """Let the last installment ask for what is still owed, where late payments left more than was scheduled."""
        last, rest = self.installments[-1], self.owed["principal"] + self.owed["interest"]
        if self.paid_off_on is None and not last.unpaid and rest:
            self.installments[-1] = replace(last, paid_off_on=None, interest=last.interest + rest)

    def _plan(self, key: str, template: str, day: date, clearing_role: str | None = None, **amounts: int) -> None:
        self.planned.append(
            PlannedEntry(key=key, template=template, effective_date=day, amounts=amounts, clearing_role=clearing_role)
        )


def _paid_on(state: InstallmentState, took: dict[str, int], day: date) -> InstallmentState:
    paid = replace(
        state,
        paid_penalties=state.paid_penalties + took["penalties"],
        paid_interest=state.paid_interest + took["interest"],
        paid_principal=state.paid_principal + took["principal"],
    )
    return paid if paid.unpaid or paid.paid_off_on else replace(paid, paid_off_on=day)


def _late_fee_days(terms: Terms, fees_through: date | None) -> Iterator[tuple[date, int]]:
    """Yield the day at whose close each installment earns its late fee, and the installment's number."""
    if fees_through is None or not terms.product.late_fee.amount:
        return
    for installment in contract_schedule(terms):
        day = installment.due + timedelta(days=terms.product.grace_days)
        if day <= fees_through:
            yield day, installment.no


def _month_ends(start: date, through: date) -> Iterator[date]:
    day = start
    while True:
        end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        if end > through:
            return
        yield end
        day = end + timedelta(days=1)
