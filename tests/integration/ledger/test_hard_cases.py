"""The twenty-six cases that break naive ledgers, each under its number.

A case is tested here, by `test_case_<number>_...`, or stands in `CASES` with the tests elsewhere that hold it; some
are both. A test below resolves each of those by import, so that none can be renamed away, and counts the cases.
Next: `tests/property/ledger/test_ledger_machine.py`, which tries what nobody thought of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.chart import AccountCode, Side
from ledger.commands.accounts import rename_account
from ledger.commands.books import load_chart
from ledger.commands.posting import post_entry
from ledger.errors import (
    AccountOfOtherBook,
    AmountOutOfRange,
    EntryUnbalanced,
    FractionalMinorUnit,
    MoneyMalformed,
    PeriodIsClosed,
)
from ledger.fingerprint import fingerprint
from ledger.journal import EntryDraft, Line
from ledger.money import MAX_MINOR, Money, round_to_minor
from ledger.pairing import pair
from ledger.queries.trial_balance import income_statement_between, trial_balance
from ledger.seals import blocks, check_against_published
from ledger.self_check import self_check
from ledger.unit_of_work import UnitOfWork
from ledger.verify import verify
from tests.support.database import ADMIN, APP, OWNER, READER, Database, url_of
from tests.support.durable import DurableServer
from tests.support.ledger_setup import ACCRUAL, CHART, FUNDING, OWN_MONEY, PAYMENT, TODAY, Ledger, new_ledger
from tests.support.named_tests import resolved

LEDGER, GL = "tests/integration/ledger/", "tests/integration/gl_export/"
CONCURRENCY, INVARIANTS = f"{LEDGER}test_concurrency.py::", f"{LEDGER}test_invariants.py::"
PERIODS, POSTING = f"{LEDGER}test_periods.py::", f"{LEDGER}test_posting.py::"
PROPERTIES = "tests/property/ledger/"
PROOF = "tests/integration/cli/test_proof.py::"

CASES: dict[int, tuple[str, ...]] = {
    # An entry that commits late, while others are sealed and exported.
    1: (
        LEDGER
        + "test_concurrency.py::test_a_seal_waits_for_no_poster_and_an_entry_that_commits_late_is_in_the_next_block",
        CONCURRENCY + "test_sealers_and_posters_at_once_put_each_entry_in_one_block",
        "tests/property/gl_export/test_gl_batch_properties.py::test_every_sealed_entry_is_in_exactly_one_batch",
    ),
    # A close that races with posting, at every isolation level.
    4: (
        CONCURRENCY + "test_a_poster_that_waits_for_a_head_while_it_closes_is_refused",
        CONCURRENCY + "test_no_snapshot_from_before_a_close_gets_an_entry_in_after_it",
        CONCURRENCY + "test_a_close_waits_for_a_poster_and_counts_its_entry",
        INVARIANTS + "test_i5_posting_runs_at_read_committed_only",
    ),
    # The reversal of an entry whose month is closed.
    6: (
        LEDGER
        + "test_periods.py::test_an_entry_of_a_closed_month_is_reversed_in_an_open_one_and_the_closed_books_stay",
        LEDGER + "test_reversal.py::test_a_reversal_is_equal_opposite_and_linked_both_ways",
    ),
    # Two reversals of one entry at once.
    7: (
        CONCURRENCY + "test_of_two_reversals_at_once_one_is_booked",
        LEDGER + "test_reversal.py::test_an_entry_is_reversed_once",
        INVARIANTS + "test_i4_a_second_reversal_cannot_be_written_even_by_the_owner",
    ),
    # One key: fifty threads, another amount, a refused first attempt, a commit that nobody heard of, other spellings.
    8: (
        CONCURRENCY + "test_fifty_twins_of_a_request_book_one_entry_and_get_forty_nine_replays",
        POSTING + "test_the_same_key_with_another_input_is_refused_naming_the_field",
        LEDGER + "test_requests.py::test_a_refusal_is_kept_and_comes_back_with_its_figures",
        CONCURRENCY + "test_a_connection_lost_after_the_commit_is_answered_by_a_replay",
        LEDGER
        + "test_concurrency.py::test_a_connection_lost_before_the_commit_leaves_nothing_and_the_same_key_books_it",
        POSTING + "test_neither_the_order_of_keys_nor_trailing_zeros_make_another_request",
    ),
    # What is divided, and what accrues day by day; see below for both.
    11: (
        PROPERTIES + "test_money_properties.py::test_parts_sum_to_the_whole_and_each_is_within_one_unit_of_its_share",
        "tests/unit/ledger/test_money.py::test_hundred_in_three_gives_the_cent_left_over_to_the_first",
        "tests/property/servicing/test_replay_properties.py::test_interest_is_the_same_however_often_it_is_booked",
    ),
    # Lines appended to an entry, a header without lines, no amount, one account on both sides.
    12: (
        INVARIANTS + "test_i2_nothing_is_appended_to_an_entry_not_even_by_the_owner",
        INVARIANTS + "test_i2_nothing_is_appended_in_the_very_transaction_that_wrote_the_entry",
        INVARIANTS + "test_i1_a_posting_that_does_not_balance_cannot_be_written",
        INVARIANTS + "test_an_entry_that_is_not_whole_is_never_sealed",
        LEDGER + "test_verify.py::test_a_balanced_pair_that_was_appended_is_found_even_if_the_header_counts_it",
    ),
    # A tail that was cut off, entries and blocks alike.
    14: (
        LEDGER + "test_mutations.py::test_a_tail_that_was_cut_off_is_found_against_the_published_digests",
        "tests/unit/ledger/test_offline_verifier.py::test_a_bundle_that_ends_before_the_published_block_is_truncated",
    ),
    # A chain that its owner computed anew; and what may be said without a digest from outside.
    15: (
        LEDGER + "test_mutations.py::test_a_chain_that_was_written_anew_is_found_against_the_published_digests",
        "tests/unit/ledger/test_offline_verifier.py::test_without_a_digest_it_is_consistent_but_unanchored",
        PROOF + "test_digests_are_published_and_verified_against",
    ),
    # Equal bytes for different records; see below for the same in the database.
    16: (
        PROPERTIES + "test_canonical_properties.py::test_text_cannot_move_into_the_column_beside_it",
        "tests/unit/ledger/test_canonical.py::test_every_type_and_its_null_are_encoded_as_the_database_does",
        "tests/unit/ledger/test_merkle.py::test_an_inner_node_cannot_be_passed_off_as_a_leaf",
        LEDGER + "test_seals.py::test_leaves_of_random_entries_are_those_of_python",
        LEDGER + "test_seals.py::test_digests_do_not_depend_on_the_encoding_or_time_zone_of_the_client",
    ),
    # A form of what is sealed that changes: each leaf says in which form it is.
    17: (
        "tests/unit/ledger/test_canonical.py::test_entry_is_the_version_byte_the_header_and_the_postings_in_order_of_seq",
    ),
    # A total that was taken while a lower number was under way, or past a bulk path.
    19: (
        PERIODS + "test_a_month_is_not_called_closed_while_it_holds_entries_that_are_not_sealed",
        LEDGER + "test_queries.py::test_figures_of_a_closed_month_are_the_same_from_its_snapshot_and_from_scratch",
        CONCURRENCY + "test_a_trial_balance_counts_an_entry_once_while_it_is_being_sealed",
        LEDGER + "test_batches.py::test_a_batch_books_what_the_entries_one_by_one_would",
    ),
    # An export that is killed anywhere and run again, while corrections arrive.
    20: (
        GL + "test_close_resume.py::test_killed_at_every_step_it_comes_to_the_same_books_and_files",
        GL + "test_close_resume.py::test_killed_at_random_instants_it_comes_to_the_same_books_and_files",
        GL + "test_close_resume.py::test_what_is_posted_while_the_month_closes_goes_into_the_next_one",
        GL + "test_batches.py::test_a_batch_is_rebuilt_from_the_seals_to_the_last_byte",
        GL + "test_batches.py::test_late_and_reversed_entries_leave_with_the_next_batch_on_their_own_days",
        GL + "test_batches.py::test_deliveries_are_numbered_and_kept",
        GL + "test_batches.py::test_files_carry_control_totals_that_agree",
    ),
    # One account that everybody posts to; locks in opposite orders. See below for what is locked.
    21: (
        CONCURRENCY + "test_many_posters_on_one_cash_account_never_deadlock",
        CONCURRENCY + "test_two_that_lock_each_others_loans_are_both_done_in_the_end",
    ),
    # What is pending is resolved once: here, manual journals and what a loan has.
    22: (
        CONCURRENCY + "test_of_two_approvals_at_once_one_books_the_journal",
        LEDGER + "test_manual_journals.py::test_a_journal_is_decided_once",
        CONCURRENCY + "test_of_two_payments_at_once_that_together_overpay_one_is_refused",
    ),
    # A database that was restored from an older copy is not sealed on.
    23: (
        LEDGER + "test_seals.py::test_a_database_restored_from_an_older_copy_is_found_at_start_up",
        PROOF + "test_a_database_that_departs_from_what_was_published_is_damaged_and_not_sealed_on",
    ),
    # Dates of the business, never of a session's clock.
    24: (LEDGER + "test_books_and_accounts.py::test_the_time_zone_of_a_session_moves_no_date",),
    # A chart and a mapping that change; see below for the reports.
    25: (GL + "test_batches.py::test_a_mapping_must_be_complete_and_its_newest_version_is_used",),
    # Amounts at the limits of 64 bits.
    26: (
        "tests/unit/ledger/test_money.py::test_amounts_past_64_bits_are_refused_with_the_limit",
        "tests/unit/ledger/test_money.py::test_minor_units_are_an_int_and_nothing_else",
        LEDGER + "test_seals.py::test_totals_of_a_block_may_pass_64_bits",
        LEDGER + "test_batches.py::test_a_balance_past_64_bits_stops_the_batch",
    ),
}


def test_every_case_has_a_test_and_every_test_that_is_named_exists() -> None:
    own = {int(name.split("_")[2]) for name in globals() if re.match(r"test_case_[0-9]+_", name)}

    assert own | set(CASES) == set(range(1, 27))
    for references in CASES.values():
        assert references
        for reference in references:
            function = resolved(reference)
            marks = {mark.name for mark in getattr(function, "pytestmark", ())}
            assert not marks & {"skip", "skipif", "xfail"}, reference


@pytest.fixture
def april(book: Ledger) -> Ledger:
    """Return a book on 20 April whose first three months are closed, with one entry of January."""
    book.post(book.loan, FUNDING)
    book.advance(date(2026, 4, 20))
    for month in ("2026-01", "2026-02", "2026-03"):
        book.close(month)
    return book


def test_case_02_an_entry_of_5_march_recorded_on_20_april_is_in_march_as_known_now_and_not_as_known_then(
    april: Ledger,
) -> None:
    """2: Backdate an entry to 5 March, recorded 20 April, after the March snapshot."""
    end = date(2026, 3, 31)
    before = {by: april.trial(end, by=by, known_at=1) for by in ("booking", "effective")}

    april.post(april.loan, PAYMENT, effective_date=date(2026, 3, 5))

    for _ in range(2):
        assert april.trial(end, by="effective")["1020"] == 10_000
        assert {by: april.trial(end, by=by, known_at=1) for by in ("booking", "effective")} == before
        assert april.trial(end) == before["booking"]
        assert april.trial(date(2026, 4, 30))["1020"] == 10_000
        april.seal()
    assert april.trial(end, by="effective", known_at=2)["1020"] == 10_000


def test_case_03_an_entry_effective_tomorrow_is_left_out_today_and_counted_once_tomorrow(book: Ledger) -> None:
    """3: Forward-dated entry (effective tomorrow) recorded before today's snapshot."""
    today, tomorrow = date(2026, 1, 31), date(2026, 2, 1)
    book.advance(today)
    book.post(book.loan, FUNDING, effective_date=tomorrow)
    book.advance(tomorrow)
    expected = {"1210": 100_000, "2030": -100_000}

    for step in (book.seal, lambda: book.close("2026-01"), book.seal):
        step()
        assert book.trial(today, by="effective") == {}
        assert book.trial(tomorrow, by="effective") == expected
        assert book.trial(today) == book.trial(tomorrow) == expected


