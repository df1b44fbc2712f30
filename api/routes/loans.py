"""`/v1/loans`: a loan is boarded and funded, and looked at.

Next: `api/loans.py`; `api/routes/payments.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from api import http
from api.loans import fund, loan_json
from api.models import Body, BookQuery, Code, Day, DecimalText, MoneyIn
from api.views import minor_units
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from servicing.drafts import LoanDraft
from servicing.product import shipped
from servicing.queries import loan_view
from servicing.terms import Terms

routes = Blueprint("loans", __name__)

Frequency = Annotated[
    str,
    StringConstraints(
        pattern=r"^(weekly|biweekly|semimonthly|monthly|quarterly|semiannual|annual|days:[1-9][0-9]{0,2})$"
    ),
]


class LoanIn(Body):
    """A loan to board and fund: who knows it by which name, and what was agreed. The rate is percent a
    year."""

    external_id: Code
    product: Code = "installment"
    principal: MoneyIn
    rate: DecimalText
    installments: Annotated[int, Field(ge=1, le=1200)]
    frequency: Frequency = "monthly"
    funded_on: Day
    first_due_on: Day
    installment_amount: MoneyIn | None = None

    def draft(self) -> LoanDraft:
        """Return the loan as servicing takes it.

        Raises: ProductInvalid; TermsInvalid; CurrencyUnknown.
        """
        terms = Terms(
            product=shipped(self.product),
            principal=self.principal.money,
            rate=Decimal(self.rate),
            installments=self.installments,
            frequency=self.frequency,
            funded_on=self.funded_on,
            first_due_on=self.first_due_on,
            installment_amount=None if self.installment_amount is None else self.installment_amount.money,
        )
        return LoanDraft(external_id=self.external_id, terms=terms)


class LoanQuery(BookQuery):
    """At the close of which day; without one, of the business date."""

    on: Day | None = None


@routes.post("/v1/loans")
def create() -> Response:
    """Board and fund a loan; its id is that of its subledger."""
    change, given = http.change(), http.body(LoanIn)
    draft = given.draft()
    code = http.chosen_book(change.book)

    def work(uow: UnitOfWork) -> Outcome:
        return once(
            uow,
            subledger_id=book(uow.connection, code).own_subledger_id,
            key=change.key,
            command="fund_loan",
            inputs=given.model_dump(mode="json"),
            work=lambda: fund(uow, code, draft, minor_units),
        )

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/loans/<int:loan_id>")
def show(loan_id: int) -> Response:
    """Return a loan: terms, balances, installments, payments."""
    asked = http.query(LoanQuery)
    view = http.edge().read(lambda connection: loan_view(connection, loan_id, asked.on))
    return http.reply(loan_json(view, minor_units))
