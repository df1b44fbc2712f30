"""Batches for the general ledger as HTTP shows them.

Next: `gl_export/queries/batches.py`; `api/routes/gl_batches.py`.
"""

from __future__ import annotations

from api.views import Json, MoneyForm
from gl_export.batch import BatchAnswer, BatchLine, BatchRecord
from gl_export.queries.batches import EntryBehind


def batch_json(record: BatchRecord, answer: BatchAnswer, money: MoneyForm) -> Json:
    """Return a batch without its lines."""
    batch = record.batch
    return {
        "batch_no": batch.batch_no,
        "batch_id": batch.batch_id,
        "first_block": batch.blocks.first,
        "last_block": batch.blocks.last,
        "from_day": batch.lines[0].booking_date.isoformat(),
        "to_day": batch.lines[-1].booking_date.isoformat(),
        "mapping_version": batch.mapping_version,
        "digest": record.digest.hex(),
        "actor": record.actor,
        "state": str(answer.state),
        "reference": answer.reference,
        "reason": answer.reason,
        "control_totals": [
            {
                "currency": total.currency,
                "lines": total.line_count,
                "debits": money(total.debits),
                "credits": money(total.credits),
            }
            for total in batch.control_totals
        ],
    }


def batch_line_json(line: BatchLine, money: MoneyForm) -> Json:
    """Return a line of a batch; the amount of a credit is negative."""
    return {
        "line_no": line.line_no,
        "booking_date": line.booking_date.isoformat(),
        "account": line.account,
        "gl_account": line.gl_account.code,
        "name": line.gl_account.name,
        "side": str(line.side),
        "amount": money(line.signed),
        "currency": line.money.currency,
    }


def entry_behind_json(entry: EntryBehind, money: MoneyForm) -> Json:
    """Return an entry behind a line, with how much of the line it is."""
    return {
        "subledger_id": entry.subledger_id,
        "entry_no": entry.entry_no,
        "template": entry.template,
        "effective_date": entry.effective_date.isoformat(),
        "narration": entry.narration,
        "amount": money(entry.amount),
    }
