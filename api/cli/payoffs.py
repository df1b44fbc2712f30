"""`loanbook payoff` and `refund`: what pays a loan off, paying it, and cash sent back to the borrower.

Next: `api/payoffs.py`, which both doors share.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.loan_changes import OVERPAYMENT, print_entries, print_owed, print_payment
from api.cli.options import BOOK_DAY, REQUEST_KEY, changes, reads
from api.cli.output import Column, amount, grouped, print_facts, print_line, print_table
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork

METHODS = "cash, ach, card, check or wire."
QUOTE_COLUMNS = (
    Column("quote_id", "Quote", right=True),
    Column("quoted_on", "Quoted"),
    Column("good_through", "Good through"),
    Column("status", "Status"),
    amount("principal", "Principal"),
    amount("interest", "Interest"),
    amount("fees", "Fees"),
    amount("penalties", "Penalties"),
    amount("unapplied", "Unapplied"),
    amount("total", "Total"),
    amount("per_diem", "Per diem"),
)
LEFT_COLUMNS = (Column("account", "Account"), Column("name", "Name"), amount("balance", "Balance"))


@click.group()
def payoff() -> None:
    """Quote what pays a loan off, and pay it.

    \b
    loanbook payoff quote 7 --good-through 2026-03-31      what pays loan 7 off by then
    loanbook payoff list 7                                 every quote of loan 7
    loanbook payoff pay 7 9252.81 --id P-9 --quote 1       pay it off by quote 1
    """


@payoff.command("quote")
@click.argument("loan_id", type=int)
@click.option("--good-through", type=BOOK_DAY, required=True, help="The day through which it is to be good.")
@REQUEST_KEY
@changes
def quote_payoff(session: Session, loan_id: int, good_through: date, request_key: str | None) -> None:
    """Say what pays a loan off through a day, and keep what was said.

    \b
    loanbook payoff quote 7 --good-through 2026-03-31
    """
    from api.payoffs import quote
    from api.views import major_units

    key = request_key or new_request_key()
    given = session.change(lambda uow: quote(uow, loan_id, good_through, request_key=key, money=major_units))
    session.show({**given, "request_key": key}, lambda: _print_quote(given))


def _print_quote(given: Mapping[str, Any]) -> None:
    plain = ("currency", "actor", "loan_id")
    facts = {name.replace("_", " "): str(value) for name, value in given.items() if name not in plain}
    print_facts(facts)


@payoff.command("list")
@click.argument("loan_id", type=int)
@reads
def list_quotes(session: Session, loan_id: int) -> None:
    """List the payoff quotes of a loan, and how each stands today.

    \b
    loanbook payoff list 7
    """
    from api.payoffs import quotes
    from api.views import major_units

    found = session.read(lambda connection: quotes(connection, loan_id, major_units))
    rows = [{name: grouped(value) if name in _AMOUNTS else value for name, value in row.items()} for row in found]
    session.show({"payoff_quotes": found}, lambda: print_table(QUOTE_COLUMNS, rows))


_AMOUNTS = frozenset({"principal", "interest", "fees", "penalties", "unapplied", "total", "per_diem"})


@payoff.command("pay")
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--method", default="ach", show_default=True, help=METHODS)
@click.option("--id", "external_id", required=True, help="What the outside world calls the payment.")
@click.option("--quote", "quote_id", type=click.IntRange(1), help="The quote that it answers.")
@click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the business date].")
@OVERPAYMENT
@REQUEST_KEY
@changes
def pay_off(
    session: Session,
    loan_id: int,
    amount_text: str,
    method: str,
    external_id: str,
    quote_id: int | None,
    effective_date: date | None,
    overpayment: str | None,
    request_key: str | None,
) -> None:
    """Take a payment that is to close a loan; what is missing is named, and the loan then stays open.

    \b
    loanbook payoff pay 7 9252.81 --id P-9 --quote 1
    loanbook payoff pay 7 9252.81 --id P-9 --overpayment refuse --dry-run
    """
    from api.loans import PaymentIn
    from api.payoffs import PayoffIn, settle
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        payment = PaymentIn(
            loan_id=loan_id,
            amount=money_of(uow, loan_id, amount_text),
            effective_date=effective_date,
            method=method,
            external_id=external_id,
            overpayment=overpayment,
        )
        return settle(uow, PayoffIn(payment=payment, quote_id=quote_id), request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: _print_payoff(done))


def money_of(uow: UnitOfWork, loan_id: int, text: str) -> Any:
    """Read an amount in the currency of a loan."""
    from ledger.money import Money
    from servicing.queries import loan_view

    return Money.parse(text, loan_view(uow.connection, loan_id).loan.terms.currency)


def _print_payoff(done: Mapping[str, Any]) -> None:
    print_payment(done)
    if done["left"]:
        left = [{**row, "balance": grouped(row["balance"])} for row in done["left"]]
        print_table(LEFT_COLUMNS, left, title="Left on the loan")
    if done["missing"]:
        missing = ", ".join(f"{name} {grouped(value)}" for name, value in done["missing"].items())
        late = f", {done['days_late']} days after the quote" if done["days_late"] else ""
        print_line(f"Missing: {missing}{late}")


@click.command()
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--method", default="ach", show_default=True, help=METHODS)
@click.option("--reason", default="", help="Why it is sent back.")
@click.option("--credit-balance", is_flag=True, help="Only if the loan owes nothing.")
@click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the business date].")
@REQUEST_KEY
@changes
def refund(
    session: Session,
    loan_id: int,
    amount_text: str,
    method: str,
    reason: str,
    credit_balance: bool,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Send unapplied cash back to the borrower, no more than there is.

    \b
    loanbook refund 7 56.28 --reason "Overpaid"
    loanbook refund 7 56.28 --credit-balance --method check
    """
    from api.payoffs import RefundIn, give_back
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        given = RefundIn(
            loan_id=loan_id,
            amount=money_of(uow, loan_id, amount_text),
            effective_date=effective_date,
            method=method,
            reason=reason,
            credit_balance=credit_balance,
        )
        return give_back(uow, given, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: _print_refund(done))


def _print_refund(done: Mapping[str, Any]) -> None:
    print_line(f"Refund {done['event_no']} of {grouped(done['amount'])} by {done['method']}, {done['effective_date']}")
    print_entries(done)
    print_owed(done)
