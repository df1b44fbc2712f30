"""Loans that come in numbers: a tape of a lender, and the invented portfolio of the demonstration."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.money import Money
from servicing.boarding import read_tape
from servicing.errors import ControlTotalWrong, TapeInvalid
from servicing.events import Kind
from servicing.portfolio import PaymentAction, UndoAction, make_portfolio, script_life
from tests.unit.servicing.examples import RULES

HEADER = "external_id,principal,rate,installments,frequency,funded_on,first_due_on\n"
GOOD = "A,100,12,12,monthly,2026-01-01,2026-02-01\n"


def mistakes_of(text: str) -> tuple[str, ...]:
    with pytest.raises(TapeInvalid) as refused:
        read_tape(text, RULES, "USD")
    return refused.value.mistakes


def test_a_tape_is_read_with_its_totals() -> None:
    tape = read_tape(HEADER + GOOD + GOOD.replace("A,", "B,"), RULES, "USD", expected_count=2)
    assert (tape.count, tape.principal) == (2, Money(20000, "USD"))


def test_a_tape_names_every_mistake_by_row_and_column() -> None:
    found = mistakes_of(
        HEADER
        + "A,100.001,12,12,monthly,2026-01-01,2026-02-01\n"
        + "B,100,12,0,monthly,2026-01-01,2026-02-01\n"
        + "C,1\n"
        + "D,100,twelve,12,monthly,2026-01-01,20260201\n"
        + "E,100,12,12,often,2026-01-01,2026-02-01\n"
        + GOOD
        + GOOD
    )
    assert [text.split(":")[0] for text in found] == [
        "row 2, column principal",
        "row 3, column installments",
        "row 4",
        "row 5, column rate",
        "row 5, column first_due_on",
        "row 6, column frequency",
        "row 8, column external_id",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "row 1, column external_id: it is missing"),
        (HEADER.replace("rate", "apr"), "row 1, column rate: it is missing"),
        (HEADER.replace("\n", ",colour\n"), "row 1, column colour: unknown"),
        (HEADER.replace("\n", ",rate\n"), "row 1, column rate: it stands twice"),
        ('"external_id', "row 1: unexpected end of data"),
        (HEADER + 'A,"100" 0,12,12,monthly,2026-01-01,2026-02-01\n', "row 2:"),
    ],
)
def test_a_tape_that_is_no_table_is_refused(text: str, mistake: str) -> None:
    assert any(found.startswith(mistake) for found in mistakes_of(text))


def test_a_tape_must_agree_with_its_control_totals() -> None:
    with pytest.raises(ControlTotalWrong):
        read_tape(HEADER + GOOD, RULES, "USD", expected_principal=Money(10001, "USD"))
    with pytest.raises(ControlTotalWrong):
        read_tape(HEADER + GOOD, RULES, "USD", expected_count=2)


def test_the_same_seed_makes_the_same_portfolio_and_life() -> None:
    opening = date(2026, 1, 1)
    one, two = make_portfolio(3, 40, opening), make_portfolio(3, 40, opening)
    assert one == two != make_portfolio(4, 40, opening)
    assert script_life(3, one, opening, 3) == script_life(3, two, opening, 3)


def test_a_portfolio_lives_through_everything_that_payments_do() -> None:
    opening = date(2026, 1, 1)
    drafts = make_portfolio(1, 300, opening)
    life = script_life(1, drafts, opening, 3)
    acts = [(day.day, act) for day in life for act in day.actions]
    payments = [(day, act) for day, act in acts if isinstance(act, PaymentAction)]
    undone = {act.kind for _, act in acts if isinstance(act, UndoAction)}

    assert undone == {Kind.RETURNED, Kind.REVERSED}
    assert any(act.effective_date < day for day, act in payments), "some are back-dated"
    assert {n for day in life for n in day.boarded} == set(range(300))
    assert life[-1].day == date(2026, 3, 31)
