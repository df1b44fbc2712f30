"""Where the close of a month stands, as a checklist with the evidence of each step.

Next: `gl_export/commands/close.py`, which runs it.
"""

from __future__ import annotations

import sqlalchemy as sa

from gl_export import store
from gl_export.close import CloseStatus, status
from gl_export.errors import CloseNotStarted
from ledger.dates import Month
from ledger.queries.accounts import book


def close_status(connection: sa.Connection, book_code: str, month: Month) -> CloseStatus:
    """Return the newest run of a month's close.

    Raises: BookUnknown; CloseNotStarted.
    """
    book_id = book(connection, book_code).book_id
    run_no = store.latest_run(connection, book_id, month.first_day)
    if run_no == 0:
        raise CloseNotStarted(book=book_code, month=str(month))
    key = {"book_id": book_id, "month": month.first_day, "run_no": run_no}
    evidence = store.load_evidence(connection, key)
    return status(book_code=book_code, month=month, run_no=run_no, evidence=evidence)
