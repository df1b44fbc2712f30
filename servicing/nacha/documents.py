"""A file as a document of plain values: for a program as JSON, for a person as the rows of tables.

Account numbers are masked: a document is what gets logged and sent around. Next: `api/cli/ach.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from typing import Any

from ledger.currencies import amount_text
from servicing.nacha.addenda import LAYOUTS, Addendum
from servicing.nacha.addenda_98 import Change
from servicing.nacha.banking_days import LATE_RETURN_DAYS, RETURN_DAYS
from servicing.nacha.corrections import READERS, read_correction
from servicing.nacha.entry_detail import Entry
from servicing.nacha.errors import AchCorrectionUnreadable
from servicing.nacha.fields import masked
from servicing.nacha.file import Batch, File
from servicing.nacha.reason_codes import CHANGE_CODES, RETURN_CODES, ReturnCode, Stage, name_of
from servicing.nacha.statements import CURRENCY
from servicing.nacha.totals import batch_control, file_control
from servicing.nacha.transaction_codes import TRANSACTION_CODES

CODES = ("reason_code", "refusal_code", "change_code")


def file_document(file: File) -> dict[str, Any]:
    """Return a file with its totals, batches, entries and addenda."""
    header, control = file.header, file_control(file)
    return {
        "destination": header.destination.strip(),
        "destination_name": header.destination_name,
        "origin": header.origin.strip(),
        "origin_name": header.origin_name,
        "created_on": _plain(header.created_on),
        "created_at": header.created_at,
        "modifier": header.modifier,
        "batch_count": control.batch_count,
        "block_count": control.block_count,
        "entry_count": control.entry_count,
        "entry_hash": control.entry_hash,
        "debits": _amount(control.debit_total),
        "credits": _amount(control.credit_total),
        "batches": [_batch(batch) for batch in file.batches],
    }


def code_rows() -> Iterator[dict[str, Any]]:
    """Yield every return reason and change code with what follows from it."""
    for reason in RETURN_CODES.values():
        yield {
            "code": reason.code,
            "name": reason.name,
            "stage": str(reason.stage),
            "policy": reason.policy,
            "represent": reason.represent,
            "authorize": reason.authorize,
            "block": reason.block,
            "days": _days(reason),
            "rate": str(reason.group) if reason.group else "overall" if reason.overall else "",
        }
    for change in CHANGE_CODES.values():
        policy = "review" if change.refuses or change.code not in READERS else "correct the details"
        stage = "refused change" if change.refuses else "notification of change"
        yield {"code": change.code, "name": change.name, "stage": stage, "policy": policy}


def _days(reason: ReturnCode) -> int | None:
    """Return how many days the receiver's bank has, where the network sets a limit of its own."""
    if reason.stage is not Stage.RETURN:
        return None
    return LATE_RETURN_DAYS if reason.late else RETURN_DAYS


def _batch(batch: Batch) -> dict[str, Any]:
    header, control = batch.header, batch_control(batch)
    return {
        "number": header.number,
        "class": header.sec,
        "service_class": header.service_class,
        "company_name": header.company_name,
        "company_id": header.company_id,
        "description": header.description,
        "descriptive_date": header.descriptive_date,
        "effective_on": _plain(header.effective_on),
        "entry_count": control.entry_count,
        "entry_hash": control.entry_hash,
        "debits": _amount(control.debit_total),
        "credits": _amount(control.credit_total),
        "entries": [_entry(entry) for entry in batch.entries],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    code = TRANSACTION_CODES[entry.transaction_code]
    return {
        "trace": entry.trace,
        "transaction_code": entry.transaction_code,
        "side": str(code.side),
        "account_kind": str(code.account),
        "use": str(code.use),
        "routing": entry.routing,
        "account": masked(entry.account.strip()),
        "amount": _amount(entry.amount),
        "individual_id": entry.individual_id,
        "name": entry.name,
        "payment_type": entry.payment_type,
        "addenda": [_addendum(each) for each in entry.addenda],
    }


def _addendum(addendum: Addendum) -> dict[str, Any]:
    said: dict[str, Any] = {field.name: _plain(getattr(addendum, field.name)) for field in fields(addendum)}
    found = {"kind": LAYOUTS[type(addendum)].title, **said}
    code = next((said[name] for name in CODES if name in said), None)
    if code is not None:
        found["meaning"] = name_of(code)
    if "corrected" in found:
        found["corrected"] = masked(found["corrected"])
    if isinstance(addendum, Change):
        found["correction"] = _correction(addendum)
    return found


def _correction(change: Change) -> dict[str, Any] | None:
    try:
        return read_correction(change.change_code, change.corrected).shown
    except AchCorrectionUnreadable:
        return None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _amount(minor: int) -> str:
    return amount_text(minor, CURRENCY)
