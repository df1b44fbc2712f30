"""Funding: the principal is owed, the fee is withheld from it, the proceeds are sent.

Never: accounts (`servicing/posting_rules.py`). Next: `servicing/folding.py`.
"""

from __future__ import annotations

from servicing.events import Event
from servicing.folding import Folding
from servicing.state import PlannedEntry
from servicing.terms import Terms


def fund(folding: Folding, event: Event) -> None:
    """Owe the principal, and send what is left of it after the origination fee."""
    folding.funded = True
    folding.owed["principal"] += folding.terms.principal.minor
    folding.planned.extend(entries_of(folding.terms, event))


def entries_of(terms: Terms, event: Event) -> tuple[PlannedEntry, PlannedEntry]:
    """Return the entries of a funding, which depend on nothing that came before."""
    fee = terms.origination_fee.minor
    proceeds = terms.principal.minor - fee
    return (
        _entry(event, "funded", "loan_funded", {"proceeds": proceeds, "fee": fee}),
        _entry(event, "sent", "disbursement_sent", {"amount": proceeds}),
    )


def _entry(event: Event, what: str, template: str, amounts: dict[str, int]) -> PlannedEntry:
    return PlannedEntry(
        key=f"event:{event.no}/{what}", template=template, effective_date=event.effective_date, amounts=amounts
    )
