"""One life of a book that goes through everything once: what chance comes to in some lives only, in every run.

Next: `machine_rules.py` for the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.chart import AccountType
from tests.property.ledger.machine_rules import LedgerMachine
from tests.property.ledger.machine_words import CURRENCIES
from tests.support.machine_books import Books
from tests.support.reference_ledger import (
    MANUAL,
)

Work = tuple[int, list[Any], str | None, int, int | str | None, str | None, str]


def work(
    which: int,
    *pairs: str,
    minor: int = 5,
    currency: str | None = None,
    key: str | None = None,
    day: int | str | None = None,
    approver: str | None = None,
    template: str = "test",
) -> Work:
    """Return an entry for a subledger (0: the book's own) between accounts written `1020/3010`."""
    moves = [(tuple(pair.split("/")), minor, currency) for pair in pairs]
    return which, moves, key, 0, day, approver, template


OWN, LOAN, IN_EUROS, OTHER = range(4)

LIFE: tuple[Callable[[LedgerMachine], object], ...] = (
    # Entries by every road, right and wrong.
    lambda m: m.change_chart("open", "6001", AccountType.INCOME, {"kept"}, "USD", -60),
    lambda m: m.post_entries([work(LOAN, "1020/6001", "1220/6001", key="k1"), work(LOAN, "1020/6001", key="k1")]),
    lambda m: m.post_entries([work(OWN, "1020/3010", currency=each, key="k2") for each in CURRENCIES]),
    lambda m: m.post_entries([work(LOAN, "1020/1030"), work(IN_EUROS, "1020/1030"), work(OWN, "1020/9010")]),
    lambda m: m.post_entries([work(OWN, "5200/1020", approver=each, template=MANUAL) for each in (None, "boss")]),
    lambda m: m.post_entries([work(LOAN, "1210/1020", approver="boss", template=MANUAL)]),
    lambda m: m.post_entries([work(LOAN, "1020/1210", minor=minor) for minor in (5_000, 1, 4_999, 1)]),
    lambda m: m.post_entries([work(OTHER, "1600/2600", "2600/1600", "2600/1600", minor=9)]),
    lambda m: m.post_entries([work(OTHER, "1220/4010", day=day) for day in (0, "first", "last", 1)]),
    lambda m: m.post_entries([work(OTHER, "1220/4010", day=day, approver="boss") for day in (0, "first", "last", 1)]),
    # What corrects an entry: an earlier one of the same subledger, and no other.
    lambda m: m.post_correction(OTHER, 1),
    lambda m: m.post_correction(OTHER, 0),
    lambda m: m.post_correction(OTHER, -1),
    lambda m: m.post_correction(OTHER, 99),
    lambda m: m.correct(OTHER, 0, [(("1210", "1020"), 2_000, None)]),
    lambda m: m.correct(OTHER, 1, [(("1210", "1020"), 2_000, None)]),
    lambda m: m.correct(OTHER, 2, [(("1210", "1020"), 2_000, None)]),
    lambda m: m.correct(LOAN, 1, [(("1020", "1210"), 10**9, None)]),
    lambda m: m.reverse(
        [(OTHER, entry, key, None, None) for entry, key in ((3, "k3"), (4, "k3"), (4, None), (0, None))]
    ),
    lambda m: m.reverse([(OTHER, each, None, "last", "boss") for each in range(12)]),
    # Batches: several rows of one subledger, chunks of which one is refused, and what is left run again.
    lambda m: m.post_usual_batch({OWN, LOAN, IN_EUROS, OTHER}, [3, 4, 4]),
    lambda m: m.repeat_batch(0, 1),
    lambda m: m.change_subledgers("freeze", None, IN_EUROS),
    lambda m: m.post_batch([(each, [(("1220", "4010"), 2, None)] * 2) for each in range(4)], "run 1", 1),
    lambda m: m.repeat(0, None),
    lambda m: m.change_subledgers("thaw", None, IN_EUROS),
    lambda m: m.repeat_batch(1, 1),
    lambda m: m.repeat_batch(1, 5_000),
    lambda m: m.post_batch([(LOAN, [(("1220", "4010"), 3, None)])], "run 1", 5_000),
    lambda m: m.post_batch([(LOAN, [(("1220", "4010"), 3, None)])], "k1", 5_000),
    lambda m: m.seal(),
    # Months: in their order, for good, and open again.
    lambda m: m.close(1),
    lambda m: m.change_month(0, "soft_close"),
    lambda m: m.close(0),
    lambda m: m.change_subledgers("open", "USD", 0),
    lambda m: m.post_entries([work(4, "1220/4010", day=day, approver="boss") for day in (-51, -52, -75, "last")]),
    lambda m: m.close("next"),
    lambda m: m.change_subledgers("open", "USD", 0),
    lambda m: m.post_entries([work(5, "1220/4010", day=day, approver="boss") for day in ("last", "first")]),
    lambda m: m.close_year(2025, "boss"),
    lambda m: m.reopen(0, "boss", "late"),
    lambda m: [m.reopen("latest", approver, why) for approver, why in ((None, "x"), ("teller", "x"), ("boss", ""))],
    lambda m: m.reopen("latest", "boss", "late"),
    lambda m: m.post_entries([work(each, "1220/4010", day="last", approver="boss") for each in (5, 4, OTHER)]),
    lambda m: m.change_month(1, "lift"),
    # The year: closed, closed again for what came later, undone and closed once more.
    lambda m: [m.close_year(2025, approver) for approver in (None, "teller", "boss", "boss")],
    lambda m: m.post_entries([work(OTHER, "1220/4010", minor=8, day="last", approver="boss")]),
    lambda m: m.close_year(2025, "boss"),
    lambda m: m.seal(),
    lambda m: m.reverse([(OWN, 0, None, "last", "boss")]),
    lambda m: m.close_year(2025, "boss"),
    lambda m: m.close("next"),
    lambda m: m.repeat(3, None),
    lambda m: m.close_year(2026, "boss"),
    # An account that is closed, from its first closed day on.
    lambda m: m.change_chart("close", "6001", AccountType.INCOME, set(), None, 0),
    lambda m: m.post_entries([work(LOAN, "1020/6001"), work(LOAN, "1020/6001", day=-1, approver="boss")]),
    lambda m: m.change_chart("reopen", "6001", AccountType.INCOME, set(), None, 0),
    lambda m: m.post_entries([work(LOAN, "1020/6001")]),
    lambda m: [m.advance(days) for days in (-1, 0, 12)],
    lambda m: m.change_month(4, "open"),
    lambda m: m.close("next"),
)


def test_a_life_that_goes_through_everything_once(books: Books) -> None:
    """What chance comes to in some lives only, in every run: the same rules and the same comparisons, in this order."""
    machine = LedgerMachine()
    machine.open_book()

    for step in LIFE:
        step(machine)
        machine.compare()

    machine.teardown()