@pytest.mark.parametrize("template", ["test", "year_end_close", "period_close"])
def test_case_05_no_flag_of_the_caller_opens_a_closed_month(april: Ledger, template: str) -> None:
    """5: Caller sets metadata is_closing=true on an ordinary entry."""
    income = ("INTEREST_RECEIVABLE", "INTEREST_INCOME", 700)
    flags: dict[str, Any] = {"is_closing": True, "closing": "yes"}

    with pytest.raises(PeriodIsClosed):
        april.post(
            april.loan,
            income,
            template=template,
            details=flags,
            booking_date=date(2026, 3, 31),
            approved_by="boss",
        )
    april.post(april.loan, income, template=template, details=flags)

    year = (date(2026, 1, 1), date(2026, 12, 31))
    statement = april.read(income_statement_between, april.code, from_date=year[0], to_date=year[1])
    # An income statement leaves out what the year-end function recorded, not what calls itself a closing entry.
    assert statement.net_income.minor == 700


def test_case_09_an_entry_balances_in_each_currency_and_each_book_on_one_day(book: Ledger) -> None:
    """9: Entry: +100 USD, -100 EUR; or balanced overall but not per legal entity; or lines on two effective dates."""
    dollars = Line(AccountCode("1020"), Side.DEBIT, Money(100, "USD"))
    euros = Line(AccountCode("3010"), Side.CREDIT, Money(100, "EUR"))
    with pytest.raises(EntryUnbalanced):
        pair((dollars, euros))

    other = new_ledger(book.database, code="OTHER")
    with book.engine.connect() as connection:
        ids = dict(
            tuple(row)
            for row in connection.execute(
                sa.text(
                    "SELECT b.code, a.account_id FROM ledger.account a JOIN ledger.book b USING (book_id)"
                    " WHERE a.code = '1020'"
                )
            )
        )
    with book.database.connect(APP) as app, pytest.raises(psycopg.Error) as refused:
        app.execute(
            "SELECT ledger.post_entry(%s, 'k', '\\x00', 't', 1, '2026-01-15', NULL, 'a', NULL, %s::int[], %s::int[],"
            " '{100}', '{USD}', NULL, NULL, NULL, NULL, NULL, NULL)",
            (book.own, [ids[book.code]], [ids[other.code]]),
        )
    assert refused.value.sqlstate == AccountOfOtherBook.sqlstate

    # A posting has no day of its own but the booking date of its entry, so an entry has one of each.
    with book.database.connect(OWNER) as owner:
        columns = owner.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'ledger'"
            " AND table_name IN ('journal_entry', 'posting') AND column_name LIKE '%date' ORDER BY 1, 2"
        ).fetchall()
    assert columns == [
        ("journal_entry", "booking_date"),
        ("journal_entry", "effective_date"),
        ("posting", "booking_date"),
    ]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10.00", "USD", 1_000),
        ("10.005", "USD", None),
        ("10", "JPY", 10),
        ("10.5", "JPY", None),
        ("1.234", "KWD", 1_234),
        ("1.2345", "KWD", None),
    ],
)
def test_case_10_amounts_have_the_decimals_of_their_currency_and_are_never_rounded(
    text: str, currency: str, minor: int | None
) -> None:
    """10: Amounts of mixed precision: scales of 0, 2 and 3 enforced, 10.005 USD refused at the edge."""
    if minor is None:
        with pytest.raises(FractionalMinorUnit):
            Money.parse(text, currency)
    else:
        assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize("difference", [1, 5, -5])
