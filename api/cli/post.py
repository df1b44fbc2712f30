"""`loanbook post`: journals by hand, proposed by one person and approved by another.

Next: `ledger/manual_journal.py` for the CSV form; `ledger/commands/manual_journals.py`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.default_group import DefaultGroup
from api.cli.entries import LINE_COLUMNS
from api.cli.options import BOOK_DAY, REQUEST_KEY, changes, reads
from api.cli.output import grouped, print_line, print_note, print_table
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.chart import Side
    from ledger.commands.manual_journals import StoredJournal
    from ledger.journal import Line
    from ledger.manual_journal import ManualJournal
    from ledger.unit_of_work import UnitOfWork

    Placed = tuple[str, ManualJournal]
    """A journal after its place in a file."""

SIDE = (str, str)


@click.group(cls=DefaultGroup, default="new")
def post() -> None:
    """Post a journal by hand: one person proposes, another approves, and only then is it booked.

    \b
    loanbook post --debit 5200 120.00 --credit 1020 120.00 --narration "Collection agency, March"
    loanbook post --file journals.csv          propose every journal of a file (post new --help has its form)
    loanbook post list                         what waits for a decision
    loanbook post approve 1 --actor carol
    loanbook post reject 2 --actor carol --reason "Booked by the agency already"
    """


@post.command()
@click.option(
    "--debit",
    "debits",
    nargs=2,
    type=SIDE,
    multiple=True,
    metavar="ACCOUNT AMOUNT",
    help="A line, repeatable.",
)
@click.option(
    "--credit",
    "credits",
    nargs=2,
    type=SIDE,
    multiple=True,
    metavar="ACCOUNT AMOUNT",
    help="A line, repeatable.",
)
@click.option("--file", "file", type=click.Path(path_type=Path), help="A CSV file of journals; - is standard input.")
@click.option("--narration", help="What it is for.")
@click.option("--effective-date", type=BOOK_DAY, help="When it counts [default: the business date].")
@click.option("--booking-date", type=BOOK_DAY, help="An earlier open day to book it on [default: the day of approval].")
@click.option("--currency", help="The currency of the amounts [default: the book's].")
@click.option("--source-ref", help="The document that it comes from.")
@REQUEST_KEY
@changes
def new(
    session: Session,
    debits: tuple[tuple[str, str], ...],
    credits: tuple[tuple[str, str], ...],
    file: Path | None,
    request_key: str | None,
    **facts: Any,
) -> None:
    """Propose a journal, or every journal of a CSV file; with --approver it is booked at once.

    Amounts are decimals of the major unit. Debits and credits must agree in every currency. The columns of a
    file are journal, effective_date, account, debit, credit, currency, and if wanted narration and
    source_ref; rows with the same word in `journal` make one journal, and a file is taken as a whole or not
    at all. A file that was taken before is not taken again, unless it comes with a --request-key of its own.

    \b
    loanbook post --debit 5200 120.00 --credit 1020 120.00 --narration "Collection agency, March"
    loanbook post --file journals.csv --actor bob --approver carol
    """
    if (file is None) == (not debits and not credits):
        raise click.UsageError("give either --debit and --credit or --file", click.get_current_context())
    idle = [f"--{name.replace('_', '-')}" for name, value in facts.items() if value is not None]
    if file is not None and idle:
        raise click.UsageError(f"a file says itself what {idle[0]} would", click.get_current_context())
    code = session.book_code
    filed = () if file is None else _read_file(file, code)

    def work(uow: UnitOfWork) -> tuple[dict[str, Any], bool]:
        given = filed or (("", _from_options(uow, code, debits, credits, **facts)),)
        return _propose_once(uow, code, given, request_key or _key_of(filed), session.approver)

    done, replayed = session.change(work)
    if replayed and not session.as_json:
        print_note("These journals were proposed before; nothing was done.")
    session.show({**done, "replayed": replayed}, lambda: _print_done(done["journals"]))


def _key_of(filed: Sequence[Placed]) -> str:
    """Return the request key of a file, which is its journals; of a journal by options, a new one."""
    if not filed:
        return new_request_key()
    text = "\n".join(str(journal) for _, journal in filed)
    return f"journals:{hashlib.sha256(text.encode()).hexdigest()}"


def _propose_once(
    uow: UnitOfWork, book: str, given: Sequence[Placed], request_key: str, approver: str | None
) -> tuple[dict[str, Any], bool]:
    """Propose journals, and approve them for an approver, unless the key did before; a refusal says of which."""
    from ledger.commands.manual_journals import approve, load, propose
    from ledger.errors import DomainError
    from ledger.queries.accounts import book as book_named
    from ledger.requests import once
    from ledger.unit_of_work import UnitOfWork

    def work() -> dict[str, Any]:
        ids = []
        for place, journal in given:
            try:
                ids.append(propose(uow, journal))
                if approver is not None:
                    approve(UnitOfWork(uow.connection, approver), ids[-1])
            except DomainError as error:
                if place:
                    error.add_note(place)
                raise
        return {"journals": ids}

    outcome = once(
        uow,
        subledger_id=book_named(uow.connection, book).own_subledger_id,
        key=request_key,
        command="propose_journals",
        inputs={"journals": [str(journal) for _, journal in given], "approver": approver},
        work=work,
        keep_refusals=False,
    )
    journals = [_json(load(uow.connection, journal_id)) for journal_id in outcome.result["journals"]]
    return {"journals": journals}, outcome.replayed


def _read_file(file: Path, book: str) -> tuple[Placed, ...]:
    """Read a file of journals, each with its place.

    Raises: FileUnusable; MalformedRow; EntryUnbalanced.
    """
    from api.cli.files import read_text
    from api.errors import InputMalformed
    from ledger.book_days import objection_to
    from ledger.manual_journal import read_filed

    # Only the ends of lines end a row: narrations may hold any other separator that Unicode knows.
    found = read_filed(io.StringIO(read_text(file)), file=file.name, book_code=book)
    for filed in found:
        objection = objection_to(filed.journal.effective_date)
        if objection is not None:
            raise InputMalformed(place=f"{filed.place}, effective_date", reason=objection)
    return tuple((filed.place, filed.journal) for filed in found)


def _from_options(
    uow: UnitOfWork,
    code: str,
    debits: tuple[tuple[str, str], ...],
    credits: tuple[tuple[str, str], ...],
    *,
    narration: str | None,
    effective_date: date | None,
    booking_date: date | None,
    currency: str | None,
    source_ref: str | None,
) -> ManualJournal:
    from ledger.chart import Side
    from ledger.manual_journal import ManualJournal
    from ledger.queries.accounts import book

    found = book(uow.connection, code)
    unit = currency or found.base_currency
    return ManualJournal(
        book_code=code,
        effective_date=effective_date or found.business_date,
        booking_date=booking_date,
        narration=narration or "Manual journal",
        source_ref=source_ref,
        lines=(*_lines(debits, Side.DEBIT, unit), *_lines(credits, Side.CREDIT, unit)),
    )


def _lines(given: tuple[tuple[str, str], ...], side: Side, currency: str) -> tuple[Line, ...]:
    from ledger.chart import AccountCode
    from ledger.journal import Line
    from ledger.money import Money

    return tuple(Line(AccountCode(account), side, Money.parse(text, currency)) for account, text in given)


@post.command()
@click.argument("journal_id", type=int)
@changes
def approve(session: Session, journal_id: int) -> None:
    """Book a proposed journal; the actor must be another than its maker.

    \b
    loanbook post approve 1 --actor carol
    """
    from ledger.commands.manual_journals import approve as approve_it
    from ledger.commands.manual_journals import load

    def work(uow: UnitOfWork) -> dict[str, Any]:
        _require_book(session, load(uow.connection, journal_id))
        approve_it(uow, journal_id)
        return _json(load(uow.connection, journal_id))

    done = session.change(work)
    session.show(done, lambda: _print_done([done]))


@post.command()
@click.argument("journal_id", type=int)
@click.option("--reason", required=True, help="Why not; the maker reads it.")
@changes
def reject(session: Session, journal_id: int, reason: str) -> None:
    """Decide that a proposed journal is not booked.

    \b
    loanbook post reject 2 --actor carol --reason "Booked by the agency already"
    """
    from ledger.commands.manual_journals import load
    from ledger.commands.manual_journals import reject as reject_it

    def work(uow: UnitOfWork) -> dict[str, Any]:
        _require_book(session, load(uow.connection, journal_id))
        reject_it(uow, journal_id, reason)
        return _json(load(uow.connection, journal_id))

    done = session.change(work)
    session.show(done, lambda: _print_done([done]))


def _require_book(session: Session, stored: StoredJournal) -> None:
    """Refuse a journal of another book than the one that was named.

    Raises: ManualJournalUnknown.
    """
    from ledger.errors import ManualJournalUnknown

    if session.book is not None and stored.journal.book_code != session.book:
        raise ManualJournalUnknown(journal_id=stored.journal_id)


@post.command("list")
@reads
def list_pending(session: Session) -> None:
    """List the journals that wait for a decision, the oldest first.

    \b
    loanbook post list
    """
    from ledger.commands.manual_journals import pending

    found = session.read(lambda connection: [_json(stored) for stored in pending(connection, session.book_code)])
    session.show({"journals": found}, lambda: _print_pending(found))


def _json(stored: StoredJournal) -> dict[str, Any]:
    from api.views import line_json, major_units, moment

    journal = stored.journal
    return {
        "journal_id": stored.journal_id,
        "state": stored.state,
        "book": journal.book_code,
        "effective_date": journal.effective_date.isoformat(),
        "booking_date": journal.booking_date.isoformat() if journal.booking_date else None,
        "narration": journal.narration,
        "source_ref": journal.source_ref,
        "maker": stored.maker,
        "checker": stored.checker,
        "reason": stored.reason,
        "entry_no": stored.entry_no,
        "recorded_at": moment(stored.recorded_at),
        "lines": [line_json(line, {}, major_units) for line in journal.lines],
    }


def _print_done(journals: list[Mapping[str, Any]]) -> None:
    for journal in journals:
        number, checker = journal["journal_id"], journal["checker"]
        match journal["state"]:
            case "proposed":
                print_line(f"Journal {number} waits: loanbook post approve {number} --actor SOMEONE-ELSE")
            case "approved":
                print_line(f"Journal {number} is booked as entry {journal['entry_no']}, approved by {checker}.")
            case state:
                print_line(f"Journal {number} is {state} by {checker}: {journal['reason']}")


def _print_pending(journals: list[dict[str, Any]]) -> None:
    if not journals:
        print_line("No journal waits for a decision.")
    for journal in journals:
        lines = [
            {name: grouped(value) if name in ("debit", "credit") and value else value for name, value in line.items()}
            for line in journal["lines"]
        ]
        facts = "Journal {journal_id} of {maker}, effective {effective_date}: {narration}"
        print_table(LINE_COLUMNS, lines, title=facts.format_map(journal))
