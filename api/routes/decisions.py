"""`/v1/policies`, `/v1/applications/<id>/decisions` and `/v1/decisions`: what decides, and what was decided.

Next: `api/decisions.py`; `origination/decision_commands.py`; `docs/spec/decisions.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.decisions import (
    activation_json,
    decided_json,
    decision_json,
    decision_page,
    loaded_authority_json,
    loaded_policy_json,
    policy_json,
    referral_json,
    replayed_json,
)
from api.models import Body, BookQuery, Code, Day, IdentifierText, Query, ShortText
from api.views import Json, minor_units
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from origination.decision_commands import decide_application, underwrite
from origination.decision_queries import (
    decision_view,
    decisions_of,
    policy_names,
    policy_version,
    policy_view,
    referrals,
    replay,
)
from origination.policies.authority import parse_authority
from origination.policies.document import parse_document
from origination.policies.engine import policy_of
from origination.policy_commands import activate_policy, load_authority, load_policy
from origination.verification_queries import sources_of

routes = Blueprint("decisions", __name__)


class PolicyIn(Body):
    """A policy, or limits of authority, with the keys of its file; numbers that are no whole ones are text."""

    content: dict[str, Any]
    approved_by: Code | None = None


class ActivationIn(Body):
    """Which versions decide from a day on; the challenger's share in hundredths of a percent."""

    version: Code
    reason: ShortText
    approved_by: Code
    effective_date: Day | None = None
    challenger: Code | None = None
    challenger_bp: Annotated[int, Field(ge=0, le=10_000)] = 0
    shadows: list[Code] = Field(default_factory=list, max_length=8)


class DecisionIn(Body):
    """By which policy, and what is known of the application, section by section; without, what was found out here."""

    policy: Code
    sources: dict[str, dict[str, Any]] | None = None


class UnderwritingIn(Body):
    """What an underwriter decides; `send` are names of reasons of the policy, for a decline."""

    verdict: Literal["approve", "decline", "override"]
    reason: ShortText | None = None
    send: list[Code] = Field(default_factory=list, max_length=4)
    approved_by: Code | None = None


class PageQuery(BookQuery):
    """Which page of the queue."""

    after: IdentifierText | None = None


@routes.post("/v1/policies")
def load() -> Response:
    """Keep a version of a policy under the hash of its content; it decides nothing until it is activated."""
    given = http.body(PolicyIn)
    policy = policy_of(parse_document(given.content))
    return _changed("load_policy", given, lambda uow, _: loaded_policy_json(load_policy(uow, policy)))


@routes.post("/v1/policy-activations")
def activate() -> Response:
    """Let versions decide from a day on, by two people."""
    given = http.body(ActivationIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        done = activate_policy(
            uow,
            code,
            given.version,
            reason=given.reason,
            effective_date=given.effective_date,
            challenger=given.challenger,
            challenger_bp=given.challenger_bp,
            shadows=given.shadows,
        )
        return activation_json(done)

    return _changed("activate_policy", given, work, approver=given.approved_by)


@routes.post("/v1/authority")
def authority() -> Response:
    """Put limits of authority in force, by two people."""
    given = http.body(PolicyIn)
    limits = parse_authority(given.content)
    return _changed(
        "load_authority",
        given,
        lambda uow, _: loaded_authority_json(load_authority(uow, limits)),
        approver=given.approved_by,
    )


@routes.get("/v1/policies")
def index() -> Response:
    """Return every policy with its versions and activations."""
    code = http.chosen_book(http.query(BookQuery).book)

    def read(connection: Any) -> Json:
        today = book(connection, code).business_date
        return {"policies": [policy_json(policy_view(connection, name, today)) for name in policy_names(connection)]}

    return http.reply(http.edge().read(read))


@routes.get("/v1/policies/<version>")
def show_policy(version: str) -> Response:
    """Return what a version says: by the beginning of its hash, or the latest of a name."""
    code = http.chosen_book(http.query(BookQuery).book)

    def read(connection: Any) -> Json:
        found = policy_version(connection, version)
        view = policy_view(connection, found.name, book(connection, code).business_date)
        return {"content_hash": found.content_hash, **policy_json(view, found.document)}

    return http.reply(http.edge().read(read))


@routes.post("/v1/applications/<int:application_id>/decisions")
def decide(application_id: int) -> Response:
    """Decide on an application by the active policy of a name."""
    given = http.body(DecisionIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        sources = sources_of(uow.connection, application_id) if given.sources is None else given.sources
        return decided_json(decide_application(uow, code, application_id, given.policy, sources), minor_units)

    return _changed("decide_application", given, work, about={"application_id": application_id})


@routes.get("/v1/applications/<int:application_id>/decisions")
def index_decisions(application_id: int) -> Response:
    """Return the decisions on an application in order, shadows among them."""
    http.query(Query)

    def read(connection: Any) -> Json:
        ids = [each.decision_id for each in decisions_of(connection, application_id)]
        return {"decisions": [decision_json(decision_view(connection, each), minor_units) for each in ids]}

    return http.reply(http.edge().read(read))


@routes.get("/v1/decisions/<int:decision_id>")
def show(decision_id: int) -> Response:
    """Return a decision with the facts that it was made on, and all that led to it."""
    http.query(Query)
    return http.reply(
        http.edge().read(lambda connection: decision_json(decision_view(connection, decision_id), minor_units))
    )


@routes.get("/v1/decisions/<int:decision_id>/page")
def page(decision_id: int) -> Response:
    """Return a decision as a page for a credit officer."""
    http.query(Query)
    text = http.edge().read(lambda connection: decision_page(decision_view(connection, decision_id)))
    response = Response(text, mimetype="text/html")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


@routes.get("/v1/decisions/<int:decision_id>/replay")
def show_replay(decision_id: int) -> Response:
    """Compute a decision again from the facts and the version that it keeps, and say in what it differs."""
    http.query(Query)
    return http.reply(http.edge().read(lambda connection: replayed_json(replay(connection, decision_id))))


@routes.get("/v1/referrals")
def queue() -> Response:
    """Return applications that wait for an underwriter, a hundred at a time; `after` is the last one seen."""
    asked = http.query(PageQuery)
    code = http.chosen_book(asked.book)
    found = http.edge().read(lambda connection: referrals(connection, code, after=asked.after or 0))
    return http.reply({"referrals": [referral_json(each) for each in found]})


@routes.post("/v1/decisions/<int:decision_id>/underwriting")
def underwrite_decision(decision_id: int) -> Response:
    """Decide as an underwriter about what the policy referred, or override it."""
    given = http.body(UnderwritingIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        done = underwrite(uow, code, decision_id, given.verdict, reason=given.reason, reasons=given.send)
        return decision_json(done, minor_units)

    return _changed("underwrite", given, work, approver=given.approved_by, about={"decision_id": decision_id})


def _changed(
    command: str, given: Body, work: Any, *, approver: str | None = None, about: Mapping[str, Any] | None = None
) -> Response:
    """Do a change once for its key; the log of the book keeps the request."""
    change = http.change()
    code = http.chosen_book(change.book)
    inputs = {**given.model_dump(mode="json"), **(about or {})}

    def whole(uow: UnitOfWork) -> Outcome:
        own = book(uow.connection, code).own_subledger_id
        two = UnitOfWork(uow.connection, uow.actor, approver)
        return once(two, subledger_id=own, key=change.key, command=command, inputs=inputs, work=lambda: work(two, code))

    outcome = http.edge().answer(whole, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
