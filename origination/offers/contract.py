"""A contract: the offer that was accepted, as one text that is frozen with its hash.

The text is JSON with sorted keys and no blanks, so anyone can hash it again: `sha256sum` of it is the number of the
contract. Never: the loan, which is boarded from this text and from nothing else. Next: `docs/spec/funding.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from origination.errors import ContractBroken
from origination.offers.offer import Offer, terms_json, terms_of
from servicing.terms import Terms

FORM = 1
"""The version of the text's form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract as it is kept: its canonical text, the hash of it, and the rules of its funding."""

    application_id: int
    offer_no: int
    canonical: bytes
    sha256: str
    funding_rules: Mapping[str, Any]
    accepted_on: date
    actor: str

    @property
    def body(self) -> dict[str, Any]:
        """Return what the text says."""
        found: dict[str, Any] = json.loads(self.canonical)
        return found

    @property
    def terms(self) -> Terms:
        """Return the terms that the text says."""
        return terms_of(self.body)


def canonical(body: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys, no blanks, in UTF-8."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def freeze(
    offer: Offer, *, external_id: str, applicant: str, rules: Mapping[str, Any], accepted_on: date, actor: str
) -> Contract:
    """Return the contract that an accepted offer becomes."""
    text = canonical(
        {
            "form": FORM,
            "application": external_id,
            "applicant": applicant,
            "offer_no": offer.offer_no,
            "accepted_on": accepted_on.isoformat(),
            "product_hash": offer.terms.product.content_hash(),
            **terms_json(offer.terms),
            "disclosure": dict(offer.disclosure),
        }
    )
    return Contract(
        application_id=offer.application_id,
        offer_no=offer.offer_no,
        canonical=text,
        sha256=hashlib.sha256(text).hexdigest(),
        funding_rules=rules,
        accepted_on=accepted_on,
        actor=actor,
    )


def verified(contract: Contract, offer: Offer) -> Terms:
    """Return the terms of a contract after checking that its text, its hash, its product and its offer agree.

    Raises: ContractBroken naming what differs.
    """
    body, terms = contract.body, contract.terms
    checks = (
        ("hash", hashlib.sha256(contract.canonical).hexdigest() == contract.sha256),
        ("form", canonical(body) == contract.canonical),
        ("product", terms.product.content_hash() == body["product_hash"]),
        ("offer", body["offer_no"] == offer.offer_no == contract.offer_no),
        ("terms", terms_json(terms) == terms_json(offer.terms)),
        ("disclosure", body["disclosure"] == dict(offer.disclosure)),
    )
    for name, holds in checks:
        if not holds:
            raise ContractBroken(application_id=contract.application_id, part=name)
    return terms
