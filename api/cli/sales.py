"""`loanbook sell`, `buy-back` and `flag`.

Next: `api/losses.py`, which both doors share.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.fees import EFFECTIVE
from api.cli.loan_changes import print_event
from api.cli.options import REQUEST_KEY, changes
from api.cli.payoffs import METHODS, money_of
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from api.losses import DealIn
    from ledger.unit_of_work import UnitOfWork

METHOD = click.option("--method", default="wire", show_default=True, help=f"How the price is paid: {METHODS}")


@click.command()
@click.argument("loan_id", type=int)
@click.option("--to", "counterparty", required=True, help="Who buys it.")
@click.option("--price", "price_text", help="What it is sold for [default: what the books carry].")
@click.option("--servicing", type=click.Choice(["released", "retained"]), default="released", show_default=True)
@METHOD
@EFFECTIVE
@REQUEST_KEY
@changes
def sell(
    session: Session,
    loan_id: int,
    counterparty: str,
    price_text: str | None,
    servicing: str,
    method: str,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Sell a loan, or a claim that is charged off; `--approver` names the second person.

    \b
    loanbook sell 7 --to "Harbor Fund" --price 9100 --approver ben
    loanbook sell 7 --to "Harbor Fund" --servicing retained --approver ben
    """
    from api.losses import sell_loan
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        deal = _deal(uow, session, loan_id, counterparty, price_text, method, effective_date)
        return sell_loan(uow, deal, servicing=servicing, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_event(done))


@click.command("buy-back")
@click.argument("loan_id", type=int)
@click.option("--from", "counterparty", required=True, help="Who sells it.")
@click.option("--price", "price_text", help="What it is bought for [default: what is owed].")
@METHOD
@EFFECTIVE
@REQUEST_KEY
@changes
def buy_back(
    session: Session,
    loan_id: int,
    counterparty: str,
    price_text: str | None,
    method: str,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Buy back a loan that was sold; `--approver` names the second person.

    \b
    loanbook buy-back 7 --from "Harbor Fund" --approver ben
    """
    from api.losses import buy_loan_back
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        deal = _deal(uow, session, loan_id, counterparty, price_text, method, effective_date)
        return buy_loan_back(uow, deal, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_event(done))


@click.command()
@click.argument("loan_id", type=int)
@click.argument("name")
@click.option("--reason", required=True, help="What it rests on.")
@click.option("--lift", is_flag=True, help="Lift the flag instead of setting it.")
@EFFECTIVE
@REQUEST_KEY
@changes
def flag(
    session: Session,
    loan_id: int,
    name: str,
    reason: str,
    lift: bool,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Note a bankruptcy, a death, a disaster, a dispute or a litigation on a loan, with what it holds.

    \b
    loanbook flag 7 bankruptcy --reason "Case 26-1234"
    loanbook flag 7 bankruptcy --lift --reason "Dismissed"
    """
    from api.losses import set_flag
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        return set_flag(
            uow,
            loan_id,
            flag=name,
            reason=reason,
            lifted=lift,
            effective_date=effective_date,
            request_key=key,
            money=major_units,
        )

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_event(done))


def _deal(
    uow: UnitOfWork,
    session: Session,
    loan_id: int,
    counterparty: str,
    price_text: str | None,
    method: str,
    effective_date: date | None,
) -> DealIn:
    from api.losses import DealIn

    return DealIn(
        loan_id=loan_id,
        counterparty=counterparty,
        price=None if price_text is None else money_of(uow, loan_id, price_text),
        method=method,
        approved_by=session.approver,
        effective_date=effective_date,
    )
