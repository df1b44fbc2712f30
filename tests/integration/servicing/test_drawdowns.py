"""Drawdowns through the command: what is refused, what is booked, and what may still be drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from ledger.errors import CurrencyMismatch
from ledger.money import Money
from ledger.queries.accounts import balances
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.drawdowns import Drawn, draw_down
from servicing.drafts import LoanDraft
from servicing.errors import DrawdownExceedsCommitment, DrawdownRefused, EffectiveBeforeFunding
from tests.support.loan_lives import ACTOR
from tests.unit.servicing.examples import TERMS

COMMITMENT, CONTRA = "9030", "9035"


@pytest.fixture
def line(engine: sa.Engine, loan: tuple[str, int, int]) -> int:
    """Return a loan of 10,000.00, of which 15,000.00 are committed."""
    terms = replace(TERMS, commitment=Money.parse("15000.00", "USD"))
    drafts = [LoanDraft("COMMITTED", terms)]
    return run(engine, lambda uow: board_and_fund_loans(uow, loan[0], drafts)[0], actor=ACTOR)


def draw(engine: sa.Engine, loan_id: int, amount: str, on: date, key: str = "draw-1", currency: str = "USD") -> Drawn:
    def work(uow: UnitOfWork) -> Drawn:
        return draw_down(uow, loan_id, amount=Money.parse(amount, currency), effective_date=on, request_key=key)

    return run(engine, work, actor=ACTOR)


def held(engine: sa.Engine, loan_id: int) -> dict[str, int]:
    with engine.connect() as connection:
        return {code: money.minor for code, money in balances(connection, loan_id).items()}


def test_a_commitment_is_drawn_once_for_each_request(engine: sa.Engine, line: int) -> None:
    on = date(2026, 1, 20)
    assert held(engine, line)[COMMITMENT] == held(engine, line)[CONTRA] == 500_000

    first = draw(engine, line, "3000.00", on)
    again = draw(engine, line, "3000.00", on)

    assert (first.undrawn, first.replayed, again.replayed, again.entries) == (200_000, False, True, ())
    assert held(engine, line)[COMMITMENT] == 200_000
    with pytest.raises(DrawdownExceedsCommitment) as refused:
        draw(engine, line, "2000.01", on, key="draw-2")
    assert refused.value.undrawn == 200_000


def test_what_cannot_be_drawn_is_refused(engine: sa.Engine, line: int) -> None:
    with pytest.raises(DrawdownRefused, match="above zero"):
        draw(engine, line, "0.00", date(2026, 1, 20))
    with pytest.raises(CurrencyMismatch):
        draw(engine, line, "1", date(2026, 1, 20), currency="JPY")
    with pytest.raises(EffectiveBeforeFunding):
        draw(engine, line, "1.00", date(2026, 1, 14))
