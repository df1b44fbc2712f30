"""Funding and later drawdowns: principal is owed, what is kept from it is withheld, the proceeds are sent.

A down payment of either is due and paid on its day; what may still be drawn is a memorandum. Never: accounts
(`servicing/posting_rules.py`). Next: `servicing/folding.py`; `docs/spec/drawdowns.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.money import Money
from servicing.contract import Change
from servicing.events import CLEARING_ROLES, Event
from servicing.folding import Folding
from servicing.state import PlannedEntry
from servicing.terms import Terms

BY_INSTRUCTION = "by_instruction"
"""The detail of a funding whose proceeds are sent by payment instructions, each with an event of its own."""


def fund(folding: Folding, event: Event) -> None:
    """Owe the principal, and send what is left of it after the fee and the interest that are kept from it."""
    terms, withheld = folding.terms, folding.contract.withheld
    folding.funded = True
    folding.owed["principal"] += terms.lent.minor
    folding.undrawn = terms.undrawn.minor
    folding.origination_fee.defer(terms.origination_fee.minor)
    if withheld:
        folding.interest.book(withheld)
        folding.installments.claim_interest(withheld)
    folding.planned.extend(entries_of(terms, event, withheld))
    _pay_down(folding, event, terms.down_payment.minor)


def draw(folding: Folding, event: Event) -> None:
    """Owe and send more; the installments to come are worked out again. Part of it may be paid down at once."""
    terms, day = folding.terms, event.effective_date
    down = terms.down_payment_of(Money(event.amount, terms.currency)).minor
    drawn = min(event.amount, folding.undrawn)
    folding.owed["principal"] += event.amount
    folding.interest.draw(event.amount - down)
    folding.planned.extend(_drawdown_entries(event, drawn, down))
    folding.undrawn -= drawn
    folding.paid_off_on = None
    owed = folding.principal_to_come(day) - down
    folding.change(Change(on=day, owed=owed, drawn=event.amount, down_payment=down))
    _pay_down(folding, event, down)


def disburse(folding: Folding, event: Event) -> None:
    """Send a part of the proceeds by a rail."""
    role = CLEARING_ROLES[event.method]
    folding.planned.append(_entry(event, "paid", "disbursement_paid", {"amount": event.amount}, role))


def take_back(folding: Folding, event: Event) -> None:
    """Owe a part of the proceeds to the payee again, which a rail could not deliver."""
    role = CLEARING_ROLES[event.method]
    folding.planned.append(_entry(event, "returned", "disbursement_returned", {"amount": event.amount}, role))


def entries_of(terms: Terms, event: Event, withheld: int) -> Iterator[PlannedEntry]:
    """Yield the entries of a funding, which depend on nothing that came before."""
    fee, proceeds = terms.origination_fee.minor, terms.proceeds_before_interest.minor
    undrawn, down = terms.undrawn.minor, terms.down_payment.minor
    if undrawn:
        yield _entry(event, "committed", "commitment_made", {"undrawn": undrawn})
    yield _entry(event, "funded", "loan_funded", {"proceeds": proceeds, "fee": fee})
    if withheld:
        yield _entry(event, "odd_days", "interest_withheld", {"interest": withheld})
    if down:
        yield _entry(event, "paid_down", "down_payment_received", {"principal": down}, CLEARING_ROLES["cash"])
    refinanced = event.details.get("refinanced", 0)
    if refinanced:
        yield _entry(event, "refinanced", "loan_refinanced", {"amount": refinanced})
    if proceeds - withheld > refinanced and not event.details.get(BY_INSTRUCTION):
        yield _entry(event, "sent", "disbursement_sent", {"amount": proceeds - withheld - refinanced})


def _drawdown_entries(event: Event, drawn: int, down: int) -> Iterator[PlannedEntry]:
    if drawn:
        yield _entry(event, "committed", "commitment_drawn", {"undrawn": drawn})
    yield _entry(event, "drawn", "loan_drawn", {"amount": event.amount})
    if down:
        yield _entry(event, "paid_down", "down_payment_received", {"principal": down}, CLEARING_ROLES["cash"])
    yield _entry(event, "sent", "disbursement_sent", {"amount": event.amount})


def _pay_down(folding: Folding, event: Event, down: int) -> None:
    if down:
        folding.owed["principal"] -= down
        folding.installments.pay_down(event.effective_date, down)


def _entry(
    event: Event, what: str, template: str, amounts: dict[str, int], clearing_role: str | None = None
) -> PlannedEntry:
    return PlannedEntry(
        key=f"event:{event.no}/{what}",
        template=template,
        effective_date=event.effective_date,
        amounts=amounts,
        clearing_role=clearing_role,
    )
