"""The months, seals and year-ends of the ledger in plain Python; see `tests/support/reference_ledger.py`.

Months close in order and reopen in the opposite one; a seal takes everything that is not sealed yet. Never: a
transition table of the ledger's own, nor its pairing of lines.
Next: `tests/property/ledger/test_ledger_machine.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from ledger import errors
from tests.support.reference_ledger import (
    RETAINED_EARNINGS,
    Account,
    Key,
    Move,
    ReferenceLedger,
    Refused,
    Request,
    add,
)


@dataclass(slots=True)
class ReferenceBook(ReferenceLedger):
    """A book with the life of its months; `block` is the number of the latest seal block."""

    block: int = 0
    year_ends: dict[date, int] = field(default_factory=dict)

    # --- The chart and the subledgers ---------------------------------------------------------------------

    def open_account(self, code: str, account: Account) -> None:
        """Open an account."""
        if code in self.accounts:
            raise Refused(errors.AccountExists)
        self.accounts[code] = account

    def close_account(self, code: str, closed_from: date) -> None:
        """Close an account from a day on."""
        if code not in self.accounts:
            raise Refused(errors.AccountUnknown)
        if code in self.closed_from:
            raise Refused(errors.AccountClosed)
        self.closed_from[code] = closed_from

    def reopen_account(self, code: str) -> None:
        """Let an account be posted to again."""
        if code not in self.accounts:
            raise Refused(errors.AccountUnknown)
        self.closed_from.pop(code, None)

    def freeze(self, subledger: int, *, frozen: bool) -> None:
        """Refuse entries of a subledger, or take them again."""
        if subledger not in self.heads:
            raise Refused(errors.SubledgerUnknown)
        self.heads[subledger].frozen = frozen

    # --- Days and months ----------------------------------------------------------------------------------

    def open_months(self, through: date) -> None:
        """Open every month up to that of a day."""
        month = self.opened_on.replace(day=1)
        while month <= through:
            self.months.setdefault(month, "open")
            month = next_month(month)

    def advance(self, to: date) -> None:
        """Move the business date."""
        if to < self.business_date:
            raise Refused(errors.BookingDateRefused)
        self.business_date = to
        self.open_months(to)

    def open_month(self, month: date) -> None:
        """Open a month ahead of the business date."""
        first = self.opened_on.replace(day=1)
        if month in self.months or month < first or (month > first and previous_month(month) not in self.months):
            raise Refused(errors.PeriodTransitionRefused)
        self.open_months(month)

    def soft_close(self, month: date) -> None:
        """Close a month to ordinary work."""
        self._step(month, {"open"}, "soft_closed", over=True)

    def lift(self, month: date) -> None:
        """Open a soft-closed month again."""
        self._step(month, {"soft_closed"}, "open")

    def close(self, month: date) -> tuple[int | None, bytes]:
        """Close a month for good: return the block that it is proved by, and the digest of its trial balance."""
        earlier = previous_month(month)
        if month > self.opened_on.replace(day=1) and self.months.get(earlier) != "closed":
            raise Refused(errors.PeriodTransitionRefused)
        self._step(month, {"open", "soft_closed"}, "closed", over=True)
        self.gate = next_month(month) - timedelta(days=1)
        self.seal()
        return self.block or None, self.digest(as_of=self.gate)

    def reopen(self, month: date, *, actor: str, approver: str | None, reason: str) -> None:
        """Open the latest closed month to authorized work again."""
        if self.months.get(month) != "closed" or self.months.get(next_month(month)) == "closed":
            raise Refused(errors.PeriodTransitionRefused)
        if approver in (None, actor):
            raise Refused(errors.ApprovalMissing)
        if not reason:
            raise Refused(errors.PeriodTransitionRefused)
        self.months[month] = "soft_closed"
        self.gate = month - timedelta(days=1)

    def _step(self, month: date, sources: set[str], target: str, *, over: bool = False) -> None:
        if self.months.get(month) not in sources or (over and self.business_date < next_month(month)):
            raise Refused(errors.PeriodTransitionRefused)
        self.months[month] = target

    # --- Proof and the year-end ---------------------------------------------------------------------------

    def seal(self) -> tuple[int, int] | None:
        """Seal what is not sealed yet: return the numbers of entries and postings of the block, None without one."""
        unsealed = [entry for entry in self.entries() if entry.block is None]
        if not unsealed:
            return None
        self.block += 1
        for entry in unsealed:
            entry.block = self.block
        return len(unsealed), sum(len(entry.request.moves) for entry in unsealed)

    def digest(self, *, as_of: date) -> bytes:
        """Return the digest of a trial balance, by its published rule."""
        totals = self.totals(as_of=as_of)
        rows = [f"{code}\t{currency}\t{debit}\t{credit}" for (code, currency), (debit, credit) in totals.items()]
        ordered = sorted(rows, key=lambda row: row.split("\t")[:2])
        return hashlib.sha256("".join(f"{line}\n" for line in ["trial balance 1", *ordered]).encode()).digest()

    def year_end_changes(self, year: int) -> dict[Key, int]:
        """Return by how much the closing entry of a year must debit each account, less what it credits."""
        last_day = date(year, 12, 31)
        changes: dict[Key, int] = {}
        for (code, currency), (debit, credit) in self.totals(as_of=last_day).items():
            if self.accounts[code].type in ("income", "expense") and debit != credit:
                changes[code, currency] = credit - debit
                retained = (RETAINED_EARNINGS, currency)
                changes[retained] = changes.get(retained, 0) + debit - credit
        return {key: change for key, change in changes.items() if change}

    def year_end(self, year: int, *, actor: str, approver: str | None) -> Request | None:
        """Book the closing entry, through pairs of our own that come to the same; None with nothing to close."""
        if approver in (None, actor):
            raise Refused(errors.ApprovalMissing)
        changes = self.year_end_changes(year)
        if not changes:
            return None
        last_day = date(year, 12, 31)
        number = self.year_ends.get(last_day, 0) + 1
        request = Request(
            subledger=self.own,
            key=f"year_end:{last_day}:{number}",
            moves=tuple(pairs(changes)),
            effective=last_day,
            template="year_end_close",
            booking=last_day,
            approver=approver,
            narration=f"Fiscal year {year} closed to retained earnings",
        )
        self.post(request).entry.closes_year = True
        self.year_ends[last_day] = number
        return request

    def net_income(self, *, from_date: date, to_date: date, currency: str, known_at: int | None = None) -> int:
        """Return income less expense of the days, without closing entries and what undid them."""
        closings = {entry.number for entry in self.heads[self.own].entries if entry.closes_year}
        totals: dict[Key, tuple[int, int]] = {}
        for entry in self.entries():
            own = entry.request.subledger == self.own
            closing = own and (entry.number in closings or entry.request.reverses in closings)
            known = known_at is None or (entry.block is not None and entry.block <= known_at)
            if from_date <= entry.booking <= to_date and known and not closing:
                add(totals, entry.request.moves)
        return sum(
            credit - debit
            for (code, each), (debit, credit) in totals.items()
            if each == currency and self.accounts[code].type in ("income", "expense")
        )


def pairs(changes: dict[Key, int]) -> Iterable[Move]:
    """Yield postings that change each account by so much."""
    for currency in sorted({currency for _, currency in changes}):
        open_sides = {code: change for (code, each), change in changes.items() if each == currency}
        while any(open_sides.values()):
            debit = max(open_sides, key=lambda code: open_sides[code])
            credit = min(open_sides, key=lambda code: open_sides[code])
            minor = min(open_sides[debit], -open_sides[credit])
            open_sides[debit] -= minor
            open_sides[credit] += minor
            yield debit, credit, minor, currency


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def previous_month(month: date) -> date:
    """Return the first day of the month before."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)
