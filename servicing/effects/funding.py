"""Funding: the principal is owed, the fee is withheld from it, the proceeds are sent.

Never: accounts (`servicing/posting_rules.py`). Next: `servicing/folding.py`.
"""

from __future__ import annotations

from servicing.events import Event
from servicing.folding import Folding


def fund(folding: Folding, event: Event) -> None:
    """Owe the principal, and send what is left of it after the origination fee."""
    terms, day = folding.terms, event.effective_date
    fee = terms.origination_fee.minor
    proceeds = terms.principal.minor - fee
    folding.funded = True
    folding.owed["principal"] += terms.principal.minor
    folding.plan(f"event:{event.no}/funded", "loan_funded", day, {"proceeds": proceeds, "fee": fee})
    folding.plan(f"event:{event.no}/sent", "disbursement_sent", day, {"amount": proceeds})
