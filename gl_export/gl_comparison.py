"""What the GL was sent against what it says it has: every difference found, classified and explained.

The differences found of an account always add up to how far the two sides are apart: nothing is left over, and nothing
is forgiven. Amounts are signed, debits positive. Never: a tolerance, a database.
Next: `gl_export/breaks.py`, which carries them from one statement to the next.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from gl_export.gl_file import GLRow
from ledger.money import Money, Total

AccountKey = tuple[str, str]
"""A GL account and a currency."""


class BreakKind(StrEnum):
    """Why two sides differ.

    Timing: on its way, or there on another day. Missing: sent, and not there. Duplicated: there more often than it was
    sent. Amount: there with another amount. Mapping: there in another account. Foreign: there, and never sent.
    """

    TIMING = "timing"
    MISSING = "missing"
    DUPLICATED = "duplicated"
    AMOUNT = "amount"
    MAPPING = "mapping"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference by a key that stays the same as long as it lasts: what was sent, what was found, and why."""

    key: str
    kind: BreakKind
    gl_account: str
    sent: Money
    found: Money
    detail: str
    posting_date: date | None = None
    reference: str | None = None

    @property
    def amount(self) -> Money:
        """Return what was sent less what was found."""
        return self.sent - self.found


@dataclass(frozen=True, slots=True)
class SentBatch:
    """What a batch told the GL of each account through the day of the statement."""

    batch_no: int
    batch_id: str
    sums: Mapping[AccountKey, Money]


@dataclass(frozen=True, slots=True)
class SentLine:
    """A line that the GL was sent, by the references under which it may stand there."""

    journal_id: str
    batch_id: str
    line_no: int
    booking_date: date
    gl_account: str
    amount: Money

    @property
    def references(self) -> tuple[str, ...]:
        """Return what the GL may know the line by, the most exact first."""
        return (f"{self.batch_id}:{self.line_no}", self.journal_id, self.batch_id)


# --- Balances ---------------------------------------------------------------------------------------------


def balances_of(rows: Iterable[GLRow]) -> dict[AccountKey, Money]:
    """Return the balance of each account; rows of the same account are added up."""
    sums: dict[AccountKey, Money] = {}
    for row in rows:
        key = (row.gl_account, row.amount.currency)
        sums[key] = sums.get(key, Total(0, key[1])) + row.amount
    return sums


def sent_sums(batches: Iterable[SentBatch]) -> dict[AccountKey, Money]:
    """Return what all batches together told the GL of each account."""
    sums: dict[AccountKey, Money] = {}
    for batch in batches:
        for key, money in batch.sums.items():
            sums[key] = sums.get(key, Total(0, key[1])) + money
    return sums


def compare_balances(batches: Sequence[SentBatch], found: Mapping[AccountKey, Money]) -> tuple[Difference, ...]:
    """Return a difference for every account that was sent anything, or that the caller names, and does not agree.

    One cause that explains all of them comes first: the newest batches are not there yet, one batch is not there, or
    one is there twice. Otherwise each account is explained by itself.
    """
    sent = sent_sums(batches)
    apart = {key: sent.get(key, Total(0, key[1])) - found.get(key, Total(0, key[1])) for key in sorted({*sent, *found})}
    apart = {key: money for key, money in apart.items() if money}
    causes = tuple(_causes(batches))
    common = next((cause for cause in causes if cause.explains_all(apart)), None)
    partners = _partners(apart)
    return tuple(
        _of_account(key, sent, found, common or _own_cause(key, money, causes, partners))
        for key, money in apart.items()
    )


@dataclass(frozen=True, slots=True)
class _Cause:
    kind: BreakKind
    detail: str
    moved: Mapping[AccountKey, Money] = field(default_factory=dict)

    def explains_all(self, apart: Mapping[AccountKey, Money]) -> bool:
        moved = {key: money for key, money in self.moved.items() if money}
        return bool(apart) and moved.keys() == apart.keys() and all(moved[key] == apart[key] for key in apart)


def _causes(batches: Sequence[SentBatch]) -> Iterator[_Cause]:
    for first in range(len(batches) - 1, -1, -1):
        late = batches[first:]
        names = late[0].batch_id if len(late) == 1 else f"{late[0].batch_id} to {late[-1].batch_id}"
        yield _Cause(BreakKind.TIMING, f"{names} is not there yet", sent_sums(late))
    for batch in batches[:-1]:
        yield _Cause(BreakKind.MISSING, f"{batch.batch_id} is not there, though later ones are", batch.sums)
    for batch in batches:
        twice = {key: -money for key, money in batch.sums.items()}
        yield _Cause(BreakKind.DUPLICATED, f"{batch.batch_id} is there twice", twice)


