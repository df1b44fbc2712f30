"""Trying out bank accounts: a prenote for each account that a mandate debits, before the first debit goes to it.

A version of an account that a bank's notification made is as good as the one before; one that a person made is tried
out anew. Source: Nacha Operating Rules, subsection 2.6. Next: `servicing/commands/ach_build.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from ledger.queries.accounts import book
from servicing import rail_store
from servicing.commands.bank_accounts import account_number
from servicing.nacha.banking_days import Effective, first_live_on
from servicing.nacha.building import Payment, Purpose
from servicing.nacha.entry_classes import DEFAULT_CLASS, ENTRY_CLASSES
from servicing.nacha.errors import AchTextRefused
from servicing.nacha.reason_codes import CHANGE_CODES
from servicing.nacha.text import ach_text
from servicing.nacha.transaction_codes import AccountKind, Side
from servicing.rail_queries import bank_account, bank_accounts, mandates
from servicing.rails.accounts import BankAccount
from servicing.rails.mandates import Mandate
from servicing.vault import Vault

METHOD = "ach_debit"

_TRIED = sa.text(
    "SELECT min(effective_on) FROM servicing.ach_entry"
    " WHERE loan_id = :loan_id AND payment_ref = :ref AND purpose = 'prenote'"
)


def account_ref(account_no: int, version: int) -> str:
    """Return what a prenote's entry is kept under in the place of a payment."""
    return f"account:{account_no}:{version}"


def account_of(ref: str | None) -> int | None:
    """Return the bank account that a prenote went to."""
    kind, _, rest = (ref or "").partition(":")
    return int(rest.partition(":")[0]) if kind == "account" else None


def live_from(connection: sa.Connection, loan_id: int, account_no: int) -> date | None:
    """Return from which day on a debit of an account may settle; None before its prenote has gone out.

    Raises: LoanUnknown.
    """
    version = _version_to_try(bank_accounts(connection, loan_id), account_no)
    tried_on = connection.scalar(_TRIED, {"loan_id": loan_id, "ref": account_ref(account_no, version)})
    return None if tried_on is None else first_live_on(tried_on)


def prenotes_due(connection: sa.Connection, vault: Vault, book_code: str, earliest: Effective) -> list[Payment]:
    """Return the prenotes of the accounts that mandates debit and that were not tried out yet.

    One whose holder cannot be written is left out; its debits are left behind and named.
    Raises: BookUnknown; VaultKeyUnknown.
    """
    today = book(connection, book_code).business_date
    found: dict[tuple[int, ...], Payment] = {}
    for loan_id in rail_store.loans_with_mandates(connection, book_code, today):
        for each in mandates(connection, loan_id):
            if each.method != METHOD or each.account_no is None or each.ended_on is not None:
                continue
            if live_from(connection, loan_id, each.account_no) is not None:
                continue
            try:
                payment = _prenote(
                    connection, vault, each, bank_account(connection, loan_id, each.account_no), earliest
                )
            except AchTextRefused:
                continue
            found.setdefault(payment.key, payment)
    return list(found.values())


def _prenote(
    connection: sa.Connection, vault: Vault, given: Mandate, account: BankAccount, earliest: Effective
) -> Payment:
    version = _version_to_try(bank_accounts(connection, account.loan_id), account.account_no)
    entry_class = given.entry_class or DEFAULT_CLASS
    return Payment(
        sec=entry_class,
        side=Side.DEBIT,
        kind=AccountKind(account.kind),
        routing=account.routing,
        account=account_number(connection, vault, account).reveal().upper(),
        amount=0,
        name=ach_text(account.holder, 22),
        payment_type="R" if ENTRY_CLASSES[entry_class].typed else "",
        purpose=Purpose.PRENOTE,
        effective=earliest,
        key=(account.loan_id, account.account_no, version),
    )


def _version_to_try(versions: Sequence[BankAccount], account_no: int) -> int:
    """Return the latest version of an account that a person made."""
    made = [each for each in versions if each.account_no == account_no]
    return max((each.version for each in made if each.reason not in CHANGE_CODES), default=1)
