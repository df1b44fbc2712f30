"""`/v1/loans/<id>/bank-accounts` and `/mandates`: whose account is debited, and what its holder has authorized.

A bank account's number comes in here and goes into the vault; the row of the request keeps nothing of it, not even a
digest, which could be guessed. Next: `api/rails.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from flask import Blueprint, Response, current_app
from pydantic import Field, SecretStr

from api import http
from api.models import Body, BookQuery, Code, Day, MoneyIn, ShortText
from api.rails import bank_account_json, mandate_json
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.requests import Outcome
from ledger.unit_of_work import UnitOfWork
from servicing.commands.bank_accounts import AccountIn, add_bank_account, correct_bank_account
from servicing.commands.mandates import MandateIn, end_mandate, give_mandate
from servicing.rail_queries import bank_accounts, mandates
from servicing.rails.accounts import AccountNumber, BankAccount
from servicing.vault import Vault

VAULT_KEYS = "loanbook.bank_account_keys"
"""Where the application keeps the keys for bank account numbers."""

Secret = Annotated[SecretStr, Field(max_length=40)]
RoutingText = Annotated[str, Field(max_length=9)]
HolderText = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]

routes = Blueprint("rails", __name__)


class BankAccountBody(Body):
    """A bank account; its number is kept encrypted, and shown by its last four characters."""

    routing: RoutingText
    account_number: Secret
    kind: Literal["checking", "savings"]
    holder: HolderText


class CorrectionBody(Body):
    """What takes the place of what was, and why: a code of a notification of change, or words."""

    reason: ShortText
    routing: RoutingText | None = None
    account_number: Secret | None = None
    kind: Literal["checking", "savings"] | None = None
    holder: HolderText | None = None


class MandateBody(Body):
    """What the borrower has authorized, and how."""

    method: Code
    amount_rule: Literal["amount_due", "fixed", "amount_due_plus"]
    authorized_on: Day
    text_version: Code
    authorized_how: ShortText
    amount: MoneyIn | None = None
    entry_class: Code | None = None
    day_of_month: Annotated[int, Field(ge=1, le=31)] | None = None
    account_no: Annotated[int, Field(ge=1)] | None = None
    card_token: Code | None = None
    starts_on: Day | None = None


class EndBody(Body):
    """How a mandate ends, and why."""

    cause: Literal["revoked", "invalidated"]
    reason: ShortText


@routes.get("/v1/loans/<int:loan_id>/bank-accounts")
def list_accounts(loan_id: int) -> Response:
    """Show every version of every bank account of a loan, numbers masked."""
    http.query(BookQuery)
    found = http.edge().read(lambda connection: bank_accounts(connection, loan_id))
    return http.reply({"loan_id": loan_id, "bank_accounts": [bank_account_json(each) for each in found]})


@routes.post("/v1/loans/<int:loan_id>/bank-accounts")
def add_account(loan_id: int) -> Response:
    """Keep a bank account of the borrower."""
    given = http.body(BankAccountBody)
    account = AccountIn(
        routing=given.routing,
        number=AccountNumber(given.account_number.get_secret_value()),
        kind=given.kind,
        holder=given.holder,
    )
    return _keep(loan_id, lambda uow, vault, key: add_bank_account(uow, vault, loan_id, account, request_key=key))


@routes.post("/v1/loans/<int:loan_id>/bank-accounts/<int:account_no>/corrections")
def correct_account(loan_id: int, account_no: int) -> Response:
    """Append a version of a bank account; what is not given stays."""
    given = http.body(CorrectionBody)
    number = None if given.account_number is None else AccountNumber(given.account_number.get_secret_value())
    return _keep(
        loan_id,
        lambda uow, vault, key: correct_bank_account(
            uow,
            vault,
            loan_id,
            account_no,
            reason=given.reason,
            request_key=key,
            routing=given.routing,
            number=number,
            kind=given.kind,
            holder=given.holder,
        ),
    )


def _keep(loan_id: int, work: Callable[[UnitOfWork, Vault, str], BankAccount]) -> Response:
    """Write a version once for its key, which the version itself keeps."""
    change = http.change()
    vault = Vault.of_keys(current_app.extensions[VAULT_KEYS])

    def answer(uow: UnitOfWork) -> Outcome:
        before = {each.request_key for each in bank_accounts(uow.connection, loan_id)}
        return Outcome(bank_account_json(work(uow, vault, change.key)), replayed=change.key in before)

    outcome = http.edge().change(answer, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/loans/<int:loan_id>/mandates")
def list_mandates(loan_id: int) -> Response:
    """Show the mandates of a loan, ended ones too."""
    http.query(BookQuery)
    found = http.edge().read(lambda connection: mandates(connection, loan_id))
    return http.reply({"loan_id": loan_id, "mandates": [mandate_json(each, minor_units) for each in found]})


@routes.post("/v1/loans/<int:loan_id>/mandates")
def give(loan_id: int) -> Response:
    """Keep what the borrower has authorized to be debited."""
    change, given = http.change(), http.body(MandateBody)
    values = {name: getattr(given, name) for name in MandateBody.model_fields}
    mandate = MandateIn(**{**values, "amount": None if given.amount is None else given.amount.money})
    return once_on_loan(
        change,
        loan_id,
        "give_mandate",
        inputs_of(given),
        lambda uow: mandate_json(give_mandate(uow, loan_id, mandate, request_key=change.key), minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/mandates/<int:mandate_no>/end")
def end(loan_id: int, mandate_no: int) -> Response:
    """End a mandate, and cancel what waits under it."""
    change, given = http.change(), http.body(EndBody)
    return once_on_loan(
        change,
        loan_id,
        "end_mandate",
        {**inputs_of(given), "mandate_no": mandate_no},
        lambda uow: mandate_json(
            end_mandate(uow, loan_id, mandate_no, cause=given.cause, reason=given.reason, request_key=change.key),
            minor_units,
        ),
    )
