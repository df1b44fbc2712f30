"""A source: who can be asked about an applicant, declared in TOML, and checked whole when it is read.

Two ways of asking: an HTTP service that speaks JSON, and a file. What is sent is a template over the fields of an
application, what comes back becomes facts by their paths in the answer. Secrets are named, never written here.
Next: `origination/verification/answers.py`; `origination/sources/`; `docs/spec/verification.md`.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.domain_error import DomainError
from ledger.fingerprint import canonical_text
from ledger.money import Money
from origination.verification.errors import SourceInvalid
from origination.verification.kinds import KINDS, NO_RECORD

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
FactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
FactType = Literal["integer", "amount", "decimal", "text", "flag", "day"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FactRule(_Part):
    """A fact: where it stands in an answer, and what it is. An `amount` is decimal text of the major unit, unless the
    answer has it in whole minor units."""

    path: Annotated[str, Field(min_length=1)]
    type: FactType
    minor: bool = False
    optional: bool = False


class FromEnvironment(_Part):
    """A header whose value stands in an environment variable, behind a prefix."""

    env: Annotated[str, Field(pattern=r"^LOANBOOK_[A-Z0-9_]+$")]
    prefix: str = ""


class Breaker(_Part):
    """After how many failures in a row a source is left alone, and for how long."""

    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    reset_seconds: Annotated[float, Field(gt=0, le=86_400)] = 30.0


class Source(_Part):
    """A source; the lower its priority, the earlier it is asked; for the applications of `books`, or of all of them."""

    name: Word
    kind: Literal["identity", "credit_report", "bank_data", "income", "fraud"]
    type: Literal["http", "file"]
    priority: Annotated[int, Field(ge=1, le=100)] = 1
    books: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ()
    url: str | None = None
    method: Literal["GET", "POST"] = "POST"
    headers: Mapping[str, str | FromEnvironment] = Field(default_factory=dict)
    request: Mapping[str, Any] = Field(default_factory=dict)
    path: str | None = None
    key: Mapping[str, str] = Field(default_factory=dict)
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 5.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    pause_seconds: Annotated[float, Field(ge=0, le=60)] = 0.2
    cost: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$")] = "0"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    breaker: Breaker = Breaker()
    outcomes: Mapping[Annotated[str, Field(pattern=r"^[1-5][0-9]{2}$")], Literal["no_record"]] = Field(
        default_factory=dict
    )
    facts: Mapping[FactName, FactRule]

    @cached_property
    def content_hash(self) -> str:
        """Return the SHA-256 of the declaration."""
        return hashlib.sha256(canonical_text(self.as_json()).encode()).hexdigest()

    @property
    def cost_minor(self) -> int:
        """Return what an answer costs, in minor units."""
        return Money.parse(self.cost, self.currency).minor

    def serves(self, book_code: str) -> bool:
        """Tell whether it is asked for the applications of a book."""
        return not self.books or book_code in self.books

    def outcome_of(self, status: int) -> str | None:
        """Return what a status of HTTP means beside an answer; None for a failure."""
        return self.outcomes.get(str(status))

    def as_json(self) -> dict[str, Any]:
        """Return the declaration as JSON values."""
        shown = self.model_dump(mode="json", exclude_none=True)
        # A float has no canonical text; these are settings of a client, exact to the digits that they are written with.
        for name in ("timeout_seconds", "pause_seconds"):
            shown[name] = str(getattr(self, name))
        if not self.books:
            del shown["books"]
        shown["breaker"]["reset_seconds"] = str(self.breaker.reset_seconds)
        return shown


def parse_source(keys: Mapping[str, Any]) -> Source:
    """Read a source from its keys.

    Raises: SourceInvalid naming the first mistake.
    """
    try:
        source = Source.model_validate(keys)
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        place = ".".join(("source", *map(str, first["loc"])))
        reason = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise SourceInvalid(place=place, reason=reason) from None
    for place, wrong, reason in _contradictions(source):
        if wrong:
            raise SourceInvalid(place=f"source.{place}", reason=reason)
    return source


def read_sources(text: str) -> tuple[Source, ...]:
    """Read the sources of a TOML file: a table `source` each.

    Raises: SourceInvalid.
    """
    try:
        keys = tomllib.loads(text)
    except tomllib.TOMLDecodeError as mistake:
        raise SourceInvalid(place="source", reason=f"it is no TOML: {mistake}") from None
    listed = keys.get("source")
    if set(keys) != {"source"} or not isinstance(listed, list) or not listed:
        raise SourceInvalid(place="source", reason="the file consists of tables [[source]]")
    return tuple(parse_source(each) for each in listed)


def _contradictions(source: Source) -> Iterator[tuple[str, bool, str]]:
    is_http = source.type == "http"
    url = source.url or ""
    yield "url", is_http and not url.startswith(("http://", "https://")), "it begins with http:// or https://"
    yield "url", not is_http and source.url is not None, "a file has none"
    yield "path", is_http and source.path is not None, "an HTTP source has none"
    yield "path", not is_http and not source.path, "where the file is"
    yield "key", not is_http and len(source.key) != 1, "the column that is looked up, and the field it equals"
    yield "key", is_http and bool(source.key), "an HTTP source has none"
    yield "request", not is_http and bool(source.request), "a file is sent nothing"
    yield "facts", not source.facts, "an answer without facts is of no use"
    yield "kind", source.kind not in KINDS, f"it is one of {', '.join(KINDS)}"
    yield "outcomes", any(value != NO_RECORD for value in source.outcomes.values()), "it is no_record"
    try:
        Decimal(source.cost)
        Money.parse(source.cost, source.currency)
    except DomainError as refusal:
        yield "cost", True, refusal.message
