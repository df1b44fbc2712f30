"""What was found out about an applicant, and the facts that decisions read, section by section.

Decisions see no personal data: the applicant's section has the age and the state, and what is not personal.
Next: `origination/verification_store.py`; `docs/spec/verification.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ledger.queries.accounts import book
from origination import intake_store, personal_store
from origination import verification_store as store
from origination.errors import ApplicationUnknown
from origination.intake.documents import Document, merged
from origination.intake_commands import form_in_force
from origination.sources.asking import Trail, state_of
from origination.store import load_applications
from origination.verification.kinds import COMPLETED, FACT_SECTIONS, NO_RECORD
from origination.verification.records import LoadedSource, Verification
from origination.verification.source import Source
from servicing.vault import Vault

NOT_VERIFIED = "not_verified"
SETTLED = frozenset({COMPLETED, NO_RECORD})
"""Outcomes that are an answer."""


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source, and how it has done lately."""

    loaded: LoadedSource
    breaker: str
    failures: int


def sources_of(connection: sa.Connection, application_id: int) -> dict[str, dict[str, Any]]:
    """Return the facts about an application as plain JSON by section, amounts in whole minor units.

    `application` and `applicant` are always there; each other section of the form as far as it was answered; of each
    kind of verification the facts of its latest answer, with `outcome`. An application that came with its terms ready
    has those alone.

    Raises: ApplicationUnknown.
    """
    row = intake_store.load_intake(connection, application_id)
    found: dict[str, dict[str, Any]] = {"application": {}, "applicant": {}}
    if row is None:
        return _of_terms(connection, application_id)
    latest, sent = (
        intake_store.latest_version(connection, application_id),
        intake_store.load_submission(connection, application_id),
    )
    for section, values in (latest.data if latest is not None else {}).items():
        found.setdefault(section, {}).update(values)
    found["application"] |= {
        "product": row.product,
        "channel": row.channel,
        "currency": form_in_force(connection, row.product).currency,
        "is_duplicate": bool(sent is not None and sent.duplicate_of),
    }
    found["applicant"] |= dict(sent.derived) if sent is not None else {}
    if "consents" in found:
        found["consents"] = dict.fromkeys(found["consents"], True)
    return found | _found_out(connection, application_id)


def verifications(connection: sa.Connection, book_code: str, application_id: int) -> tuple[Verification, ...]:
    """Return the verifications of an application, in order.

    Raises: BookUnknown; ApplicationUnknown.
    """
    row = intake_store.load_intake(connection, application_id)
    if row is None or row.book_id != book(connection, book_code).book_id:
        raise ApplicationUnknown(application_id=application_id)
    return store.load_verifications(connection, application_id)


def kinds_to_verify(connection: sa.Connection, application_id: int) -> tuple[str, ...]:
    """Return what the form of an application's product has verified.

    Raises: ApplicationUnknown.
    """
    row = intake_store.load_intake(connection, application_id)
    if row is None:
        raise ApplicationUnknown(application_id=application_id)
    return form_in_force(connection, row.product).verify


def outstanding(connection: sa.Connection, application_id: int) -> tuple[str, ...]:
    """Return what is to be verified and is not yet completed, nor known to have no record."""
    last = {each.kind: each.outcome for each in store.load_verifications(connection, application_id)}
    settled = {kind for kind, outcome in last.items() if outcome in SETTLED}
    return tuple(kind for kind in kinds_to_verify(connection, application_id) if kind not in settled)


def waiting(connection: sa.Connection, book_code: str, *, after: int = 0, limit: int = 100) -> tuple[int, ...]:
    """Return applications above an id that wait for a decision, in order, whether or not anything is outstanding.

    Raises: BookUnknown.
    """
    return store.waiting_applications(connection, book(connection, book_code).book_id, after, limit)


def sources_to_ask(connection: sa.Connection, book_code: str, kind: str) -> list[tuple[Source, Trail]]:
    """Return a book's sources of a kind in the order in which they are asked, and how each has done lately."""
    found = (each.source for each in store.sources_in_force(connection, kind))
    return [(source, store.trail_of(connection, source)) for source in found if source.serves(book_code)]


def source_views(connection: sa.Connection, now: datetime) -> list[SourceView]:
    """Return every source in force, and where its breaker stands."""
    views = []
    for each in store.sources_in_force(connection):
        trail = store.trail_of(connection, each.source)
        views.append(SourceView(each, state_of(each.source, trail, now), trail.failures))
    return views


def data_to_send(connection: sa.Connection, vault: Vault, application_id: int) -> Document:
    """Return all data of an application, for what is sent to sources; they go nowhere else.

    Raises: ApplicationUnknown; PersonalDataKeyUnknown.
    """
    latest = intake_store.latest_version(connection, application_id)
    if latest is None:
        raise ApplicationUnknown(application_id=application_id)
    part = personal_store.VERSION
    personal = personal_store.read(connection, vault, application_id, part, number=latest.version_no)
    return merged(latest.data, personal or {})


def gives_account(connection: sa.Connection, application_id: int) -> bool:
    """Tell whether an applicant named a bank account; the number itself is personal."""
    latest = intake_store.latest_version(connection, application_id)
    return latest is not None and bool(latest.data.get("bank", {}).get("kind"))


def _found_out(connection: sa.Connection, application_id: int) -> dict[str, dict[str, Any]]:
    """Return the facts of each kind; an outage takes away nothing that was found out before it."""
    found: dict[str, dict[str, Any]] = {section: {"outcome": NOT_VERIFIED} for section in FACT_SECTIONS.values()}
    for each in store.load_verifications(connection, application_id):
        section = FACT_SECTIONS[each.kind]
        is_answer = each.outcome in SETTLED
        if each.result is not None and (is_answer or found[section]["outcome"] not in SETTLED):
            found[section] = {**each.result.facts, "outcome": each.outcome}
    return found


def _of_terms(connection: sa.Connection, application_id: int) -> dict[str, dict[str, Any]]:
    stored = load_applications(connection, (application_id,)).get(application_id)
    if stored is None:
        raise ApplicationUnknown(application_id=application_id)
    terms = stored.request.terms
    asked = {
        "product": terms.product.name,
        "channel": stored.request.channel,
        "amount": terms.principal.minor,
        "currency": terms.currency,
        "term_months": terms.installments,
        "is_duplicate": False,
    }
    return {"application": asked, "applicant": {}, **_found_out(connection, application_id)}
