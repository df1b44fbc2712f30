"""The trial balance as a report: every account with its turnover and its balance, and the proof at the foot.

Next: `ledger/queries/trial_balance.py`.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from gl_export.rendering import Cell, Column, Kind, Report
from gl_export.reports.stamps import stamp
from ledger.queries.trial_balance import trial_balance
from ledger.trial_balance import Totals, TrialBalanceRow

COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    Column("type", "Type"),
    Column("currency", "Currency"),
    Column("debits", "Debits", Kind.AMOUNT),
    Column("credits", "Credits", Kind.AMOUNT),
    Column("debit_balance", "Debit balance", Kind.AMOUNT),
    Column("credit_balance", "Credit balance", Kind.AMOUNT),
)


def trial_balance_report(
    connection: sa.Connection, book_code: str, *, as_of: date, known_at: int | None = None
) -> Report:
    """Return the trial balance of everything booked through a day, that day included.

    Raises: BookUnknown; TrialBalanceUnequal, which only damage to the database can cause.
    """
    rests_on = stamp(connection, book_code, as_of=as_of, known_at=known_at)
    found = trial_balance(connection, book_code, as_of=as_of, known_at=rests_on.block_no).balance
    return Report(
        name="trial_balance",
        title=f"Trial balance of {book_code} on {as_of.isoformat()}",
        stamp=rests_on,
        columns=COLUMNS,
        rows=tuple(_row(row) for row in found.rows),
        totals=tuple(_total(totals) for totals in found.totals),
    )


def _row(row: TrialBalanceRow) -> tuple[Cell, ...]:
    account = row.account
    head = (account.code, account.name, str(account.type), row.currency)
    return (*head, row.debits, row.credits, row.debit_balance, row.credit_balance)


def _total(totals: Totals) -> tuple[Cell, ...]:
    head = ("Total", None, None, totals.currency)
    return (*head, totals.debits, totals.credits, totals.debit_balances, totals.credit_balances)
