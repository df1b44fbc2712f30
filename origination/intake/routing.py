"""Where an application goes: a declared table of rows, the first of which that takes it names workflow and queue.

A row takes by product, channel, state, amount and whether it is flagged as a duplicate; what it does not say, it does
not mind. A table in which a row is never reached, or which leaves an application without a row, is refused with names.
Next: `origination/intake/routing.toml`; `docs/spec/intake.md`.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import product as combinations
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.fingerprint import canonical_text
from origination.application import CHANNELS
from origination.intake.errors import RouteMissing, RoutingInvalid
from origination.intake.values import STATES

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
ANY_OTHER = "*"
MOST_CELLS = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What the route of an application depends on; the amount in minor units."""

    product: str
    channel: str
    state: str
    amount: int
    duplicate: bool = False


class Route(BaseModel):
    """A row: which applications it takes, and where they go. Amounts are half-open: `amount_below` is not taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: tuple[Word, ...] | None = None
    channel: tuple[str, ...] | None = None
    state: tuple[str, ...] | None = None
    amount_from: Annotated[int, Field(ge=0)] | None = None
    amount_below: Annotated[int, Field(ge=1)] | None = None
    duplicate: bool | None = None
    workflow: Word | None = None
    queue: Word

    def takes(self, given: Routed) -> bool:
        """Tell whether an application is this row's."""
        return (
            (self.product is None or given.product in self.product)
            and (self.channel is None or given.channel in self.channel)
            and (self.state is None or given.state in self.state)
            and (self.amount_from is None or given.amount >= self.amount_from)
            and (self.amount_below is None or given.amount < self.amount_below)
            and (self.duplicate is None or given.duplicate == self.duplicate)
        )


class Routing(BaseModel):
    """A table of rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    route: tuple[Route, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the table as JSON values."""
        return self.model_dump(mode="json", exclude_none=True)

    def content_hash(self) -> str:
        """Return the SHA-256 of the table."""
        return hashlib.sha256(canonical_text(self.as_json()).encode()).hexdigest()

    def route_of(self, given: Routed) -> tuple[int, Route]:
        """Return the first row that takes an application, with its number from 1.

        Raises: RouteMissing.
        """
        for number, row in enumerate(self.route, start=1):
            if row.takes(given):
                return number, row
        raise RouteMissing(product=given.product, channel=given.channel, state=given.state, amount=given.amount)


def parse_routing(keys: Mapping[str, Any]) -> Routing:
    """Read a table.

    Raises: RoutingInvalid with every row that is never reached and an application that no row takes.
    """
    try:
        routing = Routing.model_validate(keys)
    except ValidationError as mistakes:
        raise RoutingInvalid(problems=tuple(_told(each) for each in mistakes.errors(include_url=False))) from None
    problems = tuple(_contradictions(routing)) or tuple(_holes(routing))
    if problems:
        raise RoutingInvalid(problems=problems)
    return routing


def read_routing(text: str) -> Routing:
    """Read a table from the text of a TOML file.

    Raises: RoutingInvalid.
    """
    try:
        return parse_routing(tomllib.loads(text))
    except tomllib.TOMLDecodeError as mistake:
        raise RoutingInvalid(problems=(f"it is no TOML: {mistake}",)) from None


def shipped_routing() -> Routing:
    """Return the table that is in force until one is loaded."""
    return read_routing((files("origination.intake") / "routing.toml").read_text(encoding="utf-8"))


def _told(mistake: Mapping[str, Any]) -> str:
    loc = list(mistake["loc"])
    if len(loc) > 1 and isinstance(loc[1], int):
        loc[1] += 1
    reason = "unknown key" if mistake["type"] == "extra_forbidden" else mistake["msg"]
    return f"{'.'.join(map(str, loc))}: {reason}"


def _contradictions(routing: Routing) -> Iterator[str]:
    if not routing.route:
        yield "there is no row"
    for number, row in enumerate(routing.route, start=1):
        for name in row.channel or ():
            if name not in CHANNELS:
                yield f"row {number}: channel {name} is none of {', '.join(CHANNELS)}"
        for name in row.state or ():
            if name not in STATES:
                yield f"row {number}: {name} is no state"
        if row.amount_from is not None and row.amount_below is not None and row.amount_from >= row.amount_below:
            yield f"row {number}: no amount is {row.amount_from} or more and below {row.amount_below}"


def _holes(routing: Routing) -> Iterator[str]:
    """Yield rows that are never reached, and the first application that no row takes.

    Whatever tells applications apart stands in some row, so one application of each kind that the rows can tell
    apart decides it exactly: every named product, channel, state and one that is not named, and each amount at which
    something begins.
    """
    reached: set[int] = set()
    missed: Routed | None = None
    kinds = list(_kinds(routing))
    if not kinds:
        yield f"it tells more than {MOST_CELLS} kinds of applications apart: too many to check"
        return
    for given in kinds:
        try:
            reached.add(routing.route_of(given)[0])
        except RouteMissing:
            missed = missed or given
    for number, row in enumerate(routing.route, start=1):
        if number not in reached:
            yield f"row {number} (queue {row.queue}) is never reached: the rows before it take all that it takes"
    if missed is not None:
        yield (
            f"no row takes product {missed.product}, channel {missed.channel}, state {missed.state}, "
            f"amount {missed.amount}: end with a row that takes everything"
        )


def _kinds(routing: Routing) -> Iterator[Routed]:
    rows = routing.route
    products = [*sorted({name for row in rows for name in row.product or ()}), ANY_OTHER]
    named = {name for row in rows for name in row.state or ()}
    states = sorted(named) + ([ANY_OTHER] if len(named) < len(STATES) else [])
    amounts = sorted({0} | {edge for row in rows for edge in (row.amount_from, row.amount_below) if edge is not None})
    # Nothing but what a row says can tell channels apart, as with the rest.
    told_apart = {name for row in rows for name in row.channel or ()}
    channels = sorted(told_apart) + sorted(set(CHANNELS) - told_apart)[:1]
    duplicates = (False, True) if any(row.duplicate is not None for row in rows) else (False,)
    if len(products) * len(channels) * len(states) * len(amounts) * len(duplicates) > MOST_CELLS:
        return
    for product, channel, state, amount, duplicate in combinations(products, channels, states, amounts, duplicates):
        yield Routed(product=product, channel=channel, state=state, amount=amount, duplicate=duplicate)
