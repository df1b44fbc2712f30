"""What is kept of policies and decisions, as values: versions, activations, decisions, what underwriters decided.

Never: a query (`origination/decision_queries.py`), or what a decision means (`origination/policies/engine.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a policy, and who loaded it when."""

    content_hash: str
    name: str
    actor: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Activation:
    """Which versions of a policy decide from a day on; the challenger's share in hundredths of a percent."""

    name: str
    activation_no: int
    effective_date: date
    champion: str
    challenger: str | None
    challenger_bp: int
    shadows: tuple[str, ...]
    reason: str
    actor: str
    approver: str


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it stands."""

    application_id: int
    decision_no: int
    decision_id: int
    role: str
    policy: str
    content_hash: str
    outcome: str
    facts: Mapping[str, Any]
    result: Mapping[str, Any]
    business_date: date
    actor: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StoredUnderwriting:
    """What an underwriter decided."""

    application_id: int
    decision_no: int
    decision_id: int
    verdict: str
    authority_version: int
    authority_group: str
    second_group: str | None
    exceptions: tuple[str, ...]
    reasons: tuple[tuple[str, str, str], ...]
    reason: str | None
    business_date: date
    actor: str
    approver: str | None
    recorded_at: datetime
