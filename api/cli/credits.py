"""`loanbook credit` and `chargeback`: a loan is paid down by the lender or a merchant, a payment is taken back.

Next: `api/credits.py`, which both doors share.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.loan_changes import print_entries, print_owed
from api.cli.options import BOOK_DAY, REQUEST_KEY, changes
from api.cli.output import grouped, print_line
from api.cli.payoffs import METHODS, money_of
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork

WHEN = click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the business date].")


@click.command()
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--kind", type=click.Choice(["goodwill", "merchant_refund"]), required=True, help="Who gives it.")
@click.option("--reason", required=True, help="Why it is given.")
@click.option("--method", default="ach", show_default=True, help=f"How a merchant's refund comes: {METHODS}")
@WHEN
@REQUEST_KEY
@changes
def credit(
    session: Session,
    loan_id: int,
    amount_text: str,
    kind: str,
    reason: str,
    method: str,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Pay a loan down: the lender out of goodwill, or a merchant with what a purchase cost.

    \b
    loanbook credit 7 50 --kind goodwill --reason "Complaint 17"
    loanbook credit 7 1000 --kind merchant_refund --method card --reason "Goods returned"
    """
    from api.credits import CreditIn, give_credit
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        given = CreditIn(
            loan_id=loan_id,
            kind=kind,
            amount=money_of(uow, loan_id, amount_text),
            effective_date=effective_date,
            method=method,
            reason=reason,
        )
        return give_credit(uow, given, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: _print(done))


@click.command()
@click.argument("loan_id", type=int)
@click.argument("payment_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--reason", required=True, help="Why it is taken back.")
@WHEN
@REQUEST_KEY
@changes
def chargeback(
    session: Session,
    loan_id: int,
    payment_id: int,
    amount_text: str,
    reason: str,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Take back a payment, in part or whole: it keeps its allocation, and a new debt arises.

    \b
    loanbook chargeback 7 2 300 --reason "Dispute 4711"
    """
    from api.credits import ChargebackIn, take_back
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        given = ChargebackIn(
            loan_id=loan_id,
            payment_id=payment_id,
            amount=money_of(uow, loan_id, amount_text),
            effective_date=effective_date,
            reason=reason,
        )
        return take_back(uow, given, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: _print(done))


def _print(done: Mapping[str, Any]) -> None:
    parts = {name: value for name, value in done.get("allocation", {}).items() if value.strip("0.")}
    went = ", ".join(f"{name} {grouped(value)}" for name, value in parts.items())
    what = f"{done['kind'].replace('_', ' ').capitalize()} {done['event_no']} of {grouped(done['amount'])}"
    print_line(f"{what}, {done['effective_date']}{': ' if went else ''}{went}")
    print_entries(done)
    print_owed(done)
