"""`loanbook board` and `loanbook loan board`: the loans of a tape, checked row by row and boarded in chunks; or one.

Next: `servicing/commands/tapes.py`; `docs/how-to/boarding.md`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import DAY, REQUEST_KEY, changes
from api.cli.output import Column, amount, grouped, print_line, print_table
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.money import Money
    from ledger.unit_of_work import UnitOfWork
    from servicing.commands.tapes import Boarded, Checked
    from servicing.product import Product
    from servicing.tapes.column_map import ColumnMap
    from servicing.tapes.rows import Mistake
    from servicing.tapes.tape import Tape
    from servicing.tapes.totals import ControlTotal

FORMATS = ("csv", "xlsx", "jsonl")
MISTAKE_COLUMNS = (
    Column("row", "Row", right=True),
    Column("column", "Column"),
    Column("value", "Value"),
    Column("reason", "Reason", long=True),
)
TOTAL_COLUMNS = (Column("total", "Total"), amount("found", "On the tape"), amount("stated", "As stated"))


ONE_LOAN = (
    ("--principal", "The amount lent."),
    ("--rate", "Percent a year."),
    ("--installments", "How many."),
    (
        "--frequency",
        "weekly, biweekly, semimonthly, monthly, quarterly, semiannual, annual or days:30 [default: monthly].",
    ),
    ("--funded-on", "When it was funded."),
    ("--first-due-on", "When the first installment is due."),
    ("--installment-amount", "The level payment that was agreed."),
    ("--balloon", "What is left for the end."),
    ("--steps", "Steps as a list in JSON."),
    ("--rows", "Installments of its own as a list in JSON."),
    ("--cut-over-on", "In mid-life: the day that begins with these balances."),
    ("--principal-balance", "Principal owed."),
    ("--interest-balance", "Interest accrued up to that day and unpaid."),
    ("--late-fees", "Late fees unpaid."),
    ("--returned-payment-fees", "Fees for returned payments unpaid."),
    ("--other-fees", "Other fees unpaid."),
    ("--unapplied", "The borrower's cash that was not applied."),
    ("--days-past-due", "Since the oldest installment that is not paid was due."),
    ("--past-due", "What is missing of those past due, if part of it was paid."),
    ("--next-due-on", "When the next installment is due."),
    ("--installments-left", "How many there are from the next one on."),
)
"""The fields of a loan beside its name, each as an option and what it says."""


def fields_of_a_loan(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the fields of a loan as options."""
    for option, says in reversed(ONE_LOAN):
        command = click.option(option, metavar="VALUE", help=says)(command)
    return command


@click.command("board")
@click.option("--id", "external_id", required=True, help="What the lender's other systems call it.")
@click.option("--product", default="installment", show_default=True, help="Its rules, by name.")
@click.option("--currency", help="The currency of its amounts [default: the book's].")
@fields_of_a_loan
@REQUEST_KEY
@changes
def board_one(
    session: Session,
    external_id: str,
    product: str,
    currency: str | None,
    request_key: str | None,
    **fields: str | None,
) -> None:
    """Board one loan: a new one, which is funded, or with --cut-over-on one in mid-life.

    \b
    loanbook loan board --id L-1 --principal 10000 --rate 12 --installments 12 \\
      --funded-on 2026-01-15 --first-due-on 2026-02-15
    loanbook loan board --id M-1 --rate 12 --cut-over-on 2026-03-01 --principal-balance 5000 \\
      --interest-balance 24.66 --next-due-on 2026-03-05 --installments-left 20 --dry-run
    """
    from api.loans import board as board_loan
    from api.views import major_units
    from ledger.queries.accounts import book
    from ledger.requests import Outcome, once

    key, code = request_key or new_request_key(), session.book_code
    texts = {"frequency": "monthly", **{name: text for name, text in fields.items() if text is not None}}
    into = session.read(lambda connection: book(connection, code))
    values = {**values_of(texts, currency or into.base_currency), "external_id": external_id, "product": product}
    inputs = {**texts, "external_id": external_id, "product": product, "currency": currency}

    def work(uow: UnitOfWork) -> Outcome:
        return once(
            uow,
            subledger_id=into.own_subledger_id,
            key=key,
            command="fund_loan",
            inputs=inputs,
            work=lambda: board_loan(uow, code, values, major_units),
        )

    done = session.edge.answer(work, actor=session.actor, approver=session.approver, dry_run=session.dry_run).result
    session.show({**done, "request_key": key}, lambda: _print_one(done))


def values_of(texts: Mapping[str, str], currency: str) -> dict[str, Any]:
    """Return the fields that texts say.

    Raises: TermsInvalid for the first that is not understood; CurrencyUnknown.
    """
    from ledger.money import Currency
    from servicing.errors import TermsInvalid
    from servicing.product import shipped
    from servicing.tapes.fields import Reading, read_fields
    from servicing.tapes.texts import Forms

    wrong: list[tuple[str, str]] = []
    values = read_fields(texts, Reading(Currency.of(currency).code, Forms(), shipped), wrong)
    for field, reason in wrong:
        raise TermsInvalid(field=field, reason=reason)
    return values


