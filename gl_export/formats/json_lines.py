"""JSON Lines: one object per line of the batch, for programs; amounts are decimal text, never a JSON number.

Next: `gl_export/formats/declared.py`.
"""

from __future__ import annotations

import json

from gl_export.batch import GLBatch


def render(batch: GLBatch) -> bytes:
    """Return the batch as UTF-8 JSON, one object and one line feed per line, keys in a fixed order."""
    lines = []
    for journal in batch.journals:
        for line in journal.lines:
            cells = {
                "batch_id": batch.batch_id,
                "journal_id": journal.journal_id,
                "line_no": line.line_no,
                "booking_date": line.booking_date.isoformat(),
                "gl_account": line.gl_account.code,
                "gl_name": line.gl_account.name,
                "currency": line.money.currency,
                "side": str(line.side),
                "amount": line.money.format(),
                "account": line.account,
            }
            lines.append(json.dumps(cells, ensure_ascii=False, separators=(",", ":")) + "\n")
    return "".join(lines).encode()
