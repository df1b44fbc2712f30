"""A checkpoint holds what was before its day, and nothing of what the fold that made it went on to do."""

from __future__ import annotations

from datetime import date

from servicing.engine import fold
from servicing.events import Event, Kind
from tests.unit.servicing.examples import FUNDED, TERMS, day, payment


def charged_back(no: int, of: int, amount: int, on: date) -> Event:
    return Event(no=no, kind=Kind.CHARGEBACK, effective_date=on, entered_on=on, of=of, amount=amount)


def test_a_later_chargeback_is_not_in_the_checkpoint_before_it() -> None:
    # 100.00 are paid on day 40, and taken back in two parts: 60.00 on day 50, before the checkpoint of day 60, and the
    # 40.00 that are left on day 70, after it.
    paid = payment(2, 10_000, day(40))
    events = (FUNDED, paid, charged_back(3, 2, 6_000, day(50)), charged_back(4, 2, 4_000, day(70)))
    whole = fold(TERMS, events, day(80), fees_through=day(80), checkpoint_on=day(60))
    assert whole.checkpoint is not None

    assert sum(whole.checkpoint.figures["charged_back"]["2"].values()) == 6_000
    rest = fold(TERMS, events, day(80), fees_through=day(80), start=whole.checkpoint)
    assert (rest.balances(), rest.installments, rest.fees) == (whole.balances(), whole.installments, whole.fees)
