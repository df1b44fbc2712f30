"""`loanbook charge-off`, `charge-off-reversal`, `recovery`, `non-accrual` and `return-to-accrual`.

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
    from ledger.unit_of_work import UnitOfWork


@click.command("charge-off")
@click.argument("loan_id", type=int)
@click.option("--reason", required=True, help="Why it is not collected.")
@EFFECTIVE
@REQUEST_KEY
@changes
def charge_off(
    session: Session, loan_id: int, reason: str, effective_date: date | None, request_key: str | None
) -> None:
    """Charge a loan off with all that is owed; `--approver` names the second person.

    The claim stays as a memorandum, and what is paid later recovers it.

    \b
    loanbook charge-off 7 --reason "Identity theft" --approver ben
    """
    _decide(session, "charge_off", loan_id, reason, effective_date, request_key)


@click.command("non-accrual")
@click.argument("loan_id", type=int)
@click.option("--reason", required=True, help="Why full payment is not expected.")
@EFFECTIVE
@REQUEST_KEY
@changes
def non_accrual(
    session: Session, loan_id: int, reason: str, effective_date: date | None, request_key: str | None
) -> None:
    """Let the interest of a loan be no income from a day on; `--approver` names the second person.

    \b
    loanbook non-accrual 7 --reason "Lost the job" --approver ben
    """
    _decide(session, "non_accrual", loan_id, reason, effective_date, request_key)


@click.command("return-to-accrual")
@click.argument("loan_id", type=int)
@click.option("--reason", required=True, help="Why full payment is expected again.")
@EFFECTIVE
@REQUEST_KEY
@changes
def return_to_accrual(
    session: Session, loan_id: int, reason: str, effective_date: date | None, request_key: str | None
) -> None:
    """Let the interest of a loan be income again from a day on; `--approver` names the second person.

    \b
    loanbook return-to-accrual 7 --reason "A new job" --approver ben
    """
    _decide(session, "return_to_accrual", loan_id, reason, effective_date, request_key)


@click.command("charge-off-reversal")
@click.argument("loan_id", type=int)
@click.option("--reason", required=True, help="Why it should never have been.")
@REQUEST_KEY
@changes
def charge_off_reversal(session: Session, loan_id: int, reason: str, request_key: str | None) -> None:
    """Reverse the charge-off of a loan, by a person or by the policy: its life goes on as if it had never been.

    The policy then leaves that delinquency alone.

    \b
    loanbook charge-off-reversal 7 --reason "Paid at the branch" --approver ben
    """
    from api.losses import undo_charge_off
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        return undo_charge_off(
            uow, loan_id, reason=reason, approved_by=session.approver, request_key=key, money=major_units
        )

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_event(done))


@click.command()
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--id", "external_id", required=True, help="What it is called from now on; one of the loan has it.")
@click.option("--method", default="ach", show_default=True, help=f"How it comes: {METHODS}")
@click.option("--agency", help="Who collected it.")
@click.option("--commission", "commission_text", help="What the agency keeps [default: what the product says].")
@EFFECTIVE
@REQUEST_KEY
@changes
def recovery(
    session: Session,
    loan_id: int,
    amount_text: str,
    external_id: str,
    method: str,
    agency: str | None,
    commission_text: str | None,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Take what was recovered of a loan that is charged off.

    \b
    loanbook recovery 7 1000 --id R-1 --agency "Northern Collections" --commission 250
    """
    from api.losses import RecoveryIn, recover
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        given = RecoveryIn(
            loan_id=loan_id,
            amount=money_of(uow, loan_id, amount_text),
            method=method,
            external_id=external_id,
            agency=agency,
            commission=None if commission_text is None else money_of(uow, loan_id, commission_text),
            effective_date=effective_date,
        )
        return recover(uow, given, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_event(done))


def _decide(
    session: Session, what: str, loan_id: int, reason: str, effective_date: date | None, request_key: str | None
) -> None:
    from api.losses import DecisionIn, decide
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        given = DecisionIn(
            loan_id=loan_id,
            what=what,
            reason=reason,
            approved_by=session.approver,
            effective_date=effective_date,
        )
        return decide(uow, given, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_event(done))
