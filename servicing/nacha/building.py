"""Make a file of payments that are due: entries grouped into batches, numbered, and flagged for the day.

Payments of one class, purpose, company and day share a batch; debits and credits never do, so that each batch is of
one service class. Never: which payments are due, or where the numbers come from (`servicing/commands/`).
Next: `servicing/nacha/rendering.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum
from itertools import groupby

from servicing.nacha.addenda_05 import Note
from servicing.nacha.banking_days import Effective
from servicing.nacha.batch_header import CREDITS, DEBITS, RETRY, RETURN_FEE, REVERSAL, BatchHeader
from servicing.nacha.entry_detail import Entry
from servicing.nacha.file import Batch, File
from servicing.nacha.file_header import FileHeader
from servicing.nacha.text import ach_text
from servicing.nacha.transaction_codes import AccountKind, Side, Use, code_for


class Purpose(StrEnum):
    """What an entry is: an ordinary payment, or one of those that have a description of their own."""

    PAYMENT = "payment"
    PRENOTE = "prenote"
    RETRY = "retry"
    REVERSAL = "reversal"
    RETURN_FEE = "return fee"


RESERVED_FOR = {Purpose.RETRY: RETRY, Purpose.REVERSAL: REVERSAL, Purpose.RETURN_FEE: RETURN_FEE}


@dataclass(frozen=True, slots=True)
class Originator:
    """Who sends: the bank that takes the files, its routing number, and the company as receivers know it."""

    bank_routing: str
    bank_name: str
    company_name: str
    company_id: str
    origin: str
    description: str = "LOAN PMT"


@dataclass(frozen=True, slots=True)
class Payment:
    """One entry to be: what to do to whose account. `amount` in cents, nothing for a prenote.

    `payment_type` is R or S in WEB and TEL; `memo` goes with the entry as text. `effective` is its own day, where it is
    to settle on another than the rest of the file; `key` says whose it is to whoever asked for the file.
    """

    sec: str
    side: Side
    kind: AccountKind
    routing: str
    account: str
    amount: int
    name: str
    individual_id: str = ""
    payment_type: str = ""
    purpose: Purpose = Purpose.PAYMENT
    memo: str = ""
    effective: Effective | None = None
    key: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """When a file is made, when it is to settle, and the first numbers that are free."""

    on: date
    at: time
    effective: Effective
    first_trace: int = 1
    modifier: str = "A"
    reference: str = ""


def as_prenote(payment: Payment) -> Payment:
    """Return the prenote that tries out the account of a payment; live entries follow three banking days later."""
    return replace(payment, amount=0, purpose=Purpose.PRENOTE, memo="")


def as_retry(payment: Payment) -> Payment:
    """Return a debit that came back for want of funds, as it is sent again: nothing else of it changes."""
    return replace(payment, purpose=Purpose.RETRY)


def as_reversal(payment: Payment) -> Payment:
    """Return the entry that takes a payment back: the other side, the same amount, within five banking days."""
    side = Side.CREDIT if payment.side is Side.DEBIT else Side.DEBIT
    return replace(payment, side=side, purpose=Purpose.REVERSAL, memo="")


def build(originator: Originator, payments: Sequence[Payment], made: Made) -> File:
    """Return the file of payments, in the order of its trace numbers.

    Trace numbers are the bank's first eight digits and a sequence from `first_trace`.

    Raises: AchTextRefused. What else is wrong is found where the file is written.
    """
    header = FileHeader(
        destination=f" {originator.bank_routing}",
        origin=originator.origin,
        created_on=made.on,
        created_at=f"{made.at:%H%M}",
        modifier=made.modifier,
        destination_name=ach_text(originator.bank_name, 23),
        origin_name=ach_text(originator.company_name, 23),
        reference=ach_text(made.reference, 8),
    )
    return File(header, tuple(_batches(originator, payments, made)))


def by_trace(originator: Originator, payments: Sequence[Payment], made: Made) -> dict[str, Payment]:
    """Return the payments by the trace numbers that `build` gives them."""
    numbered = enumerate(_ordered(payments, made), start=made.first_trace)
    return {_trace(originator, sequence): payment for sequence, payment in numbered}


def _ordered(payments: Iterable[Payment], made: Made) -> list[Payment]:
    return sorted(payments, key=lambda payment: _batch_key(payment, made))


def _batches(originator: Originator, payments: Iterable[Payment], made: Made) -> Iterator[Batch]:
    sequence = made.first_trace
    groups = groupby(_ordered(payments, made), key=lambda payment: _batch_key(payment, made))
    for number, (_, group) in enumerate(groups, start=1):
        alike = tuple(group)
        entries = tuple(_entry(payment, _trace(originator, each)) for each, payment in enumerate(alike, start=sequence))
        sequence += len(alike)
        yield Batch(_header(originator, alike[0], made, number), entries)


def _trace(originator: Originator, sequence: int) -> str:
    return f"{originator.bank_routing[:8]}{sequence:07d}"


def _batch_key(payment: Payment, made: Made) -> tuple[str, ...]:
    effective = payment.effective or made.effective
    return effective.on.isoformat(), effective.descriptive_date, payment.sec, payment.side, payment.purpose


def _header(originator: Originator, first: Payment, made: Made, number: int) -> BatchHeader:
    effective = first.effective or made.effective
    return BatchHeader(
        service_class=DEBITS if first.side is Side.DEBIT else CREDITS,
        company_name=ach_text(originator.company_name, 16),
        company_id=originator.company_id,
        sec=first.sec,
        description=RESERVED_FOR.get(first.purpose, originator.description),
        descriptive_date=effective.descriptive_date,
        effective_on=effective.on,
        odfi=originator.bank_routing[:8],
        number=number,
    )


def _entry(payment: Payment, trace: str) -> Entry:
    use = Use.PRENOTE if payment.purpose is Purpose.PRENOTE else Use.LIVE
    memo = ach_text(payment.memo, 80)
    return Entry(
        transaction_code=code_for(payment.kind, payment.side, use),
        routing=payment.routing,
        account=payment.account,
        amount=payment.amount,
        individual_id=ach_text(payment.individual_id, 15),
        name=ach_text(payment.name, 22),
        discretionary=payment.payment_type,
        trace=trace,
        addenda=(Note(memo, 1, trace[-7:]),) if memo else (),
    )
