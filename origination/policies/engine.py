"""A policy evaluated over facts: every rule in order, the score, the tables, the price, and the reasons.

The same facts and the same version give the same decision for ever: nothing here reads a clock, chance, or anything but
its arguments. Every rule is evaluated, whatever those before it said. Never: storage (`origination/policy_store.py`).
Next: `docs/spec/decisions.md`, with worked figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import Any, NamedTuple

from origination.policies.checks import SCORE, Compiled, compiled
from origination.policies.document import SEVERITY, Document, Outcome, parse_document, read_document
from origination.policies.expressions import DIGITS, FAILURES, Expression
from origination.policies.reasons import FORM, Cause, PrincipalReason, ranked
from origination.policies.vocabulary import Facts, Sources, facts_from, facts_from_json, missing_facts, symbols


class RuleResult(NamedTuple):
    """What a rule said: whether it fired; None where it could not be computed, or nothing was."""

    code: str
    fired: bool | None


@dataclass(frozen=True, slots=True)
class Points:
    """What a characteristic scored, and the most that it could have."""

    fact: str
    points: int
    most: int


@dataclass(frozen=True, slots=True)
class TableResult:
    """Which row of a table answered, counted from one, None for its default; and what it said."""

    table: str
    row: int | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Quote:
    """The price: amount and fee in minor units, the rate in percent a year."""

    amount: int
    term: int
    rate: Decimal
    fee: int


def quote_from_json(stored: Sequence[Any] | None) -> Quote | None:
    """Return the price that `Decision.as_json` wrote."""
    if stored is None:
        return None
    amount, term, rate, fee = stored
    return Quote(amount, term, Decimal(rate), fee)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy decided, and all that led to it."""

    outcome: Outcome
    rules: tuple[RuleResult, ...]
    score: int | None
    points: tuple[Points, ...]
    tables: tuple[TableResult, ...]
    reasons: tuple[PrincipalReason, ...]
    price: Quote | None
    missing: tuple[str, ...] = ()
    derived: tuple[tuple[str, Decimal], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the decision as JSON values, as it is stored and compared."""
        price = self.price
        return {
            "outcome": self.outcome,
            "rules": [list(each) for each in self.rules],
            "score": self.score,
            "points": [[each.fact, each.points, each.most] for each in self.points],
            "tables": [[each.table, each.row, each.outcome] for each in self.tables],
            "reasons": [[each.name, each.code, each.text, each.because] for each in self.reasons],
            "price": None if price is None else [price.amount, price.term, format(price.rate, "f"), price.fee],
            "missing": list(self.missing),
            "derived": {name: format(value, "f") for name, value in self.derived},
        }

    @property
    def fired(self) -> tuple[str, ...]:
        """Return the codes of the rules that fired."""
        return tuple(each.code for each in self.rules if each.fired)


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of a policy, checked and compiled."""

    document: Document
    content_hash: str
    _compiled: Compiled
    _results: tuple[tuple[Expression, Mapping[bool | None, RuleResult]], ...]
    """Each rule with the three results that it can have: they are made once, not for every application."""

    @property
    def name(self) -> str:
        """Return the name of the policy."""
        return self.document.name

    @property
    def actor(self) -> str:
        """Return under which name it decides."""
        return f"policy:{self.name}@{self.content_hash[:8]}"

    def facts(self, sources: Sources) -> dict[str, Any]:
        """Return the facts that it asks for. Raises: FactsInvalid."""
        return facts_from(self.document.facts, sources)

    def facts_from_json(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the facts that are stored by name. Raises: FactsInvalid."""
        return facts_from_json(self.document.facts, stored)


def policy_of(document: Document) -> Policy:
    """Return a policy that can decide. Raises: PolicyInvalid with every problem."""
    parts = compiled(document)
    results = tuple(
        (expression, {fired: RuleResult(rule.code, fired) for fired in (True, False, None)})
        for rule, expression in zip(document.rules, parts.rules, strict=True)
    )
    return Policy(document, document.content_hash(), parts, results)


def read_policy(text: str) -> Policy:
    """Return the policy of a TOML or JSON file. Raises: PolicyInvalid with every problem."""
    return policy_of(read_document(text))


def policy_from_json(stored: Mapping[str, Any]) -> Policy:
    """Return the policy that `Document.as_json` wrote."""
    return policy_of(parse_document(stored))


def decide(policy: Policy, facts: Facts) -> Decision:
    """Return what a policy decides on facts."""
    document = policy.document
    missing = missing_facts(document.facts, facts)
    if missing:
        return _incomplete(policy, missing)
    with localcontext(DIGITS):
        return _decide(policy, facts, symbols(document.facts, facts))


def differences(stored: Mapping[str, Any], computed: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parts in which two decisions, as JSON values, differ, each with both values."""
    names = dict.fromkeys((*computed, *stored))
    return tuple(
        f"{name}: stored {stored.get(name)}, computed {computed.get(name)}"
        for name in names
        if stored.get(name) != computed.get(name)
    )


def _incomplete(policy: Policy, missing: tuple[str, ...]) -> Decision:
    incomplete = policy.document.incomplete
    rules = tuple(RuleResult(rule.code, None) for rule in policy.document.rules)
    cause = Cause(incomplete.reason, f"missing: {', '.join(missing)}")
    return Decision(incomplete.outcome, rules, None, (), (), _principal(policy, (cause,)), None, missing)


def _decide(policy: Policy, facts: Facts, seen: dict[str, Any]) -> Decision:
    document = policy.document
    derived = _derived(policy, seen)
    uncomputed = tuple(sorted(name for name, value in derived.items() if value is None))
    if uncomputed:
        return _incomplete(policy, uncomputed)
    seen.update(derived)
    facts = {**facts, **derived}
    outcomes: list[Outcome] = [document.default or "refer"]
    against: list[tuple[Outcome, Cause]] = []
    rules = tuple(results[_fired(expression, seen)] for expression, results in policy._results)
    against += _causes_of_rules(policy, rules)
    points = tuple(_points(policy, facts))
    score = None
    shortfalls: list[Cause] = []
    if document.scorecard is not None:
        score = document.scorecard.base + sum(each.points for each in points)
        seen[SCORE] = Decimal(score)
        judged = _judged(policy, score)
        outcomes.append(judged)
        shortfalls = _shortfalls(policy, points) if judged != "approve" else []
    values = {**facts, SCORE: score}
    tables = tuple(_tables(policy, values))
    against += _causes_of_tables(policy, tables)
    outcomes += [outcome for outcome, _ in against] + [each.outcome for each in tables]
    outcome = max(outcomes, key=SEVERITY.index)
    price = None
    if document.offer is not None and outcome != "decline":
        outcome, price, cause = _priced(policy, outcome, values, seen)
        against += [(outcome, cause)] if cause is not None else []
    scored = shortfalls if score is not None and _judged(policy, score) == outcome else ()
    causes = ranked([cause for at, cause in against if at == outcome], scored, rank=document.rank)
    return Decision(
        outcome, rules, score, points, tables, _principal(policy, causes), price, (), tuple(sorted(derived.items()))
    )


def _derived(policy: Policy, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that are derived from facts, None for those that cannot be computed."""
    found: dict[str, Any] = {}
    for (name, each), expression in zip(policy.document.derived.items(), policy._compiled.derived, strict=True):
        try:
            value = Decimal(expression.evaluate(seen))
            found[name] = value.quantize(Decimal(1).scaleb(-each.places), ROUND_HALF_UP)
        except FAILURES:
            found[name] = None
    return found


def _fired(expression: Expression, seen: Mapping[str, Any]) -> bool | None:
    try:
        return bool(expression.evaluate(seen))
    except FAILURES:
        return None


def _causes_of_rules(policy: Policy, results: Iterable[RuleResult]) -> Iterator[tuple[Outcome, Cause]]:
    incomplete = policy.document.incomplete
    for rule, result in zip(policy.document.rules, results, strict=True):
        if result.fired is False:
            continue
        if result.fired is None:
            yield incomplete.outcome, Cause(incomplete.reason, f"rule {rule.code} cannot be computed")
        else:
            yield rule.outcome, Cause(rule.reason or "", f"rule {rule.code}")


def _points(policy: Policy, facts: Facts) -> Iterator[Points]:
    card = policy.document.scorecard
    for each, grid in zip(card.characteristics if card else (), policy._compiled.characteristics, strict=True):
        row = grid.row_of(facts)
        assert row is not None, "the bands take in every value"
        yield Points(each.fact, each.bands[row].points, max(band.points for band in each.bands))


def _judged(policy: Policy, score: int) -> Outcome:
    card = policy.document.scorecard
    if card is not None and card.decline_below is not None and score < card.decline_below:
        return "decline"
    if card is not None and card.refer_below is not None and score < card.refer_below:
        return "refer"
    return "approve"


def _shortfalls(policy: Policy, points: Iterable[Points]) -> list[Cause]:
    card = policy.document.scorecard
    assert card is not None
    return [
        Cause(
            each.reason or "", f"score of {scored.fact}: {scored.points} of {scored.most}", scored.most - scored.points
        )
        for each, scored in zip(card.characteristics, points, strict=True)
    ]


def _tables(policy: Policy, values: Mapping[str, Any]) -> Iterator[TableResult]:
    for table, grid in zip(policy.document.tables, policy._compiled.tables, strict=True):
        row = grid.row_of(values)
        if row is None:
            assert table.default is not None, "a table without a default takes in every cell"
            yield TableResult(table.name, None, table.default)
        else:
            yield TableResult(table.name, row + 1, table.rows[row].outcome)


def _causes_of_tables(policy: Policy, results: Iterable[TableResult]) -> Iterator[tuple[Outcome, Cause]]:
    for table, result in zip(policy.document.tables, results, strict=True):
        reason = table.default_reason if result.row is None else table.rows[result.row - 1].reason
        if result.outcome != "approve":
            where = "default" if result.row is None else f"row {result.row}"
            yield result.outcome, Cause(reason or "", f"table {table.name}, {where}")


def _priced(
    policy: Policy, outcome: Outcome, values: Mapping[str, Any], seen: Mapping[str, Any]
) -> tuple[Outcome, Quote | None, Cause | None]:
    """Return the outcome once the most that is lent is looked at, the price, and why it is less than was asked."""
    offer, parts = policy.document.offer, policy._compiled
    assert offer is not None
    assert parts.prices is not None
    asked = amount = values[offer.amount]
    if parts.most is not None:
        try:
            most = Decimal(parts.most.evaluate(seen))
            amount = min(asked, int((most / offer.step).to_integral_value(ROUND_FLOOR)) * offer.step)
        except FAILURES:
            incomplete = policy.document.incomplete
            worse: Outcome = max(outcome, incomplete.outcome, key=SEVERITY.index)
            return worse, None, Cause(incomplete.reason, "the most that is lent cannot be computed")
    if amount < asked:
        cause = Cause(offer.reason or "", f"asked {asked}, lent at most {amount}")
        if amount < offer.least:
            return "decline", None, cause
        outcome = max(outcome, "counter_offer", key=SEVERITY.index)
    else:
        cause = None
    row = parts.prices.row_of({**values, offer.amount: amount})
    assert row is not None, "the prices take in every cell"
    price = offer.prices[row]
    fee = (amount * price.fee_percent / 100).to_integral_value(ROUND_HALF_UP)
    quote = Quote(amount, values[offer.term], price.rate, int(fee))
    return outcome, quote, cause if outcome == "counter_offer" else None


def _principal(policy: Policy, causes: Iterable[Cause]) -> tuple[PrincipalReason, ...]:
    found = []
    for cause in causes:
        if cause.reason:
            reason = policy.document.reasons[cause.reason]
            text = reason.text or FORM[reason.code]
            found.append(PrincipalReason(cause.reason, reason.code, text, cause.because))
    return tuple(found)