def _print_one(done: Mapping[str, Any]) -> None:
    from api.cli.entries import LINE_COLUMNS

    for entry in done["entries"]:
        title = f"Entry {entry['entry_no']}, {entry['template']}, effective {entry['effective_date']}"
        lines = [
            {name: grouped(value) if name in ("debit", "credit") and value else value for name, value in line.items()}
            for line in entry["lines"]
        ]
        print_table(LINE_COLUMNS, lines, title=title)
    print_line(
        f"Loan {done['loan_id']} is {done['status']}, {done['dpd']} days past due; payoff {grouped(done['payoff'])}"
    )


@click.command()
@click.argument("tape", type=click.Path(path_type=Path))
@click.option("--map", "map_name", metavar="MAP", help="A column map: a TOML file, or the name of a shipped one.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="The tape's format [default: by its ending].")
@click.option("--product", help="The product of loans whose rows name none [default: the map's, or installment].")
@click.option("--currency", help="The currency of all its amounts [default: the map's, or the book's].")
@click.option("--cut-over", type=DAY, help="Its loans are in mid-life: their balances are those of this day.")
@click.option("--count", type=int, help="How many loans it must hold.")
@click.option("--principal", metavar="AMOUNT", help="What their principal must sum to.")
@click.option("--total", "totals", metavar="NAME=AMOUNT", multiple=True, help="What any of its balances must sum to.")
@click.option("--errors", type=click.Path(path_type=Path), help="Write the rows that are refused to this file.")
@click.option("--partial", "is_partial", is_flag=True, help="Board the rows that are right although others are not.")
@changes
def board(
    session: Session,
    tape: Path,
    map_name: str | None,
    format_: str | None,
    product: str | None,
    currency: str | None,
    cut_over: date | None,
    count: int | None,
    principal: str | None,
    totals: tuple[str, ...],
    errors: Path | None,
    is_partial: bool,
) -> int:
    """Board the loans of a tape: CSV, XLSX or JSON Lines; `-` reads from standard input.

    Without a map its columns are external_id, principal, rate, installments, frequency, funded_on, first_due_on,
    and where wanted product, installment_amount, balloon, steps, rows. A map says where else they come from.

    With --cut-over, or a column cut_over_on, its loans are in mid-life: principal_balance, interest_balance, late_fees,
    returned_payment_fees, other_fees, unapplied and days_past_due are those of that day, and stand beside the original
    terms, or beside next_due_on and installments_left. They are booked against the conversion clearing account.

    Every row is checked before anything is booked, and every mistake named by row and column. Loans are boarded in
    chunks, each a transaction of its own; a run that was killed is run again, and passes over what is on the book.
    Rows that are refused keep all others from being boarded, unless --partial; an errors file, mended, is a tape.

    The exit code is 1 if rows were left out, 2 if nothing was boarded for them.

    \b
    loanbook board tape.csv --count 1000 --principal 13250000.00 --dry-run
    loanbook board tape.xlsx --map seller.toml --errors refused.xlsx --partial
    loanbook board LoanStats3a.csv --map lendingclub --dry-run
    loanbook board sold.csv --cut-over 2026-03-01 --total interest=1204.11 --total conversion_clearing=91204.11
    """
    from api.errors import FileUnusable
    from servicing.tapes.totals import require_totals, totals_of

    with _seekable(tape) as path:
        source = _tape(session, path, _column_map(map_name), format_, product, currency, cut_over)
        checked = _check(session, source, tape, errors)
        if not checked.rows and not checked.mistakes:
            raise FileUnusable(path=str(tape), reason="there is no loan in it")
        stated = _stated(principal, totals, source.reading.currency)
        found = totals_of(checked.rows, checked.sums, source.reading.currency, stated_count=count, stated=stated)
        if not (is_partial and checked.refused):
            _refuse(session, checked, tape)
        require_totals(found)
        boarded = _board(session, source, checked)
    clearing = _clearing(session, source, checked, boarded.cleared)
    document = {
        "loans": len(boarded.loan_ids),
        "found": checked.found,
        "passed_over": checked.passed_over,
        "refused": checked.refused,
        **{total.name: total.found for total in found if total.name != "count"},
        **clearing,
        "totals": [total.as_json() for total in found],
        "mistakes": [mistake.as_json() for mistake in checked.mistakes],
        "loan_ids": list(boarded.loan_ids),
    }
    session.show(document, lambda: _print(document, checked.mistakes, found))
    return 1 if checked.mistakes else 0


def _column_map(name: str | None) -> ColumnMap:
    from api.cli.files import read_text
    from servicing.tapes.column_map import OWN_COLUMNS, parse_map, shipped_map

    if name is None:
        return OWN_COLUMNS
    return parse_map(read_text(Path(name))) if name.endswith(".toml") else shipped_map(name)


def _stated(principal: str | None, totals: Sequence[str], currency: str) -> dict[str, Money]:
    from ledger.money import Money
    from servicing.drafting import TOTALS

    given = {} if principal is None else {"principal": principal}
    for text in totals:
        name, _, value = text.partition("=")
        if name not in TOTALS:
            raise click.BadParameter(
                f"{text!r} is not NAME=AMOUNT with one of {', '.join(TOTALS)}", param_hint="--total"
            )
        given[name] = value
    return {name: Money.parse(value, currency) for name, value in given.items()}


def _tape(
    session: Session,
    path: Path,
    columns: ColumnMap,
    format_: str | None,
    product: str | None,
    currency: str | None,
    cut_over: date | None,
) -> Tape:
    from ledger.money import Currency
    from ledger.queries.accounts import book
    from servicing.commands.boarding import days_of
    from servicing.queries import product_named
    from servicing.tapes.fields import Reading
    from servicing.tapes.tape import Tape, open_tape

    into = session.read(lambda connection: book(connection, session.book_code))
    unit = Currency.of(currency or columns.currency or into.base_currency).code

    @lru_cache(maxsize=256)
    def product_of(name: str) -> Product:
        return session.read(lambda connection: product_named(connection, name))

    own = product or columns.product or "installment"
    product_of(own)
    return Tape(
        file=open_tape(path, columns, format_),
        columns=columns,
        reading=Reading(unit, columns.forms, product_of),
        product=own,
        book=days_of(into),
        cut_over_on=cut_over,
    )


def _check(session: Session, source: Tape, tape: Path, errors: Path | None) -> Checked:
    from api.cli.progress import progress
    from api.errors import FileUnusable
    from servicing.commands.tapes import check_tape

    if errors is not None and errors.exists() and errors.samefile(source.file.path):
        raise FileUnusable(path=str(errors), reason="it is the tape itself")
    with ExitStack() as stack:
        advance = stack.enter_context(progress(f"Checking {tape.name}", quiet=session.as_json))
        stack.enter_context(session.edge.named_trouble())
        on_refused = None if errors is None else stack.enter_context(source.file.refused_to(errors))
        checked = check_tape(
            session.edge.engine, session.book_code, source, on_refused=on_refused, on_progress=partial(advance, total=0)
        )
    if errors is not None and not checked.refused:
        errors.unlink(missing_ok=True)
    return checked


def _refuse(session: Session, checked: Checked, tape: Path) -> None:
    from servicing.errors import TapeInvalid
    from servicing.tapes.tape import refuse

    if checked.mistakes and not session.as_json:
        _print_mistakes(checked.mistakes)
    try:
        refuse(checked.mistakes, **({} if session.as_json else {"shown": 1}))
    except TapeInvalid as mistakes:
        mistakes.add_note(tape.name)
        raise


def _clearing(session: Session, source: Tape, checked: Checked, cleared: int) -> dict[str, str]:
    """Return what the conversion clearing account holds, once the journal agrees with the tape.

    Raises: ControlTotalWrong.
    """
    from ledger.currencies import amount_text
    from servicing.drafting import CLEARING
    from servicing.queries import clearing_balance
    from servicing.tapes.totals import ControlTotal, require_totals

    currency = source.reading.currency
    if CLEARING not in checked.sums:
        return {}
    booked, wanted = (amount_text(minor, currency) for minor in (cleared, checked.to_clear))
    require_totals([ControlTotal(f"{CLEARING} in the journal", booked, wanted)])
    held = session.read(lambda connection: clearing_balance(connection, session.book_code, currency))
    return {"conversion_clearing_balance": held.format()}


def _board(session: Session, source: Tape, checked: Checked) -> Boarded:
    from api.cli.progress import progress
    from servicing.commands.tapes import board_tape

    total = checked.rows + checked.passed_over
    with progress("Boarding", quiet=session.as_json) as advance, session.edge.named_trouble():
        return board_tape(
            session.edge.engine,
            session.book_code,
            source,
            actor=session.actor,
            dry_run=session.dry_run,
            on_progress=partial(advance, total=total),
        )


def _print(document: Mapping[str, Any], mistakes: Sequence[Mistake], totals: Sequence[ControlTotal]) -> None:
    _print_mistakes(mistakes)
    rows = [
        {**total.as_json(), "found": grouped(total.found), "stated": grouped(total.stated) if total.stated else ""}
        for total in totals
    ]
    print_table(TOTAL_COLUMNS, rows)
    facts = [f"{document['loans']:,} loans boarded"]
    facts += [f"{document['found']:,} on the book already"] if document["found"] else []
    facts += [f"{document['passed_over']:,} rows passed over"] if document["passed_over"] else []
    facts += [f"{document['refused']:,} rows refused"] if document["refused"] else []
    print_line("; ".join(facts))
    if "conversion_clearing_balance" in document:
        print_line(f"Conversion clearing holds {grouped(document['conversion_clearing_balance'])}")


def _print_mistakes(mistakes: Sequence[Mistake]) -> None:
    if mistakes:
        print_table(MISTAKE_COLUMNS, (mistake.as_json() for mistake in mistakes), title="Mistakes")


@contextmanager
def _seekable(tape: Path) -> Iterator[Path]:
    """Yield a file that can be read twice: the tape, or a copy of standard input."""
    if str(tape) != "-":
        yield tape
        return
    with tempfile.NamedTemporaryFile(prefix="tape-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)
