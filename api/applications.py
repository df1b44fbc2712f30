"""Applications as both doors show them, personal data masked, and a changing call on them done once for its key.

What is kept of a request to know it again is an HMAC under the vault's key: nothing that could be guessed.
Next: `origination/intake_commands.py`; `api/routes/applications.py`, `api/cli/applications.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from api.views import Json, day, moment
from api.workflows import now
from ledger.fingerprint import canonical_text
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from origination.application import Action
from origination.commands import decide_application
from origination.intake.records import Access, Consent, Erasure, Release, Submission
from origination.intake_commands import Opening, Saved, open_application, save_application, submit_intake
from origination.intake_queries import IntakeView, forms, intakes
from origination.workflow.acts import Person
from origination.workflow_commands.moving import give_up
from origination.workflow_commands.starting import start_routed
from servicing.vault import Vault

MOST_LISTED = 200


def saved_json(saved: Saved, sent: tuple[Submission, bool] | None = None) -> Json:
    """Return what saving came to, and where it went if it was submitted too."""
    return {
        "application_id": saved.application_id,
        "external_id": saved.external_id,
        "version_no": saved.version_no,
        "submission": None if sent is None else submission_json(*sent),
    }


def submission_json(sent: Submission, is_started: bool | None = None) -> Json:
    """Return where an application went; at its submission also whether it was started on the workflow."""
    started = {} if is_started is None else {"workflow_started": is_started}
    return {
        "application_id": sent.application_id,
        "version_no": sent.version_no,
        "product": sent.product,
        "form_release": sent.form_release,
        "workflow": sent.workflow,
        "queue": sent.queue,
        "route_no": sent.route_no,
        "routing_release": sent.routing_release,
        "duplicate_of": list(sent.duplicate_of),
        "submitted_on": day(sent.submitted_on),
        "submitted_by": sent.actor,
        "keep_until": day(sent.keep_until),
        **started,
    }


def application_json(view: IntakeView, data: Mapping[str, Any] | None = None) -> Json:
    """Return an application with its data as they may be seen, its versions, consents and who looked."""
    own = view.intake
    return {
        "application_id": own.application_id,
        "external_id": own.external_id,
        "product": own.product,
        "channel": own.channel,
        "state": view.state,
        "entered_by": own.entered_by,
        "entered_on": day(own.entered_on),
        "data": dict(view.data if data is None else data),
        "versions": [
            {"version_no": each.version_no, "actor": each.actor, "saved_on": day(each.saved_on)}
            for each in view.versions
        ],
        "submission": None if view.submission is None else submission_json(view.submission),
        "consents": [_consent_json(each) for each in view.consents],
        "accesses": [_access_json(each) for each in view.accesses],
        "erasure": None if view.erasure is None else erasure_json(own.application_id, view.erasure),
    }


def erasure_json(application_id: int, done: Erasure) -> Json:
    """Return who erased the personal data of an application."""
    return {
        "application_id": application_id,
        "erased_on": day(done.erased_on),
        "rows_erased": done.rows_erased,
        "actor": done.actor,
        "approver": done.approver,
        "reason": done.reason,
    }


def release_json(name: str, release: Release, *, is_new: bool) -> Json:
    """Return what loading a form, a table or a source came to."""
    return {"name": name, "release": release.release, "content_hash": release.content_hash, "is_new": is_new}


def forms_json(connection: sa.Connection) -> list[Json]:
    """Return the products that take applications; release 0 is a shipped form that was never used."""
    return [
        {
            "product": each.form.name,
            "title": each.form.title,
            "release": each.release,
            "content_hash": each.form.content_hash,
            "fields": len(each.form.fields),
            "verify": list(each.form.verify),
        }
        for each in forms(connection)
    ]


def applications_json(
    connection: sa.Connection,
    book_code: str,
    *,
    queue: str | None = None,
    drafts: bool | None = None,
    after: int = 0,
    limit: int = MOST_LISTED,
) -> Json:
    """Return a page of applications, and after which one the next page begins."""
    page = intakes(connection, book_code, queue=queue, drafts=drafts, after=after, limit=limit)
    rows = [
        {
            "application_id": each.application_id,
            "external_id": each.external_id,
            "product": each.product,
            "channel": each.channel,
            "state": state,
            "queue": own_queue,
            "entered_on": day(each.entered_on),
        }
        for each, state, own_queue in page
    ]
    return {"applications": rows, "next_after": rows[-1]["application_id"] if len(rows) == limit else None}


def take(
    uow: UnitOfWork, vault: Vault, book_code: str, opening: Opening, data: Mapping[str, Any], *, submit: bool
) -> Json:
    """Open an application, and submit it at once if that is asked."""
    saved = open_application(uow, vault, book_code, opening, data)
    sent = _submit(uow, vault, book_code, saved.application_id, is_new=True) if submit else None
    return saved_json(saved, sent)


def save(
    uow: UnitOfWork,
    vault: Vault,
    book_code: str,
    application_id: int,
    data: Mapping[str, Any],
    *,
    on_version: int | None = None,
    submit: bool = False,
) -> Json:
    """Save more of an application, and submit it if that is asked."""
    saved = save_application(uow, vault, book_code, application_id, data, on_version=on_version)
    sent = _submit(uow, vault, book_code, application_id) if submit else None
    return saved_json(saved, sent)


def submit(uow: UnitOfWork, vault: Vault, book_code: str, application_id: int) -> Json:
    """Submit an application as it was saved last, and start it on its workflow."""
    return submission_json(*_submit(uow, vault, book_code, application_id))


def withdraw(uow: UnitOfWork, book_code: str, application_id: int, *, reason: str) -> Json:
    """Withdraw an application, and give up the workflow that it is in.

    Raises: as `decide_application`.
    """
    give_up(uow, book_code, application_id, Person(uow.actor, now()), reason=reason)
    state = decide_application(uow, book_code, application_id, Action.WITHDRAW, reason=reason)
    return {"application_id": application_id, "state": str(state)}


def _submit(
    uow: UnitOfWork, vault: Vault, book_code: str, application_id: int, *, is_new: bool = False
) -> tuple[Submission, bool]:
    sent = submit_intake(uow, vault, book_code, application_id, is_new=is_new)
    return sent, start_routed(uow, book_code, sent, Person(uow.actor, now())) is not None


def once_sealed(
    uow: UnitOfWork,
    vault: Vault,
    book_code: str,
    *,
    key: str,
    command: str,
    inputs: Mapping[str, Any],
    work: Callable[[], Json],
) -> Outcome:
    """Do the work of a request unless its key has come before; what it said is kept as HMACs."""
    return once(
        uow,
        subledger_id=book(uow.connection, book_code).own_subledger_id,
        key=key,
        command=command,
        inputs={
            name: vault.indexes(f"request:{name}", canonical_text(_exact(value)))[0] for name, value in inputs.items()
        },
        work=work,
    )


def _exact(value: Any) -> Any:
    """Return a value in which floats are texts: one is refused field by field, not because it has no digest."""
    match value:
        case float():
            return repr(value)
        case Mapping():
            return {name: _exact(each) for name, each in value.items()}
        case list():
            return [_exact(each) for each in value]
        case _:
            return value


def _consent_json(each: Consent) -> Json:
    return {
        "kind": each.kind,
        "text_version": each.text_version,
        "text_hash": each.text_hash,
        "given_at": moment(each.given_at),
        "channel": each.channel,
        "agent": each.agent,
        "by_ip": each.by_ip,
        "by_device": each.by_device,
    }


def _access_json(each: Access) -> Json:
    return {
        "access_no": each.access_no,
        "actor": each.actor,
        "role": each.role,
        "groups": list(each.groups),
        "reason": each.reason,
        "recorded_at": moment(each.recorded_at),
    }
