"""One HTTP exchange: what comes in is read strictly, what goes out is JSON, whatever goes wrong is a problem
document.

Every exchange has a request id, taken from `X-Request-Id` or made here, returned and logged. Never: SQL,
decisions, or input values in an error beyond the figures of the error itself. Next: `api/problems.py` for the
statuses; `api/routes/` for the resources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import uuid4

from flask import Flask, Response, current_app, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api import problems
from api.edge import Edge, choose_book
from api.errors import IdempotencyKeyMissing
from api.models import ChangeQuery
from api.problems import HttpProblem, http_problem
from ledger.domain_error import DomainError
from ledger.requests import Outcome

EXTENSION = "loanbook"
REQUEST_ID = "X-Request-Id"
ACTOR = "X-Actor"
IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
DRY_RUN = "Dry-Run"

_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{1,64}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_ACTOR = re.compile(r"[0-9A-Za-z][0-9A-Za-z .:@_-]{0,63}", re.ASCII)

M = TypeVar("M", bound=BaseModel)


def edge() -> Edge:
    """Return the edge of the application that serves this request."""
    return cast("Edge", current_app.extensions[EXTENSION])


# --- What comes in ----------------------------------------------------------------------------------------


def begin() -> None:
    """Give the exchange its request id."""
    offered = request.headers.get(REQUEST_ID, "")
    g.request_id = offered if _REQUEST_ID.fullmatch(offered) else uuid4().hex


def request_id() -> str:
    """Return the id of this exchange."""
    return str(g.get("request_id", ""))


def actor() -> str:
    """Return who acts: `X-Actor`, taken on trust as long as there is no authentication.

    Raises: HttpProblem if it is not a name.
    """
    name = request.headers.get(ACTOR, "http")
    if not _ACTOR.fullmatch(name):
        raise http_problem(
            "request-invalid", [_mistake(f"header {ACTOR}", "it is not a name of at most 64 characters")]
        )
    return name


def idempotency_key() -> str:
    """Return the key under which a changing call is done once.

    Raises: IdempotencyKeyMissing.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        raise IdempotencyKeyMissing(reason="it is missing")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing(reason="it takes 1 to 200 visible ASCII characters")
    return key


def body(model: type[M]) -> M:
    """Read the JSON body into a model.

    Raises: HttpProblem naming every place that is wrong.
    """
    if request.mimetype != "application/json":
        raise http_problem("media-type-unsupported")
    raw = request.get_data()
    try:
        json.loads(raw, object_pairs_hook=_refuse_repeated)
        return model.model_validate_json(raw)
    except ValidationError as invalid:
        raise http_problem("request-invalid", _mistakes(invalid)) from None
    except (ValueError, RecursionError) as broken:
        reason = str(broken) if isinstance(broken, _RepeatedField) else "it is not JSON"
        raise http_problem("request-invalid", [_mistake("", reason)]) from None


def query(model: type[M]) -> M:
    """Read the query into a model; unknown and repeated parameters are refused.

    Raises: HttpProblem naming every parameter that is wrong.
    """
    values = {name: given[-1] for name, given in request.args.lists()}
    repeated = [name for name, given in request.args.lists() if len(given) > 1]
    if repeated:
        raise http_problem("request-invalid", [_mistake(f"/{name}", "it is given twice") for name in repeated])
    try:
        return model.model_validate(values)
    except ValidationError as invalid:
        raise http_problem("request-invalid", _mistakes(invalid)) from None


class _RepeatedField(ValueError):
    """A JSON object has a field twice; which one counts is anybody's guess."""


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise _RepeatedField("an object has a field twice")
    return dict(pairs)


def _mistakes(invalid: ValidationError) -> list[Mapping[str, str]]:
    return [
        _mistake("".join(f"/{_escaped(part)}" for part in error["loc"]), error["msg"].removeprefix("Value error, "))
        for error in invalid.errors(include_input=False, include_url=False, include_context=False)
    ]


def _mistake(pointer: str, reason: str) -> Mapping[str, str]:
    return {"pointer": pointer, "detail": reason}


def _escaped(part: str | int) -> str:
    # RFC 6901; the length of a stranger's field name is his own choice, ours is to show 64 characters of it.
    return str(part)[:64].replace("~", "~0").replace("/", "~1")


# --- What goes out ----------------------------------------------------------------------------------------


def reply(document: Mapping[str, Any], status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(_text(document), status, mimetype="application/json")


def reply_outcome(outcome: Outcome, *, dry_run: bool) -> Response:
    """Return what a changing call came to, the same bytes each time it comes; headers say if it is a replay."""
    # What is stored has no order of its own, so the first answer must not have one either.
    text = _text(outcome.result, sort_keys=True)
    response = Response(text, 200 if dry_run else 201, mimetype="application/json")
    if outcome.replayed:
        response.headers[REPLAYED] = "true"
    if dry_run:
        response.headers[DRY_RUN] = "true"
    return response


def _text(document: Mapping[str, Any], *, sort_keys: bool = False) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys) + "\n"


@dataclass(frozen=True, slots=True)
class Change:
    """What every changing call brings along."""

    book: str | None
    actor: str
    key: str
    dry_run: bool


def change() -> Change:
    """Read what every changing call brings along.

    Raises: HttpProblem; IdempotencyKeyMissing.
    """
    key = idempotency_key()
    asked = query(ChangeQuery)
    return Change(asked.book, actor(), key, asked.dry_run)


def chosen_book(wanted: str | None) -> str:
    """Return the book that a call is about: the one that it names, or the only one.

    Raises: BookMissing; BookAmbiguous.
    """
    return edge().read(lambda connection: choose_book(connection, wanted))


def install(app: Flask, log_failure: Callable[[BaseException], None]) -> None:
    """Give an application its request ids, headers and problem documents."""
    app.before_request(begin)
    app.after_request(_finish)
    app.register_error_handler(DomainError, _problem)
    app.register_error_handler(HttpProblem, _problem)
    app.register_error_handler(HTTPException, _refused_by_flask)

    def broke(error: Exception) -> Response:
        log_failure(error)
        return _problem(http_problem("internal-error"))

    app.register_error_handler(Exception, broke)


_CODE_OF_STATUS = {int(status): code for code, (status, _) in problems.HTTP_PROBLEMS.items()}


def _refused_by_flask(refusal: HTTPException) -> Response:
    """Answer what Flask itself refuses: no such address, no such method, a body too large."""
    response = _problem(http_problem(_CODE_OF_STATUS.get(refusal.code or 500, "request-invalid")))
    if isinstance(refusal, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(refusal.valid_methods or ()))
    return response


def _problem(error: DomainError | HttpProblem) -> Response:
    document = problems.document(error, request_id())
    return Response(_text(document), document["status"], mimetype=problems.MEDIA_TYPE)


def _finish(response: Response) -> Response:
    response.headers[REQUEST_ID] = request_id()
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
