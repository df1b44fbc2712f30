"""The final account of a loan as both doors show it: every account, what took it to zero, or what is left.

Next: `servicing/final_account.py`; `api/routes/loans.py`, `api/cli/final_accounts.py`.
"""

from __future__ import annotations

from api.views import Json, MoneyForm, day
from ledger.money import Money
from servicing.final_account import AccountOfLoan, Movement
from servicing.queries import FinalView


def final_json(found: FinalView, money: MoneyForm) -> Json:
    """Return the accounts of a loan's subledger, what it came to on the others, and whether nothing is left."""
    view, account = found.view, found.account
    currency = view.loan.terms.currency

    def amount(minor: int) -> object:
        return money(Money(minor, currency))

    def movement(each: Movement) -> Json:
        return {
            "entry_no": each.entry_no,
            "effective_date": day(each.effective_date),
            "booking_date": day(each.booking_date),
            "template": each.template,
            "reverses": each.reverses,
            "amount": amount(each.change),
        }

    def account_json(each: AccountOfLoan) -> Json:
        return {
            "account": each.account.code,
            "slug": each.account.slug,
            "name": each.account.name,
            "rose": amount(each.rose),
            "fell": amount(each.fell),
            "balance": amount(each.balance),
        }

    return {
        "loan_id": view.loan.loan_id,
        "external_id": view.loan.external_id,
        "on": day(view.on),
        "status": view.state.status,
        "ended_as": found.ended_as,
        "is_done": account.is_done,
        "left": {each.account.slug: amount(each.balance) for each in account.left},
        "accounts": [
            {**account_json(each), "since_it_last_rose": [movement(one) for one in each.since_it_last_rose]}
            for each in account.accounts
        ],
        "results": [account_json(each) for each in account.results],
    }
