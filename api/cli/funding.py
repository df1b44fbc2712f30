"""`loanbook funding`: approve a contract, meet its conditions, fund it, cancel it.

Next: `api/funding.py`, which both doors share; `origination/funding_commands.py`; `docs/how-to/funding.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import changes, reads
from api.cli.output import Column, amount, grouped, print_facts, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork
    from servicing.vault import Vault

CONDITION_COLUMNS = (
    Column("condition", "Condition"),
    Column("outcome", "Outcome"),
    Column("evidence", "Evidence or reason"),
    Column("actor", "By"),
)
PAYOUT_COLUMNS = (
    Column("payout_no", "No", right=True),
    Column("payee", "Payee"),
    Column("rail", "Rail"),
    amount("amount", "Amount"),
    Column("account_number", "Account"),
)


@click.group()
def funding() -> None:
    """Approve a funding, meet its conditions, fund it, cancel it.

    \b
    loanbook funding policy rules.toml
    loanbook funding condition 7 contract-signed --evidence "note 4711"
    loanbook funding approve 7 --actor omar
    loanbook funding fund 7 --actor fred
    """


@funding.command("policy")
@click.argument("file", type=click.Path(path_type=Path))
@changes
def policy(session: Session, file: Path) -> None:
    """Let contracts to come of a product be funded by the rules of a TOML file; two people do.

    \b
    loanbook funding policy rules.toml --approver carol
    """
    from api.cli.files import read_text
    from origination.funding.policy import read_policy
    from origination.funding_commands import load_policy

    rules = read_policy(read_text(file))

    def work(uow: UnitOfWork) -> dict[str, Any]:
        number = load_policy(uow, session.book_code, rules)
        return {"product": rules.product, "policy_no": number, "sha256": rules.content_hash}

    done = session.change(work)
    session.show(done, lambda: print_line(f"Rules {done['policy_no']} of {rules.product} hold for contracts to come."))


@funding.command("show")
@click.argument("application_id", type=int)
@reads
def show_funding(session: Session, application_id: int) -> None:
    """Show what a funding needs, has and lacks.

    \b
    loanbook funding show 7
    """
    from api.funding import funding_json
    from api.views import major_units
    from origination.funding_queries import funding as one_funding

    found = session.read(lambda connection: one_funding(connection, session.book_code, application_id))
    document = funding_json(found, major_units)
    session.show(document, lambda: _print_funding(document))


@funding.command("approve")
@click.argument("application_id", type=int)
@changes
def approve(session: Session, application_id: int) -> None:
    """Approve the funding of a contract, as `--actor`; each person once.

    \b
    loanbook funding approve 7 --actor omar
    """
    from origination.funding_commands import approve_funding

    _change_funding(session, application_id, lambda uow: approve_funding(uow, session.book_code, application_id))


@funding.command("condition")
@click.argument("application_id", type=int)
@click.argument("name")
@click.option("--evidence", required=True, help="What shows it; of a waiver, its reason.")
@click.option("--waive", is_flag=True, help="Do without it.")
@changes
def condition(session: Session, application_id: int, name: str, evidence: str, waive: bool) -> None:
    """Satisfy a condition by its evidence, or waive it for a reason.

    \b
    loanbook funding condition 7 contract-signed --evidence "note 4711"
    """
    from origination.funding_commands import decide_condition

    _change_funding(
        session,
        application_id,
        lambda uow: decide_condition(uow, session.book_code, application_id, name, evidence=evidence, waive=waive),
    )


@funding.command("fund")
@click.argument("application_id", type=int)
@changes
def fund(session: Session, application_id: int) -> None:
    """Fund a contract: board its loan, book the funding, schedule what pays the proceeds out.

    \b
    loanbook funding fund 7 --actor fred
    """
    from api.funding import funded_json
    from origination.funding_commands import fund_contract

    def work(uow: UnitOfWork) -> dict[str, Any]:
        return funded_json(fund_contract(uow, session.book_code, application_id, vault=vault_of(session)))

    done = session.change(work)
    count = len(done["instructions"])
    session.show(
        done, lambda: print_line(f"Loan {done['loan_id']} is funded; {count} payouts are due on {done['due_on']}")
    )


@funding.command("cancel")
@click.argument("application_id", type=int)
@click.option("--reason", required=True, help="Why.")
@changes
def cancel(session: Session, application_id: int, reason: str) -> None:
    """Unwind a funding to zero, within the days of rescission or while nothing is out.

    \b
    loanbook funding cancel 7 --reason "rescinded by the borrower"
    """
    from origination.funding_commands import cancel_funding

    def work(uow: UnitOfWork) -> dict[str, Any]:
        loan_id = cancel_funding(uow, session.book_code, application_id, reason=reason)
        return {"application_id": application_id, "loan_id": loan_id}

    done = session.change(work)
    session.show(done, lambda: print_line(f"The funding of loan {done['loan_id']} is unwound"))


def _change_funding(session: Session, application_id: int, act: Callable[[UnitOfWork], object]) -> None:
    """Change a funding, and show what it lacks after that."""
    from api.funding import funding_json
    from api.views import major_units
    from origination.funding_queries import funding as one_funding

    def work(uow: UnitOfWork) -> dict[str, Any]:
        act(uow)
        return funding_json(one_funding(uow.connection, session.book_code, application_id), major_units)

    done = session.change(work)
    session.show(done, lambda: _print_funding(done))


def _print_funding(document: dict[str, Any]) -> None:
    print_facts(
        {
            "state": document["state"],
            "loan": document["loan_id"],
            "principal": grouped(document["principal"]),
            "contract": document["sha256"],
            "cancel until": document["cancel_until"],
            "approved by": ", ".join(each["actor"] for each in document["approvals"]) or None,
        }
    )
    print_line("")
    print_table(CONDITION_COLUMNS, document["conditions"])
    print_line("")
    print_table(PAYOUT_COLUMNS, [{**each, "amount": grouped(each["amount"])} for each in document["payouts"]])
    for each in document["missing"]:
        print_line(f"Missing: {each}")


def vault_of(session: Session) -> Vault | None:
    """Return the vault of account numbers, if there are keys for it."""
    from api.settings import secret_text
    from servicing.vault import Vault

    keys = secret_text(session.settings.bank_account_keys)
    return None if keys is None else Vault.of_keys(keys)
