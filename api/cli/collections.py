"""`loanbook collections`: the policy of a book, the work list, and what is done about one loan.

Next: `api/collections.py`, which both doors share; `docs/how-to/collections.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import DAY, REQUEST_KEY, changes, reads
from api.cli.output import Column, amount, grouped, print_line, print_note, print_table
from api.cli.payoffs import money_of
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork

WORK = (
    Column("loan_id", "Loan", right=True),
    Column("queue", "Queue"),
    Column("owner", "Owner"),
    Column("priority", "Priority", right=True),
    Column("dpd", "Days", right=True),
    amount("past_due", "Past due"),
    Column("next_action", "Next action"),
    Column("next_action_on", "By"),
)
PROMISES = (
    Column("promise_no", "Promise", right=True),
    Column("promised_on", "Made"),
    Column("by", "By"),
    amount("amount", "Amount"),
    amount("received", "Received"),
    Column("status", "Status"),
)
LOG = (Column("on_day", "Day"), Column("kind", "What"), Column("what", "Details"), Column("actor", "By"))


@click.group()
def collections() -> None:
    """Collect what is past due: load a policy, work on the cases that it opens, note contacts and promises.

    \b
    loanbook collections policy policy.toml
    loanbook collections list --queue early
    loanbook collections show 7
    loanbook collections promise 7 400 --by 2026-03-06
    """


@collections.command("policy")
@click.argument("file", type=click.Path(path_type=Path))
@changes
def policy(session: Session, file: Path) -> None:
    """Let the book collect by the strategies of a TOML file from now on; the same again changes nothing.

    \b
    loanbook collections policy policy.toml
    """
    from api.cli.files import read_text
    from servicing.collecting import read_policy
    from servicing.commands.collections import load_policy

    found, code = read_policy(read_text(file)), session.book_code
    version, is_new = session.change(lambda uow: load_policy(uow, code, found))
    what = "is loaded" if is_new else "was loaded before: nothing changed"
    document = {"version": version.version, "content_hash": version.content_hash, "is_new": is_new}
    session.show(document, lambda: print_line(f"Collection policy {version.version} {what}."))


@collections.command("list")
@click.option("--queue", help="Of this queue alone.")
@click.option("--owner", help="Of this owner alone.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@reads
def list_cases(session: Session, **asked: Any) -> None:
    """List open cases in the order of work: the highest priority first, and the earliest action.

    \b
    loanbook collections list --queue early
    loanbook collections list --owner ana --json
    """
    from api.collections import read_work
    from api.views import major_units

    code = session.book_code
    document = session.read(lambda connection: read_work(connection, code, **asked, money=major_units))

    def people() -> None:
        print_table(WORK, [{**row, "past_due": grouped(row["past_due"])} for row in document["cases"]])
        if document["next_cursor"]:
            print_note(f"There is more: --cursor {document['next_cursor']}")

    session.show(document, people)


@collections.command("show")
@click.argument("loan_id", type=int)
@reads
def show(session: Session, loan_id: int) -> None:
    """Show cases, promises, flags and the log of a loan.

    \b
    loanbook collections show 7
    """
    from api.collections import collecting_json
    from api.views import major_units
    from servicing.collection_queries import collecting

    found = session.read(lambda connection: collecting_json(collecting(connection, loan_id), major_units))

    def people() -> None:
        amounts = ("amount", "received")
        print_table(
            PROMISES,
            [{**each, **{name: grouped(each[name]) for name in amounts}} for each in found["promises"]],
            title="Promises",
        )
        told = [
            {**each, "what": ", ".join(f"{name} {value}" for name, value in each["details"].items())}
            for each in found["log"]
        ]
        print_table(LOG, told, title="Log")
        for flag in found["flags"]:
            print_line(f"No contact by {flag['channel']} since {flag['since']}: {flag['reason']}")

    session.show(found, people)


@collections.command("promise")
@click.argument("loan_id", type=int)
@click.argument("amount_text", metavar="AMOUNT")
@click.option("--by", type=DAY, required=True, help="The day on which it is to be there.")
@click.option("--times", type=click.IntRange(1, 60), default=1, show_default=True, help="A plan of so many promises.")
@click.option(
    "--every", type=click.IntRange(1, 366), default=7, show_default=True, help="Days between those of a plan."
)
@REQUEST_KEY
@changes
def promise(
    session: Session, loan_id: int, amount_text: str, by: date, times: int, every: int, request_key: str | None
) -> None:
    """Note that the borrower promises to pay an amount by a day, once or as a plan; the daily cycle decides.

    \b
    loanbook collections promise 7 400 --by 2026-03-06
    loanbook collections promise 7 100 --by 2026-03-06 --times 4 --every 7
    """
    from api.collections import promise_json
    from api.views import major_units
    from servicing.commands.collections import promise as make

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> list[dict[str, Any]]:
        money = money_of(uow, loan_id, amount_text)
        days = [by + timedelta(days=n * every) for n in range(times)]
        made = make(uow, loan_id, amounts=[money] * times, due_on=days, request_key=key)
        return [dict(promise_json(each, money.currency, major_units)) for each in made]

    made = session.change(work)
    rows = [{**each, **{name: grouped(each[name]) for name in ("amount", "received")}} for each in made]
    session.show({"promises": made, "request_key": key}, lambda: print_table(PROMISES, rows))


@collections.command("contact")
@click.argument("loan_id", type=int)
@click.option("--channel", required=True, help="call, text, email, letter or visit.")
@click.option("--outcome", required=True, help="reached, no answer, left a message, ...")
@click.option("--note", "text", default="", help="What was said.")
@click.option("--inbound", is_flag=True, help="The borrower began it.")
@REQUEST_KEY
@changes
def contact(
    session: Session, loan_id: int, channel: str, outcome: str, text: str, inbound: bool, request_key: str | None
) -> None:
    """Note a contact with the borrower; one against a flag is refused.

    \b
    loanbook collections contact 7 --channel call --outcome "left a message"
    """
    from servicing.commands.collections import contact as note

    given: dict[str, Any] = {"channel": channel, "outcome": outcome, "text": text, "inbound": inbound}
    _noted(session, loan_id, request_key, "The contact", lambda uow, key: note(uow, loan_id, request_key=key, **given))


@collections.command("cease")
@click.argument("loan_id", type=int)
@click.option("--channel", default="all", show_default=True, help="By which channel nobody contacts the borrower.")
@click.option("--reason", required=True, help="Why, such as a letter of the borrower.")
@REQUEST_KEY
@changes
def cease(session: Session, loan_id: int, channel: str, reason: str, request_key: str | None) -> None:
    """Let nobody contact the borrower, by one channel or by any.

    \b
    loanbook collections cease 7 --channel call --reason "asked in writing"
    """
    from servicing.commands.collections import cease_contact

    given = {"channel": channel, "reason": reason}
    _noted(
        session,
        loan_id,
        request_key,
        "The flag",
        lambda uow, key: cease_contact(uow, loan_id, request_key=key, **given),
    )


@collections.command("allow")
@click.argument("loan_id", type=int)
@click.option("--channel", default="all", show_default=True, help="The channel that was ceased.")
@click.option("--reason", required=True, help="Why the borrower may be contacted again.")
@REQUEST_KEY
@changes
def allow(session: Session, loan_id: int, channel: str, reason: str, request_key: str | None) -> None:
    """Lift what `cease` set.

    \b
    loanbook collections allow 7 --channel call --reason "agreed on the telephone"
    """
    from servicing.commands.collections import allow_contact

    given = {"channel": channel, "reason": reason}
    _noted(session, loan_id, request_key, "It", lambda uow, key: allow_contact(uow, loan_id, request_key=key, **given))


@collections.command("assign")
@click.argument("loan_id", type=int)
@click.option("--owner", help="Who works on the case.")
@click.option("--action", "next_action", help="What is done next.")
@click.option("--on", "next_action_on", type=DAY, help="By which day [default: the business date].")
@REQUEST_KEY
@changes
def assign(
    session: Session,
    loan_id: int,
    owner: str | None,
    next_action: str | None,
    next_action_on: date | None,
    request_key: str | None,
) -> None:
    """Give the open case of a loan to somebody, or say what is done next.

    \b
    loanbook collections assign 7 --owner ana --action visit --on 2026-03-20
    """
    from servicing.commands.collections import assign as give

    def work(uow: UnitOfWork, key: str) -> bool:
        return give(uow, loan_id, owner=owner, next_action=next_action, next_action_on=next_action_on, request_key=key)

    _noted(session, loan_id, request_key, "It", work)


def _noted(
    session: Session,
    loan_id: int,
    request_key: str | None,
    what: str,
    work: Callable[[UnitOfWork, str], bool],
) -> None:
    key = request_key or new_request_key()
    is_new = session.change(lambda uow: work(uow, key))
    told = "is noted" if is_new else "was noted before: nothing changed"
    session.show({"loan_id": loan_id, "is_new": is_new, "request_key": key}, lambda: print_line(f"{what} {told}."))
