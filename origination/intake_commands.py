"""Applications taken in: forms and routes loaded, drafts saved and taken up again, and a draft submitted.

A submission makes the application itself, in the same transaction: its terms are those that were applied for, its
applicant a reference. Personal data never leave `origination/personal_store.py` but for the check. Never: a decision.
Next: `origination/intake/checking.py`, which says what is wrong; `docs/spec/intake.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta

from ledger.ids import take_ids
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from origination import intake_store as store
from origination import intake_tables as tables
from origination import personal_store
from origination.application import CHANNELS, LoanRequest
from origination.commands import submit_applications
from origination.errors import ApplicationExists, ApplicationUnknown
from origination.intake.checking import Problem, check, require
from origination.intake.documents import Document, merged, split
from origination.intake.errors import (
    ChannelUnknown,
    DraftMoved,
    DraftSubmitted,
    DuplicateApplication,
    FormUnknown,
    PersonalDataErased,
)
from origination.intake.form import Form, parse_form, shipped_form, shipped_forms
from origination.intake.persons import derived, matches_of
from origination.intake.records import Consent, Intake, Release, Submission, Version
from origination.intake.routing import Routed, Routing, parse_routing, shipped_routing
from servicing.errors import TermsInvalid
from servicing.queries import product_named
from servicing.terms import Terms
from servicing.vault import Vault

GATES = 64
SHIPPED = "shipped"

# By their content, which never changes: reading one costs more than using it.
_FORMS: dict[str, Form] = {}
_TABLES: dict[str, Routing] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is said of an application when it is opened; without an external id it is called by its own."""

    product: str
    channel: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A version that was saved."""

    application_id: int
    external_id: str
    version_no: int


def load_form(uow: UnitOfWork, form: Form) -> tuple[Release, bool]:
    """Let applications for a product be taken by this form from now on; return its release, and whether it is new."""
    return store.add_release(
        uow.connection, tables.application_form, {"name": form.name}, form.content_hash, form.as_json(), uow.actor
    )


def load_routing(uow: UnitOfWork, book_code: str, routing: Routing) -> tuple[Release, bool]:
    """Let applications of a book go by this table from now on.

    Raises: BookUnknown.
    """
    key = {"book_id": book(uow.connection, book_code).book_id}
    return store.add_release(
        uow.connection, tables.routing_table, key, routing.content_hash(), routing.as_json(), uow.actor
    )


def open_application(uow: UnitOfWork, vault: Vault, book_code: str, opening: Opening, data: Mapping[str, Any]) -> Saved:
    """Save the first of an application, however little it is.

    Raises: BookUnknown; FormUnknown; ChannelUnknown; ApplicationExists; ApplicationFieldsInvalid.
    """
    return open_applications(uow, vault, book_code, [(opening, data)])[0]


def open_applications(
    uow: UnitOfWork, vault: Vault, book_code: str, given: Sequence[tuple[Opening, Mapping[str, Any]]]
) -> list[Saved]:
    """Save the first of several applications, all or none.

    Raises: as `open_application`.
    """
    into = book(uow.connection, book_code)
    ids = take_ids(uow.connection.engine, "application", len(given))
    names = [opening.external_id or f"A-{number}" for number, (opening, _) in zip(ids, given, strict=True)]
    for name, number in store.known_intakes(uow.connection, into.book_id, names).items():
        raise ApplicationExists(external_id=name, application_id=number)
    saved = []
    for application_id, name, (opening, data) in zip(ids, names, given, strict=True):
        if opening.channel not in CHANNELS:
            raise ChannelUnknown(channel=opening.channel, known=CHANNELS)
        form, _ = _form(uow, opening.product)
        row = Intake(
            application_id=application_id,
            book_id=into.book_id,
            external_id=name,
            product=form.name,
            channel=opening.channel,
            entered_by=uow.actor,
            entered_on=into.business_date,
        )
        store.insert_intakes(uow.connection, [row])
        saved.append(_save(uow, vault, form, row, 1, data, into.business_date))
    return saved


def save_application(
    uow: UnitOfWork,
    vault: Vault,
    book_code: str,
    application_id: int,
    data: Mapping[str, Any],
    *,
    on_version: int | None = None,
) -> Saved:
    """Save more of an application over what was saved of it; null takes a field away.

    With `on_version` it is refused if somebody else has saved meanwhile.

    Raises: BookUnknown; ApplicationUnknown; DraftSubmitted; DraftMoved; PersonalDataErased; ApplicationFieldsInvalid.
    """
    store.pass_gates(uow.connection, {gate_of(application_id)})
    row, latest, before = _draft(uow, vault, book_code, application_id)
    if on_version is not None and on_version != latest.version_no:
        raise DraftMoved(application_id=application_id, version_no=latest.version_no)
    form, _ = _form(uow, row.product)
    today = book(uow.connection, book_code).business_date
    return _save(uow, vault, form, row, latest.version_no + 1, merged(before, data), today)


def submit_intake(
    uow: UnitOfWork, vault: Vault, book_code: str, application_id: int, *, is_new: bool = False
) -> Submission:
    """Submit an application as it was saved last: checked whole, looked up for repeats, routed.

    One that this transaction has opened itself, `is_new`, is nobody else's to erase meanwhile.

    Raises: BookUnknown; ApplicationUnknown; DraftSubmitted; PersonalDataErased; ApplicationFieldsInvalid with every
    field that is wrong; DuplicateApplication; RouteMissing.
    """
    row, latest, data = _draft(uow, vault, book_code, application_id)
    form, form_release = _form(uow, row.product)
    today = book(uow.connection, book_code).business_date
    checked = check(form, data, whole=True, today=today)
    require(checked.problems)
    request = _request(uow.connection, form, row, checked.data, today)
    matches = matches_of(form, checked.data)
    own_gate = set() if is_new else {gate_of(application_id)}
    store.pass_gates(uow.connection, gates_of(vault, matches) | own_gate)
    _refuse_erased(uow.connection, application_id)
    repeats = _repeats(uow, vault, form, row, matches, today)
    routing, routing_release = routing_in_force(uow, row.book_id)
    given = _routed(row, checked.data, duplicate=bool(repeats))
    route_no, route = routing.route_of(given)
    submit_applications(uow, book_code, (request,), drafted=(application_id,))
    submission = Submission(
        application_id=application_id,
        version_no=latest.version_no,
        book_id=row.book_id,
        product=row.product,
        form_release=form_release,
        derived=derived(checked.data, today),
        workflow=route.workflow or form.workflow,
        queue=route.queue,
        routing_release=routing_release,
        route_no=route_no,
        duplicate_of=repeats,
        actor=uow.actor,
        submitted_on=today,
        keep_until=today + relativedelta(months=form.retention.months),
    )
    store.insert_submission(uow.connection, submission)
    store.insert_consents(uow.connection, application_id, _consents(form, row, checked.data))
    personal_store.insert_indexes(uow.connection, vault, application_id, matches)
    return submission


def form_in_force(connection: sa.Connection, product: str) -> Form:
    """Return the form by which applications for a product are taken: the latest that was loaded, or the shipped one.

    Raises: FormUnknown.
    """
    latest = store.latest_release(connection, tables.application_form, {"name": product})
    found = shipped_form(product) if latest is None else _parsed(latest)
    if found is None:
        loaded = {row.name for row in store.releases(connection, tables.application_form)}
        raise FormUnknown(product=product, known=tuple(sorted(loaded | set(shipped_forms()))))
    return found


def routing_in_force(uow: UnitOfWork, book_id: int) -> tuple[Routing, int]:
    """Return the routing table of a book, and its release; the shipped one is kept at its first use."""
    latest = store.latest_release(uow.connection, tables.routing_table, {"book_id": book_id})
    if latest is not None:
        if latest.content_hash not in _TABLES:
            _TABLES[latest.content_hash] = parse_routing(latest.declaration)
        return _TABLES[latest.content_hash], latest.release
    found = shipped_routing()
    table, key = tables.routing_table, {"book_id": book_id}
    kept, _ = store.add_release(uow.connection, table, key, found.content_hash(), found.as_json(), SHIPPED)
    return found, kept.release


def gates_of(vault: Vault, matches: Mapping[str, str]) -> set[int]:
    """Return the gates that the submission of a person passes."""
    return {int(vault.indexes(kind, text)[0][:8], 16) % GATES for kind, text in matches.items()}


def _parsed(release: Release) -> Form:
    """Return the form of a release; one and the same for a content, so that its models are composed once."""
    form = _FORMS.get(release.content_hash)
    if form is None:
        form = _FORMS[release.content_hash] = parse_form(release.declaration)
    return form


def gate_of(application_id: int) -> int:
    """Return the gate that whoever writes or erases personal data of an application passes."""
    return application_id % GATES


def _refuse_erased(connection: sa.Connection, application_id: int) -> None:
    erased = personal_store.load_erasure(connection, application_id)
    if erased is not None:
        raise PersonalDataErased(application_id=application_id, erased_on=erased.erased_on)


def _form(uow: UnitOfWork, product: str) -> tuple[Form, int]:
    """Return the form in force with its release; a shipped one is kept at its first use."""
    form = form_in_force(uow.connection, product)
    table, key = tables.application_form, {"name": form.name}
    kept, _ = store.add_release(uow.connection, table, key, form.content_hash, form.as_json(), SHIPPED)
    return form, kept.release


def _draft(uow: UnitOfWork, vault: Vault, book_code: str, application_id: int) -> tuple[Intake, Version, Document]:
    """Return an application that can still be changed, with its last version and all of its data."""
    row = store.load_intake(uow.connection, application_id)
    latest = store.latest_version(uow.connection, application_id)
    if row is None or latest is None or row.book_id != book(uow.connection, book_code).book_id:
        raise ApplicationUnknown(application_id=application_id)
    submitted = store.load_submission(uow.connection, application_id)
    if submitted is not None:
        raise DraftSubmitted(application_id=application_id, submitted_on=submitted.submitted_on)
    _refuse_erased(uow.connection, application_id)
    personal = personal_store.read(
        uow.connection, vault, application_id, personal_store.VERSION, number=latest.version_no
    )
    return row, latest, merged(latest.data, personal or {})


def _save(
    uow: UnitOfWork, vault: Vault, form: Form, row: Intake, version_no: int, data: Mapping[str, Any], today: date
) -> Saved:
    checked = check(form, data, whole=False, today=today)
    require(checked.problems)
    parts = split(checked.data, form.definitions)
    version = Version(version_no, form.content_hash, parts.open, uow.actor, today)
    store.insert_version(uow.connection, row.application_id, version)
    if parts.personal:
        part = personal_store.VERSION
        personal_store.keep(uow.connection, vault, row.application_id, part, parts.personal, number=version_no)
    return Saved(row.application_id, row.external_id, version_no)


def _repeats(
    uow: UnitOfWork, vault: Vault, form: Form, row: Intake, matches: Mapping[str, str], today: date
) -> tuple[int, ...]:
    """Return the applications that this one repeats; who submits for the same person was waited for at the gates."""
    rules = form.duplicates
    indexes = [each for kind, text in matches.items() for each in vault.indexes(kind, text)]
    since = today - timedelta(days=rules.window_days)
    found = store.same_person(uow.connection, row.book_id, row.product, indexes, since) if indexes else ()
    if found and rules.then == "refuse":
        raise DuplicateApplication(product=row.product, window_days=rules.window_days, duplicate_of=found)
    return found


def _routed(row: Intake, data: Mapping[str, Any], *, duplicate: bool) -> Routed:
    asked = data["application"]
    return Routed(
        product=row.product,
        channel=row.channel,
        state=asked["state"],
        amount=asked["amount"],
        duplicate=duplicate,
    )


def _request(connection: sa.Connection, form: Form, row: Intake, data: Mapping[str, Any], today: date) -> LoanRequest:
    """Return the terms as they are applied for: level monthly installments from the next month on, at the form's rate.

    Raises: ApplicationFieldsInvalid if the servicing product makes no loan of them.
    """
    asked = data["application"]
    try:
        terms = Terms(
            product=product_named(connection, form.servicing_product),
            principal=Money(asked["amount"], form.currency),
            rate=form.rate,
            installments=asked["term_months"],
            frequency="monthly",
            funded_on=today,
            first_due_on=today + relativedelta(months=1),
        )
    except TermsInvalid as wrong:
        require([Problem("application", f"no loan can be made of it: {wrong.message}")])
        raise
    return LoanRequest(
        external_id=row.external_id, channel=row.channel, applicant=f"applicant:{row.application_id}", terms=terms
    )


def _consents(form: Form, row: Intake, data: Mapping[str, Any]) -> list[Consent]:
    hashes = {each.kind: each.text_hash for each in form.consents}
    return [
        Consent(
            kind=kind,
            text_version=given["text_version"],
            text_hash=hashes[kind],
            given_at=datetime.fromisoformat(given["given_at"]),
            channel=row.channel,
            agent=given.get("agent"),
            by_ip="ip" in given,
            by_device="device" in given,
        )
        for kind, given in data.get("consents", {}).items()
    ]
