"""Which lines of the bank settle which open items: proposals with a score and the reason, surest first.

The ladder: a reference and the amount; the amount within days of each other; one line against all items of a day on a
rail, or of some days in a row (a batch deposit); one line against a few items, or a few lines against one, where only
one choice adds up. Each line and each item is in one proposal at most, and both sides of each are equal to the cent.
Never: a tolerance, a clock, or a choice between equals passed off as sure.
Next: `gl_export/commands/bank.py`; `docs/spec/bank.md`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations, groupby
from typing import TypeVar

from ledger.money import Money

BEFORE_DAYS, AFTER_DAYS = 10, 2
"""An item is booked so many days before the bank's line at most, or after it."""
MOST_PARTS, MOST_CANDIDATES, MOST_DAYS = 5, 14, 7
"""How many items a few are, among how many they are looked for, and how many days in a row make a deposit."""
SHORTEST_REFERENCE = 4
_WORDS = re.compile(r"[0-9A-Za-z]+(?:[-./:][0-9A-Za-z]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of the bank that nothing settles yet; money that came in is positive."""

    line_no: int
    day: date
    amount: Money
    references: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What stands in a rail's clearing account and is not settled: positive where the bank is to pay it in."""

    key: str
    role: str
    day: date
    amount: Money
    references: frozenset[str] = frozenset()


T = TypeVar("T", OpenLine, OpenItem)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Lines that settle items, the rule by which they were found, how sure it is (0 to 100), and why."""

    lines: tuple[OpenLine, ...]
    items: tuple[OpenItem, ...]
    rule: str
    score: int
    why: str


def words_of(*texts: str) -> frozenset[str]:
    """Return the words of texts that may be references, in capitals: long enough, with a digit."""
    found = (word.upper() for text in texts for word in _WORDS.findall(text))
    return frozenset(word for word in found if len(word) >= SHORTEST_REFERENCE and any(map(str.isdigit, word)))


def propose(lines: Sequence[OpenLine], items: Sequence[OpenItem]) -> tuple[Proposal, ...]:
    """Return proposals in the order of the ladder, each line and item at most once."""
    board = _Board(
        {line.line_no: line for line in sorted(lines, key=lambda line: (line.day, line.line_no))},
        {item.key: item for item in sorted(items, key=lambda item: (item.day, item.key))},
    )
    for rule in (_by_reference, _by_amount, _by_day, _by_days, _by_few_items, _by_few_lines):
        for proposal in rule(board):
            board.take(proposal)
    return tuple(board.taken)


@dataclass(slots=True)
class _Board:
    lines: dict[int, OpenLine]
    items: dict[str, OpenItem]
    taken: list[Proposal] = field(default_factory=list)

    def take(self, proposal: Proposal) -> None:
        """Keep a proposal if all of its parts are still free."""
        free = all(line.line_no in self.lines for line in proposal.lines) and all(
            item.key in self.items for item in proposal.items
        )
        if not free:
            return
        for line in proposal.lines:
            del self.lines[line.line_no]
        for item in proposal.items:
            del self.items[item.key]
        self.taken.append(proposal)


def _near(line: OpenLine, item: OpenItem) -> bool:
    return -AFTER_DAYS <= (line.day - item.day).days <= BEFORE_DAYS


def _same_currency(line: OpenLine, item: OpenItem) -> bool:
    return line.amount.currency == item.amount.currency


def _apart(line: OpenLine, items: Iterable[OpenItem]) -> int:
    return max(abs((line.day - item.day).days) for item in items)


def _by_reference(board: _Board) -> Iterator[Proposal]:
    """Pair what bears the same reference and has the same amount."""
    known: dict[tuple[str, str, int], list[OpenItem]] = defaultdict(list)
    for item in board.items.values():
        for name in item.references:
            known[(name, item.amount.currency, item.amount.minor)].append(item)
    for line in list(board.lines.values()):
        for name in sorted(line.references, key=lambda name: (-len(name), name)):
            free = [item for item in known[(name, line.amount.currency, line.amount.minor)] if item.key in board.items]
            if free:
                score = 100 if len(free) == 1 else 80
                yield Proposal((line,), (free[0],), "reference", score, f"both bear {name}, and the amount is the same")
                break


def _by_amount(board: _Board) -> Iterator[Proposal]:
    """Pair a line with the item of its amount that is nearest by day; sure only where there is no other."""
    items: dict[tuple[str, int], list[OpenItem]] = defaultdict(list)
    for item in board.items.values():
        items[(item.amount.currency, item.amount.minor)].append(item)
    rivals: dict[tuple[str, int], list[OpenLine]] = defaultdict(list)
    for line in board.lines.values():
        rivals[(line.amount.currency, line.amount.minor)].append(line)
    for line in list(board.lines.values()):
        key = (line.amount.currency, line.amount.minor)
        near = [item for item in items[key] if item.key in board.items and _near(line, item)]
        if not near:
            continue
        chosen = min(near, key=lambda item: (_apart(line, [item]), item.day, item.key))
        days = _apart(line, [chosen])
        others = len(near) - 1 + sum(_near(other, chosen) for other in rivals[key]) - 1
        score = max(70, 90 - 2 * days) if not others else 50
        why = f"the same amount, {days} days apart"
        yield Proposal(
            (line,), (chosen,), "amount", score, why if not others else f"{why}; {others} others fit as well"
        )


def _by_day(board: _Board) -> Iterator[Proposal]:
    """Pair a line with all items of a day on a rail that go its way, or with all that went over it, in and out."""
    groups: dict[tuple[str, int], list[tuple[OpenItem, ...]]] = defaultdict(list)
    for day in _days(board):
        for chosen in _ways(day):
            total = Money.sum((item.amount for item in chosen), chosen[0].amount.currency)
            groups[(total.currency, total.minor)].append(chosen)
    yield from _deposits(board, groups, "deposit", 85)


def _by_days(board: _Board) -> Iterator[Proposal]:
    """Pair a line with all items of some days in a row on a rail, such as those of a weekend."""
    groups: dict[tuple[str, int], list[tuple[OpenItem, ...]]] = defaultdict(list)
    by_rail: dict[tuple[str, str], list[tuple[OpenItem, ...]]] = defaultdict(list)
    for day in _days(board):
        by_rail[(day[0].role, day[0].amount.currency)].append(day)
    for days in by_rail.values():
        for first in range(len(days)):
            run: tuple[OpenItem, ...] = days[first]
            for day in days[first + 1 : first + MOST_DAYS]:
                if (day[0].day - run[0].day).days >= MOST_DAYS:
                    break
                run = (*run, *day)
                for chosen in _ways(run):
                    total = Money.sum((item.amount for item in chosen), chosen[0].amount.currency)
                    groups[(total.currency, total.minor)].append(chosen)
    yield from _deposits(board, groups, "deposit of days", 75)


def _days(board: _Board) -> Iterator[tuple[OpenItem, ...]]:
    """Yield the items of each rail and currency by day, in order."""
    place = {key: number for number, key in enumerate(board.items)}
    ordered = sorted(
        board.items.values(), key=lambda item: (item.role, item.amount.currency, item.day, place[item.key])
    )
    for _, items in groupby(ordered, key=lambda item: (item.role, item.amount.currency, item.day)):
        yield tuple(items)


def _ways(items: Sequence[OpenItem]) -> Iterator[tuple[OpenItem, ...]]:
    """Yield what comes in, what goes out, and both together where there is both."""
    came = tuple(item for item in items if item.amount.minor > 0)
    went = tuple(item for item in items if item.amount.minor < 0)
    yield from (chosen for chosen in (came, went) if chosen)
    if came and went:
        yield tuple(items)


def _deposits(
    board: _Board, groups: dict[tuple[str, int], list[tuple[OpenItem, ...]]], rule: str, score: int
) -> Iterator[Proposal]:
    for line in list(board.lines.values()):
        fitting = [
            items
            for items in groups[(line.amount.currency, line.amount.minor)]
            if len(items) > 1
            and all(_near(line, item) for item in items)
            and all(item.key in board.items for item in items)
        ]
        if not fitting:
            continue
        chosen = min(fitting, key=lambda items: (_apart(line, items), items[0].role, items[0].key))
        first, last = chosen[0].day, chosen[-1].day
        when = f"on {first}" if first == last else f"from {first} to {last}"
        why = f"all {len(chosen)} items of {chosen[0].role} {when} make the amount"
        sure = score if len(fitting) == 1 else 50
        yield Proposal(
            (line,), chosen, rule, sure, why if sure == score else f"{why}; {len(fitting) - 1} others do too"
        )


def _by_few_items(board: _Board) -> Iterator[Proposal]:
    """Pair a line with a few items of one rail, where only one choice of them adds up."""
    by_rail: dict[tuple[str, str], dict[date, list[OpenItem]]] = defaultdict(lambda: defaultdict(list))
    for item in board.items.values():
        by_rail[(item.role, item.amount.currency)][item.day].append(item)
    for line in list(board.lines.values()):
        choices: list[tuple[OpenItem, ...]] = []
        for (_, currency), days in sorted(by_rail.items()):
            near = [item for day in _window(line.day) for item in days.get(day, ()) if item.key in board.items]
            if currency == line.amount.currency and 2 <= len(near) <= MOST_CANDIDATES:
                choices += _sums(near, line.amount.minor)
        if len(choices) == 1:
            why = f"{len(choices[0])} items of {choices[0][0].role} make the amount, and no others do"
            yield Proposal((line,), choices[0], "few items", 65, why)


def _window(day: date) -> Iterator[date]:
    """Yield the days on which an item of a line of this day may have been booked."""
    for apart in range(BEFORE_DAYS, -AFTER_DAYS - 1, -1):
        if day.toordinal() > apart:
            yield date.fromordinal(day.toordinal() - apart)


def _by_few_lines(board: _Board) -> Iterator[Proposal]:
    """Pair a few lines of one day with one item, where only one choice of them adds up."""
    by_day: dict[date, list[OpenLine]] = defaultdict(list)
    for line in board.lines.values():
        by_day[line.day].append(line)
    for item in list(board.items.values()):
        choices: list[tuple[OpenLine, ...]] = []
        for apart in range(-AFTER_DAYS, BEFORE_DAYS + 1):
            lines = by_day.get(date.fromordinal(item.day.toordinal() + apart), [])
            free = [
                line for line in lines if line.line_no in board.lines and line.amount.currency == item.amount.currency
            ]
            if 2 <= len(free) <= MOST_CANDIDATES:
                choices += _sums(free, item.amount.minor)
        if len(choices) == 1:
            why = f"{len(choices[0])} lines of {choices[0][0].day} make the item, and no others do"
            yield Proposal(choices[0], (item,), "few lines", 65, why)


def _sums(parts: Sequence[T], wanted: int) -> list[tuple[T, ...]]:
    """Return at most two choices of a few parts that come to an amount."""
    found = []
    for count in range(2, min(MOST_PARTS, len(parts)) + 1):
        for chosen in combinations(parts, count):
            if sum(part.amount.minor for part in chosen) == wanted:
                found.append(chosen)
                if len(found) > 1:
                    return found
    return found
