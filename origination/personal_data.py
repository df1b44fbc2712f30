"""Personal data seen as they are, erased, and put under another key: each act by somebody, for a reason, on record.

Never: a value in a log, a message or a request's stored outcome. Next: `origination/personal_store.py`;
`docs/spec/intake.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import sqlalchemy as sa

from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork, run
from origination import intake_store, personal_store
from origination.application import ApplicationState
from origination.errors import ApplicationUnknown
from origination.intake.documents import Document, groups_of, masked, merged, ordered
from origination.intake.errors import (
    ErasureRefused,
    ErasureTooEarly,
    PersonalDataErased,
    ReasonMissing,
)
from origination.intake.persons import match_text
from origination.intake.records import Erasure, Intake
from origination.intake_commands import form_in_force, gate_of
from origination.store import load_applications
from servicing.vault import Vault

CHUNK = 500
NEEDED = (ApplicationState.RECEIVED, ApplicationState.APPROVED)
"""States of an application that somebody still works on."""


def reveal(uow: UnitOfWork, vault: Vault, book_code: str, application_id: int, *, role: str, reason: str) -> Document:
    """Return the data of an application with what a role may see as it is, and write down who looked.

    Raises: BookUnknown; ApplicationUnknown; RoleUnknown; ReasonMissing; PersonalDataErased; PersonalDataKeyUnknown.
    """
    row = _intake(uow.connection, book_code, application_id)
    groups = groups_of(role)
    if not reason.strip():
        raise ReasonMissing(act="seeing personal data")
    erased = personal_store.load_erasure(uow.connection, application_id)
    if erased is not None:
        raise PersonalDataErased(application_id=application_id, erased_on=erased.erased_on)
    personal_store.insert_access(
        uow.connection, application_id, actor=uow.actor, role=role, groups=sorted(groups), reason=reason.strip()
    )
    return shown(uow.connection, vault, row, role)


def shown(connection: sa.Connection, vault: Vault | None, row: Intake, role: str | None = None) -> Document:
    """Return the data of an application, personal ones masked but for what a role may see; without keys left out."""
    latest = intake_store.latest_version(connection, row.application_id)
    if latest is None:
        return {}
    fields = form_in_force(connection, row.product).definitions
    if vault is None:
        return ordered(latest.data, fields)
    part = personal_store.VERSION
    personal = personal_store.read(connection, vault, row.application_id, part, number=latest.version_no)
    return ordered(merged(latest.data, masked(personal or {}, fields, role)), fields)


def erase(uow: UnitOfWork, book_code: str, application_id: int, *, reason: str) -> Erasure:
    """Erase the personal data of an application: of every version, request and response, and its blind indexes.

    The application, its events, decisions and entries stay. Erased before, it changes nothing.

    Raises: BookUnknown; ApplicationUnknown; ReasonMissing; ErasureRefused while the application is open;
    ErasureTooEarly before the end of the time for which records are kept, unless a second person approves.
    """
    _intake(uow.connection, book_code, application_id)
    if not reason.strip():
        raise ReasonMissing(act="erasing personal data")
    intake_store.pass_gates(uow.connection, {gate_of(application_id)})
    before = personal_store.load_erasure(uow.connection, application_id)
    if before is not None:
        return before
    today = book(uow.connection, book_code).business_date
    submission = intake_store.load_submission(uow.connection, application_id)
    if submission is not None:
        state = load_applications(uow.connection, (application_id,))[application_id].standing.state
        if state in NEEDED:
            raise ErasureRefused(application_id=application_id, state=str(state))
        if today < submission.keep_until and uow.approver in (None, "", uow.actor):
            raise ErasureTooEarly(application_id=application_id, keep_until=submission.keep_until)
    rows = personal_store.empty(uow.connection, application_id)
    done = Erasure(today, uow.actor, uow.approver, reason.strip(), rows)
    personal_store.insert_erasure(uow.connection, application_id, done)
    return done


def rotate_personal_data(
    engine: sa.Engine,
    vault: Vault,
    *,
    actor: str,
    dry_run: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Put all personal data that are under another key under the key in use, in chunks; return how many rows.

    One that was killed is taken up by running it again. Raises: PersonalDataKeyUnknown.
    """
    if dry_run:
        return run(engine, partial(_to_rotate, key_id=vault.key_id), actor=actor, dry_run=True)
    done = 0
    for chunk in (_rotate_indexes, _rotate_data):
        while count := run(engine, partial(chunk, vault=vault), actor=actor):
            done += count
            if on_progress is not None:
                on_progress(done)
    return done


def _to_rotate(uow: UnitOfWork, *, key_id: str) -> int:
    return personal_store.count_under_other_keys(uow.connection, key_id)


def _rotate_data(uow: UnitOfWork, *, vault: Vault) -> int:
    rows = personal_store.under_other_keys(uow.connection, vault.key_id, CHUNK)
    for row in rows:
        personal_store.rewrite(uow.connection, vault, row)
    return len(rows)


def _rotate_indexes(uow: UnitOfWork, *, vault: Vault) -> int:
    """Compute blind indexes anew from the data that they were made of, which go on to another key after them."""
    rows = personal_store.indexes_under_other_keys(uow.connection, vault.key_id, CHUNK)
    for row in rows:
        text = match_text(row.kind, _submitted(uow.connection, vault, row.application_id))
        value = None if text is None else vault.indexes(row.kind, text)[0]
        personal_store.rewrite_index(uow.connection, row, vault.key_id, value)
    return len(rows)


def _submitted(connection: sa.Connection, vault: Vault, application_id: int) -> Document:
    latest = intake_store.latest_version(connection, application_id)
    assert latest is not None, "an index belongs to what was submitted, the last version"
    part = personal_store.VERSION
    return merged(
        latest.data, personal_store.read(connection, vault, application_id, part, number=latest.version_no) or {}
    )


def _intake(connection: sa.Connection, book_code: str, application_id: int) -> Intake:
    row = intake_store.load_intake(connection, application_id)
    if row is None or row.book_id != book(connection, book_code).book_id:
        raise ApplicationUnknown(application_id=application_id)
    return row
