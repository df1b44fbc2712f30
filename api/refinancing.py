"""A refinancing as both doors show it: the new loan, what paid the old one off, what was sent to the borrower.

Next: `servicing/commands/refinancing.py`; `api/routes/refinancing.py`, `api/cli/refinancing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.loans import loan_after
from api.views import Json, MoneyForm
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.refinancing import refinance
from servicing.drafting import drafted
from servicing.queries import product_named


def refinance_loan(
    uow: UnitOfWork,
    loan_id: int,
    values: Mapping[str, Any],
    *,
    approved_by: str | None,
    request_key: str,
    money: MoneyForm,
) -> Json:
    """Pay a loan off with a new one of these fields. Raises: ProductUnknown; what `drafted` and `refinance` raise."""
    draft = drafted({**values, "product": product_named(uow.connection, values["product"])})
    done = refinance(uow, loan_id, draft, approved_by=approved_by, request_key=request_key)
    currency = draft.terms.currency
    return {
        "loan_id": loan_id,
        "new_loan_id": done.new_loan_id,
        "group_id": done.new_loan_id,
        "payment_id": done.payment_id,
        "paid_off_with": money(Money(done.payoff, currency)),
        "sent": money(Money(done.sent, currency)),
        **loan_after(uow, loan_id, done.entries, money),
    }
