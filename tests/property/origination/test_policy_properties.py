"""What always holds of a policy: decisions replay for ever, bands partition, expressions are what rule-engine has."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origination.errors import PolicyInvalid
from origination.policies.document import parse_document, shipped_text
from origination.policies.engine import decide, policy_from_json, policy_of, read_policy
from origination.policies.expressions import DIGITS, condition, context_of
from origination.policies.reasons import MOST
from origination.policies.split import is_challenged
from origination.policies.vocabulary import Fact, facts_as_json, symbols
from tests.unit.origination.policies import SMALL, keys, small

SHIPPED = read_policy(shipped_text("personal_loan.toml"))
VALUES = {
    "integer": st.integers(-5, 2000),
    "money": st.integers(-(10**6), 10**9),
    "decimal": st.decimals(-10, 200, places=4),
    "text": st.sampled_from(["RENT", "OWN", "CA", "IA", "educational", "credit_card", "Not Verified", "é"]),
    "boolean": st.booleans(),
    "date": st.dates(date(1900, 1, 1), date(2100, 1, 1)),
}


def facts_of(declared: dict[str, Fact], *, complete: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Return any facts of a vocabulary, with any of them missing unless they are to be complete."""
    return st.fixed_dictionaries(
        {
            name: VALUES[fact.type] if complete and not fact.nullable else st.none() | VALUES[fact.type]
            for name, fact in declared.items()
        }
    )


@given(facts=facts_of(SHIPPED.document.facts) | facts_of(SHIPPED.document.facts, complete=True))
def test_a_decision_is_the_same_from_what_is_stored_of_facts_and_version(facts: dict[str, Any]) -> None:
    decision = decide(SHIPPED, facts)

    # As JSONB gives objects back: keys in an order of its own.
    stored = json.loads(json.dumps(facts_as_json(facts), sort_keys=True))
    version = policy_from_json(json.loads(json.dumps(SHIPPED.document.as_json(), sort_keys=True)))
    again = decide(version, version.facts_from_json(stored))

    assert version.content_hash == SHIPPED.content_hash
    assert json.loads(json.dumps(decision.as_json())) == again.as_json()
    assert len(decision.rules) == len(SHIPPED.document.rules)
    assert len(decision.reasons) <= MOST
    assert len({reason.name for reason in decision.reasons}) == len(decision.reasons)
    if decision.outcome in ("decline", "counter_offer"):
        assert decision.reasons
    if decision.outcome == "counter_offer":
        assert decision.price is not None
        assert decision.price.amount < facts["loan_amount"]


@given(
    edges=st.lists(st.decimals(-1000, 1000, places=2), min_size=1, max_size=6, unique=True),
    values=st.lists(st.decimals(-1100, 1100, places=3), max_size=20),
)
def test_bands_cut_at_edges_take_in_every_value_once(edges: list[Decimal], values: list[Decimal]) -> None:
    cuts = sorted(edges)
    bands = [
        {"when": _range(least, below), "points": number}
        for number, (least, below) in enumerate(zip([None, *cuts], [*cuts, None], strict=True))
    ]
    card = {"base": 0, "characteristics": [{"fact": "dti", "bands": bands}]}
    policy = small(scorecard=card, tables=[], offer=None, rules=[])

    for value in [*values, *cuts]:
        decision = decide(policy, {**_complete(), "dti": value})
        # Counted by hand: how many edges are at or below the value.
        assert decision.score == sum(cut <= value for cut in cuts)


@given(
    edges=st.lists(st.integers(-50, 50), min_size=2, max_size=6, unique=True),
    drop=st.integers(0, 5),
    twice=st.booleans(),
)
def test_bands_that_leave_one_out_or_say_one_twice_are_refused(edges: list[int], drop: int, twice: bool) -> None:
    cuts = sorted(edges)
    bands = [
        {"when": _range(least, below), "points": 1} for least, below in zip([None, *cuts], [*cuts, None], strict=True)
    ]
    at = drop % len(bands)
    wrong = [*bands, bands[at]] if twice else [band for number, band in enumerate(bands) if number != at]

    with pytest.raises(PolicyInvalid) as refusal:
        small(scorecard={"characteristics": [{"fact": "dti", "bands": wrong}]}, tables=[], offer=None)
    assert ("overlapping" if twice else "gap") in refusal.value.problems[0]


NUMBERS = st.sampled_from(["amount", "term", "dti", "income", "(inquiries ?? 7)", "12", "0.35", "100000"])


@st.composite
def numeric(draw: st.DrawFn, depth: int = 2) -> str:
    """Draw an expression that is a number."""
    if depth == 0 or draw(st.booleans()):
        return draw(NUMBERS)
    form = draw(st.sampled_from(["({} {} {})", "({} {} {})", "(-{0})", "$abs({0})", "$max([{0}, 5])"]))
    left, right = draw(numeric(depth - 1)), draw(numeric(depth - 1))
    if form == "({} {} {})":
        return form.format(left, draw(st.sampled_from(["+", "-", "*", "/", "//", "%"])), right)
    return form.format(left)


@st.composite
def logical(draw: st.DrawFn, depth: int = 2) -> str:
    """Draw an expression that is true or false."""
    if depth == 0:
        kind = draw(st.integers(0, 4))
        if kind == 0:
            return f"home {draw(st.sampled_from(['==', '!=']))} 'OWN'"
        if kind == 1:
            return "home in ['RENT', 'OWN']"
        if kind == 2:
            return "(verified ?? false)"
        if kind == 3:
            return "inquiries == null"
        operator = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
        return f"{draw(numeric())} {operator} {draw(numeric())}"
    form = draw(st.sampled_from(["({0} and {1})", "({0} or {1})", "(not {0})", "({0} ? {1} : (not {1}))"]))
    return form.format(draw(logical(depth - 1)), draw(logical(depth - 1)))


@given(text=logical(), facts=facts_of(parse_document(SMALL).facts, complete=True))
def test_a_compiled_expression_is_what_rule_engine_evaluates(text: str, facts: dict[str, Any]) -> None:
    declared = parse_document(SMALL).facts
    if len(text) > 300:
        return
    try:
        expression = condition(text, context_of(declared))
    except ValueError:
        # A constant part that cannot be computed, such as a division by zero.
        return
    seen = symbols(declared, facts)

    with localcontext(DIGITS):
        ours = _result(lambda: expression.evaluate(seen))
        theirs = _result(lambda: expression.parsed.evaluate(seen))

    assert ours == theirs


@given(st.integers(0, 2**63 - 1), st.integers(0, 10_000))
def test_the_share_only_grows(application_id: int, share: int) -> None:
    if is_challenged("p", application_id, share):
        assert is_challenged("p", application_id, min(share + 1, 10_000))
    assert is_challenged("p", application_id, 10_000)
    assert not is_challenged("p", application_id, 0)


def _result(compute: Any) -> Any:
    try:
        return bool(compute())
    except Exception:
        return "cannot be computed"


def _range(least: Any, below: Any) -> dict[str, str]:
    return {name: str(value) for name, value in (("from", least), ("below", below)) if value is not None}


def _complete() -> dict[str, Any]:
    policy = policy_of(parse_document(keys()))
    return policy.facts_from_json(
        {"amount": 1, "term": 1, "income": 1, "home": "OWN", "dti": 1, "born": date(2000, 1, 1) + timedelta(1)}
    )
