"""The figures of a payoff, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from servicing.events import Event, Kind
from servicing.payoff import payoff_figures
from servicing.product import SmallBalance
from tests.unit.servicing.examples import FUNDED, TERMS, payment


def test_what_a_close_before_writes_off_is_no_late_fee_to_come() -> None:
    # 10,000.00 and 101.92 come on 15 February and leave a penalty of 3.00, which the close of that day writes off.
    small = SmallBalance(limit=Decimal(5), automatic=True)
    terms = replace(TERMS, product=TERMS.product.model_copy(update={"small_balance": small}))
    on = date(2026, 2, 15)
    details = {"fee_id": "f", "fee_kind": "any", "penalty": True}
    fee = Event(no=3, kind=Kind.FEE, effective_date=on, entered_on=on, amount=300, details=details)

    found = payoff_figures(
        terms,
        [FUNDED, payment(2, 1_010_192, on), fee],
        good_through=date(2026, 2, 17),
        fees_through=date(2026, 2, 14),
    )

    assert (found.penalties, found.late_fees_to_come, found.total) == (0, 0, 0)


def test_a_late_fee_that_a_day_before_brings_is_named() -> None:
    # Nothing comes by 25 February, the last day of grace; 10,000.00 x 12% x 44/365 by the 28th.
    found = payoff_figures(TERMS, [FUNDED], good_through=date(2026, 2, 28), fees_through=date(2026, 2, 20))

    assert (found.penalties, found.late_fees_to_come, found.interest) == (1_500, 1_500, 14_466)
