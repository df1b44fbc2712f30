"""`loanbook bank-account` and `mandate`: whose account is debited, and what its holder has authorized.

A number is asked for or read from a file, never taken from the command line, where others could read it.
Next: `api/rails.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import BOOK_DAY, REQUEST_KEY, changes, changes_installation, reads
from api.cli.output import Column, print_line, print_table, shown
from api.cli.payoffs import money_of
from api.cli.session import Session, new_request_key

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork
    from servicing.rails.accounts import AccountNumber
    from servicing.vault import Vault

ACCOUNT_COLUMNS = (
    Column("account_no", "Account", right=True),
    Column("version", "Version", right=True),
    Column("routing", "Routing"),
    Column("account_number", "Number"),
    Column("kind", "Kind"),
    Column("holder", "Holder"),
    Column("reason", "Reason"),
)
MANDATE_COLUMNS = (
    Column("mandate_no", "Mandate", right=True),
    Column("status", "Status"),
    Column("method", "Method"),
    Column("amount_rule", "Amount rule"),
    Column("amount", "Amount", right=True),
    Column("day_of_month", "Day", right=True),
    Column("starts_on", "From"),
    Column("entry_class", "Class"),
    Column("ended_on", "Ended"),
)
KIND = click.Choice(["checking", "savings"])
NUMBER_FILE = click.option(
    "--number-file", type=click.Path(path_type=Path), help="A file with the number, `-` for standard input."
)


@click.group("bank-account")
def bank_account() -> None:
    """Keep the bank accounts of borrowers, their numbers encrypted under LOANBOOK_BANK_ACCOUNT_KEYS.

    \b
    loanbook bank-account add 7 --routing 021000021 --kind checking --holder "Ada Borrower"
    loanbook bank-account list 7
    loanbook bank-account correct 7 1 --routing 011000015 --reason C02
    loanbook bank-account rotate
    """


@bank_account.command("add")
@click.argument("loan_id", type=int)
@click.option("--routing", required=True, help="The nine digits of the bank.")
@click.option("--kind", type=KIND, required=True)
@click.option("--holder", required=True, help="The name on the account.")
@NUMBER_FILE
@REQUEST_KEY
@changes
def add(
    session: Session,
    loan_id: int,
    routing: str,
    kind: str,
    holder: str,
    number_file: Path | None,
    request_key: str | None,
) -> None:
    """Keep a bank account of a loan's borrower; its number is asked for, or read from a file.

    \b
    loanbook bank-account add 7 --routing 021000021 --kind checking --holder "Ada Borrower" --number-file -
    """
    from api.rails import bank_account_json
    from servicing.commands.bank_accounts import AccountIn, add_bank_account

    key, vault = request_key or new_request_key(), _vault(session)
    given = AccountIn(routing=routing, number=_number(number_file), kind=kind, holder=holder)
    done = session.change(lambda uow: add_bank_account(uow, vault, loan_id, given, request_key=key))
    shown_account = bank_account_json(done)
    session.show({**shown_account, "request_key": key}, lambda: print_table(ACCOUNT_COLUMNS, [shown_account]))


@bank_account.command("correct")
@click.argument("loan_id", type=int)
@click.argument("account_no", type=int)
@click.option("--reason", required=True, help="A code of a notification of change, or words.")
@click.option("--routing", help="The routing number that is right.")
@click.option("--number", "new_number", is_flag=True, help="The number is another one: ask for it.")
@click.option("--kind", type=KIND)
@click.option("--holder", help="The name that is right.")
@NUMBER_FILE
@REQUEST_KEY
@changes
def correct(
    session: Session,
    loan_id: int,
    account_no: int,
    reason: str,
    routing: str | None,
    new_number: bool,
    kind: str | None,
    holder: str | None,
    number_file: Path | None,
    request_key: str | None,
) -> None:
    """Append a version of a bank account; what is not given stays, and what was is kept.

    \b
    loanbook bank-account correct 7 1 --routing 011000015 --reason C02
    loanbook bank-account correct 7 1 --number --reason C01
    """
    from api.rails import bank_account_json
    from servicing.commands.bank_accounts import correct_bank_account

    key, vault = request_key or new_request_key(), _vault(session)
    number = _number(number_file) if new_number or number_file else None
    done = session.change(
        lambda uow: correct_bank_account(
            uow,
            vault,
            loan_id,
            account_no,
            reason=reason,
            request_key=key,
            routing=routing,
            number=number,
            kind=kind,
            holder=holder,
        )
    )
    shown_account = bank_account_json(done)
    session.show({**shown_account, "request_key": key}, lambda: print_table(ACCOUNT_COLUMNS, [shown_account]))


@bank_account.command("list")
@click.argument("loan_id", type=int)
@reads
def list_accounts(session: Session, loan_id: int) -> None:
    """Show every version of every bank account of a loan; of a number its last four characters.

    \b
    loanbook bank-account list 7
    """
    from api.rails import bank_account_json
    from servicing.rail_queries import bank_accounts

    found = [bank_account_json(each) for each in session.read(lambda connection: bank_accounts(connection, loan_id))]
    session.show({"loan_id": loan_id, "bank_accounts": found}, lambda: print_table(ACCOUNT_COLUMNS, found))


@bank_account.command("rotate")
@changes_installation
def rotate(session: Session) -> None:
    """Encrypt by the first key of LOANBOOK_BANK_ACCOUNT_KEYS every number and all personal data under another one.

    Run again, it finds none; then the other keys can be dropped.

    \b
    loanbook bank-account rotate --dry-run
    """
    from origination.personal_data import rotate_personal_data
    from servicing.commands.bank_accounts import rotate_keys

    vault, engine = _vault(session), session.edge.engine
    with session.edge.named_trouble():
        count = rotate_keys(engine, vault, actor=session.actor, dry_run=session.dry_run)
        personal = rotate_personal_data(engine, vault, actor=session.actor, dry_run=session.dry_run)
    text = f"{count} numbers and {personal} rows of personal data were encrypted anew, under key {vault.key_id}."
    found = {"rotated": count, "personal_data": personal, "key_id": vault.key_id}
    session.show(found, lambda: print_line(text))


@click.group()
def mandate() -> None:
    """Keep what borrowers have authorized to be debited, and end it.

    \b
    loanbook mandate give 7 --account 1 --class WEB --authorized-on 2026-01-15 --text autopay-3 --how "on the portal"
    loanbook mandate list 7
    loanbook mandate end 7 1 --cause revoked --reason "by telephone"
    """


@mandate.command("give")
@click.argument("loan_id", type=int)
@click.option("--method", default="ach_debit", show_default=True, help="ach_debit, debit_card or credit_card.")
@click.option("--account", "account_no", type=int, help="The bank account.")
@click.option("--card", "card_token", help="The token of the card.")
@click.option(
    "--rule",
    "amount_rule",
    type=click.Choice(["amount_due", "fixed", "amount_due_plus"]),
    default="amount_due",
    show_default=True,
)
@click.option("--amount", "amount_text", help="The fixed amount, or the extra.")
@click.option("--day", "day_of_month", type=click.IntRange(1, 31), help="The day of debits [default: the due dates].")
@click.option("--starts-on", type=BOOK_DAY, help="The first day of debits [default: the business date].")
@click.option("--class", "entry_class", help="PPD, WEB, TEL or CCD, of a bank account.")
@click.option("--authorized-on", type=BOOK_DAY, required=True)
@click.option("--text", "text_version", required=True, help="The version of the text that was agreed to.")
@click.option("--how", "authorized_how", required=True, help="How it was agreed to.")
@REQUEST_KEY
@changes
def give(session: Session, loan_id: int, amount_text: str | None, request_key: str | None, **values: Any) -> None:
    """Keep what a borrower has authorized to be debited.

    \b
    loanbook mandate give 7 --account 1 --class PPD --rule fixed --amount 900 --day 3 \\
        --authorized-on 2026-01-15 --text autopay-3 --how "signed form 12"
    """
    from api.rails import mandate_json
    from api.views import major_units
    from servicing.commands.mandates import MandateIn, give_mandate

    key = request_key or new_request_key()

    def work(uow: UnitOfWork) -> dict[str, Any]:
        amount = None if amount_text is None else money_of(uow, loan_id, amount_text)
        return mandate_json(
            give_mandate(uow, loan_id, MandateIn(**values, amount=amount), request_key=key), major_units
        )

    _show_mandate(session, session.change(work), key)


@mandate.command("end")
@click.argument("loan_id", type=int)
@click.argument("mandate_no", type=int)
@click.option("--cause", type=click.Choice(["revoked", "invalidated"]), required=True)
@click.option("--reason", required=True, help="How it was revoked, or the code that says that it is of no use.")
@REQUEST_KEY
@changes
def end(session: Session, loan_id: int, mandate_no: int, cause: str, reason: str, request_key: str | None) -> None:
    """End a mandate, and cancel what waits under it and was not handed out.

    \b
    loanbook mandate end 7 1 --cause revoked --reason "by telephone"
    """
    from api.rails import mandate_json
    from api.views import major_units
    from servicing.commands.mandates import end_mandate

    key = request_key or new_request_key()
    done = session.change(
        lambda uow: end_mandate(uow, loan_id, mandate_no, cause=cause, reason=reason, request_key=key)
    )
    _show_mandate(session, mandate_json(done, major_units), key)


@mandate.command("list")
@click.argument("loan_id", type=int)
@reads
def list_mandates(session: Session, loan_id: int) -> None:
    """Show the mandates of a loan, ended ones too.

    \b
    loanbook mandate list 7
    """
    from api.rails import mandate_json
    from api.views import major_units
    from servicing.rail_queries import mandates

    found = session.read(lambda connection: mandates(connection, loan_id))
    rows = [mandate_json(each, major_units) for each in found]
    session.show({"loan_id": loan_id, "mandates": rows}, lambda: print_table(MANDATE_COLUMNS, map(_flat, rows)))


def _show_mandate(session: Session, done: dict[str, Any], key: str) -> None:
    session.show({**done, "request_key": key}, lambda: print_table(MANDATE_COLUMNS, [_flat(done)]))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **row["authorization"], "day_of_month": shown(row["day_of_month"])}


def _vault(session: Session) -> Vault:
    from api.settings import secret_text
    from servicing.vault import Vault

    return Vault.of_keys(secret_text(session.settings.bank_account_keys))


def _number(file: Path | None) -> AccountNumber:
    from api.cli.files import read_text
    from servicing.rails.accounts import AccountNumber

    text = click.prompt("Account number", hide_input=True, err=True) if file is None else read_text(file)
    return AccountNumber(text.strip())
