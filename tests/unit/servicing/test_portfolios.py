"""The invented portfolio of the demonstration."""

from __future__ import annotations

from datetime import date

from servicing.events import Kind
from servicing.portfolio import PaymentAction, UndoAction, make_portfolio, script_life


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
