"""The allowance for credit losses as people and programs see it: what is required by segment, and what is held.

Next: `servicing/commands/allowance.py`; `api/cli/allowance.py`, `api/routes/allowance.py`.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from api.views import Json, MoneyForm, day
from ledger.money import Money
from servicing.commands.allowance import Allowance, allowances, rates_in_force


def allowance_json(connection: sa.Connection, book_code: str, on: date, money: MoneyForm) -> Json:
    """Return what loss rates require on a day, and what is held. Raises: BookUnknown; LossRateMissing."""
    rates = rates_in_force(connection, book_code, on)
    return {
        "on": day(on),
        "rates_of": None if rates is None else day(rates.effective_on),
        "method": None if rates is None else rates.method,
        "allowances": [_one(each, money) for each in allowances(connection, book_code, on)],
    }


def _one(found: Allowance, money: MoneyForm) -> Json:
    def amount(minor: int) -> object:
        return money(Money(minor, found.currency))

    return {
        "currency": found.currency,
        "required": amount(found.required),
        "held": amount(found.held),
        "change": amount(found.change),
        "segments": [
            {
                "name": each.name,
                "loans": each.loans,
                "carried": amount(each.carried),
                "rate": f"{each.rate:f}",
                "required": amount(each.required),
            }
            for each in found.segments
        ],
    }
