"""What is kept of a verification: what was asked, every attempt, and what it came to.

Next: `origination/verification_store.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from origination.verification.source import Source


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """A source in force, and its release."""

    source: Source
    release: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAttempt:
    """A time that a source was asked; the cost in minor units, the latency in milliseconds."""

    attempt_no: int
    source: str
    source_hash: str
    status: str
    http_status: int | None
    latency_ms: int
    cost: int
    currency: str
    response_hash: str | None
    detail: str
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a verification came to; one by hand has no source, but a reason."""

    outcome: str
    source: str | None
    facts: Mapping[str, Any]
    reason: str | None
    actor: str
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What is to be found out about an applicant; without a result it is still being asked."""

    application_id: int
    verification_no: int
    kind: str
    actor: str
    asked_on: date
    attempts: tuple[StoredAttempt, ...] = ()
    result: Result | None = None

    @property
    def outcome(self) -> str:
        """Return what it came to."""
        return "asking" if self.result is None else self.result.outcome