def test_case_10_an_entry_that_is_off_by_five_cents_is_refused_with_both_totals(difference: int) -> None:
    """10: 0.05 imbalance: exact integer zero or rejection."""
    debit = Line(AccountCode("1020"), Side.DEBIT, Money(10_000 + difference, "USD"))
    credit = Line(AccountCode("3010"), Side.CREDIT, Money(10_000, "USD"))

    with pytest.raises(EntryUnbalanced) as refused:
        pair((debit, credit))

    assert refused.value.difference == difference


def test_case_11_parts_sum_to_the_whole_and_daily_accrual_to_the_rounded_year(book: Ledger) -> None:
    """11: Split 100.00 in three; allocate -0.01; weights with a zero; accrue 1/365 daily for a year."""
    for amount, weights in ((10_000, (1, 1, 1)), (-1, (1, 1, 1)), (10_000, (3, 0, 7)), (1, (0, 1, 1))):
        parts = Money(amount, "USD").allocate(weights)
        assert sum(part.minor for part in parts) == amount
        assert parts == Money(amount, "USD").allocate(weights)
        assert [part.minor for part, weight in zip(parts, weights, strict=True) if not weight] in ([], [0])

    rate, booked = Decimal("0.0725"), 0
    book.post(book.loan, ("LOAN_PRINCIPAL", "CASH", 1_234_567))
    for day in range(1, 366):
        change = round_to_minor(Decimal("12345.67") * rate * day / 365, "USD").minor - booked
        booked += change
        if change:
            book.post(book.loan, ("INTEREST_RECEIVABLE", "INTEREST_INCOME", change))
    assert book.balances(book.loan)["1220"] == 89_506  # 12,345.67 at 7.25 % for a year: 895.0611


