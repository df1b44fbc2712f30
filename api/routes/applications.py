"""`/v1/applications`: taken in from any channel, saved and taken up again, submitted, shown masked, erased.

Personal data come in here and go into the vault; they leave it only by `/personal-data`, which writes down who looked.
Next: `api/applications.py`; `docs/spec/intake.md`.
"""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint, Response, current_app
from pydantic import Field

from api import applications, http
from api.applications import (
    MOST_LISTED,
    application_json,
    applications_json,
    erasure_json,
    forms_json,
    once_sealed,
    release_json,
    save,
    take,
)
from api.models import Body, BookQuery, Code, FlagText, IdentifierText, Query, ShortText
from api.routes.rails import VAULT_KEYS
from api.views import Json
from api.workflows import go_on
from ledger.requests import Outcome
from ledger.unit_of_work import UnitOfWork
from origination.intake.form import parse_form
from origination.intake.models import json_schema
from origination.intake.routing import parse_routing
from origination.intake_commands import Opening, form_in_force, load_form, load_routing
from origination.intake_queries import intake_view, routing
from origination.personal_data import erase, reveal
from servicing.vault import Vault

routes = Blueprint("applications", __name__)


class ApplicationBody(Body):
    """An application: for which product, by which channel, and as much of its data as there is."""

    product: Code
    channel: Code
    external_id: Code | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    submit: bool = False


class VersionBody(Body):
    """More of an application; null takes a field away. `on_version`: refuse if somebody else has saved since."""

    data: dict[str, Any]
    on_version: Annotated[int, Field(ge=1)] | None = None
    submit: bool = False


class SubmissionBody(Body):
    """Nothing: the last version says it all."""


class ReasonBody(Body):
    """Why."""

    reason: ShortText


class ErasureBody(ReasonBody):
    """Why, and who approves it where it takes two."""

    approver: ShortText | None = None


class RevealBody(ReasonBody):
    """In which role, and why."""

    role: Code


class DeclarationBody(Body):
    """A form or a routing table, as its TOML file has it; numbers that are no whole ones are text."""

    declaration: dict[str, Any]


class ListQuery(BookQuery):
    """Which applications: those of a queue, drafts or not, after which one."""

    queue: Code | None = None
    drafts: FlagText | None = None
    after: IdentifierText | None = None


def vault() -> Vault:
    """Return the vault of the application.

    Raises: VaultKeyMissing; VaultKeyInvalid.
    """
    return Vault.of_keys(current_app.extensions[VAULT_KEYS])


def vault_or_none() -> Vault | None:
    """Return the vault, if keys are set."""
    return vault() if current_app.extensions[VAULT_KEYS] else None


@routes.get("/v1/products/<code>/application-schema")
def schema(code: str) -> Response:
    """Return the JSON schema of applications for a product."""
    http.query(Query)
    return http.reply(json_schema(http.edge().read(lambda connection: form_in_force(connection, code))))


@routes.get("/v1/application-forms")
def list_forms() -> Response:
    """Return the products that take applications."""
    http.query(Query)
    return http.reply({"forms": http.edge().read(forms_json)})


@routes.post("/v1/application-forms")
def add_form() -> Response:
    """Let a product's applications be taken by this form."""
    given = http.body(DeclarationBody)
    form = parse_form(given.declaration)

    def work(uow: UnitOfWork, _code: str) -> Json:
        release, is_new = load_form(uow, form)
        return release_json(form.name, release, is_new=is_new)

    return _once("load_form", {"declaration": given.declaration}, work)


@routes.get("/v1/application-routing")
def show_routing() -> Response:
    """Return the table by which applications of a book go; release 0 is the shipped one before its first use."""
    code = http.chosen_book(http.query(BookQuery).book)
    table, release = http.edge().read(lambda connection: routing(connection, code))
    return http.reply({"release": release, **table.as_json()})


@routes.post("/v1/application-routing")
def add_routing() -> Response:
    """Let applications of a book go by this table."""
    given = http.body(DeclarationBody)
    table = parse_routing(given.declaration)

    def work(uow: UnitOfWork, code: str) -> Json:
        release, is_new = load_routing(uow, code, table)
        return release_json("routing", release, is_new=is_new)

    return _once("load_routing", {"declaration": given.declaration}, work)


