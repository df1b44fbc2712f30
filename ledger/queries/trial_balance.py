"""The trial balance of any day, as known now or at any block, and the statements drawn from it.

Sealed entries come as totals by account and day (`ledger.activity`), and from a closed month's snapshot where it
serves; what is not sealed yet is added from the journal. Never: a scan of the postings' history.
Next: `ledger/trial_balance.py` for the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa

from ledger.chart import AccountDefinition
from ledger.errors import DateRangeBackwards
from ledger.money import Total
from ledger.queries.accounts import accounts_by_id
from ledger.store import Book, load_book
from ledger.trial_balance import (
    BalanceSheet,
    IncomeStatement,
    TrialBalance,
    TrialBalanceRow,
    balance_sheet,
    income_statement,
)
from ledger.trial_balance import trial_balance as balanced

By = Literal["booking", "effective"]


@dataclass(frozen=True, slots=True)
class TrialBalanceReport:
    """A trial balance and what it reflects.

    `block_no` is the last seal block counted (0: none); `unsealed` tells whether entries that no block has sealed
    yet are counted too, so that the report may change; `block_hash` is what an auditor compares.
    """

    book: Book
    as_of: date
    by: By
    block_no: int
    block_hash: bytes | None
    unsealed: bool
    balance: TrialBalance


Totals = dict[tuple[int, str], tuple[int, int]]
"""Debits and credits by account id and currency."""


def trial_balance(
    connection: sa.Connection, book_code: str, *, as_of: date, by: By = "booking", known_at: int | None = None
) -> TrialBalanceReport:
    """Return the trial balance of everything booked (or effective) through a day, that day included.

    With `known_at`, a seal block's number, only what that block and those before it sealed is counted, so that the
    report comes out the same for ever. Without, it counts every entry that is committed.

    Raises: BookUnknown; TrialBalanceUnequal, which only damage to the database can cause.
    """
    book = load_book(connection, book_code)
    parts = (_SEALED[by], _UNSEALED if known_at is None else _LATER_BLOCKS)
    statement = _TOTALS.format(parts=" UNION ALL ".join(parts).format(by=by))
    values = {"book_id": book.book_id, "as_of": as_of, "known_at": known_at}
    rows = connection.execute(
        sa.text(statement).bindparams(sa.bindparam("known_at", type_=sa.BigInteger)), values
    ).all()
    head_no, unsealed = rows[0].head_no, any(row.unsealed for row in rows)
    totals = _totals((row.account_id, row.currency, row.debit, row.credit) for row in rows if row.account_id)
    balance = _balanced(totals, accounts_by_id(connection, book_code, as_of))
    return TrialBalanceReport(book, as_of, by, head_no, _hash_of(connection, head_no), unsealed, balance)


def income_statement_between(
    connection: sa.Connection,
    book_code: str,
    *,
    from_date: date,
    to_date: date,
    by: By = "booking",
    known_at: int | None = None,
) -> IncomeStatement:
    """Return income and expense booked (or effective) from one day through another, both included.

    Year-end entries, which carry both to retained earnings, are left out.

    Raises: BookUnknown; DateRangeBackwards.
    """
    if to_date < from_date:
        raise DateRangeBackwards(from_date=from_date, to_date=to_date)
    through = trial_balance(connection, book_code, as_of=to_date, by=by, known_at=known_at)
    before = trial_balance(connection, book_code, as_of=_day_before(from_date), by=by, known_at=known_at)
    values = {"book_id": through.book.book_id, "own": through.book.own_subledger_id, "known_at": known_at}
    year_end = sa.text(_YEAR_END.format(by=by)).bindparams(sa.bindparam("known_at", type_=sa.BigInteger))
    closing = _totals(connection.execute(year_end, {**values, "from_date": from_date, "to_date": to_date}))
    definitions = accounts_by_id(connection, book_code, to_date)
    movement = _sum(_as_totals(through.balance, definitions), _negated(_as_totals(before.balance, definitions)))
    return income_statement(_balanced(_sum(movement, _negated(closing)), definitions), through.book.base_currency)


def balance_sheet_at(
    connection: sa.Connection, book_code: str, *, as_of: date, by: By = "booking", known_at: int | None = None
) -> BalanceSheet:
    """Return the balance sheet of a day in the book's base currency.

    Raises: BookUnknown; BalanceSheetUnequal, which only damage to the database can cause.
    """
    report = trial_balance(connection, book_code, as_of=as_of, by=by, known_at=known_at)
    return balance_sheet(report.balance, report.book.base_currency)


def _day_before(day: date) -> date:
    return date.fromordinal(max(day.toordinal() - 1, 1))


def _balanced(totals: Totals, definitions: object) -> TrialBalance:
    assert isinstance(definitions, dict)
    known: dict[int, AccountDefinition] = definitions
    return balanced(
        TrialBalanceRow(known[account_id], Total(debit, currency), Total(credit, currency))
        for (account_id, currency), (debit, credit) in totals.items()
        if debit or credit
    )


def _as_totals(balance: TrialBalance, definitions: object) -> Totals:
    assert isinstance(definitions, dict)
    ids = {definition.code: account_id for account_id, definition in definitions.items()}
    return {(ids[row.account.code], row.currency): (row.debits.minor, row.credits.minor) for row in balance.rows}


def _negated(totals: Totals) -> Totals:
    return {key: (-debit, -credit) for key, (debit, credit) in totals.items()}


def _sum(left: Totals, right: Totals) -> Totals:
    total = dict(left)
    for key, (debit, credit) in right.items():
        was_debit, was_credit = total.get(key, (0, 0))
        total[key] = (was_debit + debit, was_credit + credit)
    return total


def _totals(rows: Iterable[Any]) -> Totals:
    return {(account_id, currency): (int(debit), int(credit)) for account_id, currency, debit, credit in rows}


def _hash_of(connection: sa.Connection, block_no: int) -> bytes | None:
    statement = sa.text("SELECT block_hash FROM ledger.seal_block WHERE block_no = :block_no")
    found: bytes | None = connection.scalar(statement, {"block_no": block_no})
    return found


# One statement, hence one snapshot: an entry that is sealed meanwhile is counted once, as sealed or as not.
_TOTALS = """
WITH snapshot AS (
    SELECT p.month, max(e.event_no) AS event_no
      FROM ledger.period p
      JOIN ledger.period_event e ON e.book_id = p.book_id AND e.month = p.month AND e.to_state = 'closed'
     WHERE p.book_id = :book_id AND p.state = 'closed' AND p.month + interval '1 month' <= CAST(:as_of AS date) + 1
     GROUP BY p.month ORDER BY p.month DESC LIMIT 1),
