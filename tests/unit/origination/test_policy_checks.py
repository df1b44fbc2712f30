"""What is wrong with a policy is named by its place, all of it at once, before it decides anything."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from origination.errors import PolicyInvalid
from origination.policies.document import parse_document, read_document
from origination.policies.engine import policy_of
from tests.unit.origination.policies import SMALL, keys


def problems(given: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(PolicyInvalid) as refusal:
        policy_of(parse_document(given))
    return refusal.value.problems


def rule(when: str, **more: Any) -> dict[str, Any]:
    return {"code": "X", "about": "A rule", "when": when, "outcome": "refer", **more}


def with_rules(*rules: dict[str, Any]) -> dict[str, Any]:
    return keys(rules=list(rules))


def with_bands(*bands: dict[str, Any], fact: str = "dti") -> dict[str, Any]:
    given = deepcopy(SMALL)
    given["scorecard"]["characteristics"] = [{"fact": fact, "reason": "obligations", "bands": list(bands)}]
    return given


@pytest.mark.parametrize(
    ("when", "problem"),
    [
        ("fico < 600", "unknown fact fico"),
        ("dti > 'high'", "type clash"),
        ("home == 3", "type clash"),
        ("home in [1, 2]", "type clash"),
        ("dti and verified", "type clash"),
        ("verified", "not true or false"),
        ("inquiries > 3", "type clash"),
        ("dti + 1", "not true or false"),
        ("dti >", "syntax error"),
        ("$now > d'2026-01-01'", "$now is not allowed"),
        ("$random() > 0.5", "can be called"),
        ("home =~ '(a+)+b'", "not allowed"),
        ("dti ** 99999999 > 1", "not allowed"),
        ("home.length > 3", "not allowed"),
        ("[x for x in [1, 2]] == [1]", "not allowed"),
        ("1 < 2", "unreachable"),
    ],
)
def test_an_expression_that_cannot_be_taken_is_named(when: str, problem: str) -> None:
    found = problems(with_rules(rule(when)))

    assert len(found) == 1
    assert found[0].startswith("rules[1] X: ")
    assert problem in found[0]


def test_every_problem_is_returned_together() -> None:
    given = with_rules(rule("fico < 600"), rule("dti > 'x'", code="Y"), rule("dti > 5", code="Z", outcome="decline"))
    del given["default"]
    given["scorecard"]["characteristics"][0]["bands"][1]["when"]["below"] = 25

    found = problems(given)

    assert [each.split(":")[0] for each in found] == [
        "default",
        "rules[1] X",
        "rules[2] Y",
        "rules[3] Z",
        "scorecard.characteristics[1] dti",
    ]


def test_keys_that_nobody_knows_and_values_of_other_types_are_named_by_place() -> None:
    given = keys(colour="red")
    given["rules"][0]["outcome"] = "perhaps"
    given["facts"]["amount"]["from"] = "nowhere"

    found = problems(given)

    assert [each.split(":")[0] for each in found] == ["facts.amount.from", "rules.0.outcome", "colour"]


def test_a_gap_and_an_overlap_of_bands_are_named_with_the_values() -> None:
    gap = problems(with_bands({"when": {"below": 10}, "points": 1}, {"when": {"from": 11}, "points": 2}))
    overlap = problems(with_bands({"when": {"below": 10}, "points": 1}, {"when": {"from": 9}, "points": 2}))
    missing = problems(
        with_bands({"when": {"below": 3}, "points": 1}, {"when": {"from": 3}, "points": 2}, fact="inquiries")
    )

    assert gap == ("scorecard.characteristics[1] dti: gap in the bands, none takes in dti from 10 below 11",)
    assert overlap == ("scorecard.characteristics[1] dti: overlapping bands, 1 and 2 (dti from 9 below 10)",)
    assert missing == ("scorecard.characteristics[1] inquiries: gap in the bands, none takes in inquiries is missing",)


def test_a_row_behind_others_that_take_in_all_of_it_is_unreachable() -> None:
    given = deepcopy(SMALL)
    given["tables"][0]["rows"] = [
        {"when": {"score": {"below": 130}}, "outcome": "refer"},
        {"when": {"score": {"from": 130}, "amount": {"below": 500}}, "outcome": "approve"},
        # No one row takes this in, the two above together do.
        {"when": {"amount": {"below": 500}}, "outcome": "refer"},
    ]

    assert problems(given) == ("tables.strategy.rows[3]: unreachable row",)


def test_a_table_without_a_default_takes_in_everything() -> None:
    given = deepcopy(SMALL)
    del given["tables"][0]["default"]

    found = problems(given)

    assert found[0] == "tables.strategy: missing default, no row takes in score below 140, amount below 2000000"


def test_prices_leave_no_gap_and_overlap_nowhere() -> None:
    given = deepcopy(SMALL)
    given["offer"]["prices"][0]["when"]["term"] = {"in": [36]}
    given["offer"]["prices"][1]["when"] = {"score": {"below": 146}}

    found = problems(given)

    assert found[0] == "offer: gap in the prices, none takes in score from 146, term below 36"
    assert "offer: overlapping prices, 1 and 2 (score from 145 below 146, term from 36 below 37)" in found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rules": [rule("dti > 5", outcome="decline")]}, "missing reason"),
        ({"rules": [rule("dti > 5", reason="nobody")]}, "unknown reason nobody"),
        ({"rules": [rule("dti > 5"), rule("dti > 6")]}, "duplicate rule, the code"),
        ({"rules": [rule("dti > 5"), rule("dti  >  5", code="Y")]}, "duplicate rule, it says the same as X"),
        ({"reasons": {**SMALL["reasons"], "odd": {"code": "R99"}}}, "R99 is none of"),
        ({"reasons": {**SMALL["reasons"], "odd": {"code": "C1-24"}}}, "needs a text"),
        ({"derived": {"dti": {"value": "amount * 2"}}}, "derived.dti: the name stands for a fact"),
        ({"derived": {"share": {"value": "fico * 2"}}}, "derived.share: unknown fact fico"),
        ({"derived": {"share": {"value": "home"}}}, "derived.share: it is string, not a number"),
        ({"derived": {"share": {"value": "2 * 3"}}}, "derived.share: it asks for no fact"),
        ({"default": "decline"}, "no application has it by default"),
        ({"currency": "XQZ"}, "currency"),
    ],
)
def test_what_does_not_fit_together_is_named(change: dict[str, Any], problem: str) -> None:
    assert any(problem in each for each in problems(keys(**change)))


@pytest.mark.parametrize(
    ("when", "problem"),
    [
        ({"from": 5, "below": 5}, "unreachable: no value"),
        ({"from": 5, "in": [3]}, "one of them"),
        ({"missing": True}, "never missing"),
        ({"in": ["high"]}, "type clash"),
        ({"other": True}, "type clash"),
    ],
)
def test_a_condition_that_no_value_meets_is_named(when: dict[str, Any], problem: str) -> None:
    found = problems(with_bands({"when": when, "points": 1}))

    assert any(problem in each and ".bands[1]" in each for each in found)


def test_a_table_with_too_many_cells_is_refused() -> None:
    given = deepcopy(SMALL)
    rows = [
        {"when": {"dti": {"below": n}, "amount": {"below": n}, "score": {"below": n}}, "outcome": "refer"}
        for n in range(1, 70)
    ]
    given["tables"][0]["rows"] = rows

    assert "more than 200000" in problems(given)[0]


@pytest.mark.parametrize("text", ["name = ", '{"name": 1, "name": 2}', '{"dti": NaN}', "{"])
def test_a_file_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(PolicyInvalid):
        read_document(text)
