"""`loanbook account`: the chart of accounts.

Next: `ledger/commands/accounts.py`; `ledger/chart.py` for what an account is.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import BOOK_DAY, DAY, changes, reads
from api.cli.output import Column, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.chart import AccountDefinition

TYPES = click.Choice(["asset", "liability", "equity", "income", "expense", "off_balance"])
SIDES = click.Choice(["debit", "credit"])
EFFECTIVE = click.option(
    "--from", "effective_from", type=BOOK_DAY, help="The first day of it [default: the business date]."
)

COLUMNS = (
    Column("code", "Code"),
    Column("slug", "Slug"),
    Column("indented_name", "Name"),
    Column("type", "Type"),
    Column("normal_side", "Normal side"),
    Column("kind", "Kind"),
    Column("closed_from", "Closed from"),
)


@click.group()
def account() -> None:
    """List, open, rename and close accounts; nothing is ever deleted.

    \b
    loanbook account list
    loanbook account open 1025 --name "Lockbox" --type asset --parent 1010
    loanbook account close 1025 --from 2026-07-01
    loanbook account load               what a new version of the chart has more
    """


@account.command("list")
@click.option("--on", type=DAY, help="As the chart stood on a day [default: as it stands].")
@reads
def list_accounts(session: Session, on: date | None) -> None:
    """List the chart of accounts.

    \b
    loanbook account list --on 2026-03-31
    """
    from api.views import account_json
    from ledger.queries.accounts import chart, closed_from

    tree = session.read(lambda connection: chart(connection, session.book_code, on))
    closed = session.read(lambda connection: closed_from(connection, session.book_code))
    rows = [account_json(account, closed.get(account.code)) for account in tree.accounts]
    depths = [len(tree.ancestors(account.code)) for account in tree.accounts]
    shown = [
        {**row, "indented_name": "  " * depth + row["name"], "kind": _kind(row)}
        for row, depth in zip(rows, depths, strict=True)
    ]
    session.show({"book": session.book_code, "accounts": rows}, lambda: print_table(COLUMNS, shown))


def _kind(row: dict[str, Any]) -> str:
    words = ("header", "subledgered", "control")
    return ", ".join(word for word in words if row[word])


@account.command("open")
@click.argument("code")
@click.option("--name", required=True, help="What the account is called.")
@click.option("--type", "account_type", type=TYPES, required=True, help="Where it appears.")
@click.option("--slug", help="The name for programs [default: made from the name].")
@click.option("--normal-side", type=SIDES, help="On which side it grows [default: that of its type].")
@click.option("--parent", help="The header that adds it up.")
@click.option("--currency", help="The only currency that it takes [default: any].")
@click.option("--header", is_flag=True, help="It adds up others and takes no postings.")
@click.option("--subledgered", is_flag=True, help="It keeps a balance for each loan, and is a control account.")
@EFFECTIVE
@changes
def open_account(session: Session, effective_from: date | None, **facts: Any) -> None:
    """Open an account.

    \b
    loanbook account open 1025 --name "Lockbox" --type asset --parent 1010
    """
    from api.views import account_json
    from ledger.commands.accounts import open_account as open_it
    from ledger.queries.accounts import book

    definition = _definition(**facts)
    code = session.book_code
    session.change(
        lambda uow: open_it(
            uow, code, definition, effective_from=effective_from or book(uow.connection, code).business_date
        )
    )
    session.show(
        account_json(definition, None),
        lambda: print_line(f"Account {definition.code} {definition.name} is open."),
    )


def _definition(
    code: str,
    name: str,
    account_type: str,
    slug: str | None,
    normal_side: str | None,
    parent: str | None,
    currency: str | None,
    *,
    header: bool,
    subledgered: bool,
) -> AccountDefinition:
    from ledger.chart import AccountCode, AccountDefinition, AccountType, Side
    from ledger.chart_file import slug_of

    kind = AccountType(account_type)
    return AccountDefinition(
        code=AccountCode(code),
        slug=slug or slug_of(name),
        name=name,
        type=kind,
        normal_side=Side(normal_side) if normal_side else kind.normal_side,
        parent=AccountCode(parent) if parent else None,
        currency=currency,
        header=header,
        subledgered=subledgered,
        may_go_contra=not subledgered,
        control=subledgered,
    )


@account.command("load")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@changes
def load_accounts(session: Session, file: Path | None) -> None:
    """Open the accounts and map the roles that the book has not, of a chart (TOML) or of the US lender's.

    A new version of Loanbook may book to accounts that an older book lacks. What the book has stays as it is: its
    accounts under the names that they have, and its roles where they are mapped.

    \b
    loanbook account load --dry-run
    loanbook account load chart.toml
    """
    from api.cli.books import chart_of
    from api.views import plain
    from ledger.commands.books import load_chart

    chart, code = chart_of(file), session.book_code
    load = session.change(lambda uow: load_chart(uow, code, chart, keep=True))
    accounts = ", ".join(load.opened) or "none"
    session.show(
        {"book": code, "chart": chart.name, **plain(load)},
        lambda: print_line(f"Opened in book {code}: {accounts}. Roles mapped: {load.roles_mapped}."),
    )


@account.command("close")
@click.argument("code")
@EFFECTIVE
@changes
def close_account(session: Session, code: str, effective_from: date | None) -> None:
    """Close an account: from that day on it takes no postings.

    \b
    loanbook account close 1025 --from 2026-07-01
    """
    from ledger.commands.accounts import close_account as close_it

    _on_day(
        session,
        code,
        effective_from,
        "closed",
        lambda uow, book, day: close_it(uow, book, code, closed_from=day),
    )


@account.command("reopen")
@click.argument("code")
@EFFECTIVE
@changes
def reopen_account(session: Session, code: str, effective_from: date | None) -> None:
    """Let a closed account take postings again.

    \b
    loanbook account reopen 1025
    """
    from ledger.commands.accounts import reopen_account as reopen_it

    _on_day(
        session,
        code,
        effective_from,
        "open",
        lambda uow, book, day: reopen_it(uow, book, code, effective_from=day),
    )


@account.command("rename")
@click.argument("code")
@click.argument("name")
@EFFECTIVE
@changes
def rename_account(session: Session, code: str, name: str, effective_from: date | None) -> None:
    """Give an account another name; reports of earlier days keep the old one.

    \b
    loanbook account rename 1025 "Lockbox, First Bank" --from 2026-04-01
    """
    from ledger.commands.accounts import rename_account as rename_it

    _on_day(
        session,
        code,
        effective_from,
        f"called {name}",
        lambda uow, book, day: rename_it(uow, book, code, name, effective_from=day),
    )


def _on_day(session: Session, code: str, effective_from: date | None, state: str, change: Any) -> None:
    from ledger.queries.accounts import book

    book_code = session.book_code

    def work(uow: Any) -> date:
        day: date = effective_from or book(uow.connection, book_code).business_date
        change(uow, book_code, day)
        return day

    day = session.change(work)
    session.show(
        {"account": code, "state": state, "from": day.isoformat()},
        lambda: print_line(f"Account {code} is {state} from {day}."),
    )
