"""`loanbook loan` and `run-day`: loans boarded one by one, paid, undone, and their daily cycle.

Next: `api/loans.py`, which both doors share; `servicing/commands/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.boarding import board_one
from api.cli.default_group import DefaultGroup
from api.cli.final_accounts import final
from api.cli.loan_changes import (
    EVENT_COLUMNS,
    EXCESS,
    OVERPAYMENT,
    PAYMENT_COLUMNS,
    print_event,
    print_payment,
    shown,
)
from api.cli.options import BOOK_DAY, DAY, REQUEST_KEY, changes, reads
from api.cli.output import Column, amount, grouped, print_facts, print_line, print_table
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from api.day import DayRun
    from ledger.unit_of_work import UnitOfWork
    from servicing.commands.autopay import RailFailure
    from servicing.end_of_day import DayReport, LoanFailure
    from servicing.events import Kind

INSTALLMENT_COLUMNS = (
    Column("no", "No", right=True),
    Column("due", "Due"),
    amount("principal", "Principal"),
    amount("interest", "Interest"),
    amount("fees", "Fees"),
    amount("penalties", "Penalties"),
    amount("paid", "Paid"),
    amount("waived", "Waived"),
    Column("paid_off_on", "Paid off"),
)
BUCKET_COLUMNS = (
    Column("component", "Owed"),
    amount("past_due", "Past due"),
    amount("due", "Due"),
    amount("in_advance", "In advance"),
)
FEE_COLUMNS = (
    Column("fee_id", "Fee"),
    Column("kind", "Kind"),
    Column("charged_on", "Charged"),
    Column("installment", "Installment", right=True),
    amount("amount", "Amount"),
    amount("tax", "Tax in it"),
    amount("paid", "Paid"),
    amount("waived", "Waived"),
    amount("owed", "Owed"),
)
REVIEW_COLUMNS = (Column("event_no", "Event", right=True), amount("decided", "Decided"), amount("stands", "Stands"))


@click.group(cls=DefaultGroup, default="show")
def loan() -> None:
    """Show a loan, board one, take a payment, undo one.

    \b
    loanbook loan board --help                             board one loan, new or in mid-life
    loanbook loan 7                                        terms, balances, installments, payments
    loanbook loan pay 7 888.49 --method ach --id P-1001    take a payment
    loanbook loan return 7 2 --code R01                    the bank returned payment 2
    loanbook loan reverse 7 2 --reason "Wrong loan"        event 2 should never have been entered
    loanbook loan events 7                                 all that happened to it, by number
    loanbook loan final 7                                  every account of it, and what is left
    """


loan.add_command(board_one)
loan.add_command(final)


@loan.command()
@click.argument("loan_id", type=int)
@click.option("--on", type=DAY, help="At the close of this day [default: the business date].")
@reads
def show(session: Session, loan_id: int, on: date | None) -> None:
    """Show a loan: terms, balances, installments, payments with their allocations, fees, what to review.

    \b
    loanbook loan show 7 --on 2026-03-31
    """
    from api.loans import loan_json
    from api.views import major_units
    from servicing.queries import loan_view

    found = session.read(lambda connection: loan_json(loan_view(connection, loan_id, on), major_units))
    session.show(found, lambda: _print_loan(found))


def _print_loan(found: Mapping[str, Any]) -> None:
    own = {name: value for name, value in found.items() if not isinstance(value, dict | list)}
    terms = {name: len(value) or None if isinstance(value, list) else value for name, value in found["terms"].items()}
    print_facts({name.replace("_", " "): value for name, value in {**own, **terms}.items()})
    print_line("")
    print_facts({name: f"{grouped(value):>14}" for name, value in found["balances"].items()})
    print_line("")
    buckets = [
        {"component": name, **{when: grouped(value) for when, value in of.items()}}
        for name, of in found["buckets"].items()
    ]
    print_table(BUCKET_COLUMNS, buckets)
    print_table(INSTALLMENT_COLUMNS, [shown(each) for each in found["installments"]], title="Installments")
    if found["payments"]:
        rows = [{**shown(each["allocation"] or {}), **shown(each)} for each in found["payments"]]
        print_table(PAYMENT_COLUMNS, rows, title="Payments")
    if found["fees"]:
        print_table(FEE_COLUMNS, [shown(each) for each in found["fees"]], title="Fees")
    if found["reviews"]:
        print_table(REVIEW_COLUMNS, [shown(each) for each in found["reviews"]], title="To be reviewed")


@loan.command("list")
@click.option("--after", default=0, show_default=True, help="Ids above this one.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many.")
@reads
def list_loans(session: Session, after: int, limit: int) -> None:
    """List the loans of a book by id.

    \b
    loanbook loan list --limit 10 --json
    """
    from servicing.queries import loan_ids

    found = session.read(lambda connection: loan_ids(connection, session.book_code, after=after, limit=limit))
    session.show({"loan_ids": found}, lambda: print_line("\n".join(map(str, found)) or "There is no loan."))


@loan.command()
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--method", default="ach", show_default=True, help="cash, ach, card, check or wire.")
@click.option("--id", "external_id", required=True, help="What the outside world calls the payment.")
@click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the business date].")
@EXCESS
@OVERPAYMENT
@REQUEST_KEY
@changes
def pay(
    session: Session,
    loan_id: int,
    amount_text: str,
    method: str,
    external_id: str,
    effective_date: date | None,
    excess: str | None,
    overpayment: str | None,
    request_key: str | None,
) -> None:
    """Take a payment, today's or a back-dated one, and show where each cent went.

    \b
    loanbook loan pay 7 888.49 --method ach --id P-1001
    loanbook loan pay 7 500 --id P-1002 --effective-date 2026-03-21 --dry-run
    loanbook loan pay 7 1000 --id P-1003 --excess hold
    """
    from api.loans import PaymentIn
    from api.loans import pay as take
    from api.views import major_units
    from ledger.money import Money
    from servicing.queries import loan_view

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        currency = loan_view(uow.connection, loan_id).loan.terms.currency
        payment = PaymentIn(
            loan_id=loan_id,
            amount=Money.parse(amount_text, currency),
            effective_date=effective_date,
            method=method,
            external_id=external_id,
            excess=excess,
            overpayment=overpayment,
        )
        return take(uow, payment, request_key=key, money=major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_payment(done))


@loan.command("return")
@click.argument("loan_id", type=int)
@click.argument("payment_id", type=int)
@click.option("--code", required=True, help="The bank's return code, such as R01.")
@REQUEST_KEY
@changes
def return_payment(session: Session, loan_id: int, payment_id: int, code: str, request_key: str | None) -> None:
    """Undo a payment that the bank returned; the product's fee for it is charged.

    \b
    loanbook loan return 7 2 --code R01
    """
    from servicing.events import Kind

    _undo(session, loan_id, payment_id, Kind.RETURNED, code, request_key)


@loan.command("events")
@click.argument("loan_id", type=int)
@reads
def list_events(session: Session, loan_id: int) -> None:
    """List what has happened to a loan, as it was entered: payments, fees, waivers, reversals.

    \b
    loanbook loan events 7
    """
    from api.loans import loan_json
    from api.views import major_units
    from servicing.queries import loan_view

    found = session.read(lambda connection: loan_json(loan_view(connection, loan_id), major_units)["events"])
    session.show({"events": found}, lambda: print_table(EVENT_COLUMNS, [shown(each) for each in found]))


@loan.command("reverse")
@click.argument("loan_id", type=int)
@click.argument("event_no", type=int)
@click.option("--reason", required=True, help="Why it should never have been entered.")
@REQUEST_KEY
@changes
def reverse_event(session: Session, loan_id: int, event_no: int, reason: str, request_key: str | None) -> None:
    """Undo a payment, fee, waiver or other event that was entered by mistake, as if it had never been.

    \b
    loanbook loan reverse 7 2 --reason "Posted to the wrong loan"
    """
    from api.fees import reverse
    from api.views import major_units

    key = request_key or new_request_key()
    done = session.change(
        lambda uow: reverse(uow, loan_id, event_no, reason=reason, request_key=key, money=major_units)
    )
    session.show(
        {**done, "request_key": key}, lambda: print_payment(done) if "payment_id" in done else print_event(done)
    )


def _undo(session: Session, loan_id: int, payment_id: int, kind: Kind, why: str, request_key: str | None) -> None:
    from api.loans import undo
    from api.views import major_units

    key = request_key or new_request_key()
    done = session.change(
        lambda uow: undo(uow, loan_id, payment_id, kind=kind, why=why, request_key=key, money=major_units)
    )
    session.show({**done, "request_key": key}, lambda: print_payment(done))


@click.command("run-day")
@click.argument("day", type=DAY, required=False)
@changes
def run_day(session: Session, day: date | None) -> int:
    """Run the daily cycle through a day: what settled, interest, late fees, days past due, what mandates ask for.

    Without a day it is the business date. Days that were skipped are made up for, each on its own date: the books
    are the same as if every day had been run. A run that was stopped or killed is taken up by running it again, and
    one that is done books nothing. Cards are charged where LOANBOOK_CARD_PROCESSOR_URL is set.

    A loan that fails is named and left as it was; the others go on, and the exit code is 1. Mend what is
    wrong with it, and run the day again.

    \b
    loanbook run-day
    loanbook run-day 2026-03-31 --dry-run
    loanbook run-day 2026-03-31 --json
    """
    from api.card_client import processor_of
    from api.cli.progress import progress
    from api.day import day_json, run_the_day
    from api.views import major_units
    from ledger.queries.accounts import book

    code = session.book_code
    through = day or session.read(lambda connection: book(connection, code)).business_date
    with progress("Daily cycle", quiet=session.as_json) as advance, session.edge.named_trouble():
        done = run_the_day(
            session.edge,
            processor_of(session.settings),
            code,
            through,
            actor=session.actor,
            dry_run=session.dry_run,
            on_progress=lambda step, part, total: advance(part, total, step.replace("_", " ")),
        )
    session.show(day_json(done, major_units), lambda: _print_day(done))
    return 1 if done.failed else 0


def _print_day(done: DayRun) -> None:
    _print_report(done.books.closed)
    moved = {"settled": done.books.settled, "scheduled": done.books.scheduled, "charged": done.charged}
    for name, report in moved.items():
        if report is not None and report.moved:
            print_line(f"{len(report.moved)} instructions {name}.")
        if report is not None and report.failures:
            _print_failures(report.failures, f"Instructions that could not be {name}")


def _print_report(report: DayReport) -> None:
    print_facts(
        {
            "through": report.day.isoformat(),
            "entries booked": report.entries,
            "of these set-based": report.accrual_entries,
            "loans brought forward by a fold": report.brought_forward,
            "loans matured and still open": report.matured,
        }
    )
    ages = [{"bucket": name, "loans": loans} for name, loans in report.buckets.items()]
    print_table((Column("bucket", "Days past due"), Column("loans", "Loans", right=True)), ages)
    if report.failures:
        _print_failures(report.failures, "Loans that failed and stay as they were")


def _print_failures(failures: Sequence[LoanFailure | RailFailure], title: str) -> None:
    rows = [{"loan_id": each.loan_id, "code": each.code, "message": each.message} for each in failures]
    columns = (Column("loan_id", "Loan", right=True), Column("code", "Code"), Column("message", "Why"))
    print_table(columns, rows, title=title)
