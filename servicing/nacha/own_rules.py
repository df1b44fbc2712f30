"""What the files of this house are held to beyond the rules for every file.

Each of these a public reader of such files lets through, and a bank, or the receiver's, sends back.
Never: files of others. Next: `servicing/nacha/rules.py`, which applies them; `docs/spec/nacha.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from servicing.nacha.addenda import LAYOUTS
from servicing.nacha.banking_days import SAME_DAY_MOST
from servicing.nacha.batch_header import BATCH_HEADER, RETRY, RETURN_FEE
from servicing.nacha.entry_classes import ENTRY_CLASSES
from servicing.nacha.errors import (
    AchAmountRefused,
    AchCheckDigitDiffers,
    AchEffectiveDateMissing,
    AchNotOurs,
    AchNotUpperCase,
    AchPaymentTypeMissing,
    AchTraceNotAscending,
)
from servicing.nacha.fields import Layout
from servicing.nacha.file import File
from servicing.nacha.file_header import FILE_HEADER
from servicing.nacha.statements import CURRENCY
from servicing.nacha.totals import check_digit
from servicing.nacha.transaction_codes import TRANSACTION_CODES, Side

RESERVED = frozenset({"PAYROLL", "PURCHASE"})
"""Descriptions of wages and of purchases over the internet. Source: Nacha Operating Rules, from 20 March 2026."""
DEBITS_OF_PURPOSE = frozenset({RETRY, RETURN_FEE})
SAME_DAY = re.compile(r"SD([01]\d|2[0-3])[0-5]\d")


def the_bank_is_named(file: File) -> None:
    """The file says when it was made and goes to a routing number: a space and nine digits, the last one right."""
    routing = file.header.destination[1:]
    if not re.fullmatch(r" \d{9}", file.header.destination, re.ASCII):
        raise AchNotOurs(
            line=1,
            field="destination",
            value=file.header.destination,
            reason="a space and a routing number are asked for",
        )
    if int(routing[8]) != check_digit(routing):
        raise AchCheckDigitDiffers(
            line=1, field="destination", positions="4-13", routing=routing, expected=check_digit(routing)
        )
    if file.header.created_on is None:
        raise AchNotOurs(line=1, field="created on", value="nothing", reason="the date of the file is asked for")


def classes_are_ours(file: File) -> None:
    """The batches are of classes that this house sends, all entries on their way out, under no reserved description."""
    for line, batch in file.placed_batches():
        header = batch.header
        if not ENTRY_CLASSES[header.sec].sent:
            raise AchNotOurs(line=line, field="class", value=header.sec, reason="this house does not send it")
        if header.description in RESERVED:
            raise AchNotOurs(line=line, field="description", value=header.description, reason="it is reserved")
        if not header.company_name.strip():
            raise AchNotOurs(line=line, field="company name", value="nothing", reason="a company name is asked for")
    for line, _, entry in file.placed_entries():
        if not entry.is_forward:
            raise AchNotOurs(line=line, field="entry", value=entry.trace, reason="banks send returns and changes")


def letters_are_upper_case(file: File) -> None:
    """No text has lower-case letters."""
    for line, layout, record in _records(file):
        for field in layout.fields:
            value = getattr(record, field.name) if field.name else ""
            if isinstance(value, str) and value != value.upper():
                raise AchNotUpperCase(line=line, field=field.label, value=field.shown(value))


def payment_types_are_told(file: File) -> None:
    """Every entry of WEB and TEL says whether it is recurring or single, in the first of its two positions."""
    for line, batch, entry in file.placed_entries():
        if ENTRY_CLASSES[batch.header.sec].typed and entry.discretionary not in {"R", "S"}:
            raise AchPaymentTypeMissing(line=line, value=repr(entry.discretionary), sec=batch.header.sec)


def numbers_are_ours(file: File) -> None:
    """Trace numbers begin with the originating bank and ascend through the file; batch numbers ascend by one."""
    before = ""
    for line, batch, entry in file.placed_entries():
        if not entry.trace.startswith(batch.header.odfi):
            reason = f"it begins with the originating bank, {batch.header.odfi}"
            raise AchNotOurs(line=line, field="trace", value=entry.trace, reason=reason)
        if entry.trace <= before:
            raise AchTraceNotAscending(line=line, trace=entry.trace, before=before)
        before = entry.trace
    for number, (line, batch) in enumerate(file.placed_batches(), start=1):
        if batch.header.number != number:
            reason = f"the batches are numbered from 1, and this is {number}"
            raise AchNotOurs(line=line, field="number", value=str(batch.header.number), reason=reason)


def effective_dates_are_ahead(file: File) -> None:
    """Every batch has a day on which it is to settle, and none before that of the file."""
    for line, batch in file.placed_batches():
        on, made_on = batch.header.effective_on, file.header.created_on
        if on is None:
            raise AchEffectiveDateMissing(line=line)
        if made_on is not None and on < made_on:
            reason = f"the file is of {made_on}"
            raise AchNotOurs(line=line, field="effective on", value=str(on), reason=reason)


def same_day_entries_fit(file: File) -> None:
    """A batch flagged SD names an hour and is of the day of the file; none of its entries is above the limit."""
    for line, batch in file.placed_batches():
        flag = batch.header.descriptive_date
        if flag.startswith("SD") and SAME_DAY.fullmatch(flag) is None:
            reason = "a same-day batch has SD and the hour of its window, as SD1300"
            raise AchNotOurs(line=line, field="descriptive date", value=flag, reason=reason)
    for line, batch, entry in file.placed_entries():
        if batch.header.descriptive_date.startswith("SD") and entry.amount > SAME_DAY_MOST:
            raise AchAmountRefused(
                line=line,
                transaction_code=entry.transaction_code,
                amount=entry.amount,
                currency=CURRENCY,
                reason="a same-day entry is at most 1,000,000.00",
            )


def retries_and_fees_are_debits(file: File) -> None:
    """Under RETRY PYMT and RETURN FEE stand debits alone."""
    for line, batch, entry in file.placed_entries():
        side = TRANSACTION_CODES[entry.transaction_code].side
        if batch.header.description in DEBITS_OF_PURPOSE and side is not Side.DEBIT:
            reason = f"{batch.header.description} is for debits"
            raise AchNotOurs(line=line, field="transaction code", value=entry.transaction_code, reason=reason)


OWN_RULES: tuple[Callable[[File], None], ...] = (
    the_bank_is_named,
    classes_are_ours,
    letters_are_upper_case,
    payment_types_are_told,
    numbers_are_ours,
    effective_dates_are_ahead,
    same_day_entries_fit,
    retries_and_fees_are_debits,
)
"""What files of this house are held to, in this order."""


def _records(file: File) -> Iterator[tuple[int, Layout, object]]:
    yield 1, FILE_HEADER, file.header
    for line, batch in file.placed_batches():
        yield line, BATCH_HEADER, batch.header
    for line, batch, entry in file.placed_entries():
        yield line, ENTRY_CLASSES[batch.header.sec].layout, entry
        for number, addendum in enumerate(entry.addenda, start=1):
            yield line + number, LAYOUTS[type(addendum)], addendum
