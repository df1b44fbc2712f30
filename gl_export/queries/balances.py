"""The balances that are tied out, each from a source of its own, as of a day and as known at a seal block.

Control accounts come from the sealed totals, loans from their running balances less what came later, the GL
from the lines of its batches. All are signed, debits positive. Never: a comparison (`gl_export/tie_out.py`).
Next: `gl_export/queries/movements.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from gl_export.clearing import ClearingAge, DayMovement, age, is_clearing_role
from gl_export.matching import Balances
from ledger.money import Total
from ledger.queries.accounts import book, role_maps
from ledger.queries.trial_balance import trial_balance


def control_balances(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int) -> Balances:
    """Return the balance of every account on a day, as known at a block."""
    found = trial_balance(connection, book_code, as_of=as_of, known_at=known_at).balance
    return {(row.account.code, row.currency): row.debits - row.credits for row in found.rows}


AFTER_BLOCK = """
later AS (
    SELECT m.subledger_id, min(m.from_no) AS from_no
      FROM ledger.seal_member m WHERE m.block_no > :known_at GROUP BY m.subledger_id),
after_block AS (
    SELECT s.subledger_id, coalesce(l.from_no, coalesce(k.sealed_no, 0) + 1) AS first_no
      FROM ledger.subledger s
      LEFT JOIN later l ON l.subledger_id = s.subledger_id
      LEFT JOIN ledger.seal_mark k ON k.subledger_id = s.subledger_id
     WHERE s.book_id = :book_id AND s.last_entry_no >= coalesce(l.from_no, coalesce(k.sealed_no, 0) + 1))"""
"""For every subledger with entries after the block: the number of the first of them."""

# One statement, hence one snapshot: what is posted meanwhile is in the balances and among what came later, or
# in neither. Pairs of accounts are summed before their two sides are folded together.
_SUBLEDGERS = """
WITH {after_block},
too_late AS (
    SELECT p.debit_account, p.credit_account, p.currency, p.amount
      FROM ledger.posting p
      JOIN ledger.subledger s ON s.subledger_id = p.subledger_id AND s.book_id = :book_id
     WHERE p.booking_date > :as_of
    UNION ALL
    SELECT p.debit_account, p.credit_account, p.currency, p.amount
      FROM after_block b
      JOIN ledger.posting p ON p.subledger_id = b.subledger_id AND p.entry_no >= b.first_no
     WHERE p.booking_date <= :as_of),
pairs AS (
    SELECT t.debit_account, t.credit_account, t.currency, sum(t.amount) AS amount
      FROM too_late t GROUP BY t.debit_account, t.credit_account, t.currency),
balances AS (
    SELECT b.account_id, b.currency, sum(b.balance) AS balance
      FROM ledger.subledger s JOIN ledger.account_balance b ON b.subledger_id = s.subledger_id
     WHERE s.book_id = :book_id GROUP BY b.account_id, b.currency),
changes AS (
    SELECT b.account_id, b.currency,
           CASE a.normal_side WHEN 'debit' THEN b.balance ELSE -b.balance END AS change
      FROM balances b JOIN ledger.account a ON a.account_id = b.account_id
    UNION ALL SELECT debit_account, currency, -amount FROM pairs
    UNION ALL SELECT credit_account, currency, amount FROM pairs)
SELECT a.code, c.currency, sum(c.change) AS balance
  FROM changes c JOIN ledger.account a ON a.account_id = c.account_id AND a.subledgered
 GROUP BY a.code, c.currency
"""


def subledger_balances(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int) -> Balances:
    """Return the sum of all loans' balances by account on a day, as known at a block."""
    return _balances(connection, _SUBLEDGERS.format(after_block=AFTER_BLOCK), book_code, as_of, known_at)


_EXPORTED = """
SELECT l.account AS code, l.currency,
       sum(CASE l.side WHEN 'debit' THEN l.amount ELSE -l.amount END) AS balance
  FROM gl_export.batch b
  JOIN gl_export.batch_line l ON l.book_id = b.book_id AND l.batch_no = b.batch_no
 WHERE b.book_id = :book_id AND b.last_block <= :known_at AND l.booking_date <= :as_of
 GROUP BY l.account, l.currency
"""


def exported_balances(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int) -> Balances:
    """Return what batches that end with the block or before told the GL of each account through a day."""
    return _balances(connection, _EXPORTED, book_code, as_of, known_at)


_PENDING = """
WITH exported AS (
    SELECT coalesce(max(b.last_block), 0) AS last_block
      FROM gl_export.batch b WHERE b.book_id = :book_id AND b.last_block <= :known_at)
SELECT a.code, t.currency, sum(t.debit - t.credit) AS balance
  FROM exported x
  JOIN ledger.seal_total t ON t.block_no > x.last_block AND t.block_no <= :known_at
  JOIN ledger.account a ON a.account_id = t.account_id
 WHERE t.book_id = :book_id AND t.booking_date <= :as_of
 GROUP BY a.code, t.currency
"""


def pending_balances(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int) -> Balances:
    """Return what is sealed but in no batch yet: the blocks between the last batch and the block."""
    return _balances(connection, _PENDING, book_code, as_of, known_at)


_DAYS = """
SELECT a.code, t.currency, t.booking_date, sum(t.debit) AS debits, sum(t.credit) AS credits
  FROM ledger.seal_total t JOIN ledger.account a ON a.account_id = t.account_id
 WHERE t.book_id = :book_id AND t.block_no <= :known_at AND t.booking_date <= :as_of AND a.code = ANY (:codes)
 GROUP BY a.code, t.currency, t.booking_date ORDER BY a.code, t.currency, t.booking_date
"""


def clearing_ages(connection: sa.Connection, book_code: str, *, as_of: date, known_at: int) -> tuple[ClearingAge, ...]:
    """Return balance and age of every clearing and suspense account that was used, by code and currency."""
    codes = {
        str(code)
        for roles in role_maps(connection, book_code).values()
        for role, code in roles.items()
        if is_clearing_role(role)
    }
    values = {"book_id": book(connection, book_code).book_id, "as_of": as_of, "known_at": known_at}
    days: dict[tuple[str, str], list[DayMovement]] = {}
    for row in connection.execute(sa.text(_DAYS), {**values, "codes": sorted(codes)}):
        debits, credits = Total(int(row.debits), row.currency), Total(int(row.credits), row.currency)
        days.setdefault((row.code, row.currency), []).append(DayMovement(row.booking_date, debits, credits))
    return tuple(age(code, movements, as_of=as_of, currency=currency) for (code, currency), movements in days.items())


def _balances(connection: sa.Connection, statement: str, book_code: str, as_of: date, known_at: int) -> Balances:
    values = {"book_id": book(connection, book_code).book_id, "as_of": as_of, "known_at": known_at}
    rows: Iterable[Any] = connection.execute(sa.text(statement), values)
    return {(row.code, row.currency): Total(int(row.balance), row.currency) for row in rows}
