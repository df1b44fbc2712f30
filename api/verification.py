"""Verifications: what is to be found out is written, the source is asked, what came of it is written.

These are two transactions, with none open between them. Whoever is killed in between, or asks at the same time, asks
under the same key, and one result counts. A source that is down leaves the application as it is, for people to look at.
Next: `origination/verification_commands.py`; `origination/sources/asking.py`; `docs/spec/verification.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from api.edge import Edge
from api.views import Json, day, moment
from origination.sources.asking import Asked, ask
from origination.verification.kinds import MANUAL_REVIEW
from origination.verification.records import StoredAttempt, Verification
from origination.verification_commands import begin, finish
from origination.verification_queries import (
    SourceView,
    data_to_send,
    kinds_to_verify,
    outstanding,
    sources_to_ask,
    waiting,
)
from servicing.vault import Vault


def verify(
    edge: Edge,
    vault: Vault,
    book_code: str,
    application_id: int,
    *,
    actor: str,
    environment: Mapping[str, str],
    kinds: Sequence[str] = (),
    again: bool = False,
) -> list[Verification]:
    """Find out about an applicant, kind by kind (none: those of its product); what is known already is not asked anew.

    Raises: ApplicationUnknown; NotSubmitted; PersonalDataErased; VerificationKindUnknown.
    """
    wanted = tuple(kinds) or edge.read(lambda connection: kinds_to_verify(connection, application_id))
    return [
        _verify(edge, vault, book_code, application_id, kind, actor=actor, environment=environment, again=again)
        for kind in wanted
    ]


@dataclass(frozen=True, slots=True)
class DueReport:
    """What a run over waiting applications came to: how many were looked at, what was asked, and what is left."""

    looked_at: int
    asked: int
    completed: int
    for_people: tuple[tuple[int, str], ...]


def verify_due(
    edge: Edge,
    vault: Vault,
    book_code: str,
    *,
    actor: str,
    environment: Mapping[str, str],
    dry_run: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> DueReport:
    """Verify what is outstanding of every application that waits for a decision; a dry run says what would be asked.

    A source that is down costs each of them no more than its breaker lets it. Raises: BookUnknown.
    """
    looked_at = asked = completed = after = 0
    for_people: list[tuple[int, str]] = []
    while page := edge.read(partial(waiting, book_code=book_code, after=after)):
        for application_id in page:
            kinds = edge.read(partial(outstanding, application_id=application_id))
            looked_at, asked = looked_at + 1, asked + len(kinds)
            if kinds and not dry_run:
                done = verify(edge, vault, book_code, application_id, actor=actor, environment=environment, kinds=kinds)
                left = [(application_id, each.kind) for each in done if each.outcome == MANUAL_REVIEW]
                completed, for_people = completed + len(done) - len(left), for_people + left
            if on_progress is not None:
                on_progress(looked_at)
        after = page[-1]
    return DueReport(looked_at, asked, completed, tuple(for_people))


def _verify(
    edge: Edge,
    vault: Vault,
    book_code: str,
    application_id: int,
    kind: str,
    *,
    actor: str,
    environment: Mapping[str, str],
    again: bool,
) -> Verification:
    begun = edge.change(lambda uow: begin(uow, book_code, application_id, kind, again=again), actor=actor)
    if begun.result is not None:
        return begun
    data = edge.read(lambda connection: data_to_send(connection, vault, application_id))
    asked: list[Asked] = []
    for source, trail in edge.read(lambda connection: sources_to_ask(connection, book_code, kind)):
        key = f"{book_code}:{application_id}:{begun.verification_no}:{source.name}"
        asked.append(ask(source, data, key=key, trail=trail, environment=environment))
        if asked[-1].answer is not None:
            break
    return edge.change(lambda uow: finish(uow, vault, begun, asked), actor=actor)


def verification_json(each: Verification) -> Json:
    """Return a verification with its attempts and its facts."""
    result = each.result
    return {
        "application_id": each.application_id,
        "verification_no": each.verification_no,
        "kind": each.kind,
        "outcome": each.outcome,
        "asked_by": each.actor,
        "asked_on": day(each.asked_on),
        "source": None if result is None else result.source,
        "facts": {} if result is None else dict(result.facts),
        "reason": None if result is None else result.reason,
        "ended_by": None if result is None else result.actor,
        "cost": sum(attempt.cost for attempt in each.attempts),
        "attempts": [_attempt_json(attempt) for attempt in each.attempts],
    }


def source_json(view: SourceView) -> Json:
    """Return a source, where its breaker stands, and its declaration."""
    source = view.loaded.source
    return {
        "name": source.name,
        "kind": source.kind,
        "type": source.type,
        "priority": source.priority,
        "release": view.loaded.release,
        "content_hash": source.content_hash,
        "breaker": view.breaker,
        "failures": view.failures,
        "declaration": source.as_json(),
    }


def _attempt_json(each: StoredAttempt) -> Json:
    return {
        "attempt_no": each.attempt_no,
        "source": each.source,
        "source_hash": each.source_hash,
        "status": each.status,
        "http_status": each.http_status,
        "latency_ms": each.latency_ms,
        "cost": each.cost,
        "currency": each.currency,
        "response_hash": each.response_hash,
        "detail": each.detail,
        "recorded_at": None if each.recorded_at is None else moment(each.recorded_at),
    }
