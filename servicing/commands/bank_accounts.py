"""Keeping the bank accounts of borrowers: a new one, a correction as a next version, and a change of the key.

A number goes from the door into the vault and from the vault to the bank's file; nothing here logs or returns it.
Next: `servicing/vault.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import sqlalchemy as sa

from ledger.errors import RequestKeyReused
from ledger.unit_of_work import UnitOfWork, run
from servicing import rail_store
from servicing.rail_queries import bank_account
from servicing.rails.accounts import KINDS, AccountNumber, BankAccount, check_routing
from servicing.rails.errors import BankAccountInvalid, VaultKeyUnknown
from servicing.store import load_loan
from servicing.vault import Vault

CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIn:
    """A bank account as it is given."""

    routing: str
    number: AccountNumber
    kind: str
    holder: str


def add_bank_account(uow: UnitOfWork, vault: Vault, loan_id: int, given: AccountIn, *, request_key: str) -> BankAccount:
    """Keep a bank account of a loan's borrower, as version 1.

    Raises: LoanUnknown; RoutingNumberInvalid; BankAccountInvalid; RequestKeyReused.
    """
    load_loan(uow.connection, loan_id, lock=True)
    versions = rail_store.account_versions(uow.connection, loan_id)
    account_no = max((each.account_no for each in versions), default=0) + 1
    drafted = _drafted(uow, loan_id, account_no, 1, given, "opened", request_key)
    return _once(uow, vault, drafted, given.number, versions)


def correct_bank_account(
    uow: UnitOfWork,
    vault: Vault,
    loan_id: int,
    account_no: int,
    *,
    reason: str,
    request_key: str,
    routing: str | None = None,
    number: AccountNumber | None = None,
    kind: str | None = None,
    holder: str | None = None,
) -> BankAccount:
    """Append a version of a bank account in which what is given takes the place of what was; all else stays.

    A notification of change comes through here, its code as the reason. Raises: LoanUnknown; BankAccountUnknown;
    RoutingNumberInvalid; BankAccountInvalid; VaultKeyUnknown; RequestKeyReused.
    """
    load_loan(uow.connection, loan_id, lock=True)
    latest = bank_account(uow.connection, loan_id, account_no)
    versions = rail_store.account_versions(uow.connection, loan_id)
    given = AccountIn(
        routing=routing or latest.routing,
        number=number or account_number(uow.connection, vault, latest),
        kind=kind or latest.kind,
        holder=holder or latest.holder,
    )
    drafted = _drafted(uow, loan_id, account_no, latest.version + 1, given, reason, request_key)
    return _once(uow, vault, drafted, given.number, versions)


def account_number(connection: sa.Connection, vault: Vault, account: BankAccount) -> AccountNumber:
    """Return the number of a version of a bank account, for what is sent to the bank.

    Raises: VaultKeyUnknown.
    """
    sealed = rail_store.sealed_number(connection, account)
    number = vault.open(sealed.token)
    if number is None:
        raise VaultKeyUnknown(loan_id=account.loan_id, account_no=account.account_no, key_id=sealed.key_id)
    return number


def rotate_keys(
    engine: sa.Engine,
    vault: Vault,
    *,
    actor: str,
    dry_run: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Encrypt by the key in use every number that is under another, in chunks; return how many there were.

    Run again, it finds none; one that was killed is taken up by running it again. Raises: VaultKeyUnknown.
    """
    after, done = (0, 0, 0), 0
    while True:
        work = partial(_rotate_chunk, vault=vault, after=after)
        last, count = run(engine, work, actor=actor, dry_run=dry_run)
        done += count
        if last is None:
            return done
        after = last
        if on_progress is not None:
            on_progress(done)


def _rotate_chunk(
    uow: UnitOfWork, *, vault: Vault, after: tuple[int, int, int]
) -> tuple[tuple[int, int, int] | None, int]:
    rows = rail_store.secrets_under_other_keys(uow.connection, vault.key_id, after, CHUNK)
    for row in rows:
        number = vault.open(row.token)
        if number is None:
            raise VaultKeyUnknown(loan_id=row.loan_id, account_no=row.account_no, key_id=row.key_id)
        rail_store.rewrite_secret(uow.connection, row, vault.seal(number))
    if not rows:
        return None, 0
    return (rows[-1].loan_id, rows[-1].account_no, rows[-1].version), len(rows)


def _drafted(
    uow: UnitOfWork, loan_id: int, account_no: int, version: int, given: AccountIn, reason: str, request_key: str
) -> BankAccount:
    if given.kind not in KINDS:
        raise BankAccountInvalid(field="kind", reason=f"it is one of {', '.join(KINDS)}")
    if not 0 < len(given.holder) <= 100:
        raise BankAccountInvalid(field="holder", reason="it has 1 to 100 characters")
    return BankAccount(
        loan_id=loan_id,
        account_no=account_no,
        version=version,
        routing=check_routing(given.routing),
        last_four=given.number.last_four,
        kind=given.kind,
        holder=given.holder,
        reason=reason,
        actor=uow.actor,
        request_key=request_key,
    )


def _once(
    uow: UnitOfWork, vault: Vault, drafted: BankAccount, number: AccountNumber, versions: tuple[BankAccount, ...]
) -> BankAccount:
    """Write a version, unless its request key has written one before."""
    before = next((each for each in versions if each.request_key == drafted.request_key), None)
    if before is None:
        rail_store.append_account(uow.connection, drafted, vault.seal(number))
        return drafted
    same = replace(before, account_no=drafted.account_no, version=drafted.version, actor=drafted.actor)
    if before.version > 1:
        same = replace(same, account_no=before.account_no)
    for name in ("account_no", "routing", "kind", "holder", "reason"):
        if getattr(same, name) != getattr(drafted, name):
            raise _reused(drafted, name, str(getattr(before, name)), str(getattr(drafted, name)))
    if account_number(uow.connection, vault, before) != number:
        raise _reused(drafted, "number", before.shown, drafted.shown)
    return before


def _reused(drafted: BankAccount, field: str, stored: str, given: str) -> RequestKeyReused:
    return RequestKeyReused(request_key=drafted.request_key, field=field, stored=stored, given=given)
