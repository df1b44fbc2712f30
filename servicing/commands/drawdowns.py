"""A later drawdown: a loan that is disbursed in parts is drawn further, and its installments are worked out again.

Never: how they are (`servicing/effects/funding.py`, `servicing/drawing.py`). Next: `docs/spec/drawdowns.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.errors import CurrencyMismatch
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.recording import check_day, record
from servicing.engine import fold
from servicing.errors import DrawdownExceedsCommitment, DrawdownRefused
from servicing.events import UNDOING, Event, Kind
from servicing.state import CLOSED
from servicing.store import Loan


@dataclass(frozen=True, slots=True)
class Drawn:
    """The event of a drawdown, what may still be drawn, and the entries booked; none if the request came before."""

    loan_id: int
    event_no: int
    undrawn: int
    entries: tuple[int, ...]
    replayed: bool


def draw_down(uow: UnitOfWork, loan_id: int, *, amount: Money, effective_date: date, request_key: str) -> Drawn:
    """Pay out more of a loan, today or at an earlier date.

    Raises: LoanUnknown; CurrencyMismatch; DrawdownRefused; DrawdownExceedsCommitment; EffectiveDateAhead;
    EffectiveBeforeFunding; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        return Event(
            kind=Kind.DRAWDOWN,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            method="ach",
            details={"currency": amount.currency},
        )

    done = record(uow, loan_id, draft, lambda loan, event: _check(loan, event, amount), request_key)
    return Drawn(loan_id, done.event.no, done.state.undrawn, done.entries, done.replayed)


def _check(loan: Loan, event: Event, amount: Money) -> None:
    terms, day = loan.terms, event.effective_date
    if amount.currency != terms.currency:
        raise CurrencyMismatch(left=terms.currency, right=amount.currency)
    check_day(loan, day)
    reason = _reason_against(loan, event)
    if reason is not None:
        raise DrawdownRefused(loan_id=loan.loan_id, on=day, reason=reason)
    if terms.commitment is not None:
        undone = {each.of for each in loan.events if each.kind in UNDOING}
        drawn = sum(each.amount for each in loan.events if each.kind is Kind.DRAWDOWN and each.no not in undone)
        undrawn = terms.undrawn.minor - drawn
        if event.amount > undrawn:
            raise DrawdownExceedsCommitment(amount=event.amount, undrawn=undrawn, currency=terms.currency)


def _reason_against(loan: Loan, event: Event) -> str | None:
    if event.amount <= 0:
        return "the amount must be above zero"
    if loan.terms.product.interest == "precomputed":
        return "its charge is precomputed"
    state = fold(loan.terms, loan.events, event.effective_date, fees_through=loan.fees_through)
    last = state.schedule[-1].interest_to
    if event.effective_date >= last:
        return f"its last installment is due on {last}"
    if state.status in CLOSED:
        return "it is paid off"
    return None
