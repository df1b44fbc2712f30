"""Verifications: what is to be found out is written, the source is asked, what came of it is written.

These are two transactions, with none open between them. Whoever is killed in between, or asks at the same time, asks
under the same key, and one result counts. A source that is down leaves the application as it is, for people to look at.
Next: `origination/verification_commands.py`; `origination/sources/asking.py`; `docs/spec/verification.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.edge import Edge
from api.views import Json, day, moment
from origination.sources.asking import Asked, ask
from origination.verification.records import StoredAttempt, Verification
from origination.verification_commands import begin, finish
from origination.verification_queries import SourceView, data_to_send, kinds_to_verify, sources_to_ask
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
    for source, trail in edge.read(lambda connection: sources_to_ask(connection, kind)):
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
