"""What is kept of an application that was taken in: its versions, its submission, its consents, who saw its data.

Never: personal data themselves. Next: `origination/intake_store.py`, `origination/personal_store.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Release:
    """A declaration in force: its release, its hash, its JSON."""

    release: int
    content_hash: str
    declaration: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """An application from the first thing that was saved of it."""

    application_id: int
    book_id: int
    external_id: str
    product: str
    channel: str
    entered_by: str
    entered_on: date


@dataclass(frozen=True, slots=True)
class Version:
    """What was saved at a time, without personal data."""

    version_no: int
    form_hash: str
    data: Mapping[str, Any]
    actor: str
    saved_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What was submitted and where it went."""

    application_id: int
    version_no: int
    book_id: int
    product: str
    form_release: int
    derived: Mapping[str, Any]
    workflow: str
    queue: str
    routing_release: int
    route_no: int
    duplicate_of: tuple[int, ...]
    actor: str
    submitted_on: date
    keep_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What an applicant agreed to."""

    kind: str
    text_version: str
    text_hash: str
    given_at: datetime
    channel: str
    agent: str | None
    by_ip: bool
    by_device: bool


@dataclass(frozen=True, slots=True)
class Access:
    """Who saw personal data as they are."""

    access_no: int
    actor: str
    role: str
    groups: tuple[str, ...]
    reason: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who erased the personal data of an application."""

    erased_on: date
    actor: str
    approver: str | None
    reason: str
    rows_erased: int
