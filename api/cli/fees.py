"""`loanbook fee`, `waive` and `write-off`: what people decide about a loan beside its payments.

Next: `api/fees.py`, which both doors share; `api/cli/loans.py` for the reversal of what was entered.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.loan_changes import print_event
from api.cli.options import BOOK_DAY, REQUEST_KEY, changes
from api.cli.payoffs import money_of
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork

EFFECTIVE = click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the business date].")


@click.command()
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--id", "fee_id", required=True, help="What the fee is called from now on; one of the loan has it.")
@click.option("--kind", default="other", show_default=True, help="What it is charged for.")
@click.option("--penalty", is_flag=True, help="It is a penalty: paid with penalties, booked with late fees.")
@click.option("--due", type=BOOK_DAY, help="The due date of the installment to put it on [default: the next one].")
@EFFECTIVE
@REQUEST_KEY
@changes
def fee(
    session: Session,
    loan_id: int,
    amount_text: str,
    fee_id: str,
    kind: str,
    penalty: bool,
    due: date | None,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Charge a fee to a loan; unapplied cash pays it at once, as far as it goes.

    The product's tax on fees comes on top. Late fees and fees for returned payments are charged by the product.

    \b
    loanbook fee 7 30.00 --id F-1 --kind document
    loanbook fee 7 12.00 --id F-2 --kind cash_handling --penalty --due 2026-03-15 --dry-run
    """
    from api.fees import FeeIn, charge
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        given = FeeIn(
            loan_id=loan_id,
            amount=money_of(uow, loan_id, amount_text),
            kind=kind,
            fee_id=fee_id,
            penalty=penalty,
            due=due,
            effective_date=effective_date,
        )
        return charge(uow, given, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_event(done))


@click.command()
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--of", "of", required=True, help="A fee by its id, or interest, fees or penalties.")
@click.option("--reason", required=True, help="Why it is given up.")
@EFFECTIVE
@REQUEST_KEY
@changes
def waive(
    session: Session,
    loan_id: int,
    amount_text: str,
    of: str,
    reason: str,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Waive a fee or interest, no more than is owed of it; `--approver` names the second person.

    \b
    loanbook waive 7 15.00 --of late_fee-1 --reason "Bank holiday" --approver ben
    loanbook waive 7 101.92 --of interest --reason "Our mistake" --approver ben --dry-run
    """
    from api.fees import WaiverIn, give_up
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        given = WaiverIn(
            loan_id=loan_id,
            amount=money_of(uow, loan_id, amount_text),
            of=of,
            reason=reason,
            approved_by=session.approver,
            effective_date=effective_date,
        )
        return give_up(uow, given, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_event(done))


@click.command("write-off")
@click.argument("loan_id", type=int)
@click.option("--reason", required=True, help="Why it is not collected.")
@EFFECTIVE
@REQUEST_KEY
@changes
def write_off(
    session: Session, loan_id: int, reason: str, effective_date: date | None, request_key: str | None
) -> None:
    """Write off all that is owed of a loan, if it is no more than the product's limit for small balances.

    \b
    loanbook write-off 7 --reason "Not worth a letter"
    """
    from api.fees import write_off as give_up_rest
    from api.views import major_units

    key = request_key or new_request_key()
    done = session.change(
        lambda uow: give_up_rest(
            uow, loan_id, reason=reason, effective_date=effective_date, request_key=key, money=major_units
        )
    )
    session.show({**done, "request_key": key}, lambda: print_event(done))
