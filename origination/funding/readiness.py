"""What a funding still lacks: conditions, approvals, its day. All of it is listed, not only the first.

Never: who funds. Next: `origination/funding/policy.py`; `origination/funding_commands.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.money import Money
from origination.funding.policy import ANYONE, FundingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedCondition:
    """A condition that is satisfied by its evidence, or waived for a reason."""

    condition: str
    outcome: str
    evidence: str
    decided_on: date
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's approval of the funding of one contract."""

    actor: str
    contract_sha256: str
    approved_on: date


def counted(approvals: Iterable[Approval], *, sha256: str, barred: Collection[str]) -> tuple[str, ...]:
    """Return who has approved this very contract, without those who entered the application or fund it."""
    return tuple(each.actor for each in approvals if each.contract_sha256 == sha256 and each.actor not in barred)


def missing(
    policy: FundingPolicy,
    principal: Money,
    *,
    decided: Collection[str],
    approvers: Iterable[str],
    funded_on: date,
    today: date,
) -> Iterator[str]:
    """Yield what a funding lacks."""
    for condition in policy.conditions:
        if condition.name not in decided:
            yield f"condition {condition.name} ({condition.title})"
    for group in policy.missing_approvals(principal, approvers):
        yield "an approval by a further person" + ("" if group == ANYONE else f" of {group}")
    if today < funded_on:
        yield f"its day: the contract is of {funded_on}"
    if today > funded_on + timedelta(days=policy.late_days):
        yield f"a new contract: this one is of {funded_on}, more than {policy.late_days} days ago"
