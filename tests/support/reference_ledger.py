"""A ledger in plain Python: what the real one must book, and what it must refuse, by which name.

Lists and dictionaries, no database and none of the ledger's own arithmetic: only the names of its refusals come from
there. One book; a request goes through the same gates, in the same order. Never: speed.
Next: `tests/support/reference_periods.py`; `tests/property/ledger/test_ledger_machine.py`, which runs it beside the
real one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NoReturn

from ledger import errors
from ledger.domain_error import DomainError

RETAINED_EARNINGS = "3900"
MANUAL = "manual_journal"

Move = tuple[str, str, int, str]
"""Debit account, credit account, minor units, currency."""

Key = tuple[str, str]
"""Account and currency."""


class Refused(Exception):
    """The real ledger must refuse, by one of these names; by which, if several apply at once, it may choose."""

    def __init__(self, *wanted: type[DomainError]) -> None:
        self.wanted = frozenset(wanted)
        super().__init__(", ".join(sorted(each.__name__ for each in self.wanted)))


@dataclass(frozen=True, slots=True)
class Account:
    """What a posting must know of an account."""

    type: str
    debit_normal: bool
    opened_from: date
    currency: str | None = None
    header: bool = False
    subledgered: bool = False
    may_go_contra: bool = True
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An entry that is asked for."""

    subledger: int
    key: str
    moves: tuple[Move, ...]
    effective: date
    template: str = "test"
    booking: date | None = None
    approver: str | None = None
    narration: str | None = None
    reverses: int | None = None
    corrects: int | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """Return what makes it the same request: everything but who approves it."""
        return (
            self.template,
            self.effective,
            self.booking,
            self.moves,
            self.narration,
            self.reverses,
            self.corrects,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """A batch that is asked for: one entry for each subledger that its rows name."""

    key: str
    effective: date
    rows: tuple[tuple[int, Move], ...]

    @property
    def identity(self) -> tuple[object, ...]:
        """Return what the entries of the batch have in common."""
        return ("batch", self.effective)

    def moves_of(self, subledger: int) -> tuple[Move, ...]:
        """Return the entry of one subledger."""
        return tuple(move for each, move in self.rows if each == subledger)


@dataclass(slots=True)
class Entry:
    """An entry as it stands; `block` is the number of the seal block it is in."""

    number: int
    request: Request
    identity: tuple[object, ...]
    booking: date
    block: int | None = None
    closes_year: bool = False


@dataclass(slots=True)
class Head:
    """A subledger; `balances` are positive on the normal side of their account."""

    currency: str | None
    frozen: bool = False
    entries: list[Entry] = field(default_factory=list)
    balances: dict[Key, int] = field(default_factory=dict)

    def of_key(self, key: str) -> Entry | None:
        """Return the entry that a request key has booked."""
        return next((entry for entry in self.entries if entry.request.key == key), None)

    def numbered(self, number: int) -> Entry | None:
        """Return an entry by its number."""
        return self.entries[number - 1] if 1 <= number <= len(self.entries) else None

    def reversed_by(self, number: int) -> int | None:
        """Return the number of the entry that undid another."""
        return next((entry.number for entry in self.entries if entry.request.reverses == number), None)


@dataclass(frozen=True, slots=True)
class Booked:
    """The entry, and whether its request had booked it before."""

    entry: Entry
    replayed: bool = False


@dataclass(slots=True)
class ReferenceLedger:
    """One book: its chart, its subledgers, its gate and its months."""

    opened_on: date
    business_date: date
    own: int
    accounts: dict[str, Account] = field(default_factory=dict)
    closed_from: dict[str, date] = field(default_factory=dict)
    heads: dict[int, Head] = field(default_factory=dict)
    months: dict[date, str] = field(default_factory=dict)
    gate: date = date.min
    chunks: dict[str, list[tuple[tuple[object, ...], int]]] = field(default_factory=dict)
    left: list[list[int]] = field(default_factory=list)
    resumes: bool = False

    def __post_init__(self) -> None:
        self.heads[self.own] = Head(None)
        self.gate = self.opened_on - timedelta(days=1)

    # --- Entries ------------------------------------------------------------------------------------------

    def post(self, request: Request) -> Booked:
        """Book an entry, find it booked, or refuse it."""
        if request.subledger not in self.heads:
            raise Refused(errors.SubledgerUnknown)
        self._refuse_unknown_accounts(request.moves)
        head = self.heads[request.subledger]
        before = head.of_key(request.key)
        if before:
            # It was checked when it was booked; since then its head may have been frozen, or its month closed.
            return self._replay(before, request)
        booking = request.booking or self.business_date
        if head.frozen or booking <= self.gate:
            self._refuse_head(head, booking)
        self._check_booking(request)
        self._check_reversal(head, request)
        if request.corrects is not None and not 1 <= request.corrects <= len(head.entries):
            raise Refused(errors.EntryUnknown)
        if request.template == MANUAL and request.approver is None:
            raise Refused(errors.ApprovalMissing)
        return Booked(self._book(head, request, request.identity, booking))

    def post_all(self, requests: Iterable[Request]) -> list[Booked]:
        """Book several entries in one transaction, all or none."""
        saved = deepcopy(self.heads)
        try:
            return [self.post(request) for request in requests]
        except Refused:
            self.heads = saved
            raise

    def reversal(self, subledger: int, number: int, *, key: str, booking: date | None, approver: str | None) -> Request:
        """Return the request that undoes an entry."""
        head = self.heads.get(subledger)
        entry = head.numbered(number) if head else None
        if entry is None:
            raise Refused(errors.EntryUnknown)
        if entry.request.reverses is not None:
            raise Refused(errors.ReversalOfReversal)
        return Request(
            subledger=subledger,
            key=key,
            moves=tuple((credit, debit, minor, currency) for debit, credit, minor, currency in entry.request.moves),
            effective=entry.request.effective,
            template="reversal",
            booking=booking,
            approver=approver,
            narration=f"Reversal of entry {number}",
            reverses=number,
        )

    @staticmethod
    def _replay(entry: Entry, request: Request) -> Booked:
        if entry.identity != request.identity:
            raise Refused(errors.RequestKeyReused)
        return Booked(entry, replayed=True)

    def _refuse_head(self, head: Head, booking: date) -> NoReturn:
        if head.frozen:
            raise Refused(errors.SubledgerFrozen)
        raise Refused(errors.BookingBeforeBookOpened if booking < self.opened_on else errors.PeriodIsClosed)

    def _check_booking(self, request: Request) -> None:
        if request.booking is None:
            return
        if request.booking < self.opened_on:
            raise Refused(errors.BookingBeforeBookOpened)
        state = self.months.get(request.booking.replace(day=1))
        late = request.booking < self.business_date and request.approver is None
        if request.booking > self.business_date or state not in ("open", "soft_closed") or late:
            raise Refused(errors.BookingDateRefused)

    def _check_reversal(self, head: Head, request: Request) -> None:
        if request.reverses is None:
            return
        original = head.numbered(request.reverses)
        if original is None:
            raise Refused(errors.EntryUnknown)
        if original.request.reverses is not None:
            raise Refused(errors.ReversalOfReversal)
        if head.reversed_by(original.number):
            raise Refused(errors.EntryAlreadyReversed)

    def _book(self, head: Head, request: Request, identity: tuple[object, ...], booking: date) -> Entry:
        self._check_accounts(request.moves, booking, manual=request.template == MANUAL)
        if head.currency and any(move[3] != head.currency for move in request.moves):
            raise Refused(errors.CurrencyNotTaken)
        self._check_memoranda(request.moves)
        balances = self._moved(head, request.moves)
        entry = Entry(len(head.entries) + 1, request, identity, booking)
        head.balances = balances
        head.entries.append(entry)
        return entry

    def _refuse_unknown_accounts(self, moves: Iterable[Move]) -> None:
        if any(code not in self.accounts for move in moves for code in move[:2]):
            raise Refused(errors.AccountUnknown)

    def _check_accounts(self, moves: Iterable[Move], booking: date, *, manual: bool) -> None:
        faults = {
            fault
            for debit, credit, _, currency in moves
            for code in (debit, credit)
            if (fault := self._fault_of(code, booking, currency, manual=manual))
        }
        if faults:
            raise Refused(*faults)

    def _fault_of(self, code: str, booking: date, currency: str, *, manual: bool) -> type[DomainError] | None:
        account = self.accounts[code]
        faults: Mapping[type[DomainError], bool] = {
            errors.AccountIsHeader: account.header,
            errors.AccountNotOpenYet: booking < account.opened_from,
            errors.AccountClosed: self.closed_from.get(code, date.max) <= booking,
            errors.CurrencyNotTaken: account.currency not in (None, currency),
            errors.ControlAccountRefusesManual: account.control and manual,
        }
        return next((fault for fault, found in faults.items() if found), None)

    def _check_memoranda(self, moves: Iterable[Move]) -> None:
        for debit, credit, *_ in moves:
            if (self.accounts[debit].type == "off_balance") != (self.accounts[credit].type == "off_balance"):
                raise Refused(errors.MemorandumMixed)

    def _moved(self, head: Head, moves: Iterable[Move]) -> dict[Key, int]:
        changes: dict[Key, int] = {}
        for code, debit, credit, currency in sides(moves):
            account = self.accounts[code]
            if account.subledgered:
                change = debit - credit if account.debit_normal else credit - debit
                changes[code, currency] = changes.get((code, currency), 0) + change
        balances = dict(head.balances)
        for (code, currency), change in changes.items():
            if change:
                balance = balances.get((code, currency), 0) + change
                # A balance that is over the edge already may come back towards it, never go further.
                if balance < 0 and not self.accounts[code].may_go_contra:
                    raise Refused(errors.BalanceWouldGoContra)
                balances[code, currency] = balance
        return balances

    # --- Batches ------------------------------------------------------------------------------------------

    def post_batch(self, batch: BatchRequest, *, chunk: int) -> tuple[int, int]:
        """Book a batch and return how many entries now, and how many before.

        After a fault, chunks before it stay booked; those after it are `left`, and `adopt` takes those that were.
        """
        self.left, self.resumes = [], batch.key in self.chunks
        self._refuse_unknown_accounts(move for _, move in batch.rows)
        before, posted = self._booked_of(batch), 0
        ids = sorted({subledger for subledger, _ in batch.rows})
        chunks = [ids[start : start + chunk] for start in range(0, len(ids), chunk)]
        for number, each in enumerate(chunks):
            self.left = chunks[number + 1 :]
            posted += self._post_chunk(batch, each)
        return posted, before

    def adopt(self, batch: BatchRequest, booked: set[int]) -> None:
        """Book the chunks that were left, side by side with the one at fault, if any entry of theirs was booked."""
        for each in self.left:
            if booked.intersection(each):
                self._post_chunk(batch, each)

    def _booked_of(self, batch: BatchRequest) -> int:
        chunks = self.chunks.get(batch.key, [])
        if any(identity != batch.identity for identity, _ in chunks):
            raise Refused(errors.BatchMismatch)
        return sum(count for _, count in chunks)

    def _post_chunk(self, batch: BatchRequest, ids: list[int]) -> int:
        if self.resumes:
            ids = [each for each in ids if not self._booked_already(batch, each)]
        self._check_batch_accounts([move for each in ids for move in batch.moves_of(each)])
        faults = {fault for each in ids for fault in self._faults_of_head(batch, each)}
        if faults:
            raise Refused(*faults)
        if any(self.heads[each].of_key(batch.key) for each in ids):
            raise Refused(errors.BatchMismatch)
        moved = {each: self._moved(self.heads[each], batch.moves_of(each)) for each in ids}
        for each, balances in moved.items():
            head = self.heads[each]
            request = Request(
                subledger=each, key=batch.key, moves=batch.moves_of(each), effective=batch.effective, template="batch"
            )
            head.entries.append(Entry(len(head.entries) + 1, request, batch.identity, self.business_date))
            head.balances = balances
        if ids:
            self.chunks.setdefault(batch.key, []).append((batch.identity, len(ids)))
        return len(ids)

    def _faults_of_head(self, batch: BatchRequest, subledger: int) -> Iterator[type[DomainError]]:
        head = self.heads.get(subledger)
        if head is None:
            yield errors.SubledgerUnknown
            return
        if head.frozen:
            yield errors.SubledgerFrozen
        if head.currency and any(move[3] != head.currency for move in batch.moves_of(subledger)):
            yield errors.CurrencyNotTaken

    def _booked_already(self, batch: BatchRequest, subledger: int) -> bool:
        head = self.heads.get(subledger)
        entry = head.of_key(batch.key) if head else None
        if entry and (entry.identity != batch.identity or entry.request.moves != batch.moves_of(subledger)):
            raise Refused(errors.BatchMismatch)
        return entry is not None

    def _check_batch_accounts(self, moves: list[Move]) -> None:
        faults: set[type[DomainError]] = set()
        for check in (self._check_accounts_of_batch, self._check_memoranda):
            for move in moves:
                try:
                    check([move])
                except Refused as refused:
                    faults |= refused.wanted
        if faults:
            raise Refused(*faults)

    def _check_accounts_of_batch(self, moves: Iterable[Move]) -> None:
        self._check_accounts(moves, self.business_date, manual=False)

    # --- What the books say -------------------------------------------------------------------------------

    def entries(self) -> Iterator[Entry]:
        """Yield every entry by subledger and number."""
        for subledger in sorted(self.heads):
            yield from self.heads[subledger].entries

    def totals(self, *, as_of: date, by: str = "booking", known_at: int | None = None) -> dict[Key, tuple[int, int]]:
        """Return debits and credits by account and currency, of everything through a day, known at a block."""
        found: dict[Key, tuple[int, int]] = {}
        for entry in self.entries():
            day = entry.booking if by == "booking" else entry.request.effective
            if day <= as_of and (known_at is None or (entry.block is not None and entry.block <= known_at)):
                add(found, entry.request.moves)
        return found

    def activity(self) -> dict[tuple[str, str, date, date], tuple[int, int]]:
        """Return what is sealed, by account, currency, booking date and effective date."""
        found: dict[tuple[str, str, date, date], tuple[int, int]] = {}
        for entry in self.entries():
            if entry.block is not None:
                for code, debit, credit, currency in sides(entry.request.moves):
                    key = (code, currency, entry.booking, entry.request.effective)
                    debits, credits = found.get(key, (0, 0))
                    found[key] = (debits + debit, credits + credit)
        return found

    def statement(
        self, code: str, currency: str, *, from_date: date, to_date: date, subledger: int | None
    ) -> tuple[int, list[tuple[date, int, int, int, int, int]]]:
        """Return the opening balance, and each line: day, subledger, number, debit, credit, balance."""
        sign = 1 if self.accounts[code].debit_normal else -1
        opening, lines = 0, []
        ordered = sorted(self.entries(), key=lambda entry: (entry.booking, entry.request.subledger, entry.number))
        for entry in ordered:
            totals: dict[Key, tuple[int, int]] = {}
            add(totals, entry.request.moves)
            if (code, currency) not in totals or subledger not in (None, entry.request.subledger):
                continue
            debit, credit = totals[code, currency]
            if entry.booking < from_date:
                opening += sign * (debit - credit)
            elif entry.booking <= to_date:
                lines.append((entry.booking, entry.request.subledger, entry.number, debit, credit))
        balance, found = opening, []
        for day, each, number, debit, credit in lines:
            balance += sign * (debit - credit)
            found.append((day, each, number, debit, credit, balance))
        return opening, found

    def lines(self) -> set[tuple[int, int, str, str, int, int]]:
        """Return every line of the journal: subledger, number, account, currency, debit, credit; each side apart."""
        found = set()
        for entry in self.entries():
            totals: dict[Key, tuple[int, int]] = {}
            add(totals, entry.request.moves)
            for (code, currency), (debit, credit) in totals.items():
                place = (entry.request.subledger, entry.number, code, currency)
                found |= {(*place, debit, 0) if debit else (*place, 0, credit)}
                found |= {(*place, 0, credit) if credit else (*place, debit, 0)}
        return found


def sides(moves: Iterable[Move]) -> Iterator[tuple[str, int, int, str]]:
    """Yield account, debit, credit and currency of both sides of every posting."""
    for debit, credit, minor, currency in moves:
        yield debit, minor, 0, currency
        yield credit, 0, minor, currency


def add(totals: dict[Key, tuple[int, int]], moves: Iterable[Move]) -> None:
    """Add what postings debit and credit."""
    for code, debit, credit, currency in sides(moves):
        debits, credits = totals.get((code, currency), (0, 0))
        totals[code, currency] = (debits + debit, credits + credit)
