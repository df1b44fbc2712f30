"""Authority: who may decide on what the policy refers, up to which amount and DTI, and with which exceptions.

Limits are data: groups of people in a TOML file. Above the limits of whoever decides, a second person decides with
them whose own limits take it in. Nobody decides on an application that they entered. Never: storage.
Next: `origination/decision_commands.py`; `docs/spec/decisions.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, StrictBool, StrictInt, ValidationError

from ledger.fingerprint import canonical_text
from origination.errors import (
    AuthorityInvalid,
    AuthorityMissing,
    OverrideRefused,
    OwnWorkApproved,
    PolicyInvalid,
)
from origination.policies.document import Exact, Identifier, Line, _Part, read_values

ANY = "any"
Verdict = Literal["approve", "decline", "override"]


class Group(_Part):
    """People with the same limits: the amount in minor units, DTI in percent, and what they may make exceptions of.

    Exceptions are codes of rules, names of tables, `score`, or `any`; `overrides` are approvals against the policy.
    """

    name: Identifier
    members: tuple[Line, ...] = Field(min_length=1)
    amount: StrictInt = Field(ge=0)
    dti: Exact = Field(ge=0)
    exceptions: tuple[str, ...] = ()
    overrides: StrictBool = False


class Authority(_Part):
    """Limits of authority: the facts that they look at, and the groups, the widest that takes somebody in counts."""

    about: Line
    amount: Identifier
    dti: Identifier
    groups: tuple[Group, ...] = Field(min_length=1)

    def as_json(self) -> dict[str, Any]:
        """Return the limits as JSON values."""
        return self.model_dump(mode="json", by_alias=True)

    def content_hash(self) -> str:
        """Return the SHA-256 of what the limits say."""
        return hashlib.sha256(canonical_text(self.as_json()).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an underwriter looks at: the application, who entered it, what the policy said, and why."""

    application_id: int
    entered_by: str
    outcome: str
    amount: int | None
    dti: Decimal | None
    exceptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """By whose authority a case is decided, and whether it is decided against the policy."""

    group: str
    second_group: str | None
    is_override: bool


def read_authority(text: str) -> Authority:
    """Return the limits of a TOML or JSON file. Raises: AuthorityInvalid with every problem."""
    try:
        return parse_authority(read_values(text))
    except PolicyInvalid as error:
        raise AuthorityInvalid(problems=error.problems) from None


def parse_authority(given: Mapping[str, Any]) -> Authority:
    """Return limits from their keys. Raises: AuthorityInvalid with every problem."""
    try:
        found = Authority.model_validate(given)
    except ValidationError as error:
        problems = tuple(
            f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise AuthorityInvalid(problems=problems) from None
    names = [group.name for group in found.groups]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AuthorityInvalid(problems=tuple(f"groups: {name} stands there twice" for name in twice))
    return found


def authority_from_json(stored: Mapping[str, Any]) -> Authority:
    """Return the limits that `Authority.as_json` wrote."""
    return Authority.model_validate(stored)


def judge(
    authority: Authority, case: Case, verdict: Verdict, *, actor: str, approver: str | None, reason: str | None
) -> Judged:
    """Return by whose authority a case is decided.

    Raises: OwnWorkApproved; AuthorityMissing with what goes beyond the limits; OverrideRefused without a reason.
    """
    for person in (actor, approver):
        if person == case.entered_by:
            raise OwnWorkApproved(application_id=case.application_id, actor=case.entered_by)
    own = [group for group in authority.groups if actor in group.members]
    if not own:
        raise AuthorityMissing(person=actor, reason="no group takes them in")
    if verdict == "decline":
        return Judged(own[0].name, None, is_override=False)
    is_override = case.outcome != "refer"
    if verdict == "override" and not is_override:
        raise OverrideRefused(
            application_id=case.application_id, reason="the policy referred it: approve or decline it"
        )
    if is_override and verdict != "override":
        raise OverrideRefused(application_id=case.application_id, reason=f"the policy said {case.outcome}: override it")
    if is_override and not (reason or "").strip():
        raise OverrideRefused(application_id=case.application_id, reason="an override needs a reason")
    first = next((group for group in own if not list(_beyond(group, case, is_override))), None)
    if first is not None:
        return Judged(first.name, None, is_override)
    beyond = "; ".join(_beyond(own[0], case, is_override))
    if approver in (None, "", actor):
        raise AuthorityMissing(person=actor, reason=f"{beyond}: a second person is needed")
    others = [group for group in authority.groups if approver in group.members]
    second = next((group for group in others if not list(_beyond(group, case, is_override))), None)
    if second is None:
        found = "; ".join(_beyond(others[0], case, is_override)) if others else "no group takes them in"
        raise AuthorityMissing(person=str(approver), reason=found)
    return Judged(own[0].name, second.name, is_override)


def _beyond(group: Group, case: Case, is_override: bool) -> Iterator[str]:
    """Yield in what a case goes beyond the limits of a group."""
    if case.amount is None or case.dti is None:
        yield "the amount or DTI is not known"
        return
    if case.amount > group.amount:
        yield f"the amount {case.amount} is above {group.amount}"
    if case.dti > group.dti:
        yield f"DTI {case.dti} is above {group.dti}"
    if is_override and not group.overrides:
        yield "it overrides the policy"
    others = [each for each in case.exceptions if each not in group.exceptions]
    if others and ANY not in group.exceptions:
        yield f"no exceptions of {', '.join(others)}"
