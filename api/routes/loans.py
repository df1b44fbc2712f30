"""`/v1/loans`: a loan is boarded, new or in mid-life, and looked at.

Next: `api/loans.py`; `api/routes/payments.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from api import http
from api.final_accounts import final_json
from api.loans import board, loan_json
from api.models import BalanceIn, Body, BookQuery, Code, Day, DecimalText, MoneyIn
from api.views import minor_units
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from servicing.queries import final_view, loan_view
from servicing.terms import CustomRow, Step

routes = Blueprint("loans", __name__)

Frequency = Annotated[
    str,
    StringConstraints(
        pattern=r"^(weekly|biweekly|semimonthly|monthly|quarterly|semiannual|annual|days:[1-9][0-9]{0,2})$"
    ),
]


Count = Annotated[int, Field(ge=0, le=1200)]


class StepIn(Body):
    """Installments of one amount; without it, of the level payment that pays off what is left."""

    installments: Annotated[int, Field(ge=1, le=1200)]
    amount: BalanceIn | None = None


class RowIn(Body):
    """An installment by its due date and its principal or its total; the last one may say neither."""

    due: Day
    principal: BalanceIn | None = None
    total: BalanceIn | None = None


class OpeningIn(Body):
    """Where a loan in mid-life stands when its cut-over day begins; a balance that is left out is nothing.

    Without original terms beside it, it says when the next installment is due and how many are left.
    """

    cut_over_on: Day
    principal_balance: BalanceIn
    interest_balance: BalanceIn | None = None
    late_fees: BalanceIn | None = None
    returned_payment_fees: BalanceIn | None = None
    other_fees: BalanceIn | None = None
    unapplied: BalanceIn | None = None
    days_past_due: Annotated[int, Field(ge=0, le=36_500)] = 0
    past_due: BalanceIn | None = None
    next_due_on: Day | None = None
    installments_left: Count | None = None


class LoanIn(Body):
    """A loan to board: who knows it by which name, and what was agreed. The rate is percent a year.

    A new one is funded; one with an opening is taken over. The product is the rules of that name.
    """

    external_id: Code
    product: Code = "installment"
    principal: MoneyIn | None = None
    rate: DecimalText
    installments: Annotated[int, Field(ge=1, le=1200)] | None = None
    frequency: Frequency = "monthly"
    funded_on: Day | None = None
    first_due_on: Day | None = None
    installment_amount: MoneyIn | None = None
    balloon: BalanceIn | None = None
    steps: Annotated[list[StepIn], Field(max_length=1200)] = Field(default_factory=list)
    rows: Annotated[list[RowIn], Field(max_length=1200)] = Field(default_factory=list)
    opening: OpeningIn | None = None

    def values(self) -> dict[str, Any]:
        """Return the fields that are given, by the names that servicing has for them.

        Raises: CurrencyUnknown.
        """
        own = {name: getattr(self, name) for name in type(self).model_fields if name not in LISTS}
        opening = {name: getattr(self.opening, name) for name in OpeningIn.model_fields} if self.opening else {}
        lists: dict[str, Any] = {
            "steps": tuple(Step(step.installments, _money(step.amount)) for step in self.steps),
            "rows": tuple(CustomRow(row.due, _money(row.principal), _money(row.total)) for row in self.rows),
        }
        given = {name: _plain(value) for name, value in {**own, **opening}.items() if value is not None}
        return {**given, **lists, "rate": Decimal(self.rate)}


LISTS = ("steps", "rows", "opening")


def _money(given: BalanceIn | None) -> Money | None:
    return None if given is None else given.money


def _plain(value: Any) -> Any:
    return value.money if isinstance(value, MoneyIn | BalanceIn) else value


class LoanQuery(BookQuery):
    """At the close of which day; without one, of the business date."""

    on: Day | None = None


@routes.post("/v1/loans")
def create() -> Response:
    """Board a loan, new or in mid-life; its id is that of its subledger."""
    change, given = http.change(), http.body(LoanIn)
    values = given.values()
    code = http.chosen_book(change.book)

    def work(uow: UnitOfWork) -> Outcome:
        return once(
            uow,
            subledger_id=book(uow.connection, code).own_subledger_id,
            key=change.key,
            command="fund_loan",
            inputs=given.model_dump(mode="json"),
            work=lambda: board(uow, code, values, minor_units),
        )

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/loans/<int:loan_id>")
def show(loan_id: int) -> Response:
    """Return a loan: terms, balances, installments, payments."""
    asked = http.query(LoanQuery)
    view = http.edge().read(lambda connection: loan_view(connection, loan_id, asked.on))
    return http.reply(loan_json(view, minor_units))


@routes.get("/v1/loans/<int:loan_id>/final-account")
def show_final_account(loan_id: int) -> Response:
    """Return every account of a loan, the entries that took it to zero, and what is left."""
    found = http.edge().read(lambda connection: final_view(connection, loan_id))
    return http.reply(final_json(found, minor_units))
