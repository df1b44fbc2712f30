"""Matching 100,000 lines of the bank, and 100,000 postings of the GL, against a join by dictionaries of the same rows.

One process, one core, no database. Of the lines of the bank four in ten bear a reference, four are single amounts, and two
are batch deposits of five items. Next: `gl_export/bank/matching.py`, `gl_export/gl_comparison.py`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta

from gl_export.bank.matching import OpenItem, OpenLine, propose
from gl_export.gl_comparison import SentLine, compare_detail
from gl_export.gl_file import GLRow
from ledger.money import Money
from tests.bench.harness import Bench, alternate, scaled, seconds

SEED = 20260103
FIRST = date(2026, 1, 1)
DAYS = 250
DEPOSIT = 5


def reconciliation(bench: Bench) -> None:
    """Benchmarks of matching."""
    count = scaled(100_000)
    _bank(bench, count)
    _detail(bench, count)


def _bank(bench: Bench, count: int) -> None:
    lines, items = _open(random.Random(SEED), count)
    bench.say(f"{len(lines):,} lines of the bank, {len(items):,} open items")
    done = propose(lines, items)
    matched = sum(len(each.lines) for each in done)
    if matched < 0.95 * len(lines):
        raise RuntimeError(f"only {matched:,} of {len(lines):,} lines were matched")

    def floor() -> float:
        return seconds(lambda: _joined(lines, items))

    floor_s, ours_s = alternate(floor, lambda: seconds(lambda: propose(lines, items)))
    bench.faster(
        "bank lines matched, against a join by amount and day", count / ours_s, count / floor_s, "/s", at_least=None
    )
    bench.figure("bank lines that found their items", 100 * matched / len(lines), "%")


def _open(chance: random.Random, count: int) -> tuple[list[OpenLine], list[OpenItem]]:
    lines, items = [], []
    for number in range(1, count + 1):
        day = FIRST + timedelta(days=number * DAYS // count)
        size = DEPOSIT if number % 10 >= 8 else 1
        names = frozenset({f"P-{number:07}"}) if number % 10 < 4 else frozenset[str]()
        role = f"CHECK_{number}" if size > 1 else "ACH_CLEARING"
        amounts = [Money(chance.randrange(1_00, 5_000_00), "USD") for _ in range(size)]
        items += [OpenItem(f"{number}:{part}", role, day, money, names) for part, money in enumerate(amounts)]
        total = Money.sum(amounts, "USD")
        lines.append(OpenLine(number, day + timedelta(days=chance.randrange(1, 4)), total, names))
    chance.shuffle(lines)
    return lines, items


def _joined(lines: list[OpenLine], items: list[OpenItem]) -> int:
    """Join lines with items of the same amount within four days: the least that a matching has to do."""
    known: dict[int, list[OpenItem]] = defaultdict(list)
    for item in items:
        known[item.amount.minor].append(item)
    return sum(any(0 <= (line.day - item.day).days <= 4 for item in known[line.amount.minor]) for line in lines)


def _detail(bench: Bench, count: int) -> None:
    chance = random.Random(SEED)
    sent, rows = [], []
    for number in range(1, count + 1):
        day = FIRST + timedelta(days=chance.randrange(28))
        line = SentLine(
            f"M-1-{day:%Y%m%d}-USD", "M-1", number, day, str(chance.randrange(1_000, 1_050)), Money(number, "USD")
        )
        sent.append(line)
        if number % 100:
            rows.append(GLRow(number, line.gl_account, line.amount, day))
    chance.shuffle(rows)
    through = date(2026, 1, 31)
    found = compare_detail(sent, rows, window_days=2, through=through)
    if len(found) != count - len(rows):
        raise RuntimeError(f"{len(found):,} differences were found, {count - len(rows):,} were made")

    def floor() -> float:
        def joined() -> int:
            known = {(row.gl_account, row.posting_date, row.amount.minor) for row in rows}
            return sum((line.gl_account, line.booking_date, line.amount.minor) not in known for line in sent)

        return seconds(joined)

    floor_s, ours_s = alternate(
        floor, lambda: seconds(lambda: compare_detail(sent, rows, window_days=2, through=through))
    )
    bench.faster(
        "GL postings compared, against a set of the same keys", count / ours_s, count / floor_s, "/s", at_least=None
    )
