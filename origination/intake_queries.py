"""What was taken in, as people look at it: an application with its versions, a page of them, forms and routes.

Personal data are masked here, always; who sees them as they are goes through `origination/personal_data.py`.
Next: `origination/verification_queries.py` for the facts that decisions read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ledger.queries.accounts import book
from origination import intake_store as store
from origination import intake_tables as tables
from origination import personal_store
from origination.errors import ApplicationUnknown
from origination.intake.form import Form, parse_form, shipped_form, shipped_forms
from origination.intake.records import Access, Consent, Erasure, Intake, Submission, Version
from origination.intake.routing import Routing, parse_routing, shipped_routing
from origination.personal_data import shown
from origination.store import load_applications
from servicing.vault import Vault

DRAFT = "draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeView:
    """An application as it was taken in, personal data masked."""

    intake: Intake
    state: str
    data: Mapping[str, Any]
    versions: tuple[Version, ...]
    submission: Submission | None
    consents: tuple[Consent, ...]
    accesses: tuple[Access, ...]
    erasure: Erasure | None


@dataclass(frozen=True, slots=True)
class FormRelease:
    """A form with its release; 0 is one that is shipped and was never used."""

    form: Form
    release: int


def intake_view(
    connection: sa.Connection, book_code: str, application_id: int, *, vault: Vault | None = None
) -> IntakeView:
    """Return an application as it was taken in; without keys its personal data are left out.

    Raises: BookUnknown; ApplicationUnknown; PersonalDataKeyUnknown.
    """
    row = store.load_intake(connection, application_id)
    if row is None or row.book_id != book(connection, book_code).book_id:
        raise ApplicationUnknown(application_id=application_id)
    return IntakeView(
        intake=row,
        state=state_of(connection, application_id),
        data=shown(connection, vault, row),
        versions=store.load_versions(connection, application_id),
        submission=store.load_submission(connection, application_id),
        consents=store.load_consents(connection, application_id),
        accesses=personal_store.load_accesses(connection, application_id),
        erasure=personal_store.load_erasure(connection, application_id),
    )


def state_of(connection: sa.Connection, application_id: int) -> str:
    """Return where an application stands; one that was not submitted is a draft."""
    found = load_applications(connection, (application_id,)).get(application_id)
    return DRAFT if found is None else str(found.standing.state)


def intakes(
    connection: sa.Connection,
    book_code: str,
    *,
    queue: str | None = None,
    drafts: bool | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[tuple[Intake, str, str | None]]:
    """Return the applications of a book above an id, in order, each with its state and queue.

    Raises: BookUnknown.
    """
    row, sent = tables.intake, tables.intake_submission
    wanted = [row.c.book_id == book(connection, book_code).book_id, row.c.application_id > after]
    if queue is not None:
        wanted.append(sent.c.queue == queue)
    if drafts is not None:
        wanted.append(sent.c.application_id.is_(None) if drafts else sent.c.application_id.is_not(None))
    found = list(
        connection.execute(
            sa.select(row.c.application_id, sent.c.queue)
            .outerjoin(sent, sent.c.application_id == row.c.application_id)
            .where(*wanted)
            .order_by(row.c.application_id)
            .limit(limit)
        )
    )
    standing = load_applications(connection, [each.application_id for each in found])
    page = []
    for each in found:
        intake = store.load_intake(connection, each.application_id)
        assert intake is not None, "it was read a moment ago, in the same snapshot"
        stored = standing.get(each.application_id)
        page.append((intake, DRAFT if stored is None else str(stored.standing.state), each.queue))
    return page


def forms(connection: sa.Connection) -> list[FormRelease]:
    """Return the form of each product that takes applications, by name."""
    found: dict[str, FormRelease] = {}
    for row in store.releases(connection, tables.application_form):
        found.setdefault(row.name, FormRelease(parse_form(row.declaration), row.release))
    for name in shipped_forms():
        form = shipped_form(name)
        if form is not None:
            found.setdefault(name, FormRelease(form, 0))
    return [found[name] for name in sorted(found)]


def routing(connection: sa.Connection, book_code: str) -> tuple[Routing, int]:
    """Return the routing table of a book with its release; 0 is the shipped one before its first use.

    Raises: BookUnknown.
    """
    key = {"book_id": book(connection, book_code).book_id}
    latest = store.latest_release(connection, tables.routing_table, key)
    return (shipped_routing(), 0) if latest is None else (parse_routing(latest.declaration), latest.release)
