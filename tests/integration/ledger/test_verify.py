"""`verify` names what does not hold and where; each test breaks one thing, as somebody with every right would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from ledger.digests import BlockDigest, Finding
from ledger.verify import CHECKS, verify
from tests.support.database import ADMIN, READER, Database
from tests.support.sealed_ledger import (
    CASH,
    INCOME,
    INTEREST,
    PRINCIPAL,
    SealedLedger,
    build,
    draft,
    open_loans,
    post,
    seal_now,
)


@pytest.fixture(scope="module")
def ledger(module_database: Database) -> SealedLedger:
    """Build the ledger once; what the tests break is rolled back."""
    return build(module_database.engine())


@pytest.fixture
def damaged(module_database: Database, ledger: SealedLedger) -> Iterator[sa.Connection]:
    """Yield a connection on which no trigger fires, inside a transaction that is rolled back."""
    with module_database.engine(ADMIN).connect() as connection, connection.begin() as transaction:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        yield connection
        transaction.rollback()


def found_after(connection: sa.Connection, damage: str, **values: object) -> dict[str, Finding]:
    """Return the findings after a change, by `code: place`."""
    assert connection.execute(sa.text(damage), values).rowcount > 0
    return {f"{each.code}: {each.place}": each for each in verify(connection).findings}


def test_true_books_hold_and_are_counted(module_database: Database, ledger: SealedLedger) -> None:
    steps: list[tuple[int, int, str]] = []

    with module_database.engine(READER).connect() as connection:
        report = verify(
            connection,
            published=[each.digest for each in ledger.blocks],
            on_progress=lambda done, total, title: steps.append((done, total, title)),
        )

    assert report.holds, report.findings
    assert (report.blocks, report.members) == (3, sum(each.member_count for each in ledger.blocks))
    assert (report.entries, report.postings) == (
        sum(each.entry_count for each in ledger.blocks),
        sum(each.posting_count for each in ledger.blocks),
    )
    assert report.head == ledger.blocks[-1].digest
    assert [step[0] for step in steps] == list(range(len(CHECKS) + 1))
    assert steps[-1] == (len(CHECKS), len(CHECKS), "done")


def test_an_empty_ledger_holds(database: Database) -> None:
    with database.engine(READER).connect() as connection:
        report = verify(connection)

    assert (report.findings, report.blocks, report.head) == ((), 0, None)


def test_entries_that_are_not_sealed_yet_are_no_finding_but_are_checked(database: Database) -> None:
    made = build(database.engine())
    (loan,) = open_loans(made.engine, 1)
    post(made.engine, draft(loan, "late", (PRINCIPAL, CASH, 5), effective_date=date(2026, 2, 3)))

    with database.engine(ADMIN).connect() as connection:
        assert verify(connection).holds
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        found = found_after(connection, "DELETE FROM ledger.posting WHERE subledger_id = :loan", loan=loan)
        assert f"entry-incomplete: subledger {loan}, entry 1" in found
        assert f"balance-differs: subledger {loan}, account 3, USD" in found
        connection.rollback()


def test_an_amount_that_was_changed_is_found_in_its_run_its_totals_and_its_balance(
    damaged: sa.Connection, ledger: SealedLedger
) -> None:
    loan = ledger.loans[2]

    found = found_after(
        damaged, "UPDATE ledger.posting SET amount = 1 WHERE subledger_id = :loan AND entry_no = 1", loan=loan
    )

    assert f"entry-edited: subledger {loan}, entries 1 to 3" in found
    assert f"balance-differs: subledger {loan}, account 3, USD" in found
    assert {code.split(":")[0] for code in found} == {"entry-edited", "balance-differs", "total-differs"}


def test_a_missing_entry_and_its_postings_are_named(damaged: sa.Connection, ledger: SealedLedger) -> None:
    loan = ledger.loans[1]

    found = found_after(
        damaged, "DELETE FROM ledger.journal_entry WHERE subledger_id = :loan AND entry_no = 2", loan=loan
    )

    assert found[f"entry-missing: subledger {loan}, entry 2"].found == "missing"
    assert f"posting-at-odds: subledger {loan}, entry 2, posting 1" in found
    assert f"entry-edited: subledger {loan}, entries 1 to 3" in found
    assert f"entry-edited: subledger {loan}, entries 4 to 5" not in found


def test_the_first_of_missing_entries_and_the_last_are_named_as_a_range(
    damaged: sa.Connection, ledger: SealedLedger
) -> None:
    loan = ledger.loans[1]

    found = found_after(
        damaged, "UPDATE ledger.subledger SET last_entry_no = 2147483647 WHERE subledger_id = :loan", loan=loan
    )

    assert list(found) == [f"entry-missing: subledger {loan}, entries 7 to 2147483647"]


def test_a_balanced_pair_that_was_appended_is_found_even_if_the_header_counts_it(
    damaged: sa.Connection, ledger: SealedLedger
) -> None:
    loan = ledger.loans[0]
    damaged.execute(
        sa.text(
            "INSERT INTO ledger.posting SELECT subledger_id, 1, entry_no, credit_account, debit_account, booking_date,"
            " 2, 2, currency FROM ledger.posting WHERE subledger_id = :loan AND entry_no = 1"
        ),
        {"loan": loan},
    )
    damaged.execute(
        sa.text("UPDATE ledger.posting SET posting_count = 2 WHERE subledger_id = :loan AND entry_no = 1"),
        {"loan": loan},
    )

    found = found_after(
        damaged,
        "UPDATE ledger.journal_entry SET posting_count = 2 WHERE subledger_id = :loan AND entry_no = 1",
        loan=loan,
    )

    assert f"entry-edited: subledger {loan}, entries 1 to 3" in found
    assert not any(code.startswith("entry-incomplete") for code in found)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            "UPDATE ledger.seal_block SET sealed_at = sealed_at + interval '1 second' WHERE block_no = 2",
            "block-edited: block 2",
        ),
        ("DELETE FROM ledger.seal_block WHERE block_no = 2", "block-missing: block 2"),
        ("UPDATE ledger.seal_block SET previous_hash = sha256('') WHERE block_no = 3", "block-chain-broken: block 3"),
        ("DELETE FROM ledger.seal_member WHERE block_no = 3", "block-members-differ: block 3"),
        ("UPDATE ledger.seal_member SET digest = sha256('') WHERE block_no = 3", "block-root-differs: block 3"),
        ("UPDATE ledger.seal_total SET debit = debit + 1 WHERE block_no = 1", "block-totals-differ: block 1"),
        ("UPDATE ledger.seal_block SET posting_count = 1 WHERE block_no = 1", "block-postings-differ: block 1"),
        ("UPDATE ledger.seal_block SET chart_no = 1 WHERE block_no = 1", "block-chart-differs: block 1"),
        ("UPDATE ledger.account SET normal_side = 'credit' WHERE slug = 'cash'", "chart-edited: change 2, account 2"),
        (
            "UPDATE ledger.account_change SET name = 'Petty cash' WHERE change_no = 2",
            "chart-edited: change 2, account 2",
        ),
        ("DELETE FROM ledger.account_change WHERE change_no = 3", "chart-change-missing: change 4"),
        ("UPDATE ledger.account SET closed_from = NULL WHERE slug = 'fee_income'", "account-differs: account 7"),
        (
            "UPDATE ledger.activity SET credit = credit + 1 WHERE account_id = 2 AND booking_date = '2026-01-20'",
            "activity-differs: account 2",
        ),
        (
            "UPDATE ledger.period_balance SET credit = credit + 1 WHERE account_id = 6",
            "period-balance-differs: book 1, 2026-01",
        ),
        ("UPDATE ledger.period SET state = 'open' WHERE month = '2026-01-01'", "period-differs: book 1, 2026-01"),
        ("UPDATE ledger.subledger SET closed_through = '2025-12-31' WHERE subledger_id = 3", "gate-open: subledger 3"),
        (
            "UPDATE ledger.period_event SET block_no = 1 WHERE to_state = 'closed'",
            "entry-in-closed-period: book 1, 2026-01",
        ),
        ("UPDATE ledger.seal_mark SET sealed_no = sealed_no - 1 WHERE subledger_id = 3", "mark-differs: subledger 3"),
        ("DELETE FROM ledger.subledger WHERE subledger_id = 3", "subledger-missing: subledger 3"),
        ("UPDATE ledger.subledger SET book_id = 2 WHERE subledger_id = 3", "entry-of-other-book: subledger 3"),
        (
            "UPDATE ledger.account_balance SET may_go_contra = true WHERE subledger_id = 3",
            "balance-misplaced: subledger 3",
        ),
        (
            "UPDATE ledger.posting SET debit_account = 99 WHERE subledger_id = 3 AND entry_no = 1",
            "account-misused: account 99",
        ),
        (
            "UPDATE ledger.posting SET debit_account = 1 WHERE subledger_id = 3 AND entry_no = 1",
            "account-misused: account 1",
        ),
        (
            "UPDATE ledger.posting SET posting_count = 9 WHERE subledger_id = 3 AND entry_no = 1",
            "posting-at-odds: subledger 3, entry 1",
        ),
        (
            "UPDATE ledger.posting SET amount = 1 WHERE subledger_id = 2 AND entry_no = 6",
            "reversal-differs: subledger 2, entry 6",
        ),
        (
            "UPDATE ledger.journal_entry SET reverses_no = 6 WHERE subledger_id = 2 AND entry_no = 7",
            "reversal-differs: subledger 2, entry 7",
        ),
        (
            "UPDATE ledger.seal_member SET from_no = 3 WHERE subledger_id = 3 AND from_no = 4",
            "member-out-of-line: subledger 3",
        ),
    ],
)
def test_what_was_changed_is_called_by_its_name(damaged: sa.Connection, damage: str, expected: str) -> None:
    found = found_after(damaged, damage)

    assert any(name.startswith(expected) for name in found), sorted(found)


def test_a_request_key_that_came_twice_is_found_where_the_index_is_gone(damaged: sa.Connection) -> None:
    damaged.execute(sa.text("DROP INDEX ledger.journal_entry_request_key"))

    found = found_after(
        damaged, "UPDATE ledger.journal_entry SET request_key = 'fund' WHERE subledger_id = 3 AND entry_no = 2"
    )

    assert found["request-key-repeated: subledger 3"].found == "2 entries"


def test_findings_are_limited_and_say_so(damaged: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.verify.FINDINGS_PER_CHECK", 3)

    found = found_after(damaged, "UPDATE ledger.account_balance SET balance = balance + 1")

    assert "more-findings: balances" in found
    assert len(found) == 4


def test_the_first_published_block_that_differs_is_named_and_where_the_chain_ends(
    module_database: Database, ledger: SealedLedger
) -> None:
    other = bytes(32)
    published = [
        ledger.blocks[0].digest,
        BlockDigest(2, other),
        BlockDigest(3, other),
        BlockDigest(5, other),
        BlockDigest(4, other),
    ]

    with module_database.engine().connect() as connection:
        findings = verify(connection, published=published).findings

    assert [(each.code, each.place) for each in findings] == [
        ("forked-at-block", "block 2"),
        ("truncated-after-block", "block 3"),
    ]
    assert findings[0].expected == other.hex()
    assert findings[1].expected == "block 4 and what follows"


def test_books_hold_at_every_moment_while_others_post_and_seal(database: Database) -> None:
    made = build(database.engine())
    loans = open_loans(made.engine, 4)
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            pairs = ((PRINCIPAL, CASH, 3), (INTEREST, INCOME, 1))
            post(made.engine, *(draft(loan, str(number), *pairs, effective_date=date(2026, 2, 3)) for loan in loans))
            if number % 5 == 0:
                seal_now(made.engine)

    thread = threading.Thread(target=work)
    thread.start()
    with database.engine(READER).connect() as connection:
        for _ in range(25):
            report = verify(connection)
            assert report.holds, report.findings
            connection.rollback()
    stop.set()
    thread.join()
