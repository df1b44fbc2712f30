"""Journal entries as values: a posting is a debit and a credit of one amount, an entry one or more of them.

An unbalanced entry cannot be spelled, nor an empty one; a booked entry is never changed, only reversed by
one with its pairs swapped. Never: numbers, dates of booking or writing, which the database gives.
Next: `ledger/pairing.py` for entries that come as many debits against many credits; `ledger/fingerprint.py`
for when two drafts ask for the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NewType

from ledger.chart import AccountCode, Side
from ledger.errors import (
    AmountNotPositive,
    ApprovalMissing,
    EntryEmpty,
    EntryTooLong,
    ReversalOfReversal,
    SameAccountBothSides,
    TextRefused,
)
from ledger.money import Money

SubledgerId = NewType("SubledgerId", int)

MAX_POSTINGS = 2**15 - 1
"""The most postings of one entry: what the count on its header holds."""

REVERSAL_TEMPLATE = "reversal"
REVERSAL_TEMPLATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount, debited to one account and credited to another.

    Raises: SameAccountBothSides; AmountNotPositive.
    """

    debit: AccountCode
    credit: AccountCode
    money: Money

    def __post_init__(self) -> None:
        if self.debit == self.credit:
            raise SameAccountBothSides(account=self.debit)
        if self.money.minor <= 0:
            raise AmountNotPositive(amount=self.money.minor)

    @property
    def swapped(self) -> Posting:
        """Return the posting that undoes this one."""
        return Posting(debit=self.credit, credit=self.debit, money=self.money)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an entry as an accountant draws it: an account, a side, an amount.

    Raises: AmountNotPositive.
    """

    account: AccountCode
    side: Side
    money: Money

    def __post_init__(self) -> None:
        if self.money.minor <= 0:
            raise AmountNotPositive(amount=self.money.minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """An entry that is asked for: everything but what the database gives it.

    `booking_date` is None for the book's business date. `details` holds JSON values; a number in it is an
    int or a Decimal. `reverses_no` and `corrects_no` are numbers in the same subledger.

    Raises: EntryEmpty; EntryTooLong; AmountOutOfRange if the debits of a currency sum past 64 bits;
    ApprovalMissing if the actor approves their own work; TextRefused.
    """

    subledger_id: SubledgerId
    template: str
    template_version: int
    effective_date: date
    actor: str
    request_key: str
    postings: tuple[Posting, ...]
    booking_date: date | None = None
    approved_by: str | None = None
    source_ref: str | None = None
    narration: str | None = None
    reverses_no: int | None = None
    corrects_no: int | None = None
    group_id: int | None = None
    details: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.postings:
            raise EntryEmpty()
        if len(self.postings) > MAX_POSTINGS:
            raise EntryTooLong(postings=len(self.postings), limit=MAX_POSTINGS)
        for name in ("template", "actor", "request_key"):
            if not getattr(self, name).strip():
                raise TextRefused(field=name, reason="it is empty")
        for name in ("template", "actor", "request_key", "approved_by", "source_ref", "narration"):
            refuse_unstorable(name, getattr(self, name) or "")
        if self.approved_by == self.actor:
            raise ApprovalMissing(action="posting", actor=self.actor, approver=self.approved_by)
        debited(self.postings)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedEntry:
    """An entry as it stands in the journal: what was asked for, and what the database gave it."""

    draft: EntryDraft
    entry_no: int
    booking_date: date
    recorded_at: datetime

    @property
    def subledger_id(self) -> SubledgerId:
        """Return the subledger whose numbering the entry belongs to."""
        return self.draft.subledger_id

    @property
    def postings(self) -> tuple[Posting, ...]:
        """Return the postings in the order of their sequence numbers."""
        return self.draft.postings


def debited(postings: Iterable[Posting]) -> Mapping[str, Money]:
    """Return the sum of the debits, which is that of the credits, by currency.

    Raises: AmountOutOfRange if a sum is past 64 bits.
    """
    totals: dict[str, Money] = {}
    for posting in postings:
        currency = posting.money.currency
        totals[currency] = totals.get(currency, Money.zero(currency)) + posting.money
    return totals


def lines_of(postings: Iterable[Posting]) -> tuple[Line, ...]:
    """Return the entry as an accountant draws it, debits first.

    An account appears once per side and currency, with the sum of that side, in order of first appearance;
    its two sides are not set off against each other.
    """
    sums: dict[tuple[Side, AccountCode, str], Money] = {}
    for posting in postings:
        currency = posting.money.currency
        for side, account in ((Side.DEBIT, posting.debit), (Side.CREDIT, posting.credit)):
            key = (side, account, currency)
            sums[key] = sums.get(key, Money.zero(currency)) + posting.money
    lines = [Line(account=account, side=side, money=money) for (side, account, _), money in sums.items()]
    return tuple(sorted(lines, key=lambda line: line.side is Side.CREDIT))


def reversal_of(
    entry: BookedEntry,
    *,
    actor: str,
    request_key: str,
    approved_by: str | None = None,
    booking_date: date | None = None,
    narration: str | None = None,
    source_ref: str | None = None,
    group_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> EntryDraft:
    """Draft the equal and opposite entry: the same pairs, swapped, at the original's effective date.

    Raises: ReversalOfReversal; what an `EntryDraft` raises.
    """
    if entry.draft.reverses_no is not None:
        raise ReversalOfReversal(subledger_id=entry.subledger_id, entry_no=entry.entry_no)
    return EntryDraft(
        subledger_id=entry.subledger_id,
        template=REVERSAL_TEMPLATE,
        template_version=REVERSAL_TEMPLATE_VERSION,
        effective_date=entry.draft.effective_date,
        booking_date=booking_date,
        actor=actor,
        approved_by=approved_by,
        request_key=request_key,
        source_ref=source_ref,
        narration=narration or f"Reversal of entry {entry.entry_no}",
        postings=tuple(posting.swapped for posting in entry.postings),
        reverses_no=entry.entry_no,
        group_id=group_id,
        details=details,
    )


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def refuse_unstorable(field: str, text: str) -> None:
    """Refuse a text with a character that no database stores: NUL, or half of a surrogate pair.

    Raises: TextRefused.
    """
    if _UNSTORABLE.search(text):
        raise TextRefused(field=field, reason="it holds a character that cannot be stored")
