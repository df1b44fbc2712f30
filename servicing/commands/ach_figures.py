"""What the entries that were sent and came back say together: debits to retry, return rates.

Reads only. Never: the rules themselves (`servicing/nacha/representment.py`, `return_rates.py`).
Next: `docs/spec/nacha.md`; `api/cli/ach.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ledger.queries.accounts import book
from servicing.commands.attempts import is_stopped
from servicing.nacha.representment import Retry, RetryPolicy, decide_retry
from servicing.nacha.return_rates import Rate, look_back, return_rates

# The reason of a debit's return, of one that was taken in by a file.
_REASON = (
    " LEFT JOIN LATERAL (SELECT i.code, r.taken_on FROM servicing.ach_item i"
    "   JOIN servicing.ach_received r ON r.book_id = i.book_id AND r.file_no = i.file_no"
    "   WHERE i.original_trace = e.trace AND i.loan_id = e.loan_id AND i.outcome = 'returned'"
    "   ORDER BY i.file_no LIMIT 1) back ON true"
)
_CAME_BACK = sa.text(
    "SELECT e.loan_id, e.trace, e.first_trace, e.amount, back.code, back.taken_on,"  # noqa: S608 - as above
    " (SELECT count(*) FROM servicing.ach_entry a WHERE a.loan_id = e.loan_id AND a.first_trace = e.first_trace)"
    "   AS presented,"
    " (SELECT min(a.effective_on) FROM servicing.ach_entry a"
    "   WHERE a.loan_id = e.loan_id AND a.first_trace = e.first_trace) AS first_settled_on"
    " FROM servicing.ach_entry e JOIN servicing.loan l ON l.loan_id = e.loan_id"
    + _REASON
    + " WHERE l.book_id = :book_id AND e.side = 'debit' AND e.purpose IN ('payment', 'retry')"
    " AND back.taken_on >= :since AND NOT EXISTS (SELECT FROM servicing.ach_entry later"
    "   WHERE later.loan_id = e.loan_id AND later.first_trace = e.first_trace AND later.file_no > e.file_no)"
    " ORDER BY back.taken_on, e.loan_id, e.trace"
)
_ORIGINATED = sa.text(
    "SELECT count(*) FROM servicing.ach_entry e JOIN servicing.loan l ON l.loan_id = e.loan_id"
    " JOIN servicing.ach_sent s ON s.book_id = l.book_id AND s.file_no = e.file_no"
    " WHERE l.book_id = :book_id AND e.side = 'debit' AND e.amount > 0 AND s.made_on BETWEEN :first AND :last"
)
_RETURNED = sa.text(
    "SELECT i.code, count(*) AS times FROM servicing.ach_item i"
    " JOIN servicing.ach_received r ON r.book_id = i.book_id AND r.file_no = i.file_no"
    " WHERE i.book_id = :book_id AND i.kind = 'return' AND i.side = 'debit' AND i.amount > 0"
    " AND i.outcome <> 'repeated' AND r.taken_on BETWEEN :first AND :last GROUP BY i.code"
)


@dataclass(frozen=True, slots=True)
class CameBack:
    """A debit that came back and was not sent again: what it was, why it came back, and what follows."""

    loan_id: int
    trace: str
    first_trace: str
    amount: int
    code: str
    returned_on: date
    presented: int
    retry: Retry
    stopped: bool


def came_back(
    connection: sa.Connection, book_code: str, *, since: date, policy: RetryPolicy | None = None
) -> Iterator[CameBack]:
    """Yield the debits of a book that came back since a day and were not sent again, the oldest first.

    `stopped` says that two attempts in a row failed on the loan: for a covered loan nothing more is tried then.
    Raises: BookUnknown.
    """
    book_id = book(connection, book_code).book_id
    rows = connection.execute(_CAME_BACK, {"book_id": book_id, "since": since}).all()
    for row in rows:
        retry = decide_retry(
            row.code,
            presented=row.presented,
            first_settled_on=row.first_settled_on,
            returned_on=row.taken_on,
            policy=policy or RetryPolicy(),
        )
        stopped = is_stopped(connection, row.loan_id)
        yield CameBack(
            row.loan_id,
            row.trace,
            row.first_trace,
            row.amount,
            row.code,
            row.taken_on,
            row.presented,
            retry,
            stopped,
        )


def rates_of(connection: sa.Connection, book_code: str, as_of: date | None = None) -> tuple[Rate, ...]:
    """Return the return rates of a book as of a day (None: the business date), over the 60 days up to it.

    Raises: BookUnknown.
    """
    found = book(connection, book_code)
    first, last = look_back(as_of or found.business_date)
    values = {"book_id": found.book_id, "first": first, "last": last}
    returned = {row.code: int(row.times) for row in connection.execute(_RETURNED, values)}
    return return_rates(int(connection.scalar(_ORIGINATED, values) or 0), returned)
