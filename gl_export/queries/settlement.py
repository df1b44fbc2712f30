"""What went over each rail on a day, and what was settled of it, from the journal.

Next: `gl_export/settlement.py`.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from gl_export.settlement import RAIL_ROLES, TEMPLATES, RailDay, reference_of
from ledger.money import Total
from ledger.queries.accounts import book, role_map

# Of one day's postings, by the block ranges of the date index; settlements are found by the key that they bear.
_MOVED = """
SELECT a.code, p.currency,
       sum(CASE WHEN p.debit_account = a.account_id THEN p.amount ELSE -p.amount END) AS moved
  FROM ledger.account a
  JOIN ledger.posting p ON p.booking_date = :day AND a.account_id IN (p.debit_account, p.credit_account)
  JOIN ledger.journal_entry e ON e.subledger_id = p.subledger_id AND e.entry_no = p.entry_no
 WHERE a.book_id = :book_id AND a.code = ANY (:codes) AND e.template <> ALL (:settlements)
   AND (e.source_ref IS NULL OR e.source_ref NOT LIKE 'settlement:%')
 GROUP BY a.code, p.currency ORDER BY a.code, p.currency
"""

_SETTLED = """
SELECT a.code, p.currency, count(*) AS times,
       sum(CASE WHEN p.credit_account = a.account_id THEN p.amount ELSE -p.amount END) AS settled
  FROM ledger.journal_entry e
  JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
  JOIN ledger.account a ON a.account_id IN (p.debit_account, p.credit_account) AND a.code = ANY (:codes)
 WHERE e.subledger_id = :own_subledger_id AND e.booking_date >= :day AND e.source_ref = ANY (:references)
 GROUP BY a.code, p.currency
"""


def rail_days(connection: sa.Connection, book_code: str, day: date) -> tuple[RailDay, ...]:
    """Return each rail over which something went on a day.

    Raises: BookUnknown.
    """
    found, roles = book(connection, book_code), role_map(connection, book_code, "default")
    role_of = {str(roles[role]): role for role in RAIL_ROLES if role in roles}
    values = {
        "book_id": found.book_id,
        "own_subledger_id": found.own_subledger_id,
        "day": day,
        "codes": sorted(role_of),
        "settlements": [template.name for template in TEMPLATES],
        "references": [reference_of(role, day) for role in RAIL_ROLES],
    }
    settled = {
        (row.code, row.currency): (int(row.settled), row.times) for row in connection.execute(sa.text(_SETTLED), values)
    }
    days = []
    for row in connection.execute(sa.text(_MOVED), values):
        amount, times = settled.get((row.code, row.currency), (0, 0))
        moved, so_far = Total(int(row.moved), row.currency), Total(amount, row.currency)
        days.append(RailDay(role_of[row.code], day, moved, so_far, times))
    return tuple(days)