REWRITES = (
    "UPDATE ledger.journal_entry SET effective_date = '2020-01-01'",
    "UPDATE ledger.journal_entry SET narration = 'x' WHERE narration IS NULL",
    "DELETE FROM ledger.posting",
    "TRUNCATE ledger.posting",
    "TRUNCATE ledger.journal_entry CASCADE",
    "TRUNCATE ledger.book CASCADE",
    "COPY ledger.posting FROM STDIN",
    "ALTER TABLE ledger.posting DISABLE TRIGGER ALL",
    "ALTER TABLE ledger.posting DETACH PARTITION ledger.posting_2026",
    "ALTER TABLE ledger.posting DROP COLUMN amount",
    "DROP TABLE ledger.posting",
    "SET session_replication_role = replica",
)


@pytest.mark.parametrize("role", [APP, READER])
@pytest.mark.parametrize("statement", REWRITES)
def test_case_13_neither_the_application_nor_the_auditor_may_rewrite_anything(
    book: Ledger, role: str, statement: str
) -> None:
    """13: UPDATE, DELETE, TRUNCATE, COPY, DISABLE TRIGGER, session_replication_role, by the roles of the program."""
    with book.database.connect(role) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(statement)

    assert refused.value.sqlstate == "42501"


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("ALTER TABLE ledger.posting DISABLE TRIGGER ALL", "trigger posting.posting_append_only"),
        ("DROP TRIGGER journal_entry_append_only ON ledger.journal_entry", "trigger journal_entry."),
        ("SET session_replication_role = replica", "setting session_replication_role"),
        ("GRANT DELETE ON ledger.posting TO loanbook_app", "grant on table posting to loanbook_app"),
    ],
)
def test_case_13_what_an_owner_switches_off_is_found_at_start_up_and_what_he_changed_by_the_proof(
    book: Ledger, statement: str, place: str
) -> None:
    """13: Owner: detected by startup self-check and offline verifier."""
    book.post(book.loan, FUNDING)
    book.seal()
    with book.database.engine(ADMIN).connect() as admin:
        admin.execute(sa.text(statement))
        assert any(finding.place.startswith(place) for finding in self_check(admin))
        admin.execute(sa.text("SET session_replication_role = replica"))
        admin.execute(sa.text("UPDATE ledger.journal_entry SET effective_date = '2020-01-01'"))
        assert verify(admin).findings
        admin.rollback()
    assert book.findings() == ()