totals AS (
    SELECT account_id, currency, sum(debit) AS debit, sum(credit) AS credit, bool_or(unsealed) AS unsealed
      FROM ({parts}) parts GROUP BY account_id, currency),
head AS (
    SELECT coalesce(max(block_no), 0) AS head_no FROM ledger.seal_block WHERE block_no <= coalesce(:known_at, block_no))
SELECT head.head_no, totals.* FROM head LEFT JOIN totals ON true
"""

# A closed month's books never move, so by booking date its snapshot stands for everything through its last day.
_SEALED: dict[By, str] = {
    "booking": """
    SELECT b.account_id, b.currency, b.debit, b.credit, false AS unsealed
      FROM ledger.period_balance b JOIN snapshot USING (month, event_no) WHERE b.book_id = :book_id
    UNION ALL
    SELECT account_id, currency, debit, credit, false FROM ledger.activity
     WHERE book_id = :book_id AND booking_date <= :as_of
       AND booking_date >= coalesce((SELECT month + interval '1 month' FROM snapshot)::date, '-infinity')""",
    "effective": """
    SELECT account_id, currency, debit, credit, false AS unsealed
      FROM ledger.activity WHERE book_id = :book_id AND effective_date <= :as_of""",
}

# What blocks after the one asked for have added comes off again.
_LATER_BLOCKS = """
    SELECT account_id, currency, -debit, -credit, false
      FROM ledger.seal_total WHERE block_no > :known_at AND book_id = :book_id AND {by}_date <= :as_of"""

# Each side of every pair of accounts is summed before the sides are folded together.
_UNSEALED = """
    SELECT side.account_id, pairs.currency, side.debit, side.credit, true
      FROM (SELECT p.debit_account, p.credit_account, p.currency, sum(p.amount) AS amount
              FROM ledger.subledger s
              LEFT JOIN ledger.seal_mark m ON m.subledger_id = s.subledger_id
              JOIN ledger.journal_entry e ON e.subledger_id = s.subledger_id AND e.entry_no > coalesce(m.sealed_no, 0)
              JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
             WHERE s.book_id = :book_id AND s.last_entry_no > coalesce(m.sealed_no, 0) AND e.{by}_date <= :as_of
             GROUP BY p.debit_account, p.credit_account, p.currency) pairs,
           LATERAL (VALUES (debit_account, amount, 0), (credit_account, 0, amount)) side (account_id, debit, credit)"""


# A closing entry that was reversed is left out with its reversal, wherever that is booked.
_YEAR_END = """
SELECT side.account_id, p.currency, sum(side.debit), sum(side.credit)
  FROM ledger.year_end y
  JOIN ledger.journal_entry e ON e.subledger_id = :own AND (e.entry_no = y.entry_no OR e.reverses_no = y.entry_no)
  JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no,
       LATERAL (VALUES (p.debit_account, p.amount, 0), (p.credit_account, 0, p.amount)) side (account_id, debit, credit)
 WHERE y.book_id = :book_id AND e.{by}_date BETWEEN :from_date AND :to_date
   AND (:known_at IS NULL OR EXISTS (SELECT FROM ledger.seal_member m WHERE m.subledger_id = e.subledger_id
        AND m.from_no <= e.entry_no AND m.to_no >= e.entry_no AND m.block_no <= :known_at))
 GROUP BY side.account_id, p.currency
"""
