"""`loanbook modify` and `accelerate`: the contract of a loan before and after, and what was booked.

Next: `api/modifications.py`, which both doors share; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import click

from api.cli.loan_changes import print_event
from api.cli.options import BOOK_DAY, REQUEST_KEY, changes
from api.cli.output import Column, grouped, print_table
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork

F = TypeVar("F", bound=Callable[..., Any])

EFFECTIVE = click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the business date].")
REASON = click.option("--reason", required=True, help="Why.")
TOLD: tuple[Callable[[F], F], ...] = (
    click.option("--rate", metavar="PERCENT", help="The rate, in percent a year."),
    click.option("--until", metavar="DATE", help="The day on which the rate before it comes back."),
    click.option("--installments", metavar="N", help="How many."),
    click.option("--day", metavar="N", help="The day of the month."),
    click.option("--first-due-on", metavar="DATE", help="When the next installment is due."),
    click.option("--frequency", metavar="NAME", help="How often installments are due, such as monthly or days:10."),
    click.option("--amount", metavar="AMOUNT", help="What is forgiven, or what is asked for meanwhile."),
    click.option("--principal", metavar="AMOUNT", help="The principal of the new schedule."),
    click.option("--installment-amount", metavar="AMOUNT", help="The amount of each installment."),
    click.option("--amortization", metavar="NAME", help="level, interest_only or equal_principal."),
    click.option("--installments-are", metavar="RULE", help="At another rate: recalculate or keep."),
    click.option("--then", metavar="RULE", help="After forbearance: recast, extend or lump_sum."),
    click.option("--components", metavar="LIST", help="What becomes principal: interest,fees,penalties."),
)
COMPARISON = (
    Column("what", "At the close of the day"),
    Column("before", "Before", right=True),
    Column("after", "After", right=True),
)


def _told(command: F) -> F:
    for option in reversed(TOLD):
        command = option(command)
    return command


@click.command()
@click.argument("loan_id", type=int)
@click.argument("kind")
@_told
@REASON
@click.option("--difficulty/--no-difficulty", "difficulty", default=None, help="The borrower is in difficulty or not.")
@EFFECTIVE
@REQUEST_KEY
@changes
def modify(
    session: Session,
    loan_id: int,
    kind: str,
    reason: str,
    difficulty: bool | None,
    effective_date: date | None,
    request_key: str | None,
    **told: str | None,
) -> None:
    """Modify the contract of a loan, and show it before and after; with --dry-run, keep nothing.

    KIND is rate, extend, recast, reamortize, reage, defer, due_date, capitalize, forgive, forbear or restructure;
    docs/spec/modifications.md says what each is told. One that costs money needs `--approver`.

    \b
    loanbook modify 7 extend --installments 6 --reason "Hardship" --dry-run
    loanbook modify 7 rate --rate 6 --until 2026-09-15 --reason "Hardship" --approver ben
    loanbook modify 7 capitalize --reason "Arrears of spring" --approver ben
    """
    from api.modifications import ModificationIn, change_contract
    from api.views import major_units

    key = request_key or new_request_key()
    given = ModificationIn(
        loan_id=loan_id,
        kind=kind,
        told=told,
        reason=reason,
        approved_by=session.approver,
        effective_date=effective_date,
        financial_difficulty=difficulty,
    )
    done = session.change(lambda uow: change_contract(uow, given, request_key=key, money=major_units))
    session.show({**done, "request_key": key}, lambda: print_compared(done))


@click.command()
@click.argument("loan_id", type=int)
@REASON
@EFFECTIVE
@REQUEST_KEY
@changes
def accelerate(
    session: Session, loan_id: int, reason: str, effective_date: date | None, request_key: str | None
) -> None:
    """Let all that a loan owes fall due; `--approver` names the second person.

    \b
    loanbook accelerate 7 --reason "Default under section 9" --approver ben
    """
    from api.modifications import call_loan
    from api.views import major_units

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        return call_loan(
            uow,
            loan_id,
            reason=reason,
            approved_by=session.approver,
            effective_date=effective_date,
            request_key=key,
            money=major_units,
        )

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_compared(done))


def print_compared(done: Mapping[str, Any]) -> None:
    """Print a loan before and after, then the event, the entries booked and what is owed."""
    from api.modifications import AMOUNTS

    comparison = done["comparison"]
    before, after = comparison["before"], comparison["after"]

    def shown(name: str, value: Any) -> Any:
        return grouped(value) if name in AMOUNTS else value

    rows = [
        {"what": name.replace("_", " ").capitalize(), "before": shown(name, before[name]), "after": shown(name, value)}
        for name, value in after.items()
    ]
    totals = [{"what": "The borrower pays more in all", "after": grouped(comparison["cost"])}]
    print_table(COMPARISON, rows, title=f"Loan {done['loan_id']} on {comparison['on']}", totals=totals)
    print_event(done)
