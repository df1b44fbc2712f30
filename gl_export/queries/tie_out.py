"""The tie-out of a book as of a day, known at a block: four sets of balances, fetched and laid side by side.

Next: `gl_export/tie_out.py`, which decides; `gl_export/reports/reconciliation.py`, which shows it.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from gl_export import tie_out as decided
from gl_export.queries.balances import (
    control_balances,
    exported_balances,
    pending_balances,
    subledger_balances,
)
from ledger.queries.accounts import accounts


def tie_out(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int) -> decided.TieOut:
    """Return the tie-out: subledgers against control accounts against what the GL was sent.

    Raises: BookUnknown.
    """
    return decided.tie_out(
        {str(account.code): account for account in accounts(connection, book_code, as_of)},
        control=control_balances(connection, book_code, as_of=as_of, known_at=known_at),
        subledger=subledger_balances(connection, book_code, as_of=as_of, known_at=known_at),
        exported=exported_balances(connection, book_code, as_of=as_of, known_at=known_at),
        pending=pending_balances(connection, book_code, as_of=as_of, known_at=known_at),
    )
