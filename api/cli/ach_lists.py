"""`loanbook ach work`, `files`, `retries` and `rates`: what received files leave, and what all of them say together.

Next: `api/ach.py`; `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

from datetime import date

import click

from api.cli.ach_tables import ITEM_COLUMNS, with_grouped
from api.cli.options import DAY, NUMBER, reads
from api.cli.output import Column, amount, print_table
from api.cli.session import Session

WORK_COLUMNS = (
    Column("file_no", "File", right=True),
    *(column for column in ITEM_COLUMNS if column.field != "outcome"),
    Column("days", "Days", right=True),
)
DEBIT_COLUMNS = (
    Column("loan_id", "Loan", right=True),
    Column("trace", "Entry"),
    amount("amount", "Amount"),
    Column("code", "Code"),
    Column("returned_on", "Came back"),
    Column("presented", "Sent", right=True),
    Column("retry_on", "Again on"),
    Column("refusal", "Why not", long=True),
    Column("stopped", "Stopped"),
)
RATE_COLUMNS = (
    Column("rate", "Rate"),
    Column("returned", "Returned", right=True),
    Column("originated", "Of", right=True),
    Column("percent", "Percent", right=True),
    Column("limit", "At most", right=True),
    Column("exceeded", "Too high"),
)
FILE_COLUMNS = (
    Column("way", "Way"),
    Column("file_no", "File", right=True),
    Column("on", "On"),
    Column("entries", "Entries", right=True),
    amount("debits", "Debits"),
    amount("credits", "Credits"),
    Column("sha256", "SHA-256"),
    Column("actor", "By"),
)
SENT_ENTRY_COLUMNS = (
    Column("trace", "Entry"),
    Column("loan_id", "Loan", right=True),
    Column("side", "Side"),
    amount("amount", "Amount"),
    Column("entry_class", "Class"),
    Column("purpose", "Purpose"),
    Column("settles_on", "Settles"),
    Column("returnable_until", "May come back until"),
    Column("unauthorized_until", "If unauthorized"),
    Column("code", "Came back"),
)


@click.command()
@reads
def work(session: Session) -> None:
    """List what received files left for a person: returns that match nothing, contests, notifications of change.

    \b
    loanbook ach work
    loanbook ach work --json
    """
    from api.ach import work_json
    from api.views import major_units

    code = session.book_code
    document = session.read(lambda connection: work_json(connection, code, money=major_units))
    session.show(document, lambda: print_table(WORK_COLUMNS, (with_grouped(item) for item in document["items"])))


@click.command()
@click.option("--since", type=DAY, help="Returns from this day on [default: 180 days back].")
@reads
def retries(session: Session, since: date | None) -> None:
    """List the debits that came back and were not sent again: when each may be, or why not.

    `Stopped` marks loans on which two attempts in a row failed: for a covered loan nothing more is tried (12 CFR
    1041.8) until the borrower authorizes it anew.

    \b
    loanbook ach retries --since 2026-03-01
    """
    from api.ach import came_back_json
    from api.views import major_units

    code = session.book_code
    document = session.read(lambda connection: came_back_json(connection, code, since, money=major_units))
    session.show(document, lambda: print_table(DEBIT_COLUMNS, (with_grouped(each) for each in document["debits"])))


@click.command()
@click.option("--as-of", type=DAY, help="The last of the 60 days [default: the business date].")
@reads
def rates(session: Session, as_of: date | None) -> int:
    """Show the return rates of the last 60 days against the network's levels; exit code 1 if one is too high.

    \b
    loanbook ach rates --as-of 2026-03-31
    """
    from api.ach import rates_json

    code = session.book_code
    document = session.read(lambda connection: rates_json(connection, code, as_of))
    session.show(document, lambda: print_table(RATE_COLUMNS, document["rates"], title=f"As of {document['as_of']}"))
    return int(any(each["exceeded"] for each in document["rates"]))


@click.command()
@click.argument("file_no", type=NUMBER, required=False)
@reads
def files(session: Session, file_no: int | None) -> None:
    """List the files that were sent and taken in; of one that was sent, its entries and until when each may come back.

    \b
    loanbook ach files
    loanbook ach files 3 --json
    """
    from api.ach import file_json, files_json
    from api.views import major_units

    code = session.book_code
    if file_no is None:
        document = session.read(lambda connection: files_json(connection, code, money=major_units))
        session.show(document, lambda: print_table(FILE_COLUMNS, (with_grouped(each) for each in document["files"])))
        return
    found = session.read(lambda connection: file_json(connection, code, file_no, money=major_units))
    session.show(found, lambda: print_table(SENT_ENTRY_COLUMNS, (with_grouped(each) for each in found["entries"])))
