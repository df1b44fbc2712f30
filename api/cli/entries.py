"""`loanbook entry`, `journal` and `balance`: what stands in the journal.

Next: `ledger/queries/journal.py` and `entries.py`; `ledger/commands/posting.py` for reversals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from api.cli.default_group import DefaultGroup
from api.cli.options import BOOK_DAY, DAY, REQUEST_KEY, changes, reads
from api.cli.output import Column, amount, grouped, print_facts, print_line, print_note, print_table
from api.cli.session import Session, new_request_key

LINE_COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    amount("debit", "Debit"),
    amount("credit", "Credit"),
    Column("currency", ""),
)
JOURNAL_COLUMNS = (
    Column("booking_date", "Booked"),
    Column("effective_date", "Effective"),
    Column("subledger_id", "Subledger", right=True),
    Column("entry_no", "Entry", right=True),
    Column("template", "Template"),
    Column("account", "Account"),
    amount("debit", "Debit"),
    amount("credit", "Credit"),
    Column("narration", "Narration"),
)
BALANCE_COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    amount("balance", "Balance"),
    Column("currency", ""),
    Column("normal_side", "Side"),
)


@click.group(cls=DefaultGroup, default="show")
def entry() -> None:
    """Show one entry with its lines, or reverse it.

    \b
    loanbook entry 7 3                 entry 3 of subledger (loan) 7
    loanbook entry reverse 7 3 --narration "Posted to the wrong loan"
    """


@entry.command()
@click.argument("subledger", type=int)
@click.argument("entry_no", type=int)
@reads
def show(session: Session, subledger: int, entry_no: int) -> None:
    """Show an entry with its lines, its source, and what reversed or corrected it.

    \b
    loanbook entry show 7 3 --json
    """
    from api.views import entry_json, major_units
    from ledger.queries.accounts import accounts
    from ledger.queries.entries import entry as load

    def work(connection: Any) -> dict[str, Any]:
        names = {account.code: account for account in accounts(connection, session.book_code)}
        return entry_json(load(connection, subledger, entry_no), names, major_units)

    found = session.read(work)
    session.show(found, lambda: print_entry(found))


def print_entry(found: Mapping[str, Any]) -> None:
    """Print an entry as an accountant draws it, with its facts above."""
    facts = {name.replace("_", " "): value for name, value in found.items() if name not in ("lines", "details")}
    facts["subledger"] = facts.pop("subledger id")
    facts["details"] = found["details"] or None
    print_facts({name: value for name, value in facts.items() if value != []})
    print_line("")
    print_table(LINE_COLUMNS, [_grouped(line) for line in found["lines"]])


@entry.command()
@click.argument("subledger", type=int)
@click.argument("entry_no", type=int)
@click.option("--narration", help="Why it is reversed [default: Reversal of entry N].")
@click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the original's effective date].")
@click.option(
    "--booking-date", type=BOOK_DAY, help="An earlier open day, with an approver [default: the business date]."
)
@click.option("--source-ref", help="What outside the books asks for it.")
@REQUEST_KEY
@changes
def reverse(session: Session, subledger: int, entry_no: int, request_key: str | None, **how: Any) -> None:
    """Book the equal and opposite entry: the same pairs, swapped.

    An entry is reversed once, and a reversal never. What a payment did to a loan is undone by returning or
    reversing the payment, which sets the loan's schedule right as well.

    \b
    loanbook entry reverse 1 12 --narration "Rent booked twice"
    """
    from api.views import plain
    from ledger.commands.posting import reverse_entry

    key = request_key or new_request_key()
    posted = session.change(
        lambda uow: reverse_entry(uow, subledger, entry_no, request_key=key, approved_by=session.approver, **how)
    )
    session.show(
        {**plain(posted), "reverses_no": entry_no, "request_key": key},
        lambda: print_line(
            f"Entry {posted.entry_no} of subledger {subledger} reverses entry {entry_no}; "
            f"it is booked on {posted.booking_date}."
        ),
    )


@click.command()
@click.option("--account", help="Entries that post to this account, by its code or its slug.")
@click.option("--subledger", "subledger_id", type=int, help="Entries of one loan, or of one subledger.")
@click.option("--kind", "template", help="Entries of one template, such as payment_applied.")
@click.option("--from", "booked_from", type=DAY, help="Booked on this day or later.")
@click.option("--to", "booked_to", type=DAY, help="Booked on this day or earlier.")
@click.option("--effective-from", type=DAY, help="Effective on this day or later.")
@click.option("--effective-to", type=DAY, help="Effective on this day or earlier.")
@click.option("--recorded-from", metavar="TIME", help="Written at this moment or later, such as 2026-03-31T17:00Z.")
@click.option("--recorded-to", metavar="TIME", help="Written at this moment or earlier.")
@click.option("--by", "entry_actor", metavar="NAME", help="Entries of one actor.")
@click.option("--approved-by", help="Entries that one person approved.")
@click.option("--request-key", help="Entries of one request key.")
@click.option("--source-ref", help="Entries of one source reference.")
@click.option("--group", "group_id", type=int, help="Entries of one group, such as both sides of a refinance.")
@click.option("--amount-from", metavar="AMOUNT", help="With a posting of this amount or more.")
@click.option("--amount-to", metavar="AMOUNT", help="With a posting of this amount or less.")
@click.option("--currency", help="With a posting in this currency; amounts are in it [default: the book's].")
@click.option("--text", help="Words anywhere in the narration.")
@click.option("--known-at", metavar="BLOCK", help="As known at a seal block, or at a moment such as 2026-03-31T17:00Z.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Entries on a page.")
@click.option("--cursor", help="Where the page before ended.")
@reads
def journal(session: Session, limit: int, cursor: str | None, **asked: Any) -> None:
    """Search the journal, in the order of booking date, subledger and number, page by page.

    \b
    loanbook journal --from 2026-03-01 --to 2026-03-31 --account 4010
    loanbook journal --subledger 7 --limit 1000 --json
    loanbook journal --text "wire" --amount-from 10000
    """
    from api.journal import read_page
    from api.views import major_units

    found = session.read(
        lambda connection: read_page(connection, _question(connection, session, asked), cursor, limit, major_units)
    )
    session.show(found, lambda: _print_journal(found))


def _question(connection: Any, session: Session, asked: dict[str, Any]) -> Any:
    from api.journal import known_at_block
    from ledger.money import Money
    from ledger.queries.accounts import book
    from ledger.queries.journal import JournalFilter

    amounts: dict[str, Any] = {name: asked.pop(name) for name in ("amount_from", "amount_to")}
    times: dict[str, Any] = {name: _moment(name, asked.pop(name)) for name in ("recorded_from", "recorded_to")}
    if any(amounts.values()):
        asked["currency"] = asked["currency"] or book(connection, session.book_code).base_currency
    minor: dict[str, Any] = {
        name: text and Money.parse(text, asked["currency"]).minor for name, text in amounts.items()
    }
    known_at = known_at_block(connection, asked.pop("known_at"))
    actor = asked.pop("entry_actor")
    return JournalFilter(book=session.book_code, actor=actor, known_at=known_at, **asked, **minor, **times)


def _moment(option: str, text: str | None) -> datetime | None:
    from api.journal import moment_of

    return None if text is None else moment_of(text, f"--{option.replace('_', '-')}")


def _print_journal(found: Mapping[str, Any]) -> None:
    print_table(JOURNAL_COLUMNS, (row for one in found["entries"] for row in journal_rows(one)))
    if found["next_cursor"]:
        print_note(f"There is more: --cursor {found['next_cursor']}")


def journal_rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each line; the header's facts stand on the first one."""
    first, *others = [
        {**_grouped(line), "account": f"{line['account']} {line['slug'] or ''}"} for line in found["lines"]
    ]
    return [{**found, **first}, *others]


def _grouped(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: grouped(value) if name in ("debit", "credit") and value is not None else value
        for name, value in line.items()
    }


@click.command()
@click.argument("subledger", type=int)
@reads
def balance(session: Session, subledger: int) -> None:
    """Show the balances of a loan, or of any subledger, on the normal side of each account.

    \b
    loanbook balance 7
    """
    from ledger.queries.accounts import accounts, balances

    def work(connection: Any) -> list[dict[str, Any]]:
        held = balances(connection, subledger)
        return [
            {
                "account": account.code,
                "slug": account.slug,
                "name": account.name,
                "balance": held[account.code].format(),
                "currency": held[account.code].currency,
                "normal_side": str(account.normal_side),
            }
            for account in accounts(connection, session.book_code)
            if account.code in held
        ]

    rows = session.read(work)
    shown = [{**row, "balance": grouped(row["balance"])} for row in rows]
    session.show({"subledger_id": subledger, "balances": rows}, lambda: print_table(BALANCE_COLUMNS, shown))
