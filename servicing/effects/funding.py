"""Funding: the principal is owed, the fee and the interest of odd days are withheld from it, the proceeds are sent.

Never: accounts (`servicing/posting_rules.py`). Next: `servicing/folding.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from servicing.events import Event
from servicing.folding import Folding
from servicing.state import PlannedEntry
from servicing.terms import Terms


def fund(folding: Folding, event: Event) -> None:
    """Owe the principal, and send what is left of it after the fee and the interest that are kept from it."""
    terms, withheld = folding.terms, folding.contract.withheld
    folding.funded = True
    folding.owed["principal"] += terms.lent.minor
    if withheld:
        folding.interest.book(withheld)
        folding.installments.claim_interest(withheld)
    folding.planned.extend(entries_of(terms, event, withheld))


def entries_of(terms: Terms, event: Event, withheld: int) -> Iterator[PlannedEntry]:
    """Yield the entries of a funding, which depend on nothing that came before."""
    fee, proceeds = terms.origination_fee.minor, terms.proceeds_before_interest.minor
    yield _entry(event, "funded", "loan_funded", {"proceeds": proceeds, "fee": fee})
    if withheld:
        yield _entry(event, "odd_days", "interest_withheld", {"interest": withheld})
    yield _entry(event, "sent", "disbursement_sent", {"amount": proceeds - withheld})


def _entry(event: Event, what: str, template: str, amounts: dict[str, int]) -> PlannedEntry:
    return PlannedEntry(
        key=f"event:{event.no}/{what}", template=template, effective_date=event.effective_date, amounts=amounts
    )
