"""A policy is checked whole before it is taken: every problem is named by its place, all of them at once.

What is looked for: a fact, a reason or a price that is not declared; types that clash; rows that never answer; bands
that overlap or leave a gap; adverse outcomes without a reason; rules that stand there twice; no default. What passes is
compiled on the way. Next: `origination/policies/engine.py`, which evaluates it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rule_engine import Context

from origination.errors import PolicyInvalid
from origination.policies.document import Condition, Document, Price, Row
from origination.policies.expressions import Expression, ExpressionRefused, condition, context_of, quantity
from origination.policies.reasons import FORM, OTHER
from origination.policies.tables import Grid, TooManyCells, axis_over, grid_of
from origination.policies.vocabulary import NUMERIC, Fact

SCORE = "score"
ADVERSE = frozenset({"decline"})
SHOWN = 3
"""How many gaps or overlaps of a table are named; the rest are counted."""


@dataclass(slots=True)
class Compiled:
    """What a document was compiled into, and every problem that was found on the way."""

    derived: list[Expression] = field(default_factory=list)
    rules: list[Expression] = field(default_factory=list)
    characteristics: list[Grid] = field(default_factory=list)
    tables: list[Grid] = field(default_factory=list)
    prices: Grid | None = None
    most: Expression | None = None
    problems: list[str] = field(default_factory=list)


def compiled(document: Document) -> Compiled:
    """Return a document compiled.

    Raises: PolicyInvalid with every problem.
    """
    done = Compiled()
    done.problems += _general(document)
    _derived(document, context_of(document.facts), done)
    context = context_of(_facts(document))
    _rules(document, context, done)
    _scorecard(document, done)
    _tables(document, done)
    _offer(document, context_of(_with_score(document)), done)
    if done.problems:
        raise PolicyInvalid(problems=tuple(done.problems))
    return done


def _general(document: Document) -> Iterator[str]:
    if document.default is None:
        yield "default: it is missing: what becomes of an application that nothing speaks against?"
    if document.scorecard is not None and SCORE in document.facts:
        yield f"facts.{SCORE}: the name stands for what the scorecard adds up"
    for name, reason in document.reasons.items():
        if reason.code not in FORM and reason.code != OTHER:
            yield f"reasons.{name}: {reason.code} is none of {next(iter(FORM))} to {OTHER}"
        elif reason.code == OTHER and reason.text is None:
            yield f"reasons.{name}: {OTHER} needs a text of its own"
    yield from _reason(document, "incomplete", document.incomplete.reason, needed=True)
    if document.default in ADVERSE:
        yield "default: an adverse outcome has reasons, so no application has it by default"


def _reason(document: Document, place: str, reason: str | None, *, needed: bool) -> Iterator[str]:
    if reason is None and needed:
        yield f"{place}: missing reason for an adverse outcome"
    elif reason is not None and reason not in document.reasons:
        yield f"{place}: unknown reason {reason}"


def _facts(document: Document) -> dict[str, Fact]:
    """Return the facts with the figures that are derived from them."""
    derived = {name: Fact.model_validate({"type": "decimal", "from": f"derived.{name}"}) for name in document.derived}
    return {**document.facts, **derived}


def _derived(document: Document, context: Context, done: Compiled) -> None:
    for name, each in document.derived.items():
        place = f"derived.{name}"
        if name in document.facts or (name == SCORE and document.scorecard is not None):
            done.problems.append(f"{place}: the name stands for a fact or the score already")
        try:
            expression = quantity(each.value, context)
        except ExpressionRefused as refused:
            done.problems.append(f"{place}: {refused}")
            continue
        if not expression.facts:
            done.problems.append(f"{place}: it asks for no fact, and is always {expression.constant}")
        done.derived.append(expression)


def _rules(document: Document, context: Context, done: Compiled) -> None:
    codes: dict[str, int] = {}
    texts: dict[str, str] = {}
    for number, rule in enumerate(document.rules, start=1):
        place = f"rules[{number}] {rule.code}"
        if codes.setdefault(rule.code, number) != number:
            done.problems.append(f"{place}: duplicate rule, the code is that of rules[{codes[rule.code]}]")
        said = " ".join(rule.when.split())
        if texts.setdefault(said, rule.code) != rule.code:
            done.problems.append(f"{place}: duplicate rule, it says the same as {texts[said]}")
        done.problems += _reason(document, place, rule.reason, needed=rule.outcome in ADVERSE)
        try:
            expression = condition(rule.when, context)
        except ExpressionRefused as refused:
            done.problems.append(f"{place}: when: {refused}")
            continue
        if not expression.facts:
            done.problems.append(f"{place}: unreachable: it asks for no fact, and is always {expression.constant}")
        done.rules.append(expression)


def _scorecard(document: Document, done: Compiled) -> None:
    card = document.scorecard
    if card is None:
        return
    if card.decline_below is not None and card.refer_below is not None and card.refer_below <= card.decline_below:
        done.problems.append("scorecard: refer_below is not above decline_below, so that it never refers")
    seen: set[str] = set()
    for number, each in enumerate(card.characteristics, start=1):
        place = f"scorecard.characteristics[{number}] {each.fact}"
        if each.fact in seen:
            done.problems.append(f"{place}: duplicate characteristic")
        seen.add(each.fact)
        done.problems += _reason(document, place, each.reason, needed=card.decline_below is not None)
        rows = [{each.fact: band.when} for band in each.bands]
        grid = _grid(_facts(document), rows, (each.fact,), place, "bands", done.problems)
        if grid is not None:
            done.problems += _partition(grid, place, "bands")
            done.characteristics.append(grid)


def _tables(document: Document, done: Compiled) -> None:
    names: set[str] = set()
    for table in document.tables:
        place = f"tables.{table.name}"
        if table.name in names:
            done.problems.append(f"{place}: duplicate table")
        names.add(table.name)
        for number, row in enumerate(table.rows, start=1):
            needed = row.outcome in ADVERSE
            done.problems += _reason(document, f"{place}.rows[{number}]", row.reason, needed=needed)
        if table.default is not None:
            needed = table.default in ADVERSE
            done.problems += _reason(document, f"{place}.default", table.default_reason, needed=needed)
        grid = _table_grid(document, table.rows, place, "rows", done.problems)
        if grid is None:
            continue
        done.problems += [f"{place}.rows[{row + 1}]: unreachable row" for row in grid.unreachable(len(table.rows))]
        if table.default is None:
            done.problems += _some(grid.gaps(), f"{place}: missing default, no row takes in")
        done.tables.append(grid)


def _offer(document: Document, context: Context, done: Compiled) -> None:
    offer = document.offer
    if offer is None:
        return
    for name, wanted in ((offer.amount, "money"), (offer.term, "integer")):
        fact = document.facts.get(name)
        if fact is None:
            done.problems.append(f"offer: unknown fact {name}")
        elif fact.type != wanted or fact.nullable:
            done.problems.append(f"offer: type clash: {name} is not {wanted}, or may be missing")
    done.problems += _reason(document, "offer", offer.reason, needed=offer.most is not None)
    if offer.most is not None:
        try:
            done.most = quantity(offer.most, context)
        except ExpressionRefused as refused:
            done.problems.append(f"offer.most: {refused}")
    grid = _table_grid(document, offer.prices, "offer", "prices", done.problems)
    if grid is not None:
        done.problems += _partition(grid, "offer", "prices")
        done.prices = grid


def _table_grid(
    document: Document, rows: tuple[Row, ...] | tuple[Price, ...], place: str, what: str, problems: list[str]
) -> Grid | None:
    facts = _with_score(document)
    conditions = [row.when for row in rows]
    names = tuple(dict.fromkeys(name for each in conditions for name in each))
    return _grid(facts, conditions, names, place, what, problems)


def _with_score(document: Document) -> dict[str, Fact]:
    if document.scorecard is None:
        return _facts(document)
    return {**_facts(document), SCORE: Fact.model_validate({"type": "integer", "from": "scorecard.points"})}


def _grid(
    facts: Mapping[str, Fact],
    rows: list[dict[str, Condition]],
    names: tuple[str, ...],
    place: str,
    what: str,
    problems: list[str],
) -> Grid | None:
    found = []
    for number, row in enumerate(rows, start=1):
        for name, asked in row.items():
            found += [f"{place}.{what}[{number}]: {each}" for each in _clashes(name, facts.get(name), asked)]
    problems += found
    if found:
        return None
    axes = [
        axis_over(name, facts[name].type, (row[name] for row in rows if name in row), nullable=facts[name].nullable)
        for name in names
    ]
    try:
        return grid_of(axes, rows)
    except TooManyCells as error:
        problems.append(f"{place}.{what}: {error}")
        return None


def _clashes(name: str, fact: Fact | None, asked: Condition) -> Iterator[str]:
    ranged = asked.least is not None or asked.below is not None
    if fact is None:
        yield f"unknown fact {name}"
        return
    if ranged + sum(each is not None for each in (asked.words, asked.other, asked.missing)) > 1:
        yield f"{name}: a condition is a range, a list of values, `other` or `missing`, one of them"
    if asked.other and fact.type != "text":
        yield f"{name}: type clash: `other` on a {fact.type}"
    if asked.missing and not fact.nullable:
        yield f"{name}: unreachable: the fact is never missing"
    if ranged and fact.type not in NUMERIC:
        yield f"{name}: type clash: a range on a {fact.type}"
    if asked.least is not None and asked.below is not None and asked.least >= asked.below:
        yield f"{name}: unreachable: no value is from {asked.least} and below {asked.below}"
    wanted = {"text": str, "boolean": bool, "integer": int, "money": int}.get(fact.type)
    if asked.words is not None and (wanted is None or any(type(word) is not wanted for word in asked.words)):
        yield f"{name}: type clash: a value of the list is no {fact.type}"
    if fact.type == "date":
        yield f"{name}: type clash: a table asks for no date; let a rule do it"


def _partition(grid: Grid, place: str, what: str) -> Iterator[str]:
    yield from _some(grid.gaps(), f"{place}: gap in the {what}, none takes in")
    found = [f"{' and '.join(str(row + 1) for row in rows)} ({cell})" for rows, cell in grid.overlaps()]
    yield from _some(found, f"{place}: overlapping {what},")


def _some(found: list[str], words: str) -> Iterator[str]:
    for each in found[:SHOWN]:
        yield f"{words} {each}"
    if len(found) > SHOWN:
        yield f"{words} {len(found) - SHOWN} more"
