"""The loan roll-forward of a month: opening, what moved it by kind, closing; and its detail, loan by loan.

Balances come from the sealed totals, movements from the journal: that the one leads to the other is what the
report proves. Next: `gl_export/roll_forward.py`.
"""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from gl_export.queries.balances import control_balances
from gl_export.queries.movements import movements, movements_by_loan
from gl_export.rendering import Cell, Column, Kind, Report, Stamp
from gl_export.reports.stamps import stamp
from gl_export.roll_forward import KINDS, OTHER, Movement, RollForwardRow, kind_of, roll_forward
from ledger.chart import AccountDefinition, Side
from ledger.dates import Month
from ledger.queries.accounts import accounts

COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    Column("currency", "Currency"),
    Column("opening", "Opening", Kind.AMOUNT),
    *(Column(kind.name, kind.heading, Kind.AMOUNT) for kind in (*KINDS, OTHER)),
    Column("closing", "Closing", Kind.AMOUNT),
)

DETAIL_COLUMNS = (
    Column("loan_id", "Loan", Kind.INTEGER),
    Column("account", "Account"),
    Column("currency", "Currency"),
    Column("movement", "Movement"),
    Column("template", "Template"),
    Column("reversal", "Reversal"),
    Column("amount", "Amount", Kind.AMOUNT),
    Column("entries", "Entries", Kind.INTEGER),
)


def loan_roll_forward_report(
    connection: sa.Connection, book_code: str, *, month: Month, known_at: int | None = None
) -> Report:
    """Return the roll-forward of a month, a row per account and currency, on the account's normal side.

    Raises: BookUnknown; RollForwardBroken if movements do not lead to the ledger's closing balance.
    """
    rests_on = _stamp(connection, book_code, month, known_at)
    before, block_no = month.first_day - timedelta(days=1), rests_on.block_no
    rows = roll_forward(
        _accounts(connection, book_code, month.last_day),
        opening=control_balances(connection, book_code, as_of=before, known_at=block_no),
        movements=movements(connection, book_code, from_date=month.first_day, as_of=month.last_day, known_at=block_no),
        closing=control_balances(connection, book_code, as_of=month.last_day, known_at=block_no),
    )
    return Report(
        name="loan_roll_forward",
        title=f"Loan roll-forward of {book_code} for {month}",
        stamp=rests_on,
        columns=COLUMNS,
        rows=tuple(_row(row) for row in rows),
    )


def loan_roll_forward_detail(
    connection: sa.Connection, book_code: str, *, month: Month, known_at: int | None = None
) -> Report:
    """Return what is behind the roll-forward: what each kind of entry did to each account of each loan.

    Raises: BookUnknown.
    """
    rests_on = _stamp(connection, book_code, month, known_at)
    by_code = _accounts(connection, book_code, month.last_day)
    found = movements_by_loan(
        connection,
        book_code,
        from_date=month.first_day,
        as_of=month.last_day,
        known_at=rests_on.block_no,
    )
    return Report(
        name="loan_roll_forward_detail",
        title=f"Loan roll-forward of {book_code} for {month}, by loan",
        stamp=rests_on,
        columns=DETAIL_COLUMNS,
        rows=tuple(_detail(loan_id, movement, by_code) for loan_id, movement in found),
    )


def _stamp(connection: sa.Connection, book_code: str, month: Month, known_at: int | None) -> Stamp:
    return stamp(connection, book_code, as_of=month.last_day, known_at=known_at, from_date=month.first_day)


def _accounts(connection: sa.Connection, book_code: str, on: date) -> dict[str, AccountDefinition]:
    return {str(account.code): account for account in accounts(connection, book_code, on)}


def _row(row: RollForwardRow) -> tuple[Cell, ...]:
    head = (row.account.code, row.account.name, row.opening.currency)
    return (*head, row.opening, *row.moved, row.closing)


def _detail(loan_id: int, movement: Movement, by_code: dict[str, AccountDefinition]) -> tuple[Cell, ...]:
    account = by_code[movement.account]
    amount = movement.change if account.normal_side is Side.DEBIT else -movement.change
    kind = kind_of(movement.template).name
    head = (loan_id, account.code, amount.currency, kind, movement.template)
    return (*head, "yes" if movement.reversal else "no", amount, movement.entry_count)
