"""From the accounts of the ledger to those of the general ledger outside: complete, or refused.

A mapping is versioned and never edited. Version 0 is the identity: every account keeps its code and name.
Never: the database, or a default account for what nobody mapped: that is how amounts get lost between two
books.
Next: `gl_export/batch.py`, whose lines carry the GL account.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gl_export.errors import MappingIncomplete, MappingInvalid
from ledger.chart import AccountDefinition
from ledger.errors import MalformedRow

IDENTITY_VERSION = 0
COLUMNS = ("account", "gl_account", "gl_name")
MAX_LENGTH = 120
FORMULA_STARTS = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula when it stands first in a cell."""


@dataclass(frozen=True, slots=True)
class GLAccount:
    """An account of the general ledger outside: the code it knows, and the name that people read."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class GLMapping:
    """Which GL account takes what each account of the book holds.

    Several accounts may share one GL account.

    Raises: MappingInvalid.
    """

    version: int
    gl_accounts: Mapping[str, GLAccount]

    def __post_init__(self) -> None:
        object.__setattr__(self, "gl_accounts", MappingProxyType(dict(self.gl_accounts)))
        for account, gl_account in self.gl_accounts.items():
            for text in (gl_account.code, gl_account.name):
                _refuse_unusable(account, gl_account, text)

    def gl_account(self, account: str) -> GLAccount:
        """Return the GL account of one account.

        Raises: MappingIncomplete.
        """
        self.require(account)
        return self.gl_accounts[account]

    def require(self, *accounts: str) -> None:
        """Refuse to go on unless every one of these accounts is mapped.

        Raises: MappingIncomplete naming all that are missing.
        """
        missing = tuple(sorted(set(accounts) - set(self.gl_accounts)))
        if missing:
            raise MappingIncomplete(version=self.version, missing=missing)


def identity_mapping(accounts: Iterable[AccountDefinition]) -> GLMapping:
    """Return the mapping in which every account that takes postings keeps its code and name."""
    kept: dict[str, GLAccount] = {
        account.code: GLAccount(account.code, account.name) for account in accounts if not account.header
    }
    return GLMapping(IDENTITY_VERSION, kept)


def read_mapping(rows: Iterable[str], *, file: str, version: int) -> GLMapping:
    """Read a mapping from the lines of a CSV file with the columns account, gl_account, gl_name.

    Raises: MalformedRow naming file, row and field; MappingInvalid.
    """
    reader = csv.DictReader(rows, strict=True)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        given = ",".join(reader.fieldnames or ())
        reason = f"the columns are {','.join(COLUMNS)}"
        raise MalformedRow(file=file, row=1, field="header", value=given, reason=reason)
    found: dict[str, GLAccount] = {}
    for row_no, row in enumerate(reader, start=2):
        if None in row or None in row.values():
            reason = f"a row has {len(COLUMNS)} cells"
            raise MalformedRow(file=file, row=row_no, field="row", value=str(row.get("account")), reason=reason)
        account = row["account"].strip()
        if not account or account in found:
            reason = "the account is missing" if not account else "the account stands in the file twice"
            raise MalformedRow(file=file, row=row_no, field="account", value=account, reason=reason)
        found[account] = GLAccount(row["gl_account"].strip(), row["gl_name"].strip())
    return GLMapping(version, found)


def _refuse_unusable(account: str, gl_account: GLAccount, text: str) -> None:
    reason = None
    if not text.strip():
        reason = "a code or name is empty"
    elif len(text) > MAX_LENGTH:
        reason = f"a code or name is longer than {MAX_LENGTH} characters"
    elif not text.isprintable():
        reason = "a code or name has characters that cannot be printed"
    elif text.startswith(FORMULA_STARTS):
        reason = f"a spreadsheet would take {text!r} for a formula"
    if reason:
        raise MappingInvalid(account=account, gl_account=gl_account.code, reason=reason)
