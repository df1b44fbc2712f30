"""Policies and limits of authority loaded and activated: each version under its hash, each step by two people.

Loading changes nothing yet; activating says which versions decide from a business day on. Never: a decision.
Next: `origination/decision_commands.py`; `docs/spec/decisions.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from origination import policy_store as store
from origination.decision_queries import version_named
from origination.decision_records import Activation
from origination.errors import ActivationRefused, PolicyApprovalMissing
from origination.policies.authority import Authority
from origination.policies.engine import Policy
from origination.policies.split import BUCKETS


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A version that is there, and whether loading made it."""

    name: str
    content_hash: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class LoadedAuthority:
    """The limits in force, and whether loading made them."""

    version: int
    content_hash: str
    is_new: bool


def load_policy(uow: UnitOfWork, policy: Policy) -> LoadedPolicy:
    """Keep a version of a policy; the same again changes nothing."""
    is_new = store.insert_version(uow.connection, policy, actor=uow.actor)
    return LoadedPolicy(policy.name, policy.content_hash, is_new)


def activate_policy(
    uow: UnitOfWork,
    book_code: str,
    champion: str,
    *,
    reason: str,
    effective_date: date | None = None,
    challenger: str | None = None,
    challenger_bp: int = 0,
    shadows: Sequence[str] = (),
) -> Activation:
    """Let versions, named by hashes or their beginnings, decide from a day on; the business date if none is given.

    Raises: BookUnknown; PolicyUnknown; PolicyApprovalMissing; ActivationRefused.
    """
    today = book(uow.connection, book_code).business_date
    day = effective_date or today
    chosen = version_named(uow.connection, champion)
    others = {each: version_named(uow.connection, each) for each in (*([challenger] if challenger else []), *shadows)}
    name, approver = chosen.name, second_person(uow, f"activating the policy {chosen.name}")
    if day < today:
        raise ActivationRefused(name=name, reason=f"{day} is before the business date {today}")
    if (challenger is None) != (challenger_bp == 0) or not 0 <= challenger_bp <= BUCKETS:
        raise ActivationRefused(name=name, reason="a challenger has a share above 0 and up to 100 percent")
    if not reason.strip():
        raise ActivationRefused(name=name, reason="it needs a reason")
    hashes = [chosen.content_hash, *(each.content_hash for each in others.values())]
    if any(each.name != name for each in others.values()) or len(set(hashes)) < len(hashes):
        raise ActivationRefused(name=name, reason="its versions are different ones of one name")
    while True:
        before = store.activations(uow.connection, name)
        activation = Activation(
            name,
            before[0].activation_no + 1 if before else 1,
            day,
            chosen.content_hash,
            others[challenger].content_hash if challenger else None,
            challenger_bp,
            tuple(others[each].content_hash for each in shadows),
            reason,
            uow.actor,
            approver,
        )
        # Whoever activates the same policy meanwhile takes the number; then this one is next after it.
        if store.insert_activation(uow.connection, activation):
            return activation


def load_authority(uow: UnitOfWork, authority: Authority) -> LoadedAuthority:
    """Put limits of authority in force; the same again change nothing. Raises: PolicyApprovalMissing."""
    approver, content_hash = second_person(uow, "loading limits of authority"), authority.content_hash()
    while True:
        latest = store.latest_authority(uow.connection)
        if latest is not None and latest.content_hash == content_hash:
            return LoadedAuthority(latest.version, content_hash, is_new=False)
        version = 1 if latest is None else latest.version + 1
        limits = authority.as_json()
        if store.insert_authority(uow.connection, version, content_hash, limits, actor=uow.actor, approver=approver):
            return LoadedAuthority(version, content_hash, is_new=True)


def second_person(uow: UnitOfWork, what: str) -> str:
    """Return who approves of an act that two people do. Raises: PolicyApprovalMissing."""
    if uow.approver is None or uow.approver in ("", uow.actor):
        raise PolicyApprovalMissing(what=what, actor=uow.actor, approver=uow.approver)
    return uow.approver
