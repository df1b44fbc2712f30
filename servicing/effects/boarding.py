"""Boarding a loan in mid-life: it owes what the servicer before says, and what is past due of it is.

Interest before the cut-over is never computed again; from that day on it accrues here. Never: which figures are right
(`servicing/past_due.py`). Next: `docs/spec/boarding.md`.
"""

from __future__ import annotations

from servicing.contract import Change, Contract
from servicing.events import Event
from servicing.folding import Folding
from servicing.opening import BALANCES, Behind
from servicing.past_due import Place, asks_of, place_of
from servicing.state import PlannedEntry
from servicing.terms import Terms

FEES = ("late_fees", "returned_payment_fees", "other_fees")
REDRAWN = frozenset({"level", "balloon", "interest_only"})
"""Kinds of amortization whose coming installments are drawn up again where the balance is not the contract's."""


def board(folding: Folding, event: Event) -> None:
    """Owe what is owed at the cut-over; the installments that are past due ask for their part of it."""
    day, behind, contract = event.effective_date, Behind.of(event.details), folding.contract
    place = place_of(contract, behind, day)
    asks = asks_of(folding.terms, contract, behind, day, place)
    coming = behind.principal - sum(principal for _, principal in asks.values())
    if _falls_short(folding.terms, contract, place, coming):
        begins = contract.periods[place.next_no - 1].start if place.next_no else day
        folding.change(Change(on=max(day, begins), owed=coming, resolves=False))
    folding.funded = True
    folding.installments.board(asks, place.paid_ahead, day)
    folding.interest.open(behind.interest, behind.principal)
    for name in BALANCES[:-1]:
        folding.owed[name] += event.details[name]
    folding.unapplied += event.details["unapplied"]
    oldest = contract.rows[place.past_due[0] - 1].due if place.past_due else day
    for name in FEES:
        folding.installments.charge(name, event.details[name], oldest)
    folding.planned.extend(entries_of(event))


def entries_of(event: Event) -> tuple[PlannedEntry]:
    """Return the opening entry, which depends on nothing that came before."""
    amounts = {name: event.details[name] for name in BALANCES}
    key = f"event:{event.no}/boarded"
    return (PlannedEntry(key=key, template="loan_boarded", effective_date=event.effective_date, amounts=amounts),)


def _falls_short(terms: Terms, contract: Contract, place: Place, coming: int) -> bool:
    """Tell whether the coming installments pay off another balance than what they have to.

    Those of a kind whose amounts are not the balance's to say are left as they are.
    """
    if place.next_no is None or terms.product.amortization not in REDRAWN:
        return False
    first = place.next_no - 1
    row, grace = contract.rows[first], terms.product.grace
    has_grace = max(grace.principal, grace.interest_payment, grace.interest_free) > first
    return not has_grace and coming > 0 and coming != row.balance + row.principal
