"""What the records of a file must say together, as one table of rules: some for every file, some for ours alone.

Files of others are held to what the network demands of every file; they may have lower case and numbers of their own
making. What this house sends is held to more, since each slip would come back as a return, or as a fine. Never: the
control records (`servicing/nacha/statements.py`). Next: `servicing/nacha/own_rules.py`; `docs/spec/nacha.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from servicing.nacha.banking_days import is_banking_day
from servicing.nacha.batch_header import CREDITS, DEBITS
from servicing.nacha.entry_classes import ENTRY_CLASSES
from servicing.nacha.entry_detail import Entry
from servicing.nacha.errors import (
    AchAddendaRefused,
    AchAmountRefused,
    AchCheckDigitDiffers,
    AchCodeUnknown,
    AchEntryRefused,
    AchNotBankingDay,
    AchPaymentTypeMissing,
    AchTraceNotAscending,
    AchTraceRepeated,
)
from servicing.nacha.file import Batch, File
from servicing.nacha.own_rules import OWN_RULES
from servicing.nacha.statements import CURRENCY
from servicing.nacha.totals import check_digit
from servicing.nacha.transaction_codes import REVERSAL_ONLY, TRANSACTION_CODES, Side, Use

Rule = Callable[[File], None]
ONE_SIDED = {CREDITS: Side.CREDIT, DEBITS: Side.DEBIT}
PAYMENT_TYPES = ("R", "S")
TYPED_EVERYWHERE = frozenset({"WEB"})
"""In TEL a blank is read as a single payment; what this house sends says which."""


class Held(StrEnum):
    """Which rules a file is held to."""

    RECEIVED = "received"
    SENT = "sent"


def check(file: File, held: Held) -> None:
    """Refuse a file that breaks a rule, at the first line of the first rule that it breaks.

    Raises: every refusal of `servicing/nacha/errors.py` that is not about lines and controls.
    """
    for rule in RULES if held is Held.RECEIVED else (*RULES, *OWN_RULES):
        rule(file)


def transaction_codes_are_known(file: File) -> None:
    """Every entry has a transaction code of the table."""
    for line, _, entry in file.placed_entries():
        if entry.transaction_code not in TRANSACTION_CODES:
            raise AchCodeUnknown(line=line, kind="transaction code", value=entry.transaction_code)


def check_digits_agree(file: File) -> None:
    """The ninth digit of every receiving bank's routing number follows from the eight before it."""
    for line, _, entry in file.placed_entries():
        expected = check_digit(entry.routing)
        if int(entry.routing[8]) != expected:
            raise AchCheckDigitDiffers(
                line=line, field="routing", positions="4-12", routing=entry.routing, expected=expected
            )


def sides_fit_the_service_class(file: File) -> None:
    """A batch of credits holds no debit, one of debits no credit."""
    for line, batch, entry in file.placed_entries():
        only = ONE_SIDED.get(batch.header.service_class)
        if only is not None and TRANSACTION_CODES[entry.transaction_code].side is not only:
            raise _refused(line, batch, entry, f"the service class is for {only}s only")


def sides_fit_the_entry_class(file: File) -> None:
    """Forward entries go the way their class allows; the other way only to reverse."""
    for line, batch, entry in file.placed_entries():
        code, allowed = TRANSACTION_CODES[entry.transaction_code], ENTRY_CLASSES[batch.header.sec].sides
        if not entry.is_forward:
            continue
        if code.use is Use.ANSWER:
            raise _refused(line, batch, entry, "the code is for returns and changes, and no addenda say which")
        if not allowed:
            raise _refused(line, batch, entry, "the class is for notifications of change")
        if batch.header.is_reversal:
            continue
        if code.side not in allowed:
            raise _refused(line, batch, entry, f"the class takes a {code.side} only as a reversal")
        if entry.transaction_code in REVERSAL_ONLY:
            raise _refused(line, batch, entry, "a loan account is debited only as a reversal")


