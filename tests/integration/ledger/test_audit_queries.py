"""An auditor's tests and samples: each is compared with a naive one, computed from all entries one by one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, timedelta
from decimal import Decimal

import pytest

from ledger.errors import BookUnknown, DateRangeBackwards, TextRefused
from ledger.queries.entries import EntryView, entries
from ledger.queries.entry_tests import BENFORD, FirstDigits, activity, entries_found, first_digits, run_tests
from ledger.queries.samples import Population, Sample, monetary_sample, over, random_sample
from tests.support.database import Database
from tests.support.ledger_setup import ACCRUAL, FUNDING, OPENED_ON, OWN_MONEY, PAYMENT, Ledger, new_ledger

FROM, TO = date(2026, 1, 6), date(2026, 2, 28)
DAYS, ROUND = 3, 50_000


@pytest.fixture(scope="module")
def full(module_database: Database) -> Ledger:
    """Return two months of a book with whatever the tests look for, and another book that they must not see."""
    book = new_ledger(module_database, business_date=date(2026, 1, 5))
    other = new_ledger(module_database, code="OTHER")
    other.post(other.loan, FUNDING)
    one, two, three = book.loans
    book.post(one, FUNDING)  # before the period
    book.post(two, FUNDING)
    book.advance(date(2026, 1, 10))  # a Saturday
    book.post(one, PAYMENT, actor="rail")
    book.post(one, PAYMENT, actor="rail")  # the same again
    book.post(two, PAYMENT, actor="rail")  # alike, of another loan
    book.post(two, ACCRUAL, effective_date=date(2026, 1, 3))
    book.advance(date(2026, 1, 12))
    book.post(three, FUNDING, effective_date=date(2026, 2, 1))
    book.post(three, FUNDING, effective_date=date(2026, 2, 1))
    book.reverse(three, 2)  # so the two fundings are no duplicate
    book.post(book.own, OWN_MONEY, template="manual_journal", actor="maker", approved_by="checker")
    book.seal()
    book.advance(date(2026, 2, 3))
    for cents in (1, 77, 1_234, 250_000, 999_999, 31_415):
        book.post(one, ("INTEREST_RECEIVABLE", "INTEREST_INCOME", cents))
    euros = book.postings(("CASH", "CONTRIBUTED_CAPITAL", 900), currency="EUR")
    book.post(book.own, postings=euros + book.postings(OWN_MONEY))
    book.advance(date(2026, 3, 2))
    book.post(two, PAYMENT)  # after the period
    return book


def population(known_at: int | None = None, booked_from: date = FROM, currency: str = "USD") -> Population:
    return Population(book="MAIN", booked_from=booked_from, booked_to=TO, currency=currency, known_at=known_at)


def amount_of(view: EntryView, currency: str = "USD") -> int:
    return sum(posting.money.minor for posting in view.entry.draft.postings if posting.money.currency == currency)


@pytest.fixture(scope="module")
def naive(full: Ledger) -> list[EntryView]:
    """Return the population in the order of the journal."""
    with full.engine.connect() as connection:
        found = [view for subledger in (full.own, *full.loans) for view in entries(connection, int(subledger))]
    found = [view for view in found if FROM <= view.entry.booking_date <= TO and amount_of(view)]
    return sorted(found, key=key_of)


def key_of(view: EntryView) -> tuple[date, int, int]:
    return view.entry.booking_date, int(view.entry.subledger_id), view.entry.entry_no


def alike(view: EntryView, views: list[EntryView]) -> bool:
    def stands(each: EntryView) -> bool:
        return each.reversed_by is None and each.entry.draft.reverses_no is None

    def figures(each: EntryView) -> tuple[object, ...]:
        entry = each.entry
        return entry.subledger_id, entry.draft.template, entry.draft.effective_date, entry.draft.postings

    return stands(view) and sum(stands(each) and figures(each) == figures(view) for each in views) > 1


EXPECTED: dict[str, Callable[[EntryView, list[EntryView]], bool]] = {
    "manual": lambda v, _: v.entry.draft.template == "manual_journal",
    "approved": lambda v, _: v.entry.draft.approved_by is not None,
    "weekend": lambda v, _: v.entry.booking_date.weekday() >= 5,
    "recorded_on_weekend": lambda v, _: v.entry.recorded_at.astimezone(UTC).weekday() >= 5,
    "at_night": lambda v, _: not 6 <= v.entry.recorded_at.astimezone(UTC).hour <= 21,
    "back_dated": lambda v, _: v.entry.booking_date - v.entry.draft.effective_date > timedelta(days=DAYS),
    "ahead": lambda v, _: v.entry.draft.effective_date > v.entry.booking_date,
    "reversal": lambda v, _: v.entry.draft.reverses_no is not None,
    "round": lambda v, _: amount_of(v) % ROUND == 0,
    "duplicate": alike,
}


def test_each_test_finds_what_a_reader_of_all_entries_would(full: Ledger, naive: list[EntryView]) -> None:
    with full.engine.connect() as connection:
        done = run_tests(connection, population(), days=DAYS, multiple=ROUND)
        for finding in done.findings:
            expected = [view for view in naive if EXPECTED[finding.test.name](view, naive)]
            name = finding.test.name
            assert (finding.entries, finding.total) == (len(expected), sum(map(amount_of, expected))), name
            shown = entries_found(connection, population(), name, days=DAYS, multiple=ROUND)
            assert list(shown) == expected, name

    assert (done.entries, done.total) == (len(naive), sum(map(amount_of, naive)))
    always = {"recorded_on_weekend", "at_night"}  # by the clock of whoever runs this
    assert all(finding.entries for finding in done.findings if finding.test.name not in always)


def test_what_was_known_at_a_block_is_tested_alone(full: Ledger, naive: list[EntryView]) -> None:
    with full.engine.connect() as connection:
        done = run_tests(connection, population(known_at=1), days=DAYS, multiple=ROUND)

    assert done.entries == sum(view.block_no == 1 for view in naive)
    assert 0 < done.entries < len(naive)


def drawn(sample: Sample) -> list[EntryView]:
    return [each.view for each in sample.entries]


def digest_of(seed: str, view: EntryView) -> bytes:
    return hashlib.sha256(f"{seed}:{view.entry.subledger_id}:{view.entry.entry_no}".encode()).digest()


def test_a_random_sample_is_the_same_for_its_seed_and_another_for_another(full: Ledger, naive: list[EntryView]) -> None:
    with full.engine.connect() as connection:
        first, again, other, whole = (
            random_sample(connection, population(), size=size, seed=seed)
            for size, seed in ((5, "7"), (5, "7"), (5, "8"), (1_000, "7"))
        )

    assert first == again
    assert drawn(first) != drawn(other)
    assert drawn(whole)[:5] == drawn(first)
    assert sorted(drawn(whole), key=key_of) == naive
    by_hash = sorted(
        naive, key=lambda v: hashlib.sha256(f"7:{v.entry.subledger_id}:{v.entry.entry_no}".encode()).digest()
    )
    assert drawn(first) == by_hash[:5]
    assert (first.population, first.total) == (len(naive), sum(map(amount_of, naive)))


@pytest.mark.parametrize("size", [1, 2, 7, 40])
@pytest.mark.parametrize("seed", ["1", "2", "audit 2026"])
def test_monetary_units_are_drawn_at_the_interval(full: Ledger, naive: list[EntryView], size: int, seed: str) -> None:
    with full.engine.connect() as connection:
        sample = monetary_sample(connection, population(), size=size, seed=seed)

    total = sum(map(amount_of, naive))
    interval, start = total // size, int.from_bytes(hashlib.sha256(seed.encode()).digest()) % (total // size)
    units = [start + place * interval for place in range(size)]
    hits: Counter[tuple[date, int, int]] = Counter()
    at = 0
    for view in naive:
        hits[key_of(view)] = sum(at <= unit < at + amount_of(view) for unit in units)
        at += amount_of(view)
    assert (sample.interval, sample.start) == (interval, start)
    assert [(key_of(each.view), each.hits) for each in sample.entries] == [(key, n) for key, n in hits.items() if n]
    assert sum(each.hits for each in sample.entries) == size
    # What is as large as the interval cannot be missed.
    chosen = set(map(key_of, drawn(sample)))
    assert {key_of(view) for view in naive if amount_of(view) >= interval} <= chosen


def test_all_over_a_threshold_come_largest_first(full: Ledger, naive: list[EntryView]) -> None:
    with full.engine.connect() as connection:
        sample = over(connection, population(), threshold=100_000)

    expected = sorted((v for v in naive if amount_of(v) >= 100_000), key=lambda v: (-amount_of(v), key_of(v)))
    assert drawn(sample) == expected
    assert [each.amount for each in sample.entries] == [amount_of(view) for view in expected]


def test_first_digits_are_counted_and_judged(full: Ledger, naive: list[EntryView]) -> None:
    with full.engine.connect() as connection:
        found = first_digits(connection, population())

    counts = Counter(str(amount_of(view))[0] for view in naive)
    assert found.counts == tuple(counts[str(digit)] for digit in range(1, 10))
    assert sum(BENFORD) == 1
    assert FirstDigits((30103, 17609, 12494, 9691, 7918, 6695, 5799, 5115, 4576)).verdict == "close"
    even = FirstDigits((1,) * 9)
    # Apart from 0.11111: 0.18992, 0.06498, 0.01383, 0.01420, 0.03193, 0.04416, 0.05312, 0.05996 and 0.06535.
    assert (even.mean_deviation, even.verdict) == (Decimal("0.05972"), "no conformity")


def test_people_are_listed_with_what_they_did(full: Ledger, naive: list[EntryView]) -> None:
    with full.engine.connect() as connection:
        found = {each.person: each for each in activity(connection, population())}

    booked = Counter(view.entry.draft.actor for view in naive)
    assert {name: each.booked for name, each in found.items() if each.booked} == dict(booked)
    assert (found["checker"].booked, found["checker"].approved) == (0, 1)
    assert (found["maker"].by_hand, found["maker"].total) == (1, 1_000)
    assert sum(each.total for each in found.values()) == sum(map(amount_of, naive))


def test_another_currency_is_another_population(full: Ledger) -> None:
    with full.engine.connect() as connection:
        assert run_tests(connection, population(currency="EUR"), days=DAYS, multiple=ROUND).total == 900
        assert random_sample(connection, population(currency="CHF"), size=1, seed="1").entries == ()


def test_what_cannot_be_asked_is_refused_by_field(full: Ledger) -> None:
    with pytest.raises(DateRangeBackwards):
        Population(book="MAIN", booked_from=TO, booked_to=FROM, currency="USD")
    with full.engine.connect() as connection:
        with pytest.raises(TextRefused, match="size"):
            random_sample(connection, population(), size=0, seed="1")
        with pytest.raises(TextRefused, match="all entries come to"):
            monetary_sample(connection, population(currency="CHF"), size=1, seed="1")
        with pytest.raises(TextRefused, match="is none of"):
            entries_found(connection, population(), "gut feeling", days=DAYS, multiple=ROUND)
        with pytest.raises(TextRefused, match="round"):
            run_tests(connection, population(), days=DAYS, multiple=0)
        with pytest.raises(BookUnknown):
            over(connection, Population(book="X", booked_from=OPENED_ON, booked_to=TO, currency="USD"), threshold=1)
