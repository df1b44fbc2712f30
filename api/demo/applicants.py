"""Who applies in the demonstration: an applicant for every loan that it lives with, and beside them those without one.

Figures are drawn from the seed; what becomes of an application the policy says (`policy.toml`), and an underwriter
where it refers. Never: chance from outside the seed. Next: `api/demo/counter.py`, where they apply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ledger.money import Money
from origination.application import LoanRequest
from origination.policies.vocabulary import Sources
from servicing.drafts import LoanDraft
from servicing.portfolio import Dice

CHANNELS = ("web", "web", "mobile", "agent", "partner")
BORDERLINE_PERCENT = 12
"""Of those who get their loan, how many the policy refers first."""
OTHERS_PERCENT = 45
"""To a hundred loans, how many others apply."""
LEAST_INCOME = 300_000
"""A year's, in minor units."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who applies, what is known of them, and the place of the draft that is to become their loan."""

    request: LoanRequest
    sources: Sources
    place: int | None

    @property
    def name(self) -> str:
        """Return what the application is called."""
        return self.request.external_id


def applicants(seed: int, drafts: Sequence[LoanDraft], place: int) -> tuple[Applicant, ...]:
    """Return who applies on the day of a draft: who gets the loan, and sometimes somebody who does not."""
    draft = drafts[place]
    dice = Dice(f"{seed}/applicant/{place}")
    borderline = dice.below(100) < BORDERLINE_PERCENT
    found = [Applicant(_request(dice, draft), _sources(dice, draft, _fair if borderline else _strong), place)]
    if dice.below(100) < OTHERS_PERCENT:
        other = _other(dice, draft)
        found.append(Applicant(_request(dice, other), _sources(dice, other, _any), None))
    return tuple(found)


def _request(dice: Dice, draft: LoanDraft) -> LoanRequest:
    return LoanRequest(
        external_id=draft.external_id,
        channel=CHANNELS[dice.below(len(CHANNELS))],
        applicant=f"applicant of {draft.external_id}",
        terms=draft.terms,
    )


def _other(dice: Dice, draft: LoanDraft) -> LoanDraft:
    """Return what somebody else asks for on the same day."""
    asked = Money(draft.terms.principal.minor * (1 + dice.below(3)), draft.terms.currency)
    terms = draft.terms
    if terms.rows or terms.steps or terms.installment_amount or terms.balloon or terms.commitment:
        asked = terms.principal
    return LoanDraft(f"{draft.external_id}-other", replace(terms, principal=asked))


def _sources(dice: Dice, draft: LoanDraft, credit: Callable[[Dice, int], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    annual = LEAST_INCOME + draft.terms.principal.minor * 3 + 10_000 * dice.below(400)
    report = credit(dice, annual)
    return {
        "application": {
            "amount": draft.terms.principal.minor,
            "term_months": draft.terms.installments,
            "is_duplicate": False,
        },
        "income": {"annual": annual - annual % 100_000},
        "verified_income": {"annual": annual, "monthly": annual // 12},
        "identity": {"name_match": True},
        "fraud": {"score": dice.below(400)},
        "credit_report": report,
    }


def _strong(dice: Dice, annual: int) -> dict[str, Any]:
    return {
        "score": 740 + dice.below(100),
        "utilization": f"0.{dice.below(30):02}",
        "monthly_debts": annual // 12 * dice.below(30) // 100,
        "delinquencies_24_months": 0,
        "inquiries_6_months": dice.below(3),
        "public_records": 0,
        "bankruptcy": False,
    }


def _fair(dice: Dice, annual: int) -> dict[str, Any]:
    """Return the report of somebody whom a person has to look at: an old judgment, or many inquiries."""
    old = dice.below(2)
    return {
        **_strong(dice, annual),
        "score": 690 + dice.below(50),
        "inquiries_6_months": 0 if old else 4 + dice.below(2),
        "public_records": old,
    }


def _any(dice: Dice, annual: int) -> dict[str, Any]:
    """Return any report."""
    score = 500 + dice.below(280)
    return {
        "score": score,
        "utilization": f"0.{dice.below(1000 - score):03}",
        "monthly_debts": annual // 12 * dice.below(70) // 100,
        "delinquencies_24_months": dice.below(7) if score < 700 else 0,
        "inquiries_6_months": dice.below(6),
        "public_records": int(score < 600 and dice.below(3) == 0),
        "bankruptcy": score < 560 and dice.below(3) == 0,
    }
