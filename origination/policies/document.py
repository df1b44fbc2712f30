"""The shape of a policy file: its keys, read strictly; what they mean together is checked elsewhere.

A policy is TOML or JSON; numbers keep their digits. A version is what the file says, under the hash of it: two files
that say the same are one version. Never: evaluation. Next: `origination/policies/checks.py`, then `engine.py`;
`docs/spec/decisions.md`.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from ledger.domain_error import DomainError
from ledger.fingerprint import canonical_text
from ledger.money import Money
from origination.errors import PolicyInvalid
from origination.policies.vocabulary import NAME, Fact

Outcome = Literal["approve", "counter_offer", "refer", "decline"]
SEVERITY: tuple[Outcome, ...] = ("approve", "counter_offer", "refer", "decline")
"""Of several outcomes the last in this order counts."""

RowOutcome = Literal["approve", "refer", "decline"]

SHIPPED = "origination.policies.examples"


def _no_float(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError("write the number as text: a float is not exact")
    return value


Exact = Annotated[Decimal, BeforeValidator(_no_float), Field(max_digits=24)]
Identifier = Annotated[str, Field(pattern=NAME)]
Line = Annotated[str, Field(min_length=1, max_length=300)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Derived(_Part):
    """A figure computed from facts, which everything else may ask for like a fact; rounded half up to its places."""

    value: Line
    places: Annotated[StrictInt, Field(ge=0, le=12)] = 2
    unit: str = ""


class Reason(_Part):
    """A principal reason for adverse action: its code on the sample form, and the words that are sent."""

    code: str
    text: Line | None = None


class Condition(_Part):
    """What a row asks of one fact: a range, some values, any other text than the rows name, or that it is missing.

    Without any of these it takes in all.
    """

    least: Exact | None = Field(default=None, alias="from")
    below: Exact | None = None
    words: tuple[StrictBool | StrictInt | StrictStr, ...] | None = Field(default=None, alias="in", min_length=1)
    other: Literal[True] | None = None
    missing: Literal[True] | None = None


class Rule(_Part):
    """A rule: where its expression is true it fires, and its outcome counts. It approves of nothing."""

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
    about: Line
    when: Line
    outcome: Literal["refer", "decline"]
    reason: Identifier | None = None


class Band(_Part):
    """Points for the values that a condition takes in."""

    when: Condition = Condition()
    points: StrictInt


class Characteristic(_Part):
    """A fact that scores: its bands take in every value once."""

    fact: Identifier
    reason: Identifier | None = None
    bands: tuple[Band, ...] = Field(min_length=1)


class Scorecard(_Part):
    """Points for facts, added to a base; a score below `decline_below` declines, one below `refer_below` refers."""

    base: StrictInt = 0
    decline_below: StrictInt | None = None
    refer_below: StrictInt | None = None
    characteristics: tuple[Characteristic, ...] = Field(min_length=1)


class Row(_Part):
    """A row of a decision table."""

    when: dict[Identifier, Condition] = Field(default_factory=dict)
    outcome: RowOutcome
    reason: Identifier | None = None


class DecisionTable(_Part):
    """Rows over facts and the score, the first that is met counts; where there is none, `default` does."""

    name: Identifier
    about: Line
    rows: tuple[Row, ...] = Field(min_length=1)
    default: RowOutcome | None = None
    default_reason: Identifier | None = None


class Price(_Part):
    """A cell of the pricing grid: the rate in percent a year, and the fee in percent of the amount."""

    when: dict[Identifier, Condition] = Field(default_factory=dict)
    rate: Exact = Field(ge=0, le=1000)
    fee_percent: Exact = Field(default=Decimal(0), ge=0, lt=100)


class Offer(_Part):
    """What is offered: the facts of what is asked, the most that is lent, and the prices, which overlap nowhere.

    What is asked beyond `most`, an expression over the facts and the score, is countered with `most`, rounded down to a
    multiple of `step`; what would be less than `least` is declined. Amounts are in minor units. `terms` are offered
    beside the one that was asked for, each as far as the policy approves of it.
    """

    amount: Identifier
    term: Identifier
    most: Line | None = None
    least: Annotated[StrictInt, Field(ge=1)] = 1
    step: Annotated[StrictInt, Field(ge=1)] = 1
    reason: Identifier | None = None
    terms: tuple[Annotated[StrictInt, Field(ge=1, le=1200)], ...] = ()
    prices: tuple[Price, ...] = Field(min_length=1)


class Incomplete(_Part):
    """What becomes of an application of which a fact is missing that must be there, or a rule cannot be computed."""

    outcome: Literal["refer", "decline"]
    reason: Identifier


class Document(_Part):
    """A policy as its file has it."""

    name: Identifier
    about: Line
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    default: RowOutcome | None = None
    rank: Literal["rules_first", "scorecard_first"] = "rules_first"
    incomplete: Incomplete
    facts: dict[Identifier, Fact] = Field(min_length=1)
    derived: dict[Identifier, Derived] = Field(default_factory=dict)
    reasons: dict[Identifier, Reason] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    scorecard: Scorecard | None = None
    tables: tuple[DecisionTable, ...] = ()
    offer: Offer | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the policy as JSON values, decimals as text, without what is left to its default.

        So a key that a later release brings changes no hash; the default of a key is never changed.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def content_hash(self) -> str:
        """Return the SHA-256 of what the policy says."""
        return hashlib.sha256(canonical_text(self.as_json()).encode()).hexdigest()


def parse_document(given: Mapping[str, Any]) -> Document:
    """Return a policy from its keys.

    Raises: PolicyInvalid with every key that is wrong.
    """
    try:
        document = Document.model_validate(given)
        Money(0, document.currency)
    except ValidationError as error:
        problems = tuple(
            f"{'.'.join(map(str, each['loc'])) or 'policy'}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise PolicyInvalid(problems=problems) from None
    except DomainError as error:
        raise PolicyInvalid(problems=(f"currency: {error.message}",)) from None
    return document


def read_document(text: str) -> Document:
    """Return a policy from the text of a file: JSON if it begins with a brace, TOML otherwise.

    Raises: PolicyInvalid.
    """
    return parse_document(read_values(text))


def read_values(text: str) -> dict[str, Any]:
    """Return the values of a TOML or JSON file, numbers with a point as Decimal.

    Raises: PolicyInvalid.
    """
    try:
        if text.lstrip().startswith("{"):
            found = json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once)
        else:
            found = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise PolicyInvalid(problems=(f"the file cannot be read: {error}",)) from None
    assert isinstance(found, dict)
    return found


def shipped_text(name: str) -> str:
    """Return the text of an example that is shipped, by the name of its file."""
    return (files(SHIPPED) / name).read_text(encoding="utf-8")


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"an object has {next(name for name in names if names.count(name) > 1)!r} twice")
    return dict(pairs)
