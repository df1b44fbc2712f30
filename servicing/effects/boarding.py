"""Boarding a loan in mid-life: it owes what the servicer before says, and what is past due of it is.

Interest before the cut-over is never computed again; from that day on it accrues here. Never: which figures are right
(`servicing/past_due.py`). Next: `docs/spec/boarding.md`.
"""

from __future__ import annotations

from datetime import date

from servicing.contract import Change, Contract
from servicing.events import Event
from servicing.fees import Fee
from servicing.folding import Folding
from servicing.opening import BALANCES, Behind
from servicing.past_due import Place, asks_of, place_of
from servicing.state import PlannedEntry

FEES = ("late_fees", "returned_payment_fees", "other_fees")


def board(folding: Folding, event: Event) -> None:
    """Owe what is owed at the cut-over; the installments that are past due ask for their part of it."""
    day, behind, contract = event.effective_date, Behind.of(event.details), folding.contract
    place = place_of(contract, behind, day)
    asks = asks_of(folding.terms, contract, behind, day, place)
    change = _change(contract, place, behind.principal - sum(principal for _, principal in asks.values()), day)
    if change is not None:
        folding.change(change)
    folding.funded = True
    folding.installments.board(asks, place.paid_ahead, day)
    folding.interest.open(behind.interest, behind.principal)
    for name in BALANCES[:-1]:
        folding.owed[name] += event.details[name] if name not in FEES else 0
    folding.unapplied += event.details["unapplied"]
    if folding.terms.product.partial_payments == "hold":
        folding.held += event.details["unapplied"]
    oldest = contract.rows[place.past_due[0] - 1].due if place.past_due else day
    for name in FEES:
        if event.details[name]:
            no = folding.installments.no_of(oldest)
            folding.charge(Fee(f"boarded-{name}", "boarded", name, day, no, event.details[name]))
    folding.planned.extend(entries_of(event))


def entries_of(event: Event) -> tuple[PlannedEntry]:
    """Return the opening entry, which depends on nothing that came before."""
    amounts = {name: event.details[name] for name in BALANCES}
    key = f"event:{event.no}/boarded"
    return (PlannedEntry(key=key, template="loan_boarded", effective_date=event.effective_date, amounts=amounts),)


def _change(contract: Contract, place: Place, coming: int, day: date) -> Change | None:
    """Return what lets the coming installments pay off what is not past due; None if they do as they are.

    Each asks for what it asked for, and the last takes what is left. One whose period is over when the loan is taken
    over asks for what the contract has; those after it share the rest.
    """
    rows = contract.rows[place.next_no - 1 :] if place.next_no is not None else ()
    over = [row for row in rows if row.interest_to <= day]
    if len(over) == len(rows) or coming == rows[0].balance + rows[0].principal:
        return None
    begins = contract.periods[rows[0].no - 1].start
    owed = max(0, coming - sum(row.principal for row in over))
    return Change(on=max(day, begins), owed=owed, resolves=False)
