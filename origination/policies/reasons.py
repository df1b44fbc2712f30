"""Reasons for adverse action: the codes of the sample form, and which of several are the principal ones.

The codes number the lines of sample form C-1 (Regulation B, 12 CFR 1002, appendix C) in its order; the form itself
gives them no numbers. At most four are sent: more is not likely to help the applicant (official interpretation of 12
CFR 1002.9(b)(2), paragraph 1). Never: what fired (`origination/policies/engine.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

MOST = 4

_LINES = (
    "Credit application incomplete",
    "Insufficient number of credit references provided",
    "Unacceptable type of credit references provided",
    "Unable to verify credit references",
    "Temporary or irregular employment",
    "Unable to verify employment",
    "Length of employment",
    "Income insufficient for amount of credit requested",
    "Excessive obligations in relation to income",
    "Unable to verify income",
    "Length of residence",
    "Temporary residence",
    "Unable to verify residence",
    "No credit file",
    "Limited credit experience",
    "Poor credit performance with us",
    "Delinquent past or present credit obligations with others",
    "Collection action or judgment",
    "Garnishment or attachment",
    "Foreclosure or repossession",
    "Bankruptcy",
    "Number of recent inquiries on credit bureau report",
    "Value or type of collateral not sufficient",
)
OTHER = "C1-24"
"""Other, specify: the policy gives the words."""

FORM: Mapping[str, str] = MappingProxyType({f"C1-{line:02}": text for line, text in enumerate(_LINES, start=1)})


@dataclass(frozen=True, slots=True)
class PrincipalReason:
    """A reason as it is sent and kept: its name in the policy, its code, its words, and what brought it about."""

    name: str
    code: str
    text: str
    because: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What speaks against an application: the reason, what brought it about, and how many points it cost."""

    reason: str
    because: str
    points: int = 0


def ranked(rules: Iterable[Cause], scored: Iterable[Cause], *, rank: str) -> tuple[Cause, ...]:
    """Return the causes whose reasons are sent: each reason once, at most four.

    Rules stand in order of the file, what scored by the points that it cost, most first, ties in order of the file.
    """
    by_points = sorted((each for each in scored if each.points > 0), key=lambda each: -each.points)
    causes = [*rules, *by_points] if rank == "rules_first" else [*by_points, *rules]
    first: dict[str, Cause] = {}
    for cause in causes:
        first.setdefault(cause.reason, cause)
    return tuple(first.values())[:MOST]