def amounts_fit_the_codes(file: File) -> None:
    """A live entry moves money; a prenote, a remittance of zero dollars and a notification of change move none."""
    for line, _, entry in file.placed_entries():
        use = TRANSACTION_CODES[entry.transaction_code].use
        if entry.changes:
            reason = "a notification of change moves no money" if entry.amount else ""
        elif entry.returns:
            reason = ""
        elif use is Use.LIVE:
            reason = "" if entry.amount else "a live entry moves money"
        else:
            reason = f"a {use} moves no money" if entry.amount else ""
        if reason:
            raise AchAmountRefused(
                line=line,
                transaction_code=entry.transaction_code,
                amount=entry.amount,
                currency=CURRENCY,
                reason=reason,
            )


def addenda_fit_the_class(file: File) -> None:
    """A class limits the texts of an entry; changes stand in COR alone, one to an entry; returns stand alone."""
    for line, batch, entry in file.placed_entries():
        reason = _addenda_reason(batch, entry)
        if reason:
            raise AchAddendaRefused(line=line, count=len(entry.addenda), reason=reason)


def addenda_are_numbered(file: File) -> None:
    """Texts count from 1 and carry the end of their entry's trace number."""
    for line, _, entry in file.placed_entries():
        for number, note in enumerate(entry.notes, start=1):
            if (note.sequence, note.entry_sequence) != (number, entry.trace[-7:]):
                found = f"{note.sequence:04d} {note.entry_sequence}"
                reason = f"text {number} is numbered {found}, not {number:04d} {entry.trace[-7:]}"
                raise AchAddendaRefused(line=line + number, count=len(entry.addenda), reason=reason)


def traces_ascend(file: File) -> None:
    """Trace numbers ascend within a batch, and none stands twice in a file."""
    seen: dict[str, int] = {}
    before: tuple[Batch | None, str] = (None, "")
    for line, batch, entry in file.placed_entries():
        first = seen.setdefault(entry.trace, line)
        if first != line:
            raise AchTraceRepeated(line=line, trace=entry.trace, first_line=first)
        if before[0] is batch and entry.trace < before[1]:
            raise AchTraceNotAscending(line=line, trace=entry.trace, before=before[1])
        before = (batch, entry.trace)


def effective_dates_are_banking_days(file: File) -> None:
    """A batch on its way out is to settle on a banking day; that of a batch of returns is the original's.

    Where there is none, the operator takes the next banking day.
    """
    for line, batch in file.placed_batches():
        on = batch.header.effective_on
        if batch.is_forward and on is not None and not is_banking_day(on):
            raise AchNotBankingDay(line=line, on=on)


def payment_types_are_given(file: File) -> None:
    """Every forward entry of WEB says whether it is recurring or single; so does one of TEL that says anything."""
    for line, batch, entry in file.placed_entries():
        sec = batch.header.sec
        if not ENTRY_CLASSES[sec].typed or not entry.is_forward or entry.payment_type in PAYMENT_TYPES:
            continue
        if entry.payment_type or sec in TYPED_EVERYWHERE:
            raise AchPaymentTypeMissing(line=line, value=repr(entry.discretionary), sec=sec)


RULES: tuple[Rule, ...] = (
    transaction_codes_are_known,
    check_digits_agree,
    sides_fit_the_service_class,
    sides_fit_the_entry_class,
    amounts_fit_the_codes,
    addenda_fit_the_class,
    addenda_are_numbered,
    traces_ascend,
    effective_dates_are_banking_days,
    payment_types_are_given,
)
"""What every file is held to, in this order."""


def _addenda_reason(batch: Batch, entry: Entry) -> str:
    most = ENTRY_CLASSES[batch.header.sec].notes_most
    if len([bool(kind) for kind in (entry.notes, entry.returns, entry.changes) if kind]) > 1:
        return "texts, returns and changes do not stand together"
    if bool(entry.changes) != (batch.header.sec == "COR" and not entry.returns):
        return "changes stand in COR, and nothing else does"
    if len(entry.changes) > 1:
        return "an entry tells of one change"
    if len(entry.notes) > most:
        return f"{batch.header.sec} takes {most or 'none'} of text"
    return ""


def _refused(line: int, batch: Batch, entry: Entry, reason: str) -> AchEntryRefused:
    return AchEntryRefused(
        line=line,
        transaction_code=entry.transaction_code,
        sec=batch.header.sec,
        service_class=batch.header.service_class,
        reason=reason,
    )
