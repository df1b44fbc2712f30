"""`/v1/applications/<id>/verifications` and `/v1/verification-sources`: sources are asked, and their answers kept.

Next: `api/verification.py`; `docs/spec/verification.md`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.applications import once_sealed, release_json
from api.models import Body, BookQuery, Code, Query, ShortText
from api.routes.applications import vault
from api.verification import source_json, verification_json, verify, verify_due
from api.views import Json
from ledger.requests import Outcome
from ledger.unit_of_work import UnitOfWork
from origination.verification.source import parse_source
from origination.verification_commands import load_source, record_by_hand
from origination.verification_queries import source_views, sources_of, verifications

routes = Blueprint("verification", __name__)


class RunBody(Body):
    """What to verify (nothing: what the product's form says), and whether to ask anew what is known."""

    kinds: list[Code] = Field(default_factory=list, max_length=10)
    again: bool = False


class DueBody(Body):
    """Nothing: what is outstanding says it all."""


class RecordBody(Body):
    """Facts that a person has found out, and how."""

    kind: Code
    facts: dict[str, str | int | bool]
    reason: ShortText


class SourceBody(Body):
    """A source, as a table of its TOML file has it."""

    declaration: dict[str, Any]


@routes.post("/v1/applications/<int:application_id>/verifications")
def run(application_id: int) -> Response:
    """Verify an applicant; called again, it asks only what is not known yet."""
    given = http.body(RunBody)
    code = http.chosen_book(http.query(BookQuery).book)
    done = verify(
        http.edge(),
        vault(),
        code,
        application_id,
        actor=http.actor(),
        environment=os.environ,
        kinds=given.kinds,
        again=given.again,
    )
    return http.reply({"verifications": [verification_json(each) for each in done]})


@routes.post("/v1/verifications/due")
def run_due() -> Response:
    """Verify what is outstanding of every application that waits for a decision."""
    http.body(DueBody)
    code = http.chosen_book(http.query(BookQuery).book)
    report = verify_due(http.edge(), vault(), code, actor=http.actor(), environment=os.environ)
    return http.reply(
        {
            "looked_at": report.looked_at,
            "asked": report.asked,
            "completed": report.completed,
            "for_people": [{"application_id": number, "kind": kind} for number, kind in report.for_people],
        }
    )


@routes.get("/v1/applications/<int:application_id>/verifications")
def index(application_id: int) -> Response:
    """Return the verifications of an application with every attempt."""
    code = http.chosen_book(http.query(BookQuery).book)
    found = http.edge().read(lambda connection: verifications(connection, code, application_id))
    return http.reply({"verifications": [verification_json(each) for each in found]})


@routes.post("/v1/applications/<int:application_id>/verifications/by-hand")
def record(application_id: int) -> Response:
    """Write down facts that a person has found out."""
    given, change, keys = http.body(RecordBody), http.change(), vault()
    code = http.chosen_book(change.book)

    def work(uow: UnitOfWork) -> Json:
        return verification_json(
            record_by_hand(uow, code, application_id, given.kind, given.facts, reason=given.reason)
        )

    def answer(uow: UnitOfWork) -> Outcome:
        inputs = {"application_id": application_id, **given.model_dump(mode="json")}
        return once_sealed(
            uow, keys, code, key=change.key, command="record_verification", inputs=inputs, work=lambda: work(uow)
        )

    outcome = http.edge().answer(answer, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/applications/<int:application_id>/facts")
def facts(application_id: int) -> Response:
    """Return the facts that decisions about an application read."""
    http.query(BookQuery)
    return http.reply(http.edge().read(lambda connection: sources_of(connection, application_id)))


@routes.get("/v1/verification-sources")
def list_sources() -> Response:
    """Return the sources in force, and where their breakers stand."""
    http.query(Query)
    now = datetime.now(UTC)
    found = http.edge().read(lambda connection: source_views(connection, now))
    return http.reply({"sources": [source_json(each) for each in found]})


@routes.post("/v1/verification-sources")
def add_source() -> Response:
    """Let a source be asked as it is declared."""
    given, change, keys = http.body(SourceBody), http.change(), vault()
    source, code = parse_source(given.declaration), http.chosen_book(change.book)

    def work(uow: UnitOfWork) -> Json:
        release, is_new = load_source(uow, source)
        return release_json(source.name, release, is_new=is_new)

    def answer(uow: UnitOfWork) -> Outcome:
        inputs = given.model_dump(mode="json")
        return once_sealed(
            uow, keys, code, key=change.key, command="load_source", inputs=inputs, work=lambda: work(uow)
        )

    outcome = http.edge().answer(answer, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
