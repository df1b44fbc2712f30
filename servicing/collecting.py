"""How a book collects what is past due: the strategies of its policy by days past due, and when a promise is kept.

Never: the cases themselves (`servicing/commands/collections.py`). Next: `docs/how-to/collections.md`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from servicing.errors import CollectionPolicyInvalid
from servicing.product import Exact

CHANNELS = ("call", "text", "email", "letter", "visit")
"""The ways in which a borrower is contacted."""

ALL = "all"
"""Every channel, in a flag."""

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Strategy(_Part):
    """What is done about loans in a bucket, by its name: their queue, and the first action within so many days.

    A case goes to one of the owners, by the number of its loan; higher priorities come first.
    """

    bucket: str
    queue: Word
    priority: int = Field(default=0, ge=0, le=1000)
    owners: tuple[str, ...] = ()
    next_action: Word
    within_days: int = Field(default=0, ge=0, le=365)

    @field_validator("bucket")
    @classmethod
    def _has_days(cls, name: str) -> str:
        if not re.fullmatch(r"[1-9][0-9]*(-[1-9][0-9]*|\+)", name):
            raise ValueError("it is the name of a bucket, such as 1-29 or 120+")
        return name

    @property
    def from_dpd(self) -> int:
        """Return the days past due from which on it holds."""
        return int(re.split(r"[-+]", self.bucket)[0])

    def owner_of(self, loan_id: int) -> str | None:
        """Return who works on a loan."""
        return self.owners[loan_id % len(self.owners)] if self.owners else None


class Promises(_Part):
    """How much of a promise may be missing, in the major unit or in percent of it, and how many days late it may come.

    What is done within the day when one is broken is `when_broken`.
    """

    tolerance_amount: Exact = Field(default=Decimal(0), ge=0)
    tolerance_percent: Exact = Field(default=Decimal(0), ge=0, lt=100)
    grace_days: int = Field(default=0, ge=0, le=30)
    when_broken: Word = "call"

    def least(self, amount: int, tolerance: int) -> int:
        """Return what must be paid of an amount; `tolerance` is that amount, all in minor units."""
        return max(0, amount - max(tolerance, int(amount * self.tolerance_percent / 100)))


class Policy(_Part):
    """The strategies of a book, and its rules for promises."""

    strategies: tuple[Strategy, ...] = Field(min_length=1)
    promises: Promises = Promises()

    @field_validator("strategies")
    @classmethod
    def _rising(cls, strategies: tuple[Strategy, ...]) -> tuple[Strategy, ...]:
        days = [each.from_dpd for each in strategies]
        if days != sorted(set(days)):
            raise ValueError("each strategy begins on a later day than the one before")
        return strategies

    def strategy(self, dpd: int) -> Strategy | None:
        """Return the strategy for so many days past due; None before the first."""
        return next((each for each in reversed(self.strategies) if each.from_dpd <= dpd), None)


def read_policy(text: str) -> Policy:
    """Read a policy from the text of a TOML file.

    Raises: CollectionPolicyInvalid naming the first mistake.
    """
    try:
        return parse_policy(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as mistake:
        raise CollectionPolicyInvalid(place="policy", reason=f"it is no TOML: {mistake}") from None


def parse_policy(keys: Mapping[str, Any]) -> Policy:
    """Read a policy from its keys.

    Raises: CollectionPolicyInvalid naming the first mistake.
    """
    try:
        return Policy.model_validate(keys)
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        reason = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise CollectionPolicyInvalid(place=".".join(map(str, first["loc"])), reason=reason) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a borrower promised to pay by a day, in minor units, and what came of it.

    Payments count from `counts_from` on; at least `least` of the amount is to be paid, `grace_days` late at most.
    """

    loan_id: int
    promise_no: int
    plan_no: int
    promised_on: date
    counts_from: date
    due_on: date
    amount: int
    least: int
    grace_days: int
    status: str = "open"
    decided_on: date | None = None
    received: int = 0

    @property
    def last_day(self) -> date:
        """Return the last day of a payment that keeps it."""
        return self.due_on + timedelta(days=self.grace_days)


def judged(promise: Promise, received: int, day: date) -> str:
    """Return how a promise stands at the close of a day by which so much of it has come."""
    if received >= promise.least:
        return "kept"
    return "broken" if day >= promise.last_day else "open"
