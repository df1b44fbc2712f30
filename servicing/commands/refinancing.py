"""Refinancing: a new loan pays an old one off out of its proceeds, both in one transaction.

The money passes through a clearing account that is at zero after it; the entries of both loans are a group that is
called by the new one. Never: a loan that does not pay the old one off whole. Next: `docs/spec/closure.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.boarding import board_loans
from servicing.commands.charge_offs import refuse_one_person
from servicing.commands.payments import take_payment
from servicing.commands.recording import check_currency, check_day
from servicing.drafts import LoanDraft, Refinances
from servicing.errors import RefinancingRefused
from servicing.payoff import before_the_close, still_asked
from servicing.schedule import proceeds_of
from servicing.store import Loan, load_loan


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinanced:
    """The old loan and the new one, what paid the old one off, and what was sent to the borrower, in minor units."""

    loan_id: int
    new_loan_id: int
    payment_id: int
    payoff: int
    sent: int
    entries: tuple[int, ...]
    replayed: bool


def refinance(
    uow: UnitOfWork, loan_id: int, draft: LoanDraft, *, approved_by: str | None, request_key: str
) -> Refinanced:
    """Make a new loan on the day of its funding, and pay the old one off with it.

    Raises: LoanUnknown; ApprovalMissing; CurrencyMismatch; EffectiveDateAhead; EffectiveBeforeFunding;
    RefinancingRefused; what boarding and `take_payment` raise.
    """
    refuse_one_person(uow, "refinancing", approved_by)
    loan = load_loan(uow.connection, loan_id, lock=True)
    if request_key in loan.request_keys:
        return _came_before(loan, request_key)
    amount, sent = _amounts(loan, draft)
    new = replace(draft, refinances=Refinances(loan_id, amount))
    (new_loan_id,) = board_loans(uow, loan.book_code, [new])
    taken = take_payment(
        uow,
        loan_id,
        amount=Money(amount, loan.terms.currency),
        effective_date=draft.terms.funded_on,
        method="refinance",
        external_id=f"refinanced into {new_loan_id}",
        request_key=request_key,
        waterfall="payoff",
        payoff={"payoff": True, "refinanced_into": new_loan_id, "group_id": new_loan_id, "approved_by": approved_by},
    )
    return Refinanced(
        loan_id=loan_id,
        new_loan_id=new_loan_id,
        payment_id=taken.payment_id,
        payoff=amount,
        sent=sent,
        entries=taken.entries,
        replayed=False,
    )


def _amounts(loan: Loan, draft: LoanDraft) -> tuple[int, int]:
    """Return what pays the old loan off, and what is left of the new one's proceeds.

    Raises: RefinancingRefused.
    """
    terms, day = draft.terms, draft.terms.funded_on

    def refuse(reason: str) -> RefinancingRefused:
        return RefinancingRefused(loan_id=loan.loan_id, on=day, reason=reason)

    if draft.opening is not None:
        raise refuse("the new loan is not new")
    check_currency(loan, terms.principal)
    check_day(loan, day)
    state = before_the_close(loan.terms, loan.events, day, fees_through=loan.fees_through)
    if state.status not in ("active", "non_accrual"):
        raise refuse(f"it is {state.status}")
    amount, proceeds = still_asked(state), proceeds_of(terms).minor
    if not amount:
        raise refuse("nothing is asked for")
    if proceeds < amount:
        raise refuse(f"the proceeds are {Money(proceeds, terms.currency)}, its payoff {Money(amount, terms.currency)}")
    return amount, proceeds - amount


def _came_before(loan: Loan, request_key: str) -> Refinanced:
    payment = next(event for event in loan.events if event.no == loan.request_keys[request_key])
    return Refinanced(
        loan_id=loan.loan_id,
        new_loan_id=payment.details["refinanced_into"],
        payment_id=payment.no,
        payoff=payment.amount,
        sent=0,
        entries=(),
        replayed=True,
    )