def _partners(apart: Mapping[AccountKey, Money]) -> dict[AccountKey, AccountKey]:
    """Pair accounts that are apart by the same amount in opposite directions, where there is only one such pair."""
    by_amount: dict[tuple[int, str], list[AccountKey]] = defaultdict(list)
    for key, money in apart.items():
        by_amount[(money.minor, key[1])].append(key)
    pairs = {}
    for (minor, currency), keys in by_amount.items():
        others = by_amount.get((-minor, currency), [])
        if len(keys) == len(others) == 1:
            pairs[keys[0]] = others[0]
    return pairs


def _own_cause(
    key: AccountKey, apart: Money, causes: Iterable[_Cause], partners: Mapping[AccountKey, AccountKey]
) -> _Cause:
    if key in partners:
        return _Cause(BreakKind.MAPPING, f"account {partners[key][0]} is apart by the same amount the other way")
    for cause in causes:
        if cause.moved.get(key) == apart:
            return cause
    return _Cause(BreakKind.AMOUNT, "no batch explains it")


def _of_account(
    key: AccountKey, sent: Mapping[AccountKey, Money], found: Mapping[AccountKey, Money], cause: _Cause
) -> Difference:
    zero = Total(0, key[1])
    kind = BreakKind.FOREIGN if key not in sent and cause.kind is BreakKind.AMOUNT else cause.kind
    name = f"balance:{key[0]}:{key[1]}"
    return Difference(name, kind, key[0], sent.get(key, zero), found.get(key, zero), cause.detail)


# --- Detail -----------------------------------------------------------------------------------------------


def compare_detail(
    sent: Sequence[SentLine], found: Sequence[GLRow], *, window_days: int, through: date
) -> tuple[Difference, ...]:
    """Return every line that is not there as it was sent, and every row that nobody sent.

    Lines and rows are paired one to one, the surest way first: by reference and amount, then by day and amount, then
    with another day within the window, another account, another amount. A line of the last `window_days` before
    `through` that is not there at all is on its way.
    """
    pairing = _Pairing(list(sent), list(found))
    for by_line, by_row in _SAME:
        pairing.pair(by_line, by_row)
    differences = [_duplicate(row, line) for row, line in pairing.duplicates()]
    for kind, by_line, by_row in _OTHERWISE:
        for line, row in pairing.pair(by_line, by_row):
            differences += _changed(kind, line, row)
    differences += [_late(line, row) for line, row in pairing.near(window_days)]
    differences += [_alone(line, window_days, through) for line in pairing.lines]
    differences += [_foreign(row) for row in pairing.rows]
    return tuple(_numbered(differences))


_LineKey = Callable[[SentLine], Iterable[Hashable]]
_RowKey = Callable[[GLRow], Hashable | None]


def _amount(each: SentLine | GLRow) -> tuple[int, str]:
    return each.amount.minor, each.amount.currency


_SAME: tuple[tuple[_LineKey, _RowKey], ...] = (
    (
        lambda line: [(name, line.gl_account, line.booking_date, _amount(line)) for name in line.references],
        lambda row: row.reference and (row.reference, row.gl_account, row.posting_date, _amount(row)),
    ),
    (
        lambda line: [(line.gl_account, line.booking_date, _amount(line))],
        lambda row: (row.gl_account, row.posting_date, _amount(row)),
    ),
)
_OTHERWISE: tuple[tuple[BreakKind, _LineKey, _RowKey], ...] = (
    (
        BreakKind.TIMING,
        lambda line: [(name, line.gl_account, _amount(line)) for name in line.references],
        lambda row: row.reference and (row.reference, row.gl_account, _amount(row)),
    ),
    (
        BreakKind.MAPPING,
        lambda line: [(name, _amount(line)) for name in line.references],
        lambda row: row.reference and (row.reference, _amount(row)),
    ),
    (
        BreakKind.AMOUNT,
        lambda line: [(name, line.gl_account, line.amount.currency, line.amount.minor > 0) for name in line.references],
        lambda row: row.reference and (row.reference, row.gl_account, row.amount.currency, row.amount.minor > 0),
    ),
    (
        BreakKind.MAPPING,
        lambda line: [(line.booking_date, _amount(line))],
        lambda row: (row.posting_date, _amount(row)),
    ),
)


