"""A policy decides as its file says: worked figures, edges of bands, reasons in their order, the share of a challenger.

The policy is that of `policies.py` beside this file; the figures are worked in the comments, and in
`docs/spec/decisions.md`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from origination.errors import FactsInvalid
from origination.policies.document import parse_document, read_document, shipped_text
from origination.policies.engine import Decision, Quote, decide, differences, policy_of, read_policy
from origination.policies.reasons import FORM, Cause, ranked
from origination.policies.split import bucket_of, is_challenged
from tests.unit.origination.policies import FACTS, SMALL, small


def decided(**changes: Any) -> Decision:
    policy = small()
    return decide(policy, policy.facts_from_json({**FACTS, **changes}))


def names(decision: Decision) -> list[str]:
    return [each.name for each in decision.reasons]


def test_nothing_against_it_is_an_approval_at_the_price_of_its_cell() -> None:
    # 100 + 30 (DTI below 20) + 20 (own home) = 150, from 145: 8.99 %, fee 1.25 % of 10,000.00 = 125.00.
    decision = decided()

    assert (decision.outcome, decision.score) == ("approve", 150)
    assert decision.price == Quote(1_000_000, 36, Decimal("8.99"), 12_500)
    assert (decision.fired, decision.reasons) == ((), ())


@pytest.mark.parametrize(
    ("dti", "score"), [("19.99", 150), ("20", 135), ("29.999999", 135), ("30", 120), ("30.00", 120), ("-1", 150)]
)
def test_a_band_begins_with_its_edge_and_ends_before_the_next(dti: str, score: int) -> None:
    assert decided(dti=dti).score == score


@pytest.mark.parametrize(
    ("dti", "home", "score", "outcome"),
    [
        ("30", "OWN", 120, "refer"),
        ("20", "RENT", 120, "refer"),
        ("20", "OWN", 135, "approve"),
        ("30", "RENT", 105, "decline"),
    ],
)
def test_the_score_declines_below_one_cut_and_refers_below_the_other(
    dti: str, home: str, score: int, outcome: str
) -> None:
    decision = decided(dti=dti, home=home)

    assert (decision.score, decision.outcome) == (score, outcome)


def test_a_low_score_gives_its_reasons_by_the_points_that_they_cost() -> None:
    # DTI 30 costs 30 of 30, renting 15 of 20.
    decision = decided(dti="30", home="RENT")

    assert [(each.code, each.because) for each in decision.reasons] == [
        ("C1-09", "score of dti: 0 of 30"),
        ("C1-24", "score of home: 5 of 20"),
    ]
    assert decision.reasons[1].text == "Type of housing"


def test_rules_give_their_reasons_first_and_each_reason_is_given_once() -> None:
    # 20,000.00 over 12 months from an income of 30,000.00: 20000 / 12 * 12 / 30000 = 0.67; DTI 41 fires R1 as well.
    decision = decided(dti="41", amount=2_000_000, term=12, income=3_000_000, home="RENT")

    assert decision.fired == ("R1", "R3")
    assert names(decision) == ["obligations", "income_low", "housing"]
    assert decision.price is None


def test_the_reasons_of_the_score_come_first_where_the_policy_says_so() -> None:
    policy = small(rank="scorecard_first")

    decision = decide(policy, policy.facts_from_json({**FACTS, "dti": "41", "term": 2, "home": "RENT"}))

    assert names(decision) == ["obligations", "housing", "income_low"]


def test_a_score_that_did_not_decline_gives_no_reason_for_a_decline() -> None:
    # 100 + 0 + 20 = 120 refers; the rule declines.
    assert names(decided(dti="41")) == ["obligations"]


def test_at_most_four_reasons_are_sent() -> None:
    causes = [Cause(f"r{number}", "rule") for number in range(6)]

    assert [each.reason for each in ranked(causes, [], rank="rules_first")] == ["r0", "r1", "r2", "r3"]


def test_equal_points_keep_the_order_of_the_file_and_no_points_are_no_reason() -> None:
    scored = [Cause("a", "", 5), Cause("b", "", 9), Cause("c", "", 5), Cause("d", "", 0)]

    assert [each.reason for each in ranked([], scored, rank="rules_first")] == ["b", "a", "c"]


def test_what_is_asked_beyond_the_most_is_countered_rounded_down() -> None:
    # 30 % of 41,234.56 is 12,370.368; down to a multiple of 100.00: 12,300.00. Fee 1.25 % of it: 153.75.
    decision = decided(amount=1_500_000, income=4_123_456)

    assert decision.outcome == "counter_offer"
    assert decision.price == Quote(1_230_000, 36, Decimal("8.99"), 15_375)
    assert [(each.name, each.because) for each in decision.reasons] == [
        ("income_low", "asked 1500000, lent at most 1230000")
    ]


def test_what_would_be_less_than_the_least_is_declined() -> None:
    # 30 % of 3,300.00 is 990.00, below 1,000.00.
    decision = decided(amount=300_000, income=330_000, term=60)

    assert (decision.outcome, decision.price, names(decision)) == ("decline", None, ["income_low"])


def test_a_fee_is_rounded_half_up_to_the_cent() -> None:
    # 1.25 % of 1,000.40 is 12.505.
    price = decided(amount=100_040).price

    assert price is not None
    assert price.fee == 1_251


def test_a_row_of_a_table_refers() -> None:
    # 100 + 15 + 20 = 135, below 140, and 20,000.00 asked of an income that lends it.
    decision = decided(dti="25", amount=2_000_000, income=12_000_000)

    assert (decision.outcome, decision.tables[0].row) == ("refer", 1)
    assert decided(dti="25", amount=1_999_999, income=12_000_000).tables[0].row is None


def test_a_fact_that_must_be_there_and_is_not_refers_and_nothing_is_evaluated() -> None:
    decision = decided(income=None, dti=None)

    assert (decision.outcome, decision.missing, decision.score) == ("refer", ("dti", "income"), None)
    assert {each.fired for each in decision.rules} == {None}
    assert [(each.code, each.because) for each in decision.reasons] == [("C1-01", "missing: dti, income")]


def test_a_fact_that_may_be_missing_is_what_the_rule_says() -> None:
    assert decided(inquiries=None).outcome == "approve"
    assert decided(inquiries=5).outcome == "refer"


def test_a_figure_is_derived_from_facts_and_asked_for_like_one() -> None:
    # 10,000.00 of 60,000.00 are 16.666... percent, kept as 16.67: the band ends below 16.67.
    share = {"value": "amount / income * 100", "places": 2}
    bands = [{"when": {"below": "16.67"}, "points": 1}, {"when": {"from": "16.67"}, "points": 7}]
    rule = {"code": "D", "about": "Share", "when": "share == 16.67", "outcome": "refer"}
    card = {"base": 0, "characteristics": [{"fact": "share", "bands": bands}]}
    policy = small(derived={"share": share}, scorecard=card, tables=[], offer=None, rules=[rule])

    decision = decide(policy, policy.facts_from_json(FACTS))
    uncomputed = decide(policy, policy.facts_from_json({**FACTS, "income": 0}))

    assert (decision.derived, decision.score, decision.fired) == ((("share", Decimal("16.67")),), 7, ("D",))
    assert decision.as_json()["derived"] == {"share": "16.67"}
    assert (uncomputed.outcome, uncomputed.missing) == ("refer", ("share",))


def test_a_rule_that_cannot_be_computed_refers() -> None:
    decision = decided(income=0, amount=0)

    assert [each.fired for each in decision.rules] == [False, False, None]
    assert decision.outcome == "refer"


def test_numbers_are_decimal_to_the_last_digit() -> None:
    rule = {"code": "D", "about": "Sum", "when": "dti + 0.2 == 0.3", "outcome": "refer"}
    policy = small(rules=[rule])

    assert decide(policy, policy.facts_from_json({**FACTS, "dti": "0.1"})).fired == ("D",)
    assert decide(policy, policy.facts({**_sources(), "credit_report": {"dti": 0.1}})).fired == ("D",)


def test_facts_are_read_from_where_they_are_declared_to_come_from() -> None:
    facts = small().facts(_sources())

    assert (facts["dti"], facts["born"].isoformat(), facts["inquiries"]) == (Decimal("19.99"), "1980-02-29", None)


def test_all_facts_that_are_of_another_type_are_named_at_once() -> None:
    with pytest.raises(FactsInvalid) as refusal:
        small().facts_from_json({**FACTS, "amount": 10.5, "home": 3, "verified": "maybe", "born": "1981-02-29"})

    assert [each.split(":")[0] for each in refusal.value.problems] == [
        "amount (application.amount)",
        "home (applicant.home)",
        "verified (income.verified)",
        "born (applicant.born)",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("home", "\0"),
        ("home", "\ud800"),
        ("home", "x" * 1001),
        ("dti", "NaN"),
        ("dti", "1e40"),
        ("dti", "1." + "1" * 34),
        ("dti", True),
        ("amount", "1" * 19),
        ("amount", True),
    ],
)
def test_what_cannot_be_kept_as_it_is_is_no_fact(name: str, value: Any) -> None:
    with pytest.raises(FactsInvalid):
        small().facts_from_json({**FACTS, name: value})


def test_a_version_is_what_the_file_says_not_how() -> None:
    text = json.dumps(SMALL, indent=3)
    twice = json.loads(json.dumps(parse_document(SMALL).as_json()))

    assert read_document(text).content_hash() == parse_document(twice).content_hash()
    assert small(default="refer").content_hash != small().content_hash


def test_a_difference_names_both_values() -> None:
    before, after = decided().as_json(), decided(dti="25").as_json()

    assert "score: stored 150, computed 135" in differences(before, after)
    assert differences(before, decided().as_json()) == ()


def test_the_codes_are_the_lines_of_the_sample_form() -> None:
    # 12 CFR 1002, appendix C, form C-1, part I: the first, ninth and last line before "Other, specify".
    assert (FORM["C1-01"], FORM["C1-09"], FORM["C1-23"]) == (
        "Credit application incomplete",
        "Excessive obligations in relation to income",
        "Value or type of collateral not sufficient",
    )
    assert len(FORM) == 23


def test_the_share_of_a_challenger_is_that_of_a_hash_anybody_can_compute() -> None:
    # `printf small:1 | sha256sum` begins with cdea69589d2e2156, which is 14,837,787,751,640,605,014.
    assert bucket_of("small", 1) == 5014
    assert is_challenged("small", 1, 5015)
    assert not is_challenged("small", 1, 5014)
    share = sum(is_challenged("small", application_id, 1_000) for application_id in range(1, 20_001))
    # 10 % of 20,000 with a standard deviation of 42.
    assert abs(share - 2_000) < 4 * 43


def test_the_shipped_policy_holds() -> None:
    policy = read_policy(shipped_text("personal_loan.toml"))

    assert len(policy.document.rules) >= 40
    assert (
        policy_of(parse_document(json.loads(json.dumps(policy.document.as_json())))).content_hash == policy.content_hash
    )


def _sources() -> dict[str, dict[str, Any]]:
    return {
        "application": {"amount": 1000000, "term": 36},
        "income": {"annual": 6000000, "verified": True},
        "credit_report": {"dti": "19.99"},
        "applicant": {"home": "OWN", "born": "1980-02-29", "name": "not asked for"},
    }


def test_the_policy_over_what_is_verified_here_decides_by_hand_worked_figures() -> None:
    policy = read_policy(shipped_text("personal.toml"))
    sources: dict[str, dict[str, Any]] = {
        "application": {"amount": 1_200_000, "term_months": 36, "is_duplicate": False},
        "applicant": {"age": 41},
        "income": {"annual": 8_000_000},
        "verified_income": {"annual": 8_080_884, "monthly": 673_407, "employment_months": 205},
        "credit_report": {
            "score": 700,
            "trade_lines": 9,
            "utilization": "0.310",
            "monthly_debts": 90_000,
            "delinquencies_24_months": 0,
            "inquiries_6_months": 1,
            "public_records": 0,
            "bankruptcy": False,
        },
        "identity": {"name_match": True, "date_of_birth_match": True, "deceased": False, "watchlist": False},
        "fraud": {"score": 224},
    }

    decision = decide(policy, policy.facts(sources))
    unverified = decide(policy, policy.facts({**sources, "credit_report": {"outcome": "manual_review"}}))

    # (900.00 + 12,000.00 / 36) / 6,734.07 = 18.31...%; 90 + 40 + 15 + 15 + 10 = 170; 1 % of 12,000.00.
    assert decision.derived == (("dti", Decimal("18.31")),)
    assert (decision.outcome, decision.score) == ("approve", 170)
    assert decision.price == Quote(1_200_000, 36, Decimal("7.99"), 12_000)
    assert (unverified.outcome, unverified.reasons[0].code) == ("refer", "C1-01")
