"""The plain CSV: one row per line of the batch, debits and credits in columns of their own.

For every GL that takes a spreadsheet; the receivers with rules of their own get formats of their own. Fields
are quoted as RFC 4180 says; lines end with a line feed. Next: `gl_export/formats/declared.py`.
"""

from __future__ import annotations

import csv
import io

from gl_export.batch import GLBatch

COLUMNS = (
    "batch_id",
    "journal_id",
    "line_no",
    "booking_date",
    "gl_account",
    "gl_name",
    "currency",
    "debit",
    "credit",
    "account",
)


def render(batch: GLBatch) -> bytes:
    """Return the batch as UTF-8 CSV with a header row; the side that has no amount is left empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for journal in batch.journals:
        for line in journal.lines:
            writer.writerow(
                (
                    batch.batch_id,
                    journal.journal_id,
                    line.line_no,
                    line.booking_date.isoformat(),
                    line.gl_account.code,
                    line.gl_account.name,
                    line.money.currency,
                    "" if line.debit is None else line.debit.format(),
                    "" if line.credit is None else line.credit.format(),
                    line.account,
                )
            )
    return text.getvalue().encode()
