"""The rules of a funding, declared per product: who approves how much, and what must be there before.

One person fills one place, whatever groups they are in. Rules are frozen into the contract when it is accepted, so a
later version changes nothing that runs. Never: the database. Next: `docs/spec/funding.md`, worked.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.money import Money
from origination.errors import FundingPolicyInvalid
from origination.offers.contract import canonical

ANYONE = "anyone"
"""The group that everybody is in."""


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Need(_Rules):
    """So many people of a group."""

    group: str = ANYONE
    count: int = Field(default=1, ge=1, le=9)


class Tier(_Rules):
    """Who approves a principal of up to so much, in the major unit; the last tier has no limit."""

    up_to: Decimal | None = Field(default=None, gt=0)
    needs: tuple[Need, ...] = Field(min_length=1)


class Condition(_Rules):
    """What must be there before a funding: who says so, and what shows it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")
    title: str = Field(min_length=1, max_length=200)
    group: str = ANYONE
    evidence: str = Field(default="a note", min_length=1, max_length=200)
    waived_by: str | None = None


class Rescission(_Rules):
    """How many business days a funding may be canceled for, and whether the money waits for their end."""

    days: int = Field(default=0, ge=0, le=30)
    holds_disbursement: bool = False


class FundingPolicy(_Rules):
    """The rules of a product's fundings."""

    product: str = Field(min_length=1, max_length=64)
    groups: Mapping[str, tuple[str, ...]] = {}
    approvals: tuple[Tier, ...] = Field(min_length=1)
    conditions: tuple[Condition, ...] = ()
    rescission: Rescission = Rescission()
    late_days: int = Field(default=5, ge=0, le=60)

    def as_json(self) -> dict[str, Any]:
        """Return the rules as JSON values."""
        return self.model_dump(mode="json")

    @property
    def content_hash(self) -> str:
        """Return the SHA-256 of the rules, which names this version of them."""
        return hashlib.sha256(canonical(self.as_json())).hexdigest()

    def tier_of(self, principal: Money) -> Tier:
        """Return the tier of a principal: the first whose limit it does not pass."""
        amount = principal.to_decimal()
        return next(tier for tier in self.approvals if tier.up_to is None or amount <= tier.up_to)

    def condition(self, name: str) -> Condition | None:
        """Return a condition by its name."""
        return next((each for each in self.conditions if each.name == name), None)

    def is_in(self, person: str, group: str) -> bool:
        """Tell whether a person is in a group."""
        return group == ANYONE or person in self.groups.get(group, ())

    def missing_approvals(self, principal: Money, people: Iterable[str]) -> tuple[str, ...]:
        """Return the places that these people leave empty, each by its group; none if all of them are filled."""
        places = [need.group for need in self.tier_of(principal).needs for _ in range(need.count)]
        taken: dict[int, str] = {}
        for person in sorted(set(people)):
            self._seat(person, places, taken, set())
        return tuple(group for place, group in enumerate(places) if place not in taken)

    def fills_a_place(self, principal: Money, person: str) -> bool:
        """Tell whether a person is in any group that approves a principal."""
        return any(self.is_in(person, need.group) for need in self.tier_of(principal).needs)

    def _seat(self, person: str, places: Sequence[str], taken: dict[int, str], tried: set[int]) -> bool:
        """Give a person a place, moving others to another of theirs where that helps: an augmenting path."""
        for place, group in enumerate(places):
            if place in tried or not self.is_in(person, group):
                continue
            tried.add(place)
            if place not in taken or self._seat(taken[place], places, taken, tried):
                taken[place] = person
                return True
        return False


def read_policy(text: str) -> FundingPolicy:
    """Read the rules of a TOML file.

    Raises: FundingPolicyInvalid with everything that is wrong.
    """
    try:
        keys = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as mistake:
        raise FundingPolicyInvalid(problems=(f"it is no TOML: {mistake}",)) from None
    return policy_of(keys)


def policy_of(keys: Mapping[str, Any]) -> FundingPolicy:
    """Return the rules of keys, of a file or as they were stored.

    Raises: FundingPolicyInvalid with everything that is wrong.
    """
    try:
        policy = FundingPolicy.model_validate(keys)
    except ValidationError as mistakes:
        found = mistakes.errors(include_url=False)
        raise FundingPolicyInvalid(
            problems=tuple(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)
        ) from None
    problems = tuple(_contradictions(policy))
    if problems:
        raise FundingPolicyInvalid(problems=problems)
    return policy


def standard_policy(product: str) -> FundingPolicy:
    """Return the rules that are shipped, for a product that has none of its own."""
    text = (files("origination") / "funding" / "standard.toml").read_text(encoding="utf-8")
    return policy_of({**tomllib.loads(text, parse_float=Decimal), "product": product})


def _contradictions(policy: FundingPolicy) -> Iterator[str]:
    limits = [tier.up_to for tier in policy.approvals]
    if limits[-1] is not None:
        yield "approvals: the last tier has no limit, so that every amount has its approvers"
    if any(limit is None for limit in limits[:-1]):
        yield "approvals: only the last tier is without a limit"
    known = [limit for limit in limits if limit is not None]
    if known != sorted(set(known)):
        yield "approvals: each limit is above the one before"
    names = [each.name for each in policy.conditions]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"conditions: {name} stands there twice"
    named = [need.group for tier in policy.approvals for need in tier.needs]
    named += [each.group for each in policy.conditions]
    named += [each.waived_by for each in policy.conditions if each.waived_by is not None]
    for group in sorted(set(named) - {ANYONE, *policy.groups}):
        yield f"groups: there is no {group}"
    for place, tier in enumerate(policy.approvals):
        for need in tier.needs:
            members = policy.groups.get(need.group)
            if members is not None and len(set(members)) < need.count:
                yield f"approvals.{place}: {need.group} has fewer than {need.count} members"
