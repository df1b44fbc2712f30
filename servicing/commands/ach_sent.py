"""Keeping what was sent to the clearing house: each file by its hash and numbers, each entry by its trace number.

A trace number is how a return finds its payment. The bytes are not kept: they hold account numbers.
Never: which payments are due. Next: `servicing/commands/ach_returns.py`.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.nacha.building import RESERVED_FOR, Purpose
from servicing.nacha.entry_detail import Entry
from servicing.nacha.errors import AchTraceNotSent
from servicing.nacha.file import Batch, File
from servicing.nacha.totals import file_control
from servicing.nacha.transaction_codes import TRANSACTION_CODES, Use

SEQUENCE_MOST = 9_999_999
MODIFIERS = string.ascii_uppercase + string.digits

_LAST = sa.text(
    "SELECT coalesce(max(file_no), 0) AS file_no,"
    " (SELECT s.last_sequence FROM servicing.ach_sent s WHERE s.book_id = :book_id AND s.odfi = :odfi"
    "   ORDER BY s.file_no DESC LIMIT 1) AS last_sequence,"
    " count(*) FILTER (WHERE made_on = :day) AS of_the_day"
    " FROM servicing.ach_sent WHERE book_id = :book_id"
)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose entry it is: the loan, the external id of the payment that it brings, and the entry that it retries."""

    loan_id: int
    payment_ref: str | None = None
    first_trace: str | None = None


@dataclass(frozen=True, slots=True)
class NextNumbers:
    """The numbers of the next file: its own, the first sequence of its trace numbers, its letter of the day."""

    file_no: int
    first_sequence: int
    modifier: str


def next_numbers(connection: sa.Connection, book_code: str, odfi: str, day: date, count: int) -> NextNumbers:
    """Return the numbers of a file of `count` entries, made on a day.

    Sequences begin again from 1 where seven digits are used up. The 37th file of a day takes the letter of the first.
    Raises: BookUnknown.
    """
    values = {"book_id": book(connection, book_code).book_id, "odfi": odfi, "day": day}
    last = connection.execute(_LAST, values).one()
    first = (last.last_sequence or 0) + 1
    if first + count - 1 > SEQUENCE_MOST:
        first = 1
    return NextNumbers(last.file_no + 1, first, MODIFIERS[last.of_the_day % len(MODIFIERS)])


def keep_sent(uow: UnitOfWork, book_code: str, file: File, data: bytes, owners: Mapping[str, Owner]) -> int:
    """Keep a file that is sent and its entries, and return its number.

    Two at once take the same number, and the later one begins again. Raises: BookUnknown; AchTraceNotSent for an
    entry without an owner.
    """
    book_id = book(uow.connection, book_code).book_id
    entries = [(batch, entry) for batch in file.batches for entry in batch.entries]
    sequences = [int(entry.trace[8:]) for _, entry in entries]
    made_on = file.header.created_on
    odfi = file.batches[0].header.odfi
    assert made_on is not None, "a file that was rendered has a date"
    control = file_control(file)
    number = next_numbers(uow.connection, book_code, odfi, made_on, len(entries)).file_no
    row = {
        "book_id": book_id,
        "file_no": number,
        "sha256": hashlib.sha256(data).hexdigest(),
        "made_on": made_on,
        "modifier": file.header.modifier,
        "odfi": odfi,
        "first_sequence": sequences[0],
        "last_sequence": sequences[-1],
        "entry_count": len(entries),
        "debits": control.debit_total,
        "credits": control.credit_total,
        "actor": uow.actor,
    }
    uow.connection.execute(sa.insert(tables.ach_sent), [row])
    rows = [_entry_row(number, batch, entry, owners) for batch, entry in entries]
    uow.connection.execute(sa.insert(tables.ach_entry), rows)
    return number


def _entry_row(file_no: int, batch: Batch, entry: Entry, owners: Mapping[str, Owner]) -> dict[str, object]:
    owner = owners.get(entry.trace)
    if owner is None:
        raise AchTraceNotSent(trace=entry.trace)
    return {
        "loan_id": owner.loan_id,
        "file_no": file_no,
        "trace": entry.trace,
        "effective_on": batch.header.effective_on,
        "side": TRANSACTION_CODES[entry.transaction_code].side.value,
        "amount": entry.amount,
        "entry_class": batch.header.sec,
        "purpose": _purpose(batch, entry).value,
        "payment_ref": owner.payment_ref,
        "first_trace": owner.first_trace or entry.trace,
    }


def _purpose(batch: Batch, entry: Entry) -> Purpose:
    if TRANSACTION_CODES[entry.transaction_code].use is Use.PRENOTE:
        return Purpose.PRENOTE
    by_description = {text: purpose for purpose, text in RESERVED_FOR.items()}
    return by_description.get(batch.header.description, Purpose.PAYMENT)
