"""`loanbook trial-plan`, `settlement`, `end-agreement` and `delinquency`: what is agreed ahead with a borrower.

Next: `api/agreements.py`, which both doors share; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.delinquency import history
from api.cli.loan_changes import print_event
from api.cli.options import BOOK_DAY, REQUEST_KEY, changes
from api.cli.payoffs import money_of
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork

EFFECTIVE = click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the business date].")
REASON = click.option("--reason", required=True, help="Why.")


@click.command("trial-plan")
@click.argument("loan_id", type=int)
@click.option("--payments", type=click.IntRange(1, 60), required=True, help="How many payments are on trial.")
@click.option("--amount", "amount_text", metavar="AMOUNT", required=True, help="What each of them is.")
@click.option("--from", "first_due_on", type=BOOK_DAY, help="When the first is due [default: the next installment].")
@click.option("--frequency", metavar="NAME", help="How often they are due [default: as the installments].")
@click.option("--grace-days", type=click.IntRange(0, 365), help="How late they may be [default: the product's].")
@click.option("--tolerance", metavar="AMOUNT", help="How much of them may be missing [default: nothing].")
@click.option("--pause", is_flag=True, help="Add no day past due meanwhile.")
@click.option("--then", "kind", default="reage", show_default=True, help="The modification if they come.")
@click.option("--told", multiple=True, metavar="NAME=VALUE", help="What that modification is told; as often as needed.")
@REASON
@EFFECTIVE
@REQUEST_KEY
@changes
def trial_plan(
    session: Session,
    loan_id: int,
    payments: int,
    amount_text: str,
    first_due_on: date | None,
    frequency: str | None,
    grace_days: int | None,
    tolerance: str | None,
    pause: bool,
    kind: str,
    told: tuple[str, ...],
    reason: str,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Agree on trial payments; if they come, the modification takes effect by itself, else nothing changes.

    \b
    loanbook trial-plan 7 --payments 3 --amount 500 --then capitalize --reason "Hardship" --approver ben
    loanbook trial-plan 7 --payments 3 --amount 500 --then extend --told installments=12 --reason "Hardship" \\
        --approver ben --dry-run
    """
    from api.agreements import agree_on_trial
    from api.views import major_units
    from servicing.commands.agreements import Trial

    final = {"kind": kind, **dict(_pair(each) for each in told)}

    def work(uow: UnitOfWork, key: str) -> dict[str, Any]:
        trial = Trial(
            payments=payments,
            amount=money_of(uow, loan_id, amount_text),
            first_due_on=first_due_on,
            frequency=frequency,
            grace_days=grace_days,
            tolerance=None if tolerance is None else money_of(uow, loan_id, tolerance),
            pause=pause,
            then=final,
        )
        by = _decided(session, loan_id, reason, effective_date)
        return agree_on_trial(uow, by, trial, request_key=key, money=major_units)

    _run(session, request_key, work)


@click.command()
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--by", type=BOOK_DAY, required=True, help="The last day on which it settles the loan.")
@click.option(
    "--rest", default="charge_off", show_default=True, help="What becomes of the rest: charge_off or forgive."
)
@click.option("--grace-days", type=click.IntRange(0, 365), default=0, show_default=True, help="How late it may be.")
@REASON
@EFFECTIVE
@REQUEST_KEY
@changes
def settlement(
    session: Session,
    loan_id: int,
    amount_text: str,
    by: date,
    rest: str,
    grace_days: int,
    reason: str,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Agree that an amount by a day settles a loan that owes more; the rest is given up when it has come.

    \b
    loanbook settlement 7 6000 --by 2026-06-30 --reason "Hardship" --approver ben
    """
    from api.agreements import SettlementIn, agree_on_settlement
    from api.views import major_units

    def work(uow: UnitOfWork, key: str) -> dict[str, Any]:
        given = SettlementIn(amount=money_of(uow, loan_id, amount_text), by=by, rest=rest, grace_days=grace_days)
        decided = _decided(session, loan_id, reason, effective_date)
        return agree_on_settlement(uow, decided, given, request_key=key, money=major_units)

    _run(session, request_key, work)


@click.command("end-agreement")
@click.argument("loan_id", type=int)
@REASON
@EFFECTIVE
@REQUEST_KEY
@changes
def end(session: Session, loan_id: int, reason: str, effective_date: date | None, request_key: str | None) -> None:
    """End a trial plan or a settlement that is open: the loan is as its contract has it.

    \b
    loanbook end-agreement 7 --reason "The borrower withdrew"
    """
    from api.agreements import end as end_it
    from api.views import major_units

    by = _decided(session, loan_id, reason, effective_date)
    _run(session, request_key, lambda uow, key: end_it(uow, by, request_key=key, money=major_units))


@click.group()
def delinquency() -> None:
    """Show how far behind a loan was, pause its days past due, and count them again.

    \b
    loanbook delinquency history 7
    loanbook delinquency pause 7 --until 2026-06-01 --reason "Flood"
    loanbook delinquency resume 7 --reason "Over"
    """


delinquency.add_command(history)


@delinquency.command("pause")
@click.argument("loan_id", type=int)
@click.option("--until", type=BOOK_DAY, help="The day from which they count again [default: until resumed].")
@REASON
@EFFECTIVE
@REQUEST_KEY
@changes
def pause(
    session: Session,
    loan_id: int,
    until: date | None,
    reason: str,
    effective_date: date | None,
    request_key: str | None,
) -> None:
    """Add no day past due from a day on.

    \b
    loanbook delinquency pause 7 --until 2026-06-01 --reason "Flood"
    """
    from api.agreements import pause as pause_it
    from api.views import major_units

    by = _decided(session, loan_id, reason, effective_date)
    _run(session, request_key, lambda uow, key: pause_it(uow, by, until, request_key=key, money=major_units))


@delinquency.command("resume")
@click.argument("loan_id", type=int)
@REASON
@EFFECTIVE
@REQUEST_KEY
@changes
def resume(session: Session, loan_id: int, reason: str, effective_date: date | None, request_key: str | None) -> None:
    """Add days past due again from a day on.

    \b
    loanbook delinquency resume 7 --reason "Over"
    """
    from api.agreements import resume as resume_it
    from api.views import major_units

    by = _decided(session, loan_id, reason, effective_date)
    _run(session, request_key, lambda uow, key: resume_it(uow, by, request_key=key, money=major_units))


def _decided(session: Session, loan_id: int, reason: str, effective_date: date | None) -> Any:
    from api.agreements import Decided

    return Decided(loan_id=loan_id, reason=reason, approved_by=session.approver, effective_date=effective_date)


def _run(session: Session, request_key: str | None, work: Callable[[UnitOfWork, str], dict[str, Any]]) -> None:
    key = request_key or new_request_key()
    done = session.change(lambda uow: work(uow, key))
    session.show({**done, "request_key": key}, lambda: print_event(done))


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise click.UsageError(f"{text!r} is not NAME=VALUE", click.get_current_context())
    return name, value
