"""Small policies for tests: a document as keys, and what is changed in it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from origination.policies.document import parse_document
from origination.policies.engine import Policy, policy_of

SMALL: dict[str, Any] = {
    "name": "small",
    "about": "A policy that a person can compute",
    "currency": "USD",
    "default": "approve",
    "incomplete": {"outcome": "refer", "reason": "incomplete"},
    "facts": {
        "amount": {"type": "money", "from": "application.amount"},
        "term": {"type": "integer", "from": "application.term"},
        "income": {"type": "money", "from": "income.annual"},
        "dti": {"type": "decimal", "unit": "percent", "from": "credit_report.dti"},
        "inquiries": {"type": "integer", "nullable": True, "from": "credit_report.inquiries"},
        "home": {"type": "text", "from": "applicant.home"},
        "verified": {"type": "boolean", "nullable": True, "from": "income.verified"},
        "born": {"type": "date", "nullable": True, "from": "applicant.born"},
    },
    "reasons": {
        "incomplete": {"code": "C1-01"},
        "income_low": {"code": "C1-08"},
        "obligations": {"code": "C1-09"},
        "inquiries": {"code": "C1-22"},
        "housing": {"code": "C1-24", "text": "Type of housing"},
    },
    "rules": [
        {"code": "R1", "about": "DTI", "when": "dti > 40", "outcome": "decline", "reason": "obligations"},
        {"code": "R2", "about": "Inquiries", "when": "(inquiries ?? 0) >= 5", "outcome": "refer"},
        {
            "code": "R3",
            "about": "Payment against income",
            "when": "amount / term * 12 / income > 0.5",
            "outcome": "decline",
            "reason": "income_low",
        },
    ],
    "scorecard": {
        "base": 100,
        "decline_below": 120,
        "refer_below": 130,
        "characteristics": [
            {
                "fact": "dti",
                "reason": "obligations",
                "bands": [
                    {"when": {"below": 20}, "points": 30},
                    {"when": {"from": 20, "below": 30}, "points": 15},
                    {"when": {"from": 30}, "points": 0},
                ],
            },
            {
                "fact": "home",
                "reason": "housing",
                "bands": [
                    {"when": {"in": ["OWN"]}, "points": 20},
                    {"when": {"other": True}, "points": 5},
                ],
            },
        ],
    },
    "tables": [
        {
            "name": "strategy",
            "about": "Score against amount",
            "default": "approve",
            "rows": [{"when": {"score": {"below": 140}, "amount": {"from": 2000000}}, "outcome": "refer"}],
        }
    ],
    "offer": {
        "amount": "amount",
        "term": "term",
        "most": "income * 0.3",
        "least": 100000,
        "step": 10000,
        "reason": "income_low",
        "prices": [
            {"when": {"score": {"from": 145}}, "rate": "8.99", "fee_percent": "1.25"},
            {"when": {"score": {"below": 145}}, "rate": "12.99", "fee_percent": "3"},
        ],
    },
}

FACTS: dict[str, Any] = {
    "amount": 1000000,
    "term": 36,
    "income": 6000000,
    "dti": "19.99",
    "inquiries": 1,
    "home": "OWN",
    "verified": True,
    "born": "1980-02-29",
}


def keys(**changes: Any) -> dict[str, Any]:
    """Return the keys of the small policy with some of them changed."""
    return {**deepcopy(SMALL), **changes}


def small(**changes: Any) -> Policy:
    """Return the small policy, compiled."""
    return policy_of(parse_document(keys(**changes)))
