"""Short words for what tests do to a loan."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.payments import Taken, take_payment
from tests.support.loan_lives import ACTOR


def take(
    uow: UnitOfWork, loan_id: int, amount: str, on: date, name: str, *, method: str = "ach", key: str | None = None
) -> Taken:
    """Take a payment; its request key is its name, unless one is given."""
    return take_payment(
        uow,
        loan_id,
        amount=Money.parse(amount, "USD"),
        effective_date=on,
        method=method,
        external_id=name,
        request_key=key or name,
    )


def pay(
    engine: sa.Engine, loan_id: int, amount: str, on: date, name: str, *, method: str = "ach", key: str | None = None
) -> int:
    """Take a payment in a transaction of its own; return its number."""
    taken = run(engine, lambda uow: take(uow, loan_id, amount, on, name, method=method, key=key), actor=ACTOR)
    return taken.payment_id
