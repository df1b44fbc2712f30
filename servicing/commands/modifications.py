"""Modifying a loan, or making it fall due: why, and who approves of it where it costs money.

What a modification comes to is worked out in the fold; here is what may be agreed at all. Never: figures.
Next: `servicing/effects/modifications.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ledger.errors import ApprovalMissing
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.rate_resets import refuse_kept_rate
from servicing.commands.recording import Recorded, check_day, record
from servicing.comparison import Comparison, compare
from servicing.engine import fold
from servicing.errors import ModificationInvalid, ModificationRefused
from servicing.events import Event, Kind
from servicing.modification import ALIASES, BY_ENTRY, costs_money, read_modification
from servicing.reage_limits import objection_to_reage
from servicing.state import IN_REPAYMENT, LoanState
from servicing.store import Loan

ON_INSTALLMENTS = frozenset({"recast", "defer", "due_date", "forbear"})
"""Kinds that need an installment which is still to come."""


def modify(
    uow: UnitOfWork,
    loan_id: int,
    *,
    kind: str,
    told: Mapping[str, Any],
    reason: str,
    approved_by: str | None,
    effective_date: date,
    request_key: str,
    financial_difficulty: bool | None = None,
) -> Recorded:
    """Modify the contract of a loan from a day on, today or earlier.

    `told` has texts by name, as `read_modification` takes them. Raises: LoanUnknown; ModificationInvalid;
    ModificationRefused; RateKept; ApprovalMissing; EffectiveDateAhead; EffectiveBeforeFunding; RequestKeyReused.
    """
    kind = ALIASES.get(kind, kind)

    def draft(loan: Loan) -> Event:
        details = read_modification(kind, told, loan.terms.currency)
        own = {"financial_difficulty": financial_difficulty} if financial_difficulty is not None else {}
        amount = details.pop("amount") if kind == "forgive" else 0
        return Event(
            kind=Kind.MODIFICATION,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount,
            details={
                **details,
                **({"by_entry": True} if kind in BY_ENTRY else {}),
                **own,
                "reason": reason,
                **({"approved_by": approved_by} if approved_by else {}),
            },
        )

    def check(loan: Loan, event: Event) -> None:
        if not reason.strip():
            raise ModificationInvalid(field="reason", reason="it is missing")
        if costs_money(kind) and approved_by in (None, "", uow.actor):
            raise ApprovalMissing(action=f"a modification ({kind})", actor=uow.actor, approver=approved_by)
        check_day(loan, effective_date)
        _check_loan(loan, event, kind)

    return record(uow, loan_id, draft, check, request_key)


def accelerate(
    uow: UnitOfWork, loan_id: int, *, reason: str, approved_by: str | None, effective_date: date, request_key: str
) -> Recorded:
    """Let everything that a loan owes fall due on a day.

    Raises: LoanUnknown; ModificationInvalid; ModificationRefused; ApprovalMissing; EffectiveDateAhead;
    EffectiveBeforeFunding; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        own = {"reason": reason, **({"approved_by": approved_by} if approved_by else {})}
        day = loan.business_date
        return Event(kind=Kind.ACCELERATED, effective_date=effective_date, entered_on=day, details=own)

    def check(loan: Loan, event: Event) -> None:
        if not reason.strip():
            raise ModificationInvalid(field="reason", reason="it is missing")
        if approved_by in (None, "", uow.actor):
            raise ApprovalMissing(action="accelerating", actor=uow.actor, approver=approved_by)
        check_day(loan, effective_date)
        _check_loan(loan, event, "accelerate")

    return record(uow, loan_id, draft, check, request_key)


def before_the_event(loan: Loan, event: Event) -> LoanState:
    """Return the loan at the close of an event's day, without it and what was entered after it."""
    events = [known for known in loan.events if known.no < event.no]
    return fold(loan.terms, events, event.effective_date, fees_through=loan.fees_through)


def comparison_of(loan: Loan, event: Event) -> Comparison:
    """Return how a loan stands at the close of an event's day without it and with it, and nothing entered later."""
    known = [each for each in loan.events if each.no <= event.no]
    day = event.effective_date
    marks = None if loan.fees_through is None else min(loan.fees_through, day)
    after = fold(loan.terms, known, day, fees_through=marks)
    before = fold(loan.terms, [each for each in known if each.no != event.no], day, fees_through=marks)
    return compare(before, after, loan.terms.currency)


def _check_loan(loan: Loan, event: Event, kind: str) -> None:
    def refuse(reason: str) -> ModificationRefused:
        return ModificationRefused(loan_id=loan.loan_id, kind=kind, on=event.effective_date, reason=reason)

    on = event.effective_date
    if loan.terms.product.interest == "precomputed" and kind != "accelerate":
        raise refuse("its charge is precomputed; refinance it")
    if "rate" in event.details:
        refuse_kept_rate(loan, on)
    before = before_the_event(loan, event)
    if before.status not in IN_REPAYMENT:
        raise refuse(f"it is {before.status}")
    if kind == "accelerate" and loan.terms.product.method.by_digits:
        raise refuse("its charge is earned by digits; quote a payoff")
    objection = objection_to_reage(loan.terms, before, loan.events, on) if kind == "reage" else None
    if objection is not None:
        raise refuse(objection)
    is_to_come = any((row.ends or row.due) > on for row in before.schedule)
    if not is_to_come and kind in (*ON_INSTALLMENTS, "accelerate"):
        raise refuse("its last installment is due")
    for name in ("first_due_on", "until"):
        if name in event.details and date.fromisoformat(event.details[name]) <= on:
            raise ModificationInvalid(field=name, reason=f"it must lie after {on}")
    _check_figures(loan, event, kind, before)


def _check_figures(loan: Loan, event: Event, kind: str, before: LoanState) -> None:
    owed, details, currency = before.principal, event.details, loan.terms.currency
    if kind == "forgive" and not 0 < event.amount <= owed:
        most = Money(owed, currency).format()
        raise ModificationInvalid(field="amount", reason=f"it must be above zero and no more than the {most} owed")
    in_all = owed + before.interest + before.penalties + before.other_fees
    if details.get("principal", 0) > in_all:
        most = Money(in_all, currency).format()
        raise ModificationInvalid(field="principal", reason=f"no more than {most} is owed in all")
    coming = sum((row.ends or row.due) > event.effective_date for row in before.schedule)
    if kind == "defer":
        coming += any(row.due == event.effective_date for row in before.schedule)
    if kind in ("forbear", "defer") and details["installments"] >= coming:
        raise ModificationInvalid(field="installments", reason=f"{coming} are to come, and one must be left")
    if kind != "defer" and coming + details.get("installments", 0) > 1200:
        raise ModificationInvalid(field="installments", reason="there would be more than 1200")
