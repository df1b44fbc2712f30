"""Drawdowns as people and programs see them. Next: `api/cli/drawdowns.py`; `api/routes/drawdowns.py`."""

from __future__ import annotations

from datetime import date

from api.views import Json, MoneyForm
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.drawdowns import draw_down
from servicing.queries import loan_view


def draw_further(
    uow: UnitOfWork, loan_id: int, amount: Money | str, on: date | None, request_key: str, money: MoneyForm
) -> Json:
    """Pay out more of a loan on a day (None: the business date); text is an amount in the loan's currency.

    Raises: MoneyMalformed; what `draw_down` raises.
    """
    loan = loan_view(uow.connection, loan_id).loan
    drawn = Money.parse(amount, loan.terms.currency) if isinstance(amount, str) else amount
    day = on or loan.business_date
    done = draw_down(uow, loan_id, amount=drawn, effective_date=day, request_key=request_key)
    return {
        "loan_id": loan_id,
        "event_no": done.event_no,
        "effective_date": day.isoformat(),
        "amount": money(drawn),
        "undrawn": money(Money(done.undrawn, drawn.currency)),
        "entries": list(done.entries),
    }
