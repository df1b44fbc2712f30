"""`loanbook offer` and `contract`: what an applicant may choose from, and what was chosen, frozen.

Next: `api/funding.py`, which both doors share; `origination/offer_commands.py`; `docs/how-to/funding.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.funding import vault_of
from api.cli.options import BOOK_DAY, changes, reads
from api.cli.output import Column, amount, grouped, print_facts, print_line, print_table
from api.cli.session import Session
from api.cli.workflow_options import go_on_if_started

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork
    from origination.offers.offer import PricedOption

OFFER_COLUMNS = (
    Column("offer_no", "Offer", right=True),
    Column("status", "Status"),
    amount("principal", "Amount"),
    Column("installments", "Payments", right=True),
    Column("rate", "Rate", right=True),
    Column("apr", "APR", right=True),
    amount("finance_charge", "Finance charge"),
    amount("amount_financed", "Amount financed"),
    amount("total_of_payments", "Total of payments"),
    Column("expires_on", "Until"),
)
PAYMENT_COLUMNS = (Column("count", "Payments", right=True), amount("amount", "Amount"), Column("first_due", "From"))
CONDITION_COLUMNS = (
    Column("condition", "Condition"),
    Column("outcome", "Outcome"),
    Column("evidence", "Evidence or reason"),
    Column("actor", "By"),
)


@click.group()
def offer() -> None:
    """Make offers for an approved application, and accept one of them.

    \b
    loanbook offer make 7 --expires-on 2026-11-16
    loanbook offer make 7 --option 10000/12/9.5 --option 8000/12/8.9/150 --expires-on 2026-11-16
    loanbook offer list 7
    loanbook offer accept 7 1 --payouts payouts.json
    """


@offer.command("make")
@click.argument("application_id", type=int)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="AMOUNT/PAYMENTS/RATE[/FEE]",
    help="A combination; without a fee, that of the product is charged. Again for each.",
)
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="A JSON list of {amount, installments, rate, fee}, each amount as text.",
)
@click.option("--expires-on", type=BOOK_DAY, required=True, help="The last day on which one can be accepted.")
@click.option("--counter", "is_counter", is_flag=True, help="It is a counter-offer.")
@changes
def make(
    session: Session,
    application_id: int,
    options: tuple[str, ...],
    file: Path | None,
    expires_on: date,
    is_counter: bool,
) -> None:
    """Make a set of offers; it takes the place of those that were made before.

    Without an option it is what the decision on the application priced, with the other terms that its policy allows.

    \b
    loanbook offer make 7 --expires-on 2026-11-16
    loanbook offer make 7 --option 10000/12/9.5 --expires-on 2026-11-16 --counter
    """
    from api.funding import offer_json
    from origination.offer_commands import make_decided_offers, make_offers
    from origination.queries import application

    def work(uow: UnitOfWork) -> dict[str, Any]:
        currency = application(uow.connection, application_id).request.terms.currency
        given = _options(options, file, currency)
        if options or file:
            made = make_offers(
                uow, session.book_code, application_id, given, expires_on=expires_on, is_counter=is_counter
            )
        else:
            made = make_decided_offers(uow, session.book_code, application_id, expires_on=expires_on)
        return {"application_id": application_id, "offers": [offer_json(each, "open") for each in made]}

    done = session.change(work)
    session.show(done, lambda: print_table(OFFER_COLUMNS, [_flat(each) for each in done["offers"]]))


@offer.command("list")
@click.argument("application_id", type=int)
@reads
def list_offers(session: Session, application_id: int) -> None:
    """Show the offers of an application.

    \b
    loanbook offer list 7
    """
    from api.funding import offers_json
    from origination.funding_queries import offers

    found = session.read(lambda connection: offers(connection, session.book_code, application_id))
    document = offers_json(application_id, found)
    session.show(document, lambda: print_table(OFFER_COLUMNS, [_flat(each) for each in document["offers"]]))


@offer.command("show")
@click.argument("application_id", type=int)
@click.argument("offer_no", type=int)
@reads
def show_offer(session: Session, application_id: int, offer_no: int) -> None:
    """Show an offer with its payment schedule.

    \b
    loanbook offer show 7 1
    """
    from api.funding import offer_json
    from origination.funding_queries import offer as one_offer

    found = session.read(lambda connection: one_offer(connection, session.book_code, application_id, offer_no))
    document = offer_json(found.offer, found.status)

    def people() -> None:
        print_table(OFFER_COLUMNS, [_flat(document)])
        print_line("")
        rows = [{**each, "amount": grouped(each["amount"])} for each in document["disclosure"]["payments"]]
        print_table(PAYMENT_COLUMNS, rows)

    session.show(document, people)


@offer.command("accept")
@click.argument("application_id", type=int)
@click.argument("offer_no", type=int)
@click.option(
    "--payouts",
    type=click.Path(path_type=Path),
    help="A JSON list of {payee, rail, amount}, for ach with routing, account_number and kind "
    "[default: to the account that the applicant gave, or else by check].",
)
@changes
def accept(session: Session, application_id: int, offer_no: int, payouts: Path | None) -> None:
    """Accept an offer: its contract is frozen with its hash, and all others lapse.

    \b
    loanbook offer accept 7 1 --payouts payouts.json
    """
    from api.funding import contract_json, payout_of
    from api.workflows import ACCEPTED, person_of
    from ledger.money import Money
    from origination.offer_commands import accept_offer
    from origination.queries import application
    from origination.workflow_commands.moving import tell_waiting

    rows = [] if payouts is None else _json_list(payouts)

    def work(uow: UnitOfWork) -> dict[str, Any]:
        currency = application(uow.connection, application_id).request.terms.currency
        given = [payout_of(Money.parse(str(row["amount"]), currency), row) for row in rows]
        tell_waiting(uow, session.book_code, application_id, ACCEPTED, person_of(session.actor, ()))
        done = accept_offer(uow, session.book_code, application_id, offer_no, given, vault=vault_of(session))
        return contract_json(done)

    done = session.change(work)
    go_on_if_started(session, application_id)
    session.show(done, lambda: print_line(f"Offer {offer_no} is accepted; contract {done['sha256']}."))


@click.group()
def contract() -> None:
    """Show the contract of an application, and prove that it is what was accepted.

    \b
    loanbook contract show 7
    loanbook contract verify 7
    """


@contract.command("show")
@click.argument("application_id", type=int)
@click.option("--text", is_flag=True, help="Print the frozen text alone, byte for byte.")
@reads
def show_contract(session: Session, application_id: int, text: bool) -> None:
    """Show a contract.

    \b
    loanbook contract show 7 --text | sha256sum
    """
    from api.funding import contract_json
    from origination.funding_queries import contract as one_contract

    found = session.read(lambda connection: one_contract(connection, session.book_code, application_id))
    if text:
        click.echo(found.canonical, nl=False)
        return
    document = contract_json(found)
    session.show(document, lambda: _print_contract(document))


@contract.command("verify")
@click.argument("application_id", type=int)
@reads
def verify(session: Session, application_id: int) -> None:
    """Recompute the hash of a contract, and compare it with its offer.

    \b
    loanbook contract verify 7
    """
    from api.funding import contract_json
    from origination.funding_queries import verified_contract

    found = session.read(lambda connection: verified_contract(connection, session.book_code, application_id))
    session.show(contract_json(found), lambda: print_line(f"The contract is what was accepted: {found.sha256}"))


def _print_contract(document: dict[str, Any]) -> None:
    terms, box = document["contract"]["terms"], document["contract"]["disclosure"]
    print_facts(
        {
            "contract": document["sha256"],
            "offer": document["offer_no"],
            "accepted on": document["accepted_on"],
            "principal": grouped(terms["principal"]),
            "rate": terms["rate"],
            "annual percentage rate": box["apr"],
            "finance charge": grouped(box["finance_charge"]),
            "amount financed": grouped(box["amount_financed"]),
            "total of payments": grouped(box["total_of_payments"]),
        }
    )


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    terms, box = document["terms"], document["disclosure"]
    names = ("finance_charge", "amount_financed", "total_of_payments")
    status = document["status"] + (" (counter)" if document["counter_offer"] else "")
    return {
        **document,
        "status": status,
        "principal": grouped(terms["principal"]),
        "installments": terms["installments"],
        "rate": terms["rate"],
        "apr": box["apr"],
        **{name: grouped(box[name]) for name in names},
    }


def _options(texts: Sequence[str], file: Path | None, currency: str) -> list[PricedOption]:
    from api.funding import option_of
    from ledger.money import Money

    rows = [] if file is None else _json_list(file)
    for text in texts:
        parts = text.split("/")
        if len(parts) not in (3, 4) or not parts[1].isdigit():
            raise click.BadParameter(f"{text!r} is not AMOUNT/PAYMENTS/RATE[/FEE]", param_hint="--option")
        rows.append(dict(zip(("amount", "installments", "rate", "fee"), parts, strict=False)))
    return [
        option_of(
            Money.parse(str(row["amount"]), currency),
            int(row["installments"]),
            str(row["rate"]),
            None if row.get("fee") is None else Money.parse(str(row["fee"]), currency),
        )
        for row in rows
    ]


def _json_list(file: Path) -> list[dict[str, Any]]:
    """Read a JSON list of objects; numbers stay text, so that no amount becomes a float.

    Raises: FileUnusable.
    """
    import json

    from api.cli.files import read_text
    from api.errors import FileUnusable

    try:
        found = json.loads(read_text(file), parse_float=str)
    except json.JSONDecodeError as mistake:
        raise FileUnusable(path=str(file), reason=f"it is not JSON: {mistake}") from None
    wanted = {"amount"}
    if not isinstance(found, list) or not all(isinstance(row, dict) and wanted <= row.keys() for row in found):
        raise FileUnusable(path=str(file), reason="it is a list of objects, each with an amount")
    return found
