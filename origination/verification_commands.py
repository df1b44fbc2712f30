"""A verification begun and ended: what is to be found out is written first, what came of it after the source was asked.

Between the two no transaction is open. Whoever is killed there leaves a verification without a result; the next one
takes it up under the same number, so that the source hears the same question. Never: the asking
(`origination/sources/asking.py`). Next: `api/verification.py`, which goes from one to the other.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from origination import intake_store, personal_store
from origination import verification_store as store
from origination import verification_tables as tables
from origination.errors import ApplicationUnknown
from origination.intake.errors import PersonalDataErased, ReasonMissing
from origination.intake.records import Release
from origination.intake_commands import gate_of
from origination.sources.asking import Asked
from origination.verification.errors import FactInvalid, NotSubmitted, VerificationKindUnknown
from origination.verification.kinds import ANSWERED, COMPLETED, KINDS, MANUAL_REVIEW
from origination.verification.records import Result, StoredAttempt, Verification
from origination.verification.source import Source
from servicing.vault import Sealed, Vault

NO_SOURCE = "no source is loaded for it"
ALL_DOWN = "no source has answered"


def load_source(uow: UnitOfWork, source: Source) -> tuple[Release, bool]:
    """Let a source be asked from now on as it is declared; return its release, and whether it is new."""
    return intake_store.add_release(
        uow.connection,
        tables.verification_source,
        {"name": source.name},
        source.content_hash,
        source.as_json(),
        uow.actor,
        kind=source.kind,
    )


def begin(uow: UnitOfWork, book_code: str, application_id: int, kind: str, *, again: bool = False) -> Verification:
    """Return the verification of a kind that is to be asked, or the one that has come to something already.

    One that has no result is taken up again. One that people must look at, or that is asked `again`, is followed by a
    next one.

    Raises: BookUnknown; ApplicationUnknown; NotSubmitted; PersonalDataErased; VerificationKindUnknown.
    """
    known = _known(uow, book_code, application_id, kind)
    last = next((each for each in reversed(known) if each.kind == kind), None)
    if last is not None and (last.result is None or (last.outcome != MANUAL_REVIEW and not again)):
        return last
    return _next(uow, book_code, application_id, kind, known)


def finish(uow: UnitOfWork, vault: Vault, begun: Verification, asked: Sequence[Asked]) -> Verification:
    """Write every attempt and what came of it; where no source has answered, people must look.

    If somebody else has ended it meanwhile, that is what it came to; if the data were erased meanwhile, nothing of what
    was said is kept.
    """
    intake_store.pass_gates(uow.connection, {gate_of(begun.application_id)})
    is_erased = personal_store.load_erasure(uow.connection, begun.application_id) is not None
    known = store.load_verifications(uow.connection, begun.application_id)
    ended = next(each for each in known if each.verification_no == begun.verification_no)
    if ended.result is not None:
        return ended
    attempts, numbered = [], 1
    for each in asked:
        made = list(_attempts(uow, None if is_erased else vault, begun, each, numbered))
        attempts += made
        numbered += len(made)
    result = _result(uow, asked)
    store.insert_attempts(uow.connection, begun, attempts)
    store.insert_result(uow.connection, begun, result)
    return replace(begun, attempts=tuple(attempts), result=result)


def record_by_hand(
    uow: UnitOfWork, book_code: str, application_id: int, kind: str, facts: Mapping[str, Any], *, reason: str
) -> Verification:
    """Write facts that a person has found out, in the place of a source.

    Raises: as `begin`; ReasonMissing; FactInvalid.
    """
    if not reason.strip():
        raise ReasonMissing(act="a verification by hand")
    _refuse_unsound(facts)
    known = _known(uow, book_code, application_id, kind)
    last = next((each for each in reversed(known) if each.kind == kind), None)
    head = last if last is not None and last.result is None else _next(uow, book_code, application_id, kind, known)
    result = Result(outcome=COMPLETED, source=None, facts=facts, reason=reason.strip(), actor=uow.actor)
    store.insert_result(uow.connection, head, result)
    return replace(head, result=result)


def _known(uow: UnitOfWork, book_code: str, application_id: int, kind: str) -> tuple[Verification, ...]:
    if kind not in KINDS:
        raise VerificationKindUnknown(kind=kind, known=KINDS)
    row = intake_store.load_intake(uow.connection, application_id)
    if row is None or row.book_id != book(uow.connection, book_code).book_id:
        raise ApplicationUnknown(application_id=application_id)
    if intake_store.load_submission(uow.connection, application_id) is None:
        raise NotSubmitted(application_id=application_id)
    erased = personal_store.load_erasure(uow.connection, application_id)
    if erased is not None:
        raise PersonalDataErased(application_id=application_id, erased_on=erased.erased_on)
    return store.load_verifications(uow.connection, application_id)


def _next(
    uow: UnitOfWork, book_code: str, application_id: int, kind: str, known: Sequence[Verification]
) -> Verification:
    begun = Verification(
        application_id=application_id,
        verification_no=len(known) + 1,
        kind=kind,
        actor=uow.actor,
        asked_on=book(uow.connection, book_code).business_date,
    )
    store.insert_verification(uow.connection, begun)
    return begun


def _attempts(
    uow: UnitOfWork, vault: Vault | None, begun: Verification, asked: Asked, first: int
) -> Iterator[StoredAttempt]:
    """Yield the attempts with one source; what was sent and answered is kept encrypted beside them."""
    for number, each in enumerate(asked.attempts, start=first):
        digest = None
        is_answered = each.status == ANSWERED and asked.answer is not None
        if number == first and vault is not None:
            _keep(uow, vault, begun, personal_store.REQUEST, number, asked.request)
        if is_answered and asked.answer is not None and vault is not None:
            digest = _keep(uow, vault, begun, personal_store.RESPONSE, number, asked.answer.text)
        yield StoredAttempt(
            attempt_no=number,
            source=asked.source.name,
            source_hash=asked.source.content_hash,
            status=each.status,
            http_status=each.http_status,
            latency_ms=each.latency_ms,
            cost=asked.source.cost_minor if is_answered else 0,
            currency=asked.source.currency,
            response_hash=digest,
            detail=each.detail,
        )


def _keep(uow: UnitOfWork, vault: Vault, begun: Verification, part: str, number: int, said: Any) -> str:
    """Encrypt what was said, and return the hash of it; a salt that goes with it keeps the hash from being guessed."""
    text = json.dumps({"salt": secrets.token_hex(16), "said": said}, sort_keys=True)
    sealed: Sealed = vault.seal_text(text)
    personal_store.keep_text(
        uow.connection, begun.application_id, part, sealed, number=begun.verification_no, place=number
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _result(uow: UnitOfWork, asked: Sequence[Asked]) -> Result:
    for each in asked:
        if each.answer is not None:
            return Result(
                outcome=each.answer.outcome,
                source=each.source.name,
                facts=each.answer.facts,
                reason=None,
                actor=uow.actor,
            )
    reason = ALL_DOWN if asked else NO_SOURCE
    last = asked[-1].attempts[-1].detail if asked and asked[-1].attempts else ""
    told = f"{reason}: {last}" if last else reason
    return Result(outcome=MANUAL_REVIEW, source=None, facts={}, reason=told, actor=uow.actor)


def _refuse_unsound(facts: Mapping[str, Any]) -> None:
    if not facts:
        raise FactInvalid(name="facts", reason="there is none")
    for name, value in facts.items():
        if not name.isidentifier() or not name.islower():
            raise FactInvalid(name=name[:64], reason="a fact is called by small letters, digits and underscores")
        if not isinstance(value, str | int | bool):
            raise FactInvalid(name=name, reason="it is a whole number, a text, or true or false")
