"""`loanbook instruction` and `autopay`: what is to be taken from borrowers or sent to them, and each move of it.

Next: `api/rails.py`; `servicing/commands/autopay.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.loan_changes import print_entries, print_owed
from api.cli.options import BOOK_DAY, REQUEST_KEY, changes, reads
from api.cli.output import Column, amount, grouped, print_line, print_table
from api.cli.payoffs import money_of
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from servicing.commands.autopay import RailReport

COLUMNS = (
    Column("loan_id", "Loan", right=True),
    Column("instruction_no", "No", right=True),
    Column("status", "Status"),
    Column("direction", "Way"),
    Column("method", "Method"),
    amount("amount", "Amount"),
    Column("due_on", "Due"),
    Column("settles_on", "Settles"),
    Column("available_on", "Available"),
    Column("trace", "Trace"),
    Column("attempt", "Attempt", right=True),
    Column("event_no", "Event", right=True),
)
MOVE_COLUMNS = (
    Column("on", "On"),
    Column("status", "Status"),
    Column("reason", "Reason"),
    Column("event_no", "Event", right=True),
    Column("entries", "Entries"),
    Column("actor", "By"),
)
FAILURE_COLUMNS = (Column("loan_id", "Loan", right=True), Column("code", "Refused as"), Column("message", "Why"))


@click.group()
def instruction() -> None:
    """Schedule payments by a rail, and follow them: batched, sent, settled, returned, canceled.

    \b
    loanbook instruction schedule 7 888.49 --method ach_debit --account 1 --due-on 2026-03-15
    loanbook instruction send 7 1 --trace 091000010000001
    loanbook instruction settle-due
    loanbook instruction return 7 1 --code R01
    """


@instruction.command("schedule")
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option(
    "--method", required=True, help="ach_debit, ach_credit, debit_card, credit_card, wire, check, cash, internal."
)
@click.option("--due-on", type=BOOK_DAY, required=True, help="The day for which it is.")
@click.option("--direction", type=click.Choice(["debit", "credit"]), default="debit", show_default=True)
@click.option("--account", "account_no", type=int, help="The bank account.")
@click.option("--card", "card_token", help="The token of the card.")
@click.option("--retry-of", type=int, help="The returned instruction that it takes up.")
@REQUEST_KEY
@changes
def schedule(
    session: Session, loan_id: int, amount_text: str, direction: str, request_key: str | None, **values: Any
) -> None:
    """Keep what is to be taken from the borrower (debit), or sent to one (credit).

    \b
    loanbook instruction schedule 7 300 --method check --due-on 2026-03-20
    """
    from api.rails import instruction_json
    from api.views import major_units
    from servicing.commands.instructions import InstructionIn, schedule_instruction
    from servicing.rails.instruction import Direction

    key = request_key or new_request_key()

    def work(uow: Any) -> dict[str, Any]:
        given = InstructionIn(direction=Direction(direction), amount=money_of(uow, loan_id, amount_text), **values)
        return instruction_json(schedule_instruction(uow, loan_id, given, request_key=key), major_units)

    done = session.change(work)
    session.show({**done, "request_key": key}, lambda: print_table(COLUMNS, [_flat(done)]))


@instruction.command("list")
@click.argument("loan_id", type=int)
@reads
def list_instructions(session: Session, loan_id: int) -> None:
    """Show the instructions of a loan, and the cash that may not be spent yet.

    \b
    loanbook instruction list 7
    """
    from api.rails import instructions_json
    from api.views import major_units

    found = session.read(lambda connection: instructions_json(connection, loan_id, major_units))

    def people() -> None:
        print_table(COLUMNS, map(_flat, found["instructions"]))
        if found["held"]["until"]:
            held = grouped(found["held"]["amount"])
            print_line(f"{held} may not be spent yet, the last of it until {found['held']['until']}.")

    session.show(found, people)


@instruction.command("show")
@click.argument("loan_id", type=int)
@click.argument("instruction_no", type=int)
@reads
def show(session: Session, loan_id: int, instruction_no: int) -> None:
    """Show one instruction with its moves.

    \b
    loanbook instruction show 7 1
    """
    from api.rails import instruction_json
    from api.views import major_units
    from servicing.rail_queries import instruction as load

    found = instruction_json(session.read(lambda connection: load(connection, loan_id, instruction_no)), major_units)
    session.show(found, lambda: _print(found))


@instruction.command("find")
@click.argument("trace")
@reads
def find(session: Session, trace: str) -> None:
    """Find the instruction that was sent under a trace number.

    \b
    loanbook instruction find 091000010000001
    """
    from api.rails import instruction_json
    from api.views import major_units
    from servicing.rail_queries import instruction_by_trace

    code = session.book_code
    found = session.read(lambda connection: instruction_by_trace(connection, code, trace))
    document = instruction_json(found, major_units)
    session.show(document, lambda: _print(document))


@instruction.command("batch")
@click.argument("loan_id", type=int)
@click.argument("instruction_no", type=int)
@click.option("--reason", default="", help="Which batch it goes out in.")
@REQUEST_KEY
@changes
def batch(session: Session, loan_id: int, instruction_no: int, reason: str, request_key: str | None) -> None:
    """Put an instruction into a batch that is about to go out.

    \b
    loanbook instruction batch 7 1 --reason "file 12"
    """
    _move(session, loan_id, instruction_no, "batch", request_key, reason=reason)


@instruction.command("send")
@click.argument("loan_id", type=int)
@click.argument("instruction_no", type=int)
@click.option("--trace", help="Its trace number.")
@click.option("--settles-on", type=BOOK_DAY, help="The day on which it settles [default: by the rail].")
@REQUEST_KEY
@changes
def send(
    session: Session,
    loan_id: int,
    instruction_no: int,
    trace: str | None,
    settles_on: date | None,
    request_key: str | None,
) -> None:
    """Say that an instruction has gone out, or, of a check or cash, that it was received.

    \b
    loanbook instruction send 7 1 --trace 091000010000001
    """
    _move(session, loan_id, instruction_no, "send", request_key, trace=trace, settles_on=settles_on)


@instruction.command("settle")
@click.argument("loan_id", type=int)
@click.argument("instruction_no", type=int)
@click.option("--reason", default="", help="The reference of whoever confirms it.")
@REQUEST_KEY
@changes
def settle(session: Session, loan_id: int, instruction_no: int, reason: str, request_key: str | None) -> None:
    """Say that an instruction has settled, such as a wire that has arrived.

    \b
    loanbook instruction settle 7 1 --reason "IMAD 20260323X1"
    """
    _move(session, loan_id, instruction_no, "settle", request_key, reason=reason)


@instruction.command("return")
@click.argument("loan_id", type=int)
@click.argument("instruction_no", type=int)
@click.option("--code", required=True, help="The code with which it came back.")
@REQUEST_KEY
@changes
def return_(session: Session, loan_id: int, instruction_no: int, code: str, request_key: str | None) -> None:
    """Undo an instruction that came back.

    \b
    loanbook instruction return 7 1 --code R01
    """
    _move(session, loan_id, instruction_no, "return", request_key, code=code)


@instruction.command("cancel")
@click.argument("loan_id", type=int)
@click.argument("instruction_no", type=int)
@click.option("--reason", required=True, help="Why it is given up.")
@REQUEST_KEY
@changes
def cancel(session: Session, loan_id: int, instruction_no: int, reason: str, request_key: str | None) -> None:
    """Give up an instruction that was not sent yet.

    \b
    loanbook instruction cancel 7 1 --reason "paid by phone"
    """
    _move(session, loan_id, instruction_no, "cancel", request_key, reason=reason)


@instruction.command("settle-due")
@click.option("--date", "day", type=BOOK_DAY, help="The day [default: the business date].")
@changes
def settle_due(session: Session, day: date | None) -> int:
    """Settle what was sent and has settled by a day, on rails that nobody confirms. Run again, it settles nothing.

    \b
    loanbook instruction settle-due
    """
    from servicing.commands.autopay import run_settlements

    code = session.book_code
    with session.edge.named_trouble():
        report = run_settlements(session.edge.engine, code, day, actor=session.actor, dry_run=session.dry_run)
    return _show_report(session, report, "settled")


@instruction.command("charge-due")
@click.option("--date", "day", type=BOOK_DAY, help="The day [default: the business date].")
@changes
def charge_due(session: Session, day: date | None) -> int:
    """Have the card processor of LOANBOOK_CARD_PROCESSOR_URL carry out what is due of cards by a day.

    Each card is charged once, however often this is run; one that is declined comes back with the code. What the
    processor did not answer is left batched, and taken up by running it again; the exit code is 1 then.

    \b
    loanbook instruction charge-due
    """
    from api.card_client import processor_of
    from api.cards import charge_due as charge_every

    report = charge_every(
        session.edge,
        processor_of(session.settings),
        session.book_code,
        day,
        actor=session.actor,
        dry_run=session.dry_run,
    )
    return _show_report(session, report, "due" if session.dry_run else "charged or declined")


@click.command()
@click.option("--date", "day", type=BOOK_DAY, help="The day [default: the business date].")
@changes
def autopay(session: Session, day: date | None) -> int:
    """Schedule what the mandates of a book ask for: two banking days before it settles by the clearing house.

    Run again, or after it was killed, it makes no debit twice. Where less is due than when a debit was scheduled, it
    is lowered. A loan that fails is named, the others go on, and the exit code is 1.

    \b
    loanbook autopay --dry-run
    loanbook autopay --date 2026-03-13
    """
    from servicing.commands.autopay import run_autopay

    code = session.book_code
    with session.edge.named_trouble():
        report = run_autopay(session.edge.engine, code, day, actor=session.actor, dry_run=session.dry_run)
    return _show_report(session, report, "scheduled")


def _show_report(session: Session, report: RailReport, what: str) -> int:
    from api.rails import report_json
    from api.views import major_units

    document = report_json(report, major_units)

    def people() -> None:
        print_line(f"{report.day}: {len(report.moved)} {what}.")
        if report.moved:
            print_table(COLUMNS, map(_flat, document["instructions"]))
        if report.failures:
            print_table(FAILURE_COLUMNS, document["failures"], title="Refused")

    session.show(document, people)
    return 1 if report.failures else 0


def _move(session: Session, loan_id: int, instruction_no: int, word: str, request_key: str | None, **more: Any) -> None:
    from api.rails import move_instruction
    from api.views import major_units

    key = request_key or new_request_key()
    done = session.change(
        lambda uow: move_instruction(uow, loan_id, instruction_no, word, request_key=key, money=major_units, **more)
    )
    session.show({**done, "request_key": key}, lambda: _print(done))


def _print(done: Mapping[str, Any]) -> None:
    print_table(COLUMNS, [_flat(done)])
    print_table(MOVE_COLUMNS, done["moves"])
    after = done.get("after")
    if after and after["entries"]:
        print_entries(after)
        print_owed({**after, "loan_id": done["loan_id"]})


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "amount": grouped(row["amount"])}
