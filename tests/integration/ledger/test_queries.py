"""What is read back: each answer is compared with a naive one, computed from all entries one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.chart import AccountCode, Side
from ledger.errors import (
    AccountUnknown,
    BookUnknown,
    DateRangeBackwards,
    EntryUnknown,
    SubledgerUnknown,
    TextRefused,
)
from ledger.queries.accounts import balances, balances_of_many
from ledger.queries.entries import EntryView, entries, entry, entry_of_request
from ledger.queries.journal import JournalFilter, JournalKey, JournalPage, journal
from ledger.queries.statement import AccountStatement, account_statement
from ledger.queries.trial_balance import By, balance_sheet_at, income_statement_between, trial_balance
from ledger.seals import blocks, known_block
from tests.support.database import Database
from tests.support.ledger_setup import ACCRUAL, FUNDING, OPENED_ON, OWN_MONEY, PAYMENT, Ledger, new_ledger

DAYS = [date(2025, 12, 31) + timedelta(days=days) for days in (0, 1, 9, 10, 14, 15, 20, 31, 33, 40, 59, 62, 90)]


@pytest.fixture(scope="module")
def full(module_database: Database) -> Ledger:
    """Return three months of a book: three blocks, a closed month, entries back-dated, ahead, and not sealed yet."""
    book = new_ledger(module_database, business_date=date(2026, 1, 5))
    other = new_ledger(module_database, code="OTHER")
    other.post(other.loan, FUNDING, narration="Of the other book", source_ref="ach:1")
    one, two, three = book.loans
    book.post(one, FUNDING, narration="Funded by wire: 100% of it", source_ref="wire:1", group_id=5)
    book.post(two, FUNDING, template="funding", effective_date=date(2026, 1, 3), narration="under_score")
    book.post(book.own, OWN_MONEY, actor="finance", key="capital", narration="Ungeprüfte EINLAGE")
    book.advance(date(2026, 1, 10))
    book.post(one, ACCRUAL, template="accrual", details={"days": 5})
    book.post(one, PAYMENT, ("CASH", "INTEREST_RECEIVABLE", 500), source_ref="ach:1", actor="rail")
    book.post(three, FUNDING, effective_date=date(2026, 2, 10), narration=r"Back\slash, ahead")
    book.reverse(one, 3, narration="Returned")
    book.seal()
    book.advance(date(2026, 2, 3))
    book.post(two, PAYMENT, effective_date=date(2026, 1, 20), narration="Back-dated")
    book.post(two, ACCRUAL, booking_date=date(2026, 1, 31), approved_by="boss", template="accrual")
    euros = book.postings(("CASH", "CONTRIBUTED_CAPITAL", 900), currency="EUR")
    book.post(book.own, postings=euros + book.postings(OWN_MONEY), narration="Two currencies")
    book.close("2026-01")
    book.post(one, ("CASH", "LOAN_PRINCIPAL", 1), corrects_no=3, source_ref="ach:2")
    book.advance(date(2026, 3, 2))
    book.post(one, ("CASH", "LOAN_PRINCIPAL", 99_999), effective_date=date(2026, 2, 28))
    book.post(book.own, ("CONTRIBUTED_CAPITAL", "CASH", 250))
    book.seal()
    book.post(three, ACCRUAL, effective_date=date(2026, 3, 31))
    book.post(three, ("CASH", "UNAPPLIED_PAYMENTS", 77), booking_date=date(2026, 2, 4), approved_by="boss")
    return book


@pytest.fixture(scope="module")
def everything(full: Ledger) -> list[EntryView]:
    """Return every entry of the book in the order of the journal."""
    views = [view for subledger in (full.own, *full.loans) for view in full.entries(subledger)]
    return sorted(views, key=key_of)


def key_of(view: EntryView) -> JournalKey:
    return JournalKey(view.entry.booking_date, view.entry.subledger_id, view.entry.entry_no)


def search(book: Ledger, *, limit: int = 1_000, after: JournalKey | None = None, **wanted: Any) -> JournalPage:
    given = JournalFilter(book=book.code, **wanted)
    return book.read(lambda connection: journal(connection, given, after=after, limit=limit))


def pages(book: Ledger, limit: int, **wanted: Any) -> Iterator[JournalPage]:
    after = None
    while True:
        page = search(book, limit=limit, after=after, **wanted)
        yield page
        if page.next_key is None:
            return
        after = page.next_key


# --- The journal ------------------------------------------------------------------------------------------


def has_account(code: str) -> Callable[[EntryView], bool]:
    return lambda view: any(code in (posting.debit, posting.credit) for posting in view.entry.postings)


def narrated(words: str) -> Callable[[EntryView], bool]:
    return lambda view: words.lower() in (view.entry.draft.narration or "").lower()


def has_amount(low: int, high: int) -> Callable[[EntryView], bool]:
    return lambda view: any(low <= posting.money.minor <= high for posting in view.entry.postings)


FILTERS: dict[str, tuple[dict[str, Any], Callable[[EntryView], bool]]] = {
    "everything": ({}, lambda v: True),
    "account": ({"account": "1020"}, has_account("1020")),
    "account without entries": ({"account": "1440"}, lambda v: False),
    "template": ({"template": "accrual"}, lambda v: v.entry.draft.template == "accrual"),
    "booked from": ({"booked_from": date(2026, 2, 3)}, lambda v: v.entry.booking_date >= date(2026, 2, 3)),
    "booked to": ({"booked_to": date(2026, 1, 10)}, lambda v: v.entry.booking_date <= date(2026, 1, 10)),
    "booked on": (
        {"booked_from": date(2026, 1, 31), "booked_to": date(2026, 1, 31)},
        lambda v: v.entry.booking_date == date(2026, 1, 31),
    ),
    "booked backwards": ({"booked_from": date(2026, 2, 1), "booked_to": date(2026, 1, 1)}, lambda v: False),
    "booked far away": ({"booked_from": date(1900, 1, 1), "booked_to": date(2999, 1, 1)}, lambda v: True),
    "effective": (
        {"effective_from": date(2026, 1, 20), "effective_to": date(2026, 2, 28)},
        lambda v: date(2026, 1, 20) <= v.entry.draft.effective_date <= date(2026, 2, 28),
    ),
    "actor": ({"actor": "rail"}, lambda v: v.entry.draft.actor == "rail"),
    "approver": ({"approved_by": "boss"}, lambda v: v.entry.draft.approved_by == "boss"),
    "request key": ({"request_key": "capital"}, lambda v: v.entry.draft.request_key == "capital"),
    "source": ({"source_ref": "ach:1"}, lambda v: v.entry.draft.source_ref == "ach:1"),
    "group": ({"group_id": 5}, lambda v: v.entry.draft.group_id == 5),
    "amount from": ({"amount_from": 10_001}, has_amount(10_001, 2**63)),
    "amount to": ({"amount_to": 500}, has_amount(0, 500)),
    "amount between": ({"amount_from": 500, "amount_to": 1_000}, has_amount(500, 1_000)),
    "amount exactly": ({"amount_from": 77, "amount_to": 77}, has_amount(77, 77)),
    "currency": (
        {"currency": "EUR"},
        lambda v: any(posting.money.currency == "EUR" for posting in v.entry.postings),
    ),
    "an amount of an account": (
        {"account": "3010", "amount_from": 900, "amount_to": 900, "currency": "EUR"},
        lambda v: v.entry.draft.narration == "Two currencies",
    ),
    "not an amount of another posting": ({"account": "1220", "amount_from": 10_000}, lambda v: False),
    "text": ({"text": "funded"}, narrated("funded")),
    "text in capitals": ({"text": "einlage"}, narrated("einlage")),
    "text with umlaut": ({"text": "geprüft"}, narrated("geprüft")),
    "percent": ({"text": "100%"}, narrated("100%")),
    "percent alone": ({"text": "%"}, narrated("%")),
    "underscore": ({"text": "r_s"}, narrated("r_s")),
    "backslash": ({"text": "k\\s"}, narrated("k\\s")),
    "known at the first block": ({"known_at": 1}, lambda v: v.block_no == 1),
    "known at the second": ({"known_at": 2}, lambda v: v.block_no in (1, 2)),
    "known at no block": ({"known_at": 0}, lambda v: False),
    "recorded since ever": ({"recorded_from": datetime(2000, 1, 1, tzinfo=UTC)}, lambda v: True),
    "recorded long ago": ({"recorded_to": datetime(2000, 1, 1, tzinfo=UTC)}, lambda v: False),
    "several at once": (
        {"account": "1020", "booked_to": date(2026, 2, 3), "source_ref": "ach:1", "actor": "rail"},
        lambda v: v.entry.draft.actor == "rail",
    ),
}


@pytest.mark.parametrize(("wanted", "matches"), FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("limit", [1, 4, 1_000])
def test_each_filter_finds_what_a_reader_of_all_entries_would(
    full: Ledger,
    everything: list[EntryView],
    wanted: dict[str, Any],
    matches: Callable[[EntryView], bool],
    limit: int,
) -> None:
    found = list(pages(full, limit, **wanted))

    assert [view for page in found for view in page.entries] == [view for view in everything if matches(view)]
    assert all(len(page.entries) == limit for page in found[:-1])


def test_a_subledger_is_read_alone(full: Ledger, everything: list[EntryView]) -> None:
    for subledger in (full.own, *full.loans):
        expected = [view for view in everything if view.entry.subledger_id == subledger]
        for limit in (2, 100):
            found = [view for page in pages(full, limit, subledger_id=subledger) for view in page.entries]
            assert found == expected
    assert search(full, subledger_id=999_999).entries == ()


def test_the_moment_of_recording_cuts_between_two_entries(full: Ledger, everything: list[EntryView]) -> None:
    moments = sorted(view.entry.recorded_at for view in everything)
    for before, after in pairwise(moments[::4]):
        found = search(full, recorded_from=before, recorded_to=after).entries
        assert {key_of(view) for view in found} == {
            key_of(view) for view in everything if before <= view.entry.recorded_at <= after
        }


def test_pages_are_complete_however_many_entries_arrive_meanwhile(book: Ledger) -> None:
    for loan in book.loans:
        for _ in range(4):
            book.post(loan, FUNDING)
    before = {key_of(view) for view in search(book).entries}
    seen: list[JournalKey] = []

    for page in pages(book, 3):
        seen += [key_of(view) for view in page.entries]
        book.post(book.loans[0], FUNDING)
        book.post(book.loans[2], FUNDING, booking_date=date(2026, 1, 2), approved_by="boss")
        if len(seen) > 60:
            break
        if len(seen) == 6:
            book.advance(date(2026, 1, 16))

    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert before <= set(seen)


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_page_holds_one_to_a_thousand_entries(full: Ledger, limit: int) -> None:
    with pytest.raises(TextRefused, match="a page holds 1 to 1000 entries"):
        search(full, limit=limit)


def test_a_search_names_what_it_does_not_know(full: Ledger) -> None:
    with pytest.raises(AccountUnknown):
        search(full, account="7777")
    with pytest.raises(BookUnknown):
        search(replace(full, code="NONE"))


# --- One entry --------------------------------------------------------------------------------------------


def test_an_entry_shows_what_became_of_it(full: Ledger) -> None:
    view = full.read(entry, full.loan, 3)

    assert (view.reversed_by, view.corrected_by, view.block_no) == (4, (5,), 1)
    assert sum(line.money.minor for line in view.lines if line.side is Side.DEBIT) == 10_500
    assert full.read(entry, full.loan, 6).block_no == 3
    assert full.read(entry, full.loans[2], 2).block_no is None


def test_an_entry_is_found_by_its_request(full: Ledger) -> None:
    found = full.read(entry_of_request, full.own, "capital")

    assert found is not None
    assert found.entry.entry_no == 1
    assert full.read(entry_of_request, full.loan, "capital") is None


def test_entries_after_a_number_are_those_that_came_later(full: Ledger) -> None:
    later = full.read(entries, full.loan, after=4)

    assert [view.entry.entry_no for view in later] == [5, 6]


def test_an_entry_that_is_not_there_is_named(full: Ledger) -> None:
    for subledger, number in ((full.loan, 99), (full.loan, 0), (999_999, 1)):
        with pytest.raises(EntryUnknown):
            full.read(entry, subledger, number)


def test_balances_of_many_subledgers_come_in_one_answer(full: Ledger) -> None:
    found = full.read(balances_of_many, [*full.loans])

    assert found == {loan: full.read(balances, loan) for loan in full.loans}
    with pytest.raises(SubledgerUnknown):
        full.read(balances_of_many, [full.loan, 999_999])


# --- Trial balance and statements -------------------------------------------------------------------------


def naive_trial(views: list[EntryView], as_of: date, by: By, known_at: int | None) -> dict[str, int]:
    """Add up every posting, one by one."""
    totals: Counter[str] = Counter()
    for view in views:
        day = view.entry.booking_date if by == "booking" else view.entry.draft.effective_date
        if day > as_of or (known_at is not None and (view.block_no is None or view.block_no > known_at)):
            continue
        for posting in view.entry.postings:
            suffix = "" if posting.money.currency == "USD" else f" {posting.money.currency}"
            totals[posting.debit + suffix] += posting.money.minor
            totals[posting.credit + suffix] -= posting.money.minor
    return dict(totals)


@pytest.mark.parametrize("by", ["booking", "effective"])
@pytest.mark.parametrize("known_at", [None, 0, 1, 2, 3, 99])
def test_the_trial_balance_of_any_day_as_known_at_any_block(
    full: Ledger, everything: list[EntryView], by: By, known_at: int | None
) -> None:
    for day in DAYS:
        assert full.trial(day, by=by, known_at=known_at) == naive_trial(everything, day, by, known_at), day


def test_a_report_says_what_it_reflects(full: Ledger) -> None:
    def report(as_of: date, known_at: int | None = None) -> tuple[int, bool, bool]:
        found = full.read(trial_balance, full.code, as_of=as_of, known_at=known_at)
        hashes = {block.block_no: block.block_hash for block in full.read(blocks)}
        return found.block_no, found.unsealed, found.block_hash == hashes.get(found.block_no)

    assert report(date(2026, 3, 2)) == (3, True, True)
    assert report(date(2026, 1, 31)) == (3, False, True)
    assert report(date(2026, 3, 2), known_at=2) == (2, False, True)
    assert report(date(2026, 3, 2), known_at=0) == (0, False, True)


def test_a_moment_is_known_by_the_block_before_it(full: Ledger) -> None:
    sealed = full.read(blocks)

    for block in sealed:
        before = block.sealed_at - timedelta(microseconds=1)
        assert full.read(known_block, block.sealed_at) == block.block_no
        assert full.read(known_block, before) == block.block_no - 1


def test_figures_of_a_closed_month_are_the_same_from_its_snapshot_and_from_scratch(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.advance(date(2026, 3, 2))
    book.post(book.loan, PAYMENT, booking_date=date(2026, 2, 10), approved_by="boss")
    open_books = {day: book.trial(day) for day in DAYS}

    book.close("2026-01")
    book.close("2026-02")
    closed_books = {day: book.trial(day) for day in DAYS}
    book.reopen("2026-02")

    assert closed_books == open_books == {day: book.trial(day) for day in DAYS}


def test_an_entry_effective_tomorrow_counts_from_tomorrow(book: Ledger) -> None:
    book.post(book.loan, FUNDING, effective_date=date(2026, 1, 16))
    for _ in range(2):
        assert book.trial(date(2026, 1, 15), by="effective") == {}
        assert book.trial(date(2026, 1, 16), by="effective") == {"1210": 100_000, "2030": -100_000}
        assert book.trial(date(2026, 1, 15)) == {"1210": 100_000, "2030": -100_000}
        book.seal()


def test_a_back_dated_entry_is_in_last_months_effective_books_as_known_now_and_not_as_known_then(
    book: Ledger,
) -> None:
    book.post(book.loan, FUNDING)
    book.advance(date(2026, 4, 20))
    for month in ("2026-01", "2026-02", "2026-03"):
        book.close(month)
    book.post(book.loan, PAYMENT, effective_date=date(2026, 3, 5))
    book.seal()
    end = date(2026, 3, 31)

    assert book.trial(end, by="effective")["1020"] == 10_000
    assert "1020" not in book.trial(end, by="effective", known_at=1)
    assert "1020" not in book.trial(end, by="booking")


def test_the_balance_sheet_and_the_income_statement_of_any_day_agree_with_the_trial_balance(full: Ledger) -> None:
    for day in DAYS:
        trial = full.trial(day)
        sheet = full.read(balance_sheet_at, full.code, as_of=day)
        last = max(day, OPENED_ON)
        income = full.read(income_statement_between, full.code, from_date=OPENED_ON, to_date=last)
        assert sheet.assets.total == sheet.liabilities_and_equity
        assert sheet.assets.total.minor == sum(v for k, v in trial.items() if k[0] == "1" and " " not in k)
        if day >= OPENED_ON:
            assert income.net_income == sheet.current_earnings


def test_the_income_of_two_ranges_is_the_income_of_both_together(full: Ledger) -> None:
    def earned(first: date, last: date) -> int:
        found = full.read(income_statement_between, full.code, from_date=first, to_date=last)
        return found.net_income.minor

    whole = earned(OPENED_ON, date(2026, 3, 31))
    for day in DAYS[2:-1]:
        assert earned(OPENED_ON, day) + earned(day + timedelta(days=1), date(2026, 3, 31)) == whole
    assert whole == 1_500
    with pytest.raises(DateRangeBackwards):
        earned(date(2026, 2, 2), date(2026, 2, 1))


@pytest.mark.parametrize("by", ["booking", "effective"])
@pytest.mark.parametrize("known_at", [None, 1, 2])
def test_every_total_drills_down_to_the_entries_behind_it(full: Ledger, by: By, known_at: int | None) -> None:
    for day in DAYS[1::3]:
        report = full.read(trial_balance, full.code, as_of=day, by=by, known_at=known_at)
        for row in report.balance.rows:
            until: dict[str, Any] = {"booked_to": day} if by == "booking" else {"effective_to": day}
            found = search(full, account=row.account.code, currency=row.currency, known_at=known_at, **until)
            postings = [posting for view in found.entries for posting in view.entry.postings]
            debits = [
                p.money.minor for p in postings if (p.debit, p.money.currency) == (row.account.code, row.currency)
            ]
            credits = [
                p.money.minor for p in postings if (p.credit, p.money.currency) == (row.account.code, row.currency)
            ]
            assert (row.debits.minor, row.credits.minor) == (sum(debits), sum(credits))


def test_a_report_for_a_book_that_is_not_there_is_refused(full: Ledger) -> None:
    with pytest.raises(BookUnknown):
        full.read(trial_balance, "NONE", as_of=OPENED_ON)


# --- Account statements -----------------------------------------------------------------------------------


def statement(book: Ledger, account: str, **given: Any) -> AccountStatement:
    return book.read(lambda connection: account_statement(connection, book.code, account, **given))


def test_a_statement_runs_from_opening_to_closing_line_by_line(full: Ledger) -> None:
    found = statement(full, "1210", subledger_id=full.loan)

    assert [(line.entry_no, line.debit.minor, line.credit.minor, line.balance.minor) for line in found.lines] == [
        (1, 100_000, 0, 100_000),
        (3, 0, 10_000, 90_000),
        (4, 10_000, 0, 100_000),
        (5, 0, 1, 99_999),
        (6, 0, 99_999, 0),
    ]
    assert (found.opening.minor, found.closing.minor) == (0, 0)
    assert (found.from_date, found.to_date) == (OPENED_ON, date(2026, 3, 2))


@pytest.mark.parametrize("account", ["1020", "1210", "1220", "2010", "2030", "3010", "4010"])
@pytest.mark.parametrize("subledger", [None, 0, 1, 2, 3])
def test_a_statement_of_any_days_continues_the_one_before(full: Ledger, account: str, subledger: int | None) -> None:
    subledgers = (*full.loans, full.own)
    subledger_id = None if subledger is None else subledgers[subledger]
    whole = statement(full, account, subledger_id=subledger_id, from_date=date(2025, 1, 1), to_date=date(2027, 1, 1))

    for day in DAYS[1:]:
        first = statement(full, account, subledger_id=subledger_id, from_date=date(2025, 1, 1), to_date=day)
        rest = statement(
            full, account, subledger_id=subledger_id, from_date=day + timedelta(days=1), to_date=date(2027, 1, 1)
        )
        assert (first.opening.minor, first.closing, rest.closing) == (0, rest.opening, whole.closing)
        assert first.lines + rest.lines == whole.lines
    for line, following in pairwise(whole.lines):
        change = following.debit - following.credit
        sign = 1 if whole.account.normal_side is Side.DEBIT else -1
        assert following.balance.minor - line.balance.minor == sign * change.minor
    if subledger_id is None:
        normal = 1 if whole.account.normal_side is Side.DEBIT else -1
        assert whole.closing.minor == normal * full.trial(date(2027, 1, 1)).get(account, 0)


def test_a_statement_is_in_one_currency(full: Ledger) -> None:
    euros = statement(full, "1020", currency="EUR")

    assert [(line.debit.minor, str(line.debit.currency)) for line in euros.lines] == [(900, "EUR")]
    assert all(line.debit.currency == "USD" for line in statement(full, "cash").lines)


def test_a_statement_names_what_it_does_not_know(full: Ledger) -> None:
    with pytest.raises(AccountUnknown):
        statement(full, "7777")
    with pytest.raises(SubledgerUnknown):
        statement(full, "1210", subledger_id=999_999)
    with pytest.raises(DateRangeBackwards):
        statement(full, "1210", from_date=date(2026, 2, 1), to_date=date(2026, 1, 31))


@pytest.mark.parametrize("subledger", [None, 0])
def test_a_statement_may_begin_before_everything(full: Ledger, subledger: int | None) -> None:
    subledger_id = None if subledger is None else full.loans[subledger]

    found = statement(full, "1210", from_date=date.min, to_date=date.max, subledger_id=subledger_id)

    assert found.opening.minor == 0
    assert found.lines


# --- The view for auditors --------------------------------------------------------------------------------


def test_the_lines_that_an_auditor_queries_are_those_of_the_entries(full: Ledger, everything: list[EntryView]) -> None:
    query = sa.text(
        "SELECT subledger_id, entry_no, account, debit, credit, currency FROM ledger.journal_line"
        " WHERE book_id = 1 ORDER BY booking_date, subledger_id, entry_no, line_no"
    )
    with full.database.engine("loanbook_reader").connect() as auditor:
        seen = [tuple(row) for row in auditor.execute(query)]

    drawn = [
        (
            view.entry.subledger_id,
            view.entry.entry_no,
            line.account,
            line.money.minor if line.side is Side.DEBIT else 0,
            line.money.minor if line.side is Side.CREDIT else 0,
            line.money.currency,
        )
        for view in everything
        for line in view.lines
    ]
    assert seen == drawn
    assert sum(row[3] for row in seen) == sum(row[4] for row in seen)
    assert AccountCode("1020") in {row[2] for row in seen}