LOOK_ALIKES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a word that moves to the next field": (
        {"source_ref": "A|B", "narration": "C"},
        {"source_ref": "A", "narration": "B|C"},
    ),
    "nothing and an empty text": ({"narration": None}, {"narration": ""}),
    "one and 01": ({"source_ref": "1"}, {"source_ref": "01"}),
    "composed and decomposed": ({"narration": "Zo\u00eb"}, {"narration": "Zoe\u0308"}),
    "a number and its text": ({"details": {"n": 1}}, {"details": {"n": "1"}}),
    "no details and empty ones": ({"details": None}, {"details": {}}),
    "a field that moves into another": ({"details": {"a": "b,c"}}, {"details": {"a": "b", "c": ""}}),
}


@pytest.mark.parametrize(("left", "right"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_case_16_entries_that_look_alike_have_two_fingerprints_and_two_leaves(
    book: Ledger, left: dict[str, Any], right: dict[str, Any]
) -> None:
    """16: Field shifting; NULL vs empty; 1 vs 01; Unicode NFC/NFD: equal hashes for different records."""
    first, second = (book.draft(book.loan, FUNDING, key="k", **fields) for fields in (left, right))
    assert fingerprint(first) != fingerprint(second)

    leaves = [leaf_of(book, draft) for draft in (first, second, first)]

    assert leaves[0] == leaves[2] != leaves[1]


def leaf_of(book: Ledger, draft: EntryDraft) -> bytes:
    """Return the bytes that the database would seal of an entry, recorded at one moment and under one fingerprint."""
    record = sa.text(
        "SELECT ledger.entry_record(jsonb_populate_record(e, jsonb_build_object('recorded_at',"
        " timestamptz '2026-01-15 12:00+00', 'fingerprint', '\\x00'::bytea)))"
        " FROM ledger.journal_entry e WHERE e.subledger_id = :loan AND e.entry_no = 1"
    )

    def work(uow: UnitOfWork) -> bytes:
        post_entry(uow, draft)
        found: bytes = uow.connection.scalar(record, {"loan": book.loan})
        return found

    return book.run(work, dry_run=True)


def test_case_17_what_was_sealed_still_holds_when_the_journal_has_a_column_more(book: Ledger) -> None:
    """17: Add a column to the journal: old rows stop verifying."""
    book.post(book.loan, FUNDING)
    book.seal()
    before = book.read(blocks)

    with book.database.connect(OWNER) as owner:
        owner.execute("ALTER TABLE ledger.journal_entry ADD branch text")
        owner.execute("ALTER TABLE ledger.posting ADD cost_center text")
    book.engine.dispose()

    assert (book.findings(), book.read(blocks)) == ((), before)
    book.post(book.loan, PAYMENT)
    assert book.seal() is not None
    assert book.findings() == ()


def test_case_18_a_thousand_rollbacks_and_a_crash_leave_no_gap_and_no_false_alarm(
    durable_server: DurableServer,
) -> None:
    """18: Sequence gaps from rollbacks; chain on id-1."""
    book = new_ledger(durable_server.database)
    draft = book.draft(book.loan, FUNDING)
    book.post(book.loan, FUNDING)
    with book.engine.connect() as connection:
        for _ in range(1_000):
            with connection.begin() as transaction:
                assert post_entry(UnitOfWork(connection, "teller"), draft).entry_no == 2
                transaction.rollback()
    book.seal()
    with book.engine.connect() as connection:
        assert post_entry(UnitOfWork(connection, "teller"), draft).entry_no == 2
        durable_server.kill()
        with pytest.raises(sa.exc.OperationalError):
            connection.commit()
    durable_server.restart()
    again = Ledger(durable_server.database, durable_server.database.engine(), book.code, book.roles, book.loans)

    numbers = [again.post(again.loan, ACCRUAL).entry_no for _ in range(3)]
    again.seal()

    assert numbers == [2, 3, 4]
    assert [block.block_no for block in again.read(blocks)] == [1, 2]
    assert again.findings() == ()


def test_case_21_a_poster_locks_its_own_head_and_no_row_that_others_post_to(book: Ledger) -> None:
    """21: Every entry hits the same GL cash account: no row lock on it at all, hence no MultiXact either."""
    others = "SELECT FROM ledger.{} WHERE {} FOR UPDATE NOWAIT"

    def while_posted(uow: UnitOfWork) -> None:
        post_entry(uow, book.draft(book.loan, FUNDING, PAYMENT))
        for table, where in (
            ("account", "true"),
            ("book", "true"),
            ("period", "true"),
            ("birth_gate", "true"),
            ("subledger", f"subledger_id <> {book.loan}"),
        ):
            with book.database.connect(OWNER) as owner:
                owner.execute(others.format(table, where))
        with book.database.connect(OWNER) as owner, pytest.raises(psycopg.errors.LockNotAvailable):
            owner.execute(others.format("subledger", f"subledger_id = {book.loan}"))

    book.run(while_posted)


def test_case_23_a_copy_that_was_sealed_on_is_told_from_the_original(book: Ledger) -> None:
    """23: Restore yesterday's backup: silent fork, new blocks with old numbers."""
    book.post(book.loan, FUNDING)
    book.seal()
    with restored(book) as copy:
        book.post(book.loan, PAYMENT)
        book.seal()
        published = [block.digest for block in book.read(blocks)]

        (truncated,) = copy.read(check_against_published, published)
        copy.post(copy.loan, ACCRUAL)
        copy.seal()
        (forked,) = copy.read(check_against_published, published)

        assert (truncated.code, truncated.place) == ("truncated-after-block", "block 1")
        assert (forked.code, forked.place) == ("forked-at-block", "block 2")
        assert copy.findings() == ()  # by itself it is consistent
        assert book.read(check_against_published, published) == ()


@contextmanager
def restored(book: Ledger) -> Iterator[Ledger]:
    """Yield the same book in a copy of its database, as a backup of this moment would restore it."""
    original = book.database
    copy = Database(f"{original.name}_copy", url_of(original.admin_url, f"{original.name}_copy"))
    server = Database("postgres", url_of(original.admin_url, "postgres"))
    original.close()  # a database is copied when nobody is connected to it
    with server.connect(ADMIN, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {copy.name} TEMPLATE {original.name}")
        try:
            yield Ledger(copy, copy.engine(), book.code, book.roles, book.loans)
        finally:
            copy.close()
            admin.execute(f"DROP DATABASE {copy.name} WITH (FORCE)")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_case_24_an_entry_lands_on_the_day_of_its_book_whatever_the_time_zone_of_the_session(
    book: Ledger, zone: str
) -> None:
    """24: Month-end cut at 23:59:59.999999 local, DST change, session TimeZone changed."""
    book.advance(date(2026, 1, 31))

    def work(uow: UnitOfWork) -> date:
        uow.connection.execute(sa.text(f"SET LOCAL TimeZone = '{zone}'"))
        return post_entry(uow, book.draft(book.loan, FUNDING, effective_date=date(2026, 3, 8))).booking_date

    assert book.run(work) == date(2026, 1, 31)
    (view,) = book.entries(book.loan)
    assert view.entry.draft.effective_date == date(2026, 3, 8)
    assert book.trial(date(2026, 1, 31))["1210"] == 100_000
    assert book.trial(date(2026, 1, 30)) == {}


def test_case_24_what_was_known_goes_by_seals_and_not_by_when_a_transaction_began(book: Ledger) -> None:
    """24: created_at = transaction start 10 minutes before commit: knowledge order = seal order."""
    first, second, _ = book.loans

    def slowly(uow: UnitOfWork) -> None:
        post_entry(uow, book.draft(first, FUNDING))
        book.post(second, FUNDING)
        assert book.seal() is not None

    book.run(slowly)
    book.seal()

    (early,), (late,) = book.entries(first), book.entries(second)
    assert early.entry.recorded_at < late.entry.recorded_at
    assert (early.block_no, late.block_no) == (2, 1)
    assert book.trial(TODAY, known_at=1)["1210"] == 100_000
    assert book.trial(TODAY, known_at=2)["1210"] == 200_000


def test_case_25_a_chart_that_changes_in_may_leaves_the_report_of_march_as_it_was(april: Ledger) -> None:
    """25: Chart re-mapped in May; re-run the March report."""
    end = date(2026, 3, 31)

    def report() -> tuple[bytes, list[str]]:
        found = april.read(trial_balance, april.code, as_of=end, known_at=1)
        return found.balance.digest(), [row.account.name for row in found.balance.rows]

    before = report()
    assert before[0] == april.read(trial_balance, april.code, as_of=end).balance.digest()
    april.advance(date(2026, 5, 4))
    moved = {**CHART.roles["default"], "LOAN_PRINCIPAL": AccountCode("1240")}
    remapped = type(CHART)(CHART.name, CHART.accounts, {**CHART.roles, "default": moved})
    april.run(lambda uow: load_chart(uow, april.code, remapped))
    april.run(lambda uow: rename_account(uow, april.code, "1210", "Loans, renamed", effective_from=date(2026, 5, 4)))

    assert report() == before
    assert (
        april.read(trial_balance, april.code, as_of=date(2026, 5, 4)).balance.rows[0].account.name == "Loans, renamed"
    )


@pytest.mark.parametrize("bad", [2**63, -(2**63) - 1, 10**30])
def test_case_26_an_amount_past_64_bits_is_refused_at_the_edge(bad: int) -> None:
    """26: Python int above 64-bit."""
    with pytest.raises(AmountOutOfRange):
        Money(bad, "USD")


@pytest.mark.parametrize("bad", [0.1 + 0.2, float("nan"), Decimal("1"), True, "1"])
def test_case_26_minor_units_that_are_no_int_are_refused_by_type(bad: Any) -> None:
    """26: float 0.1 + 0.2; floats refused by type."""
    with pytest.raises(TypeError):
        Money(bad, "USD")


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-inf", "1e5", "1E+999999999", "0x10", "1_000", ""])
def test_case_26_texts_that_only_a_decimal_would_take_are_refused(bad: str) -> None:
    """26: NaN/Infinity/Decimal exponent from JSON."""
    with pytest.raises(MoneyMalformed):
        Money.parse(bad, "USD")


def test_case_26_ten_rows_at_the_limit_are_sealed_and_proved(book: Ledger) -> None:
    """26: Sum of 10 rows at the limit: sums never overflow."""
    for _ in range(10):
        book.post(book.own, ("CASH", "CONTRIBUTED_CAPITAL", MAX_MINOR))

    block = book.seal()

    assert block is not None and block.entry_count == 10
    assert book.findings() == ()


def test_case_26_books_with_an_entry_at_the_limit_are_read_and_closed_all_the_same(book: Ledger) -> None:
    """26: Amount at bigint limits: a bounded domain, in which sums never overflow."""
    book.post(book.own, ("CASH", "CONTRIBUTED_CAPITAL", MAX_MINOR))
    book.reverse(book.own, 1)
    book.post(book.own, OWN_MONEY)
    book.advance(date(2026, 2, 3))

    assert book.trial(TODAY) == {"1020": 1_000, "3010": -1_000}
    book.close("2026-01")