@routes.post("/v1/applications")
def create() -> Response:
    """Open an application with as much of it as there is; with `submit` it is submitted at once."""
    given = http.body(ApplicationBody)
    opening = Opening(product=given.product, channel=given.channel, external_id=given.external_id)

    def work(uow: UnitOfWork, code: str) -> Json:
        return take(uow, vault(), code, opening, given.data, submit=given.submit)

    return _went_on(_once("open_application", given.model_dump(mode="json"), work))


@routes.post("/v1/applications/<int:application_id>/versions")
def add_version(application_id: int) -> Response:
    """Save more of an application."""
    given = http.body(VersionBody)

    def work(uow: UnitOfWork, code: str) -> Json:
        return save(uow, vault(), code, application_id, given.data, on_version=given.on_version, submit=given.submit)

    inputs = {"application_id": application_id, **given.model_dump(mode="json")}
    return _went_on(_once("save_application", inputs, work))


@routes.post("/v1/applications/<int:application_id>/submission")
def submit(application_id: int) -> Response:
    """Submit an application as it was saved last."""
    http.body(SubmissionBody)

    def work(uow: UnitOfWork, code: str) -> Json:
        return applications.submit(uow, vault(), code, application_id)

    return _went_on(_once("submit_application", {"application_id": application_id}, work))


@routes.post("/v1/applications/<int:application_id>/withdrawal")
def withdraw(application_id: int) -> Response:
    """Withdraw an application that was submitted."""
    given = http.body(ReasonBody)

    def work(uow: UnitOfWork, code: str) -> Json:
        return applications.withdraw(uow, code, application_id, reason=given.reason)

    return _once("withdraw_application", {"application_id": application_id, "reason": given.reason}, work)


@routes.get("/v1/applications")
def index() -> Response:
    """Return applications in the order in which they were opened, a page at a time."""
    asked = http.query(ListQuery)
    code = http.chosen_book(asked.book)
    return http.reply(
        http.edge().read(
            lambda connection: applications_json(
                connection, code, queue=asked.queue, drafts=asked.drafts, after=asked.after or 0, limit=MOST_LISTED
            )
        )
    )


@routes.get("/v1/applications/<int:application_id>")
def show(application_id: int) -> Response:
    """Return an application, its personal data masked."""
    code = http.chosen_book(http.query(BookQuery).book)
    keys = vault_or_none()
    view = http.edge().read(lambda connection: intake_view(connection, code, application_id, vault=keys))
    return http.reply(application_json(view))


@routes.post("/v1/applications/<int:application_id>/personal-data")
def show_unmasked(application_id: int) -> Response:
    """Return the data of an application as a role may see them; each call is written down, and never replayed."""
    given = http.body(RevealBody)
    code = http.chosen_book(http.query(BookQuery).book)

    def work(uow: UnitOfWork) -> Json:
        return reveal(uow, vault(), code, application_id, role=given.role, reason=given.reason)

    data = http.edge().change(work, actor=http.actor())
    return http.reply({"application_id": application_id, "role": given.role, "data": data})


@routes.post("/v1/applications/<int:application_id>/erasure")
def erase_data(application_id: int) -> Response:
    """Erase the personal data of an application."""
    given = http.body(ErasureBody)

    def work(uow: UnitOfWork, code: str) -> Json:
        return erasure_json(application_id, erase(uow, code, application_id, reason=given.reason))

    inputs = {"application_id": application_id, **given.model_dump(mode="json")}
    return _once("erase_application", inputs, work, approver=given.approver)


def _went_on(reply: Response) -> Response:
    """Let an application that was started on its workflow just now go on by itself, and return the reply."""
    answer = reply.get_json(silent=True)
    sent = (answer.get("submission") or answer) if isinstance(answer, dict) else {}
    if sent.get("workflow_started") and not http.change().dry_run:
        go_on(http.edge(), vault(), http.chosen_book(http.change().book), sent["application_id"])
    return reply


def _once(command: str, inputs: dict[str, Any], work: Any, *, approver: str | None = None) -> Response:
    """Do the work of a changing call once for its key; reply with its outcome."""
    change, keys = http.change(), vault()
    code = http.chosen_book(change.book)

    def answer(uow: UnitOfWork) -> Outcome:
        return once_sealed(
            uow, keys, code, key=change.key, command=command, inputs=inputs, work=lambda: work(uow, code)
        )

    outcome = http.edge().answer(answer, actor=change.actor, approver=approver, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
