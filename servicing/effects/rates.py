"""A reset of the rate: by hand to a rate that is given, or to what a value of the product's index comes to.

Never: the value of an index, which the event has with it. Next: `servicing/rates.py`; `docs/spec/rates.md`.
"""

from __future__ import annotations

from decimal import Decimal

from servicing.contract import Change
from servicing.events import Event
from servicing.folding import Folding
from servicing.rates import reset_rate


def reset(folding: Folding, event: Event) -> None:
    """Let another rate be in force from the day on; installments are worked out again where the product says so."""
    terms, details = folding.terms, event.details
    in_force = folding.contract.rate_on(event.effective_date)
    given = details.get("rate")
    rate = reset_rate(terms, Decimal(details["value"]), in_force=in_force) if given is None else Decimal(given)
    resolves = terms.product.at_rate_change == "recalculate"
    folding.change(Change(on=event.effective_date, rate=rate, resolves=resolves))
