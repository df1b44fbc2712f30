"""The fold: terms and events, in the order of replay, become allocations, installments and the entries that should be.

Always from the start, so that a back-dated payment, a return and a reversal need no code of their own: a payment that
was undone is left out, and everything after it comes out as if it had never been, the fee for the return excepted.
The order of a day: installments fall due; what people and banks entered, by entry; the close of the day, with late
fees. Never: what the journal holds (`servicing/replay.py`). Next: `servicing/installments.py`, `docs/spec/replay.md`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, timedelta

from ledger.money import Money, round_to_minor
from servicing.events import CLEARING_ROLES, UNDOING, Event, Kind
from servicing.installments import Installments
from servicing.running_interest import RunningInterest
from servicing.schedule import contract_schedule
from servicing.state import LoanState, PlannedEntry
from servicing.terms import Terms
from servicing.waterfall import ALL_RECEIVABLES, Allocation, Debt, Split, allocate, allocate_as_told

ACCRUAL_KEY = "accrual:"
"""What the key of an entry of interest begins with."""


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
    due_days = {installment.due for installment in contract_schedule(terms)}
    for day in sorted(booking_days | due_days | set(fee_days) | {through}):
        if not terms.funded_on <= day <= through:
            continue
        folding.accrue_to(day)
        folding.fall_due(day)
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
        self.installments = Installments(contract_schedule(terms))
        self.interest = RunningInterest(terms)
        self.owed = dict.fromkeys(ALL_RECEIVABLES, 0)
        self.unapplied = 0
        self.allocations: dict[int, Allocation] = {}
        self.by_installment: dict[int, Mapping[int, Allocation]] = {}
        self.planned: list[PlannedEntry] = []
        self.paid_off_on: date | None = None

    def events_of(self, day: date) -> Sequence[Event]:
        return self.by_day.get(day, ())

    def accrue_to(self, day: date) -> None:
        self.interest.accrue_to(day, self.owed["principal"])

    def fall_due(self, day: date) -> None:
        earned = self.interest.earned
        self.installments.fall_due(day, interest_earned=earned, principal_owed=self.owed["principal"])

    def book_interest(self, day: date) -> None:
        self._book_interest(f"{ACCRUAL_KEY}{day}", day, self.interest.unbooked)

    def take(self, event: Event) -> None:
        match event.kind:
            case Kind.FUNDED:
                self._fund(event)
            case Kind.PAYMENT if event.no not in self.undone:
                self._pay(event)
            case Kind.RETURNED:
                self._apply_unapplied(event, self._charge_return_fee(event))

    def assess_late_fee(self, no: int, day: date) -> None:
        """Assess the fee of an installment, unless all that is missing is what penalties took from payments."""
        excused = sum(parts.penalties for parts in self.allocations.values())
        past_due = min(self.installments.unpaid_of(no), self.installments.unpaid_through(no) - excused)
        if past_due <= 0:
            return
        fee = self._late_fee_on(past_due)
        if not fee:
            return
        self.owed["late_fees"] += fee
        self.installments.charge_late(no, fee)
        self._plan(f"late_fee:{no}", "late_fee_assessed", day, {"fee": fee})

    def _late_fee_on(self, past_due: int) -> int:
        terms = self.terms
        exact = terms.product.late_fee.on(Money(past_due, terms.currency).to_decimal())
        return round_to_minor(exact, terms.currency, terms.product.rounding).minor

    def state(self, through: date) -> LoanState:
        funded = bool(self.events_of(self.terms.funded_on))
        return LoanState(
            through=through,
            principal=self.owed["principal"],
            interest=self.owed["interest"] + self.interest.unbooked,
            interest_ahead=self._interest_ahead(),
            late_fees=self.owed["late_fees"],
            returned_payment_fees=self.owed["returned_payment_fees"],
            other_fees=self.owed["other_fees"],
            unapplied=self.unapplied,
            status="pending" if not funded else "paid_off" if self.paid_off_on else "active",
            allocations=self.allocations,
            by_installment=self.by_installment,
            installments=self.installments.states(),
            planned=tuple(self.planned),
        )

    def _fund(self, event: Event) -> None:
        fee = self.terms.origination_fee.minor
        proceeds = self.terms.principal.minor - fee
        self.owed["principal"] += self.terms.principal.minor
        day = event.effective_date
        self._plan(f"event:{event.no}/funded", "loan_funded", day, {"proceeds": proceeds, "fee": fee})
        self._plan(f"event:{event.no}/sent", "disbursement_sent", day, {"amount": proceeds})

    def _pay(self, event: Event) -> None:
        day = event.effective_date
        split = self._lay(event.amount, event)
        self.unapplied += split.allocation.unapplied
        self.allocations[event.no] = split.allocation
        self.by_installment[event.no] = split.by_installment
        amounts = {**self._receivables(split.allocation), "unapplied": split.allocation.unapplied}
        role = CLEARING_ROLES[event.method]
        self._plan(f"event:{event.no}", "payment_applied", day, amounts, role)

    def _apply_unapplied(self, event: Event, new_debt: int) -> None:
        """Pay out of unapplied cash as much as the loan has come to owe by an event."""
        amount = min(self.unapplied, new_debt)
        if not amount:
            return
        split = self._lay(amount, event)
        self.unapplied -= amount - split.allocation.unapplied
        amounts = self._receivables(split.allocation)
        self._plan(f"event:{event.no}/applied", "unapplied_applied", event.effective_date, amounts)

    def _lay(self, amount: int, event: Event) -> Split:
        """Split an amount over what is owed, and count it as paid."""
        day, product = event.effective_date, self.terms.product
        waterfall = product.waterfall_for(event.details.get("waterfall"))
        owed = {**self.owed, "interest": self.owed["interest"] + self._interest_ahead()}
        claims = self.installments.claims(owed, day, waterfall, product.after_prepayment)
        told = event.details.get("allocate")
        debt = Debt(owed, self.installments.due_now())
        split = allocate_as_told(told, debt, list(claims)) if told else allocate(amount, debt, claims, waterfall)
        ahead = max(0, split.allocation.interest - self.owed["interest"])
        self._book_interest(f"{ACCRUAL_KEY}{day}/event:{event.no}", day, ahead)
        for receivable, part in self._receivables(split.allocation).items():
            self.owed[receivable] -= part
        self.installments.lay(split.by_installment, day)
        if not any(self.owed.values()) and self.paid_off_on is None:
            self.paid_off_on = day
            self.installments.pay_off(day)
        return split

    @staticmethod
    def _receivables(parts: Allocation) -> dict[str, int]:
        return {name: getattr(parts, name) for name in ALL_RECEIVABLES}

    def _interest_ahead(self) -> int:
        """Return what a payment pays beside the interest earned, if the installment of the period asks for it."""
        begun = self.interest.begun
        if begun is None or not self.installments.wants_interest(begun):
            return 0
        return self.interest.rest_of_period(self.owed["principal"])

    def _book_interest(self, key: str, day: date, amount: int) -> None:
        if amount:
            self.interest.book(amount)
            self.owed["interest"] += amount
            self._plan(key, "interest_accrued", day, {"interest": amount})

    def _charge_return_fee(self, event: Event) -> int:
        """Charge the product's fee for a returned payment; return it."""
        fee, day = self.terms.amount(self.terms.product.returned_payment_fee).minor, event.effective_date
        if fee:
            self.owed["returned_payment_fees"] += fee
            self.installments.charge("returned_payment_fees", fee, day)
            self.paid_off_on = None
            self._plan(f"event:{event.no}/fee", "returned_payment_fee_assessed", day, {"fee": fee})
        return fee

    def _plan(
        self, key: str, template: str, day: date, amounts: Mapping[str, int], clearing_role: str | None = None
    ) -> None:
        self.planned.append(
            PlannedEntry(key=key, template=template, effective_date=day, amounts=amounts, clearing_role=clearing_role)
        )


def _late_fee_days(terms: Terms, fees_through: date | None) -> Iterator[tuple[date, int]]:
    """Yield the day at whose close each installment earns its late fee, and the installment's number."""
    if fees_through is None or not terms.product.late_fee.is_charged:
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
