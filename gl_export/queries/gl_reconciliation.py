"""GL statements, the breaks they show, the proof that what is sent and what is there come to zero, and sign-offs.

Next: `gl_export/commands/gl_reconciliation.py`, which takes statements; `gl_export/breaks.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from gl_export import gl_statement_store as store
from gl_export.breaks import GLBreak, Proof, Standing, prove_to_zero, standing_of
from gl_export.errors import GLStatementUnknown
from gl_export.gl_comparison import AccountKey, sent_sums
from gl_export.gl_file import GLStatement
from gl_export.queries.batches import mapping
from ledger.money import Money, Total
from ledger.queries.accounts import book
from ledger.queries.trial_balance import trial_balance


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A statement with its breaks, the proof of each account, and its sign-off, if it has one.

    Only of the newest statement of its kind are the breaks those of today.
    """

    statement: GLStatement
    breaks: tuple[GLBreak, ...]
    proofs: tuple[Proof, ...]
    standing: Standing | None

    @property
    def is_proved(self) -> bool:
        """Tell whether every account comes to zero."""
        return not any(proof.unexplained for proof in self.proofs)


def statements(connection: sa.Connection, book_code: str) -> tuple[GLStatement, ...]:
    """Return the statements that were taken, in order.

    Raises: BookUnknown.
    """
    return store.load_statements(connection, book(connection, book_code).book_id)


def statement(connection: sa.Connection, book_code: str, statement_no: int | None = None) -> GLStatement:
    """Return a statement; without a number, the newest.

    Raises: BookUnknown; GLStatementUnknown.
    """
    for each in reversed(statements(connection, book_code)):
        if statement_no in (None, each.statement_no):
            return each
    raise GLStatementUnknown(book=book_code, statement_no=statement_no or 0)


def breaks(connection: sa.Connection, book_code: str, *, cleared: bool = False) -> tuple[GLBreak, ...]:
    """Return the breaks that stand, by number; with `cleared`, those that are over as well.

    Raises: BookUnknown.
    """
    return store.load_breaks(connection, book(connection, book_code).book_id, cleared=cleared)


def reconciliation(connection: sa.Connection, book_code: str, statement_no: int | None = None) -> Reconciliation:
    """Return the proof to zero of a statement; without a number, of the newest.

    Raises: BookUnknown; GLStatementUnknown.
    """
    found_book = book(connection, book_code)
    of = statement(connection, book_code, statement_no)
    shown = tuple(
        each
        for each in store.load_breaks(connection, found_book.book_id, kind=of.kind)
        if each.seen_in == of.statement_no
    )
    found = ours_only(connection, book_code, store.found_sums(connection, found_book.book_id, of.statement_no))
    sent = _sent(connection, found_book.book_id, of)
    sign_off = store.load_sign_off(connection, found_book.book_id, of.statement_no)
    standing = None
    if sign_off is not None:
        newest = max(
            each.statement_no
            for each in statements(connection, book_code)
            if (each.kind, each.as_of) == (of.kind, of.as_of)
        )
        standing = standing_of(sign_off, balances(connection, book_code, of), newest=newest)
    return Reconciliation(of, shown, prove_to_zero(sent, found, shown), standing)


def _sent(connection: sa.Connection, book_id: int, of: GLStatement) -> dict[AccountKey, Money]:
    if of.from_date is None:
        return sent_sums(store.sent_batches(connection, book_id, of.as_of))
    sums: dict[AccountKey, Money] = {}
    for line in store.sent_lines(connection, book_id, of.from_date, of.as_of):
        key = (line.gl_account, line.amount.currency)
        sums[key] = sums.get(key, Total(0, key[1])) + line.amount
    return sums


def ours_only(connection: sa.Connection, book_code: str, found: Mapping[AccountKey, Money]) -> dict[AccountKey, Money]:
    """Leave out the GL's accounts that no account of the book is mapped to: they are other people's.

    Raises: BookUnknown.
    """
    ours = {gl_account.code for gl_account in mapping(connection, book_code).gl_accounts.values()}
    ours |= set(sent_accounts(connection, book(connection, book_code).book_id))
    return {key: money for key, money in found.items() if key[0] in ours}


def sent_accounts(connection: sa.Connection, book_id: int) -> tuple[str, ...]:
    """Return the GL accounts that any batch ever named."""
    statement = sa.text("SELECT DISTINCT gl_account FROM gl_export.batch_line WHERE book_id = :book_id")
    return tuple(connection.scalars(statement, {"book_id": book_id}))


def balances(connection: sa.Connection, book_code: str, of: GLStatement) -> dict[AccountKey, Money]:
    """Return the balance of every account of the book on the day of a statement, as known now, debits positive.

    Raises: BookUnknown.
    """
    found = trial_balance(connection, book_code, as_of=of.as_of).balance
    kept = {(str(row.account.code), row.currency): row.debits - row.credits for row in found.rows}
    return {key: money for key, money in kept.items() if money}
