"""Which combinations an applicant is offered: the price that was decided, and those that other terms would have had.

Another term is priced by asking the policy again, on the same facts with that term; it is offered if the policy
approves of it as it stands. Never: what a combination costs (`origination/offers/offer.py`).
Next: `docs/spec/funding.md`, worked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.money import Money
from origination.offers.offer import PricedOption
from origination.policies.engine import Policy, Quote, decide, quote_from_json
from origination.policies.vocabulary import Facts
from servicing.terms import Terms


def options_of_decision(policy: Policy, facts: Facts, result: Mapping[str, Any], asked: Terms) -> list[PricedOption]:
    """Return what a decision offers on the terms that were asked for, the decided combination first.

    Without a price in the decision that is what was asked for. Other terms are those of the policy's `terms`, where the
    policy itself approved.
    """
    price = quote_from_json(result["price"])
    if price is None:
        return [PricedOption(amount=asked.principal, installments=asked.installments, rate=asked.rate)]
    quotes = [price, *(_other_terms(policy, facts, price) if result["outcome"] == "approve" else ())]
    return [option for quote in quotes if (option := priced_option(quote, price.term, asked)) is not None]


def _other_terms(policy: Policy, facts: Facts, price: Quote) -> Iterator[Quote]:
    offer = policy.document.offer
    assert offer is not None, "what has a price has an offer"
    for term in offer.terms:
        if term != price.term:
            decision = decide(policy, {**facts, offer.term: term})
            if decision.outcome == "approve" and decision.price is not None:
                yield decision.price


def priced_option(quote: Quote, decided_term: int, asked: Terms) -> PricedOption | None:
    """Return a quote as an option; None where its term is no whole number of installments."""
    installments, rest = divmod(asked.installments * quote.term, decided_term)
    if rest or not installments:
        return None
    currency = asked.currency
    return PricedOption(
        amount=Money(quote.amount, currency),
        installments=installments,
        rate=quote.rate,
        fee=Money(quote.fee, currency),
    )