@dataclass(slots=True)
class _Pairing:
    """Lines and rows that have no partner yet, in their order; `paired` are those that agree."""

    lines: list[SentLine]
    rows: list[GLRow]
    paired: list[SentLine] = field(default_factory=list)

    def pair(self, by_line: _LineKey, by_row: _RowKey) -> list[tuple[SentLine, GLRow]]:
        """Pair lines with rows of the same key, each once, and take them out."""
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for place, row in reversed(list(enumerate(self.rows))):
            key = by_row(row)
            if key is not None and key != "":
                waiting[key].append(place)
        found, taken, left = [], set(), []
        for line in self.lines:
            key = next((key for key in by_line(line) if waiting.get(key)), None)
            if key is None:
                left.append(line)
                continue
            place = waiting[key].pop()
            taken.add(place)
            found.append((line, self.rows[place]))
            self.paired.append(line)
        self.lines, self.rows = left, [row for place, row in enumerate(self.rows) if place not in taken]
        return found

    def duplicates(self) -> list[tuple[GLRow, SentLine]]:
        """Take out the rows that are there again: as a line that has its row already has it."""
        known: dict[Hashable, SentLine] = {}
        names = {name for line in (*self.paired, *self.lines) for name in line.references}
        for line in self.paired:
            for name in (*line.references, None):
                known.setdefault((name, line.gl_account, line.booking_date, _amount(line)), line)
        missing = Counter((line.gl_account, _amount(line)) for line in self.lines)
        found, left = [], []
        for row in self.rows:
            # A number of the GL's own says nothing of ours.
            name = row.reference if row.reference in names else None
            there = known.get((name, row.gl_account, row.posting_date, _amount(row)))
            if there is None or missing[(row.gl_account, _amount(row))]:
                left.append(row)
            else:
                found.append((row, there))
        self.rows = left
        return found

    def near(self, window_days: int) -> list[tuple[SentLine, GLRow]]:
        """Pair what is the same but for its day, the nearest days first, and take it out."""
        rows: dict[Hashable, list[GLRow]] = defaultdict(list)
        for row in self.rows:
            rows[(row.gl_account, _amount(row))].append(row)
        found, left = [], []
        for line in self.lines:
            choice = min(
                rows[(line.gl_account, _amount(line))],
                key=lambda row, line=line: (_days_apart(line, row), row.row_no),  # type: ignore[misc]
                default=None,
            )
            if choice is None or _days_apart(line, choice) > window_days:
                left.append(line)
                continue
            rows[(line.gl_account, _amount(line))].remove(choice)
            found.append((line, choice))
        taken = {row.row_no for _, row in found}
        self.lines, self.rows = left, [row for row in self.rows if row.row_no not in taken]
        return found


def _days_apart(line: SentLine, row: GLRow) -> int:
    assert row.posting_date is not None
    return abs((row.posting_date - line.booking_date).days)


def _of_line(kind: BreakKind, line: SentLine, found: Money, detail: str) -> Difference:
    name = f"line:{line.batch_id}:{line.line_no}"
    sent = Total(line.amount.minor, line.amount.currency)
    return Difference(name, kind, line.gl_account, sent, found, detail, line.booking_date, line.journal_id)


def _of_row(kind: BreakKind, row: GLRow, detail: str) -> Difference:
    day = "" if row.posting_date is None else row.posting_date.isoformat()
    parts = (row.gl_account, day, row.amount.currency, str(row.amount.minor), row.reference or "")
    found = Total(row.amount.minor, row.amount.currency)
    zero = Total(0, row.amount.currency)
    return Difference(
        "row:" + ":".join(parts), kind, row.gl_account, zero, found, detail, row.posting_date, row.reference
    )


def _late(line: SentLine, row: GLRow) -> Difference:
    found = Total(row.amount.minor, row.amount.currency)
    return _of_line(BreakKind.TIMING, line, found, f"it is there on {row.posting_date}, row {row.row_no}")


def _changed(kind: BreakKind, line: SentLine, row: GLRow) -> Iterator[Difference]:
    zero, found = Total(0, row.amount.currency), Total(row.amount.minor, row.amount.currency)
    match kind:
        case BreakKind.TIMING:
            yield _late(line, row)
        case BreakKind.AMOUNT:
            yield _of_line(kind, line, found, f"row {row.row_no} has {row.amount.format()}")
        case _:
            yield _of_line(kind, line, zero, f"row {row.row_no} has it in account {row.gl_account}")
            yield _of_row(kind, row, f"it belongs to account {line.gl_account}, as line {line.references[0]} says")


def _duplicate(row: GLRow, line: SentLine) -> Difference:
    return _of_row(BreakKind.DUPLICATED, row, f"row {row.row_no} has line {line.references[0]} once more")


def _alone(line: SentLine, window_days: int, through: date) -> Difference:
    zero = Total(0, line.amount.currency)
    if (through - line.booking_date).days < window_days:
        return _of_line(BreakKind.TIMING, line, zero, f"it is not there yet; it was booked on {line.booking_date}")
    return _of_line(BreakKind.MISSING, line, zero, f"it is not there, {(through - line.booking_date).days} days later")


def _foreign(row: GLRow) -> Difference:
    return _of_row(BreakKind.FOREIGN, row, f"row {row.row_no} is there, but was never sent")


def _numbered(differences: Iterable[Difference]) -> Iterator[Difference]:
    """Tell differences of the same key apart by a number: equal rows of one day are legal."""
    seen: Counter[str] = Counter()
    for each in differences:
        seen[each.key] += 1
        if seen[each.key] == 1:
            yield each
        else:
            yield Difference(
                f"{each.key}#{seen[each.key]}",
                each.kind,
                each.gl_account,
                each.sent,
                each.found,
                each.detail,
                each.posting_date,
                each.reference,
            )
