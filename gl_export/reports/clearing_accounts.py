"""Clearing and suspense accounts as a report: what is left in them, since when, and how old it is.

Amounts are signed, debits positive. Next: `gl_export/clearing.py`.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from gl_export.clearing import BUCKET_NAMES, ClearingAge
from gl_export.queries.balances import clearing_ages
from gl_export.rendering import Cell, Column, Kind, Report
from gl_export.reports.stamps import stamp
from ledger.queries.accounts import accounts

COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    Column("currency", "Currency"),
    Column("balance", "Balance", Kind.AMOUNT),
    Column("oldest", "Open since", Kind.DATE),
    Column("age_days", "Days", Kind.INTEGER),
    *(Column(f"days_{name.strip('+').replace('-', '_')}", f"{name} days", Kind.AMOUNT) for name in BUCKET_NAMES),
)


def clearing_report(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int | None = None) -> Report:
    """Return balance and age of every clearing and suspense account that was ever used.

    Raises: BookUnknown.
    """
    rests_on = stamp(connection, book_code, as_of=as_of, known_at=known_at)
    names = {str(account.code): account.name for account in accounts(connection, book_code, as_of)}
    found = clearing_ages(connection, book_code, as_of=as_of, known_at=rests_on.block_no)
    return Report(
        name="clearing_accounts",
        title=f"Clearing accounts of {book_code} on {as_of.isoformat()}",
        stamp=rests_on,
        columns=COLUMNS,
        rows=tuple(_row(each, names[each.account]) for each in found),
    )


def _row(each: ClearingAge, name: str) -> tuple[Cell, ...]:
    head = (each.account, name, each.balance.currency, each.balance, each.oldest, each.age_days)
    return (*head, *each.buckets)
