"""Scenario files: read as YAML 1.2, every mistake by its place, nothing ignored."""

from __future__ import annotations

from datetime import date

import pytest

from servicing.errors import ProductInvalid, ScenarioInvalid
from servicing.scenario import parse_scenarios

LOAN = "loan: {principal: 1200, rate: 0, installments: 12, funded_on: 2026-01-01, first_due_on: 2026-02-01}\n"
EVENT = "events: [{on: 2026-02-01, payment: {amount: 100.10}}]\n"


def test_numbers_keep_their_text_and_on_is_a_plain_word() -> None:
    (found,) = parse_scenarios(LOAN + EVENT)
    (event,) = found.events
    assert (event.values["amount"], event.id, event.on, event.entered) == (
        "100.10",
        "payment-1",
        date(2026, 2, 1),
        date(2026, 2, 1),
    )
    assert str(found.terms.principal) == "1200.00 USD"


def test_a_file_may_hold_several_documents() -> None:
    assert [each.name for each in parse_scenarios(f"scenario: a\n{LOAN}---\nscenario: b\n{LOAN}", "file")] == ["a", "b"]
    assert parse_scenarios("") == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("loan: [", "scenario"),
        ("a list: no\n- x", "scenario"),
        ("- x", "scenario"),
        ("loan: {}\nloan: {}", "scenario.loan"),
        ("scenario: x", "scenario.loan"),
        ("colour: red\n" + LOAN, "scenario.colour"),
        ("loan: {principal: 1, rate: x}", "loan.installments"),
        ("loan: &a {principal: *a}", "scenario.loan"),
        (LOAN.replace("1200", "12.345"), "loan.principal"),
        (LOAN.replace("rate: 0", "rate: .inf"), "loan.rate"),
        (LOAN.replace("installments: 12", "installments: 12.5"), "loan.installments"),
        (LOAN.replace("2026-02-01", "2026-02-30"), "loan.first_due_on"),
        (LOAN.replace("rate: 0", "rate: 0, frequency: {days: -1}"), "loan.frequency.days"),
        (LOAN.replace("rate: 0", "rate: 0, color: red"), "loan.color"),
        ("product: 5\n" + LOAN, "product"),
        ("currency: [USD]\n" + LOAN, "currency"),
        (LOAN + "events: 5", "events"),
        (LOAN + "events: [5]", "events[0]"),
        (LOAN + "events: [{payment: {amount: 1}}]", "events[0]"),
        (LOAN + "events: [{on: 2026-02-01}]", "events[0]"),
        (LOAN + "events: [{on: 2026-02-01, gift: {amount: 1}}]", "events[0].gift"),
        (LOAN + "events: [{on: 2026-02-01, payment: {}}]", "events[0].payment.amount"),
        (LOAN + "events: [{on: 2026-02-01, payment: {amount: 1.001}}]", "events[0].payment.amount"),
        (LOAN + "events: [{on: 2026-02-01, payment: {amount: 1, sum: 2}}]", "events[0].payment.sum"),
        (LOAN + "events: [{on: 2026-02-01, return: {code: R01}}]", "events[0].return.of"),
        (LOAN + "events: [{on: 2026-02-01, run_day: {x: 1}}]", "events[0].run_day.x"),
        (LOAN + 'events: [{on: 2026-02-01, payment: {id: "\\0", amount: 1}}]', "events[0].payment.id"),
        (LOAN + "expect: {at: 2026-02-01}", "expect"),
        (LOAN + "expect: [{at: soon}]", "expect[0].at"),
        (LOAN + "expect: [{balance: {principal: 1}}]", "expect[0].balance"),
        (LOAN + "expect: [{balances: {capital: 1}}]", "expect[0].balances.capital"),
        (LOAN + "expect: [{balances: {principal: much}}]", "expect[0].balances.principal"),
        (LOAN + "expect: [{lines: []}]", "expect[0].lines"),
        (LOAN + "expect: [{entries_of: p, lines: [{debit: 1}]}]", "expect[0].lines[0].account"),
        (LOAN + "expect: [{schedule: [{principal: 1}]}]", "expect[0].schedule[0]"),
        (LOAN + "expect: [{refused: p1}]", "expect[0].refused"),
        (LOAN + "expect: [{refused: {event: p1}}]", "expect[0].refused.code"),
        (LOAN + "expect: [{refused: }]", "expect[0].refused.event"),
    ],
)
def test_a_mistake_is_named_by_its_place(text: str, place: str) -> None:
    with pytest.raises(ScenarioInvalid) as refused:
        parse_scenarios(text)
    assert refused.value.place.startswith(place)


def test_an_unknown_key_of_the_product_is_named() -> None:
    with pytest.raises(ProductInvalid, match="grace_dyas"):
        parse_scenarios("product: {grace_dyas: 1}\n" + LOAN)


def test_two_events_of_one_name_are_refused() -> None:
    text = (
        LOAN + "events: [{on: 2026-02-01, payment: {id: payment-2, amount: 1}}, {on: 2026-02-02, payment: {amount: 1}}]"
    )
    with pytest.raises(ScenarioInvalid, match="another event is called payment-2"):
        parse_scenarios(text)
