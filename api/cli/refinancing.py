"""`loanbook refinance`: a new loan pays an old one off.

Next: `api/refinancing.py`, which both doors share; `api/cli/boarding.py` for the fields of a loan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from api.cli.boarding import fields_of_a_loan, values_of
from api.cli.loan_changes import print_entries, print_owed
from api.cli.options import REQUEST_KEY, changes
from api.cli.output import grouped, print_line
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork


@click.command()
@click.argument("loan_id", type=int)
@click.option("--id", "external_id", required=True, help="What the lender's other systems call the new loan.")
@click.option("--product", default="installment", show_default=True, help="Its rules, by name.")
@fields_of_a_loan
@REQUEST_KEY
@changes
def refinance(
    session: Session, loan_id: int, external_id: str, product: str, request_key: str | None, **fields: str | None
) -> None:
    """Pay a loan off with a new one, and send what is left of it; `--approver` names the second person.

    \b
    loanbook refinance 7 --id L-9 --principal 12000 --rate 9.5 --installments 24 \\
      --funded-on 2026-06-15 --first-due-on 2026-07-15 --approver ben
    """
    from api.refinancing import refinance_loan
    from api.views import major_units
    from servicing.queries import loan_view

    key = request_key or new_request_key()
    texts = {"frequency": "monthly", **{name: text for name, text in fields.items() if text is not None}}

    def work(uow: UnitOfWork) -> dict[str, Any]:
        currency = loan_view(uow.connection, loan_id).loan.terms.currency
        values = {**values_of(texts, currency), "external_id": external_id, "product": product}
        return refinance_loan(uow, loan_id, values, approved_by=session.approver, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: _print(done))


def _print(done: dict[str, Any]) -> None:
    paid, sent = grouped(done["paid_off_with"]), grouped(done["sent"])
    print_line(f"Loan {done['new_loan_id']} pays off loan {done['loan_id']} with {paid}; {sent} is sent")
    print_entries(done)
    print_owed(done)
