"""What each error means outside: its problem type, its document, its exit code.

The status comes from the one table in `api/statuses.py`. Problem documents follow RFC 9457, and carry the
figures of the error but nothing else of the input. Next: `api/http.py`, which sends them; `api/cli/main.py`,
which exits with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import Any

from api.statuses import FAILED_CHECKS, STATUS_OF
from ledger.domain_error import DomainError

MEDIA_TYPE = "application/problem+json"


@dataclass(eq=False)
class HttpProblem(Exception):
    """A request that cannot be understood at all; `errors` points at the places that are wrong."""

    status: HTTPStatus
    code: str
    detail: str
    errors: tuple[Mapping[str, str], ...] = ()


# What the HTTP door refuses by itself, before any command is called.
HTTP_PROBLEMS: Mapping[str, tuple[HTTPStatus, str]] = {
    "request-invalid": (HTTPStatus.BAD_REQUEST, "the request does not have the documented form; see errors"),
    "not-found": (HTTPStatus.NOT_FOUND, "there is nothing at this address"),
    "method-not-allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "the address does not take this method"),
    "body-too-large": (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "the request body is larger than this server reads",
    ),
    "media-type-unsupported": (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "the request body must be application/json",
    ),
    "internal-error": (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "something broke here; the log has it under the request id",
    ),
}


def http_problem(code: str, errors: Iterable[Mapping[str, str]] = ()) -> HttpProblem:
    """Return one of the problems of the door itself."""
    status, detail = HTTP_PROBLEMS[code]
    return HttpProblem(status, code, detail, tuple(errors))


def status_of(error: DomainError) -> HTTPStatus:
    """Return the status of an error; one that the table forgot is a fault of ours."""
    return STATUS_OF.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)


def exit_code_of(error: DomainError) -> int:
    """Return 1 for a failed check and for what damage or a fault brought about, 2 for input that is
    refused."""
    failed = type(error) in FAILED_CHECKS or status_of(error) is HTTPStatus.INTERNAL_SERVER_ERROR
    return 1 if failed else 2


def type_of(code: str) -> str:
    """Return the problem type: a reference that this server answers with an explanation."""
    return f"/problems/{code}"


def document(error: DomainError | HttpProblem, request_id: str) -> dict[str, Any]:
    """Return the problem document of RFC 9457; amounts in the figures are minor units beside their
    currency."""
    if isinstance(error, HttpProblem):
        title, status, detail = _title(error.code), error.status, error.detail
        more: dict[str, Any] = {"errors": list(error.errors)} if error.errors else {}
    else:
        title, status, detail = error.title, status_of(error), error.message
        more = {"figures": figures(error)}
    return {
        "type": type_of(error.code),
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": error.code,
        **more,
        "request_id": request_id,
    }


def figures(error: DomainError) -> dict[str, Any]:
    """Return the figures of an error as JSON values, amounts as integer minor units."""
    shown = error.json_figures()
    minor = {field.name for field in fields(error) if str(field.type).startswith("Minor")}
    return {name: getattr(error, name) if name in minor else value for name, value in shown.items()}


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One row of the reference page: a code, what it means, its status and its figures."""

    code: str
    title: str
    status: int
    meaning: str
    figures: tuple[str, ...]


def problem_types() -> Iterator[ProblemType]:
    """Yield every problem that the HTTP API can answer with, by code."""
    own = [
        ProblemType(code, _title(code), int(status), meaning, ()) for code, (status, meaning) in HTTP_PROBLEMS.items()
    ]
    domain = [
        ProblemType(
            cls.code,
            cls.title,
            int(status),
            " ".join((cls.__doc__ or "").split()),
            tuple(f.name for f in fields(cls)),
        )
        for cls, status in STATUS_OF.items()
    ]
    yield from sorted((*own, *domain), key=lambda problem: problem.code)


def as_markdown() -> str:
    """Return every problem type as one Markdown table, for the generated reference page."""
    lines = ["| code | status | meaning | figures |", "|---|---|---|---|"]
    for problem in problem_types():
        named = ", ".join(f"`{name}`" for name in problem.figures)
        meaning = problem.meaning.replace("|", "\\|")
        lines.append(f"| `{problem.code}` | {problem.status} | {meaning} | {named} |")
    return "\n".join(lines) + "\n"


def _title(code: str) -> str:
    return code.replace("-", " ").capitalize()
