"""Each sealed entry leaves in exactly one batch, and a batch is the same whenever it is drawn."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from gl_export.batch import BatchRecord
from gl_export.commands.batches import build_batch, load_mapping, record_delivery, write_batch
from gl_export.errors import BatchAltered, BatchUnknown, MappingIncomplete, MappingUnknown
from gl_export.formats import beancount
from gl_export.queries.balances import control_balances
from gl_export.queries.batches import EntryBehind, batch, batches, entries_behind, mapping, rebuild, undelivered
from ledger.commands.posting import reverse_entry
from ledger.unit_of_work import run
from tests.integration.gl_export.books import (
    BOOK,
    CHART,
    OPENED,
    fund,
    go_to,
    open_book,
    open_loans,
    pay,
    post,
    seal_all,
)
from tests.support.database import OWNER, Database


def build(engine: sa.Engine, code: str = BOOK) -> BatchRecord | None:
    return run(engine, lambda uow: build_batch(uow, code), actor="ops")


def sealed_and_built(engine: sa.Engine) -> BatchRecord:
    seal_all(engine)
    record = build(engine)
    assert record is not None
    return record


def test_a_batch_holds_what_was_sealed_since_the_one_before_it(engine: sa.Engine) -> None:
    first_loan, second_loan = open_loans(engine, 2)
    fund(engine, first_loan, 100_00)
    first = sealed_and_built(engine)
    fund(engine, second_loan, 50_00)
    seal_all(engine)
    pay(engine, first_loan, "p1", 10_00, unapplied=1)

    second = sealed_and_built(engine)

    assert [(first.batch.blocks.first, first.batch.blocks.last)] == [(1, 1)]
    assert [(second.batch.blocks.first, second.batch.blocks.last)] == [(2, 3)]
    drawn = {(line.account, str(line.side)): line.money.minor for line in second.batch.lines}
    assert drawn == {
        ("1120", "credit"): 50_00,
        ("1120", "debit"): 10_01,
        ("1210", "debit"): 50_00,
        ("1210", "credit"): 10_00,
        ("2010", "credit"): 1,
        ("2030", "debit"): 50_00,
        ("2030", "credit"): 50_00,
    }


def test_nothing_new_makes_no_batch(engine: sa.Engine) -> None:
    (loan,) = open_loans(engine, 1)
    assert build(engine) is None

    fund(engine, loan, 100_00)

    assert build(engine) is None, "what is not sealed stays"
    sealed_and_built(engine)
    assert build(engine) is None


def test_late_and_reversed_entries_leave_with_the_next_batch_on_their_own_days(engine: sa.Engine) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    paid = pay(engine, loan, "p1", 10_00)
    sealed_and_built(engine)
    go_to(engine, date(2026, 10, 5))
    run(
        engine,
        lambda uow: reverse_entry(uow, loan, paid.entry_no, request_key="p1:back"),
        actor="clerk",
    )
    parts = ("ACH_CLEARING", "LOAN_PRINCIPAL", 7)
    post(engine, loan, "late", parts, booking_date=date(2026, 10, 2), approved_by="boss")

    second = sealed_and_built(engine).batch

    assert [(str(journal.booking_date), len(journal.lines)) for journal in second.journals] == [
        ("2026-10-02", 2),
        ("2026-10-05", 2),
    ]


def test_blocks_of_another_book_alone_make_no_batch_and_are_passed_over_later(engine: sa.Engine) -> None:
    open_book(engine, "OTHER")
    (ours,), (theirs,) = open_loans(engine, 1), open_loans(engine, 1, "OTHER")
    fund(engine, theirs, 5_00, "OTHER")
    seal_all(engine)
    assert build(engine) is None

    fund(engine, ours, 7_00)
    record = sealed_and_built(engine)
    other = build(engine, "OTHER")

    assert (record.batch.blocks.first, record.batch.blocks.last) == (1, 2)
    assert other is not None
    assert {line.money.minor for line in other.batch.lines} == {5_00}


def test_builders_at_the_same_instant_come_out_as_one_batch(engine: sa.Engine) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    seal_all(engine)
    gate, built = threading.Barrier(4), []

    def work() -> None:
        gate.wait()
        built.append(build(engine))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(record is None for record in built) == [False, True, True, True]
    with engine.connect() as connection:
        assert len(batches(connection, BOOK)) == 1


def test_a_batch_is_rebuilt_from_the_seals_to_the_last_byte(engine: sa.Engine, tmp_path: Path) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    record = sealed_and_built(engine)
    pay(engine, loan, "p1", 10_00)
    seal_all(engine)

    with engine.connect() as connection:
        again = rebuild(connection, BOOK, 1)
        first = write_batch(connection, BOOK, 1, tmp_path / "first")
        second = write_batch(connection, BOOK, 1, tmp_path / "second")

    assert again == record.batch
    assert [(file.name, file.sha256) for file in first] == [(file.name, file.sha256) for file in second]
    for file in first:
        content = (tmp_path / "first" / file.name).read_bytes()
        assert content == (tmp_path / "second" / file.name).read_bytes()
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", f"{record.batch.batch_id}.sha256"],
        cwd=tmp_path / "first",
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0


def test_an_owner_who_changes_a_line_is_found_out(engine: sa.Engine, database: Database, tmp_path: Path) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    sealed_and_built(engine)
    with database.connect(OWNER, autocommit=True) as owner:
        owner.execute("ALTER TABLE gl_export.batch_line DISABLE TRIGGER batch_line_append_only")
        owner.execute("UPDATE gl_export.batch_line SET amount = amount + 1 WHERE booking_date = %s", [OPENED])

    with engine.connect() as connection:
        for attempt in (
            lambda: rebuild(connection, BOOK, 1),
            lambda: write_batch(connection, BOOK, 1, tmp_path),
        ):
            with pytest.raises(BatchAltered):
                attempt()

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE gl_export.batch SET actor = 'x'",
        "DELETE FROM gl_export.batch_line",
        "TRUNCATE gl_export.close_run CASCADE",
        "DELETE FROM gl_export.account_mapping",
        "UPDATE gl_export.batch_delivery SET target = 'x'",
        "DELETE FROM gl_export.close_step",
    ],
)
def test_what_was_exported_is_never_changed(engine: sa.Engine, database: Database, statement: str) -> None:
    with database.connect(OWNER, autocommit=True) as owner, pytest.raises(psycopg.Error) as refusal:
        owner.execute(statement)
    assert refusal.value.sqlstate == "LB021"

    with database.connect(autocommit=True) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)


@pytest.mark.parametrize(
    ("batch_no", "after", "first", "last"),
    [(2, 1, 3, 4), (2, 1, 1, 2), (2, 7, 8, 9), (2, None, 1, 5), (1, None, 1, 1), (3, 1, 2, 2), (2, 1, 2, 1)],
)
def test_the_database_refuses_a_batch_that_leaves_out_or_repeats_a_block(
    engine: sa.Engine, database: Database, batch_no: int, after: int | None, first: int, last: int
) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    sealed_and_built(engine)
    if batch_no == 3:
        pay(engine, loan, "p1", 1)
        sealed_and_built(engine)

    with database.connect(autocommit=True) as app, pytest.raises(psycopg.IntegrityError):
        app.execute(
            "INSERT INTO gl_export.batch SELECT book_id, %s, 'other', %s, %s, %s, last_block_hash,"
            " format_version, mapping_version, line_count, digest, actor"
            " FROM gl_export.batch WHERE batch_no = 1",
            [batch_no, after, first, last],
        )


def test_a_mapping_must_be_complete_and_its_newest_version_is_used(engine: sa.Engine) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    seal_all(engine)
    rows = ["account,gl_account,gl_name", "1210,10-1210,Loans"]
    run(engine, lambda uow: load_mapping(uow, BOOK, rows, file="map.csv"), actor="ops")

    with pytest.raises(MappingIncomplete) as refusal:
        build(engine)
    assert refusal.value.missing == ("1120", "2030")

    run(
        engine,
        lambda uow: load_mapping(uow, BOOK, [*rows, "1120,10-11,ACH", "2030,20-30,Payable"], file="map.csv"),
        actor="ops",
    )
    record = build(engine)
    assert record is not None
    assert record.batch.mapping_version == 2
    assert {line.gl_account.code for line in record.batch.lines} == {"10-1210", "10-11", "20-30"}
    with engine.connect() as connection:
        assert rebuild(connection, BOOK, 1) == record.batch
        with pytest.raises(MappingUnknown):
            mapping(connection, BOOK, 9)


def test_the_entries_behind_a_line_sum_to_it_page_by_page(engine: sa.Engine) -> None:
    loans = open_loans(engine, 5)
    for loan in loans:
        fund(engine, loan, 100_00 + loan)
        pay(engine, loan, "p", 3_00)
    record = sealed_and_built(engine)

    with engine.connect() as connection:
        for line in record.batch.lines:
            found: list[EntryBehind] = []
            after = (-1, 0)
            while page := entries_behind(connection, BOOK, 1, line.line_no, after=after, limit=2):
                found += page
                after = (page[-1].subledger_id, page[-1].entry_no)
            assert sum(entry.amount.minor for entry in found) == line.money.minor
            assert len({(entry.subledger_id, entry.entry_no) for entry in found}) == len(found)


def test_files_carry_control_totals_that_agree(engine: sa.Engine, tmp_path: Path) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    record = sealed_and_built(engine)

    with engine.connect() as connection:
        write_batch(connection, BOOK, 1, tmp_path)

    batch_id = record.batch.batch_id
    manifest = json.loads((tmp_path / f"{batch_id}.manifest.json").read_text())
    rows = list(csv.DictReader(io.StringIO((tmp_path / f"{batch_id}.csv").read_text())))
    (totals,) = manifest["control_totals"]
    assert totals["lines"] == len(rows)
    assert Decimal(totals["debits"]) == sum(Decimal(row["debit"] or 0) for row in rows) == Decimal("200.00")
    assert manifest["last_block_hash"] == record.last_block_hash.hex()


def test_all_batches_together_are_the_trial_balance_for_beancount(engine: sa.Engine, tmp_path: Path) -> None:
    loans = open_loans(engine, 3)
    for day, loan in enumerate(loans, start=2):
        fund(engine, loan, 1_000_01 * day)
        sealed_and_built(engine)
        go_to(engine, date(2026, 10, day))
        pay(engine, loan, "p", 33_33 * day, unapplied=day)
    sealed_and_built(engine)

    with engine.connect() as connection:
        kept = [record.batch for record in batches(connection, BOOK)]
        control = control_balances(connection, BOOK, as_of=date(2026, 10, 31), known_at=kept[-1].blocks.last)
    file = tmp_path / "all.beancount"
    file.write_bytes(beancount.render_all(kept, title="all"))
    judged = subprocess.run(
        [sys.executable, "-m", "beancount.scripts.check", "--no-cache", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (judged.returncode, judged.stderr) == (0, "")
    text = file.read_text()
    for (code, currency), money in control.items():
        assert any(f"{code}  {money.format()} {currency}" in line for line in text.splitlines() if " balance " in line)


def test_an_unknown_batch_is_refused_by_its_number(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(BatchUnknown):
        batch(connection, BOOK, 4)


def test_deliveries_are_numbered_and_kept(engine: sa.Engine, tmp_path: Path) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    sealed_and_built(engine)
    with engine.connect() as connection:
        files = write_batch(connection, BOOK, 1, tmp_path)

    numbers = [run(engine, lambda uow: record_delivery(uow, BOOK, 1, tmp_path, files), actor="ops") for _ in range(2)]

    assert numbers == [1, 2]


def test_the_identity_mapping_covers_the_whole_chart(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        identity = mapping(connection, BOOK)

    identity.require(*(account.code for account in CHART.accounts if not account.header))


def test_a_batch_waits_for_its_delivery_until_one_is_recorded(engine: sa.Engine, tmp_path: Path) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    sealed_and_built(engine)
    with engine.connect() as connection:
        waiting = undelivered(connection, BOOK)
        files = write_batch(connection, BOOK, 1, tmp_path)

    run(engine, lambda uow: record_delivery(uow, BOOK, 1, tmp_path, files), actor="ops")

    assert [record.batch.batch_no for record in waiting] == [1]
    with engine.connect() as connection:
        assert undelivered(connection, BOOK) == ()


def test_two_that_deliver_at_once_record_a_delivery_each(engine: sa.Engine, tmp_path: Path) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    sealed_and_built(engine)
    with ThreadPoolExecutor(4) as pool:
        work = partial(record_delivery, book_code=BOOK, batch_no=1, folder=tmp_path, files=())
        numbers = list(pool.map(lambda _: run(engine, work, actor="ops"), range(8)))

    assert sorted(numbers) == list(range(1, 9))


def test_the_database_takes_an_answer_only_to_a_delivery_and_one_acknowledgment(engine: sa.Engine) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    seal_all(engine)
    run(engine, lambda uow: build_batch(uow, BOOK), actor="ops")
    insert = sa.text(
        "INSERT INTO gl_export.batch_answer (book_id, batch_no, delivery_no, answer, reference, reason, actor)"
        " SELECT book_id, 1, :no, :answer, :reference, :reason, 'x' FROM gl_export.batch"
    )
    yes = {"answer": "acknowledged", "reference": "JE-1", "reason": None}
    no = {"answer": "rejected", "reference": None, "reason": "closed"}

    def write(delivery_no: int, answer: dict[str, str | None]) -> None:
        with engine.begin() as connection:
            connection.execute(insert, {"no": delivery_no, **answer})

    with pytest.raises(sa.exc.IntegrityError, match="batch_answer_delivery_fkey"):
        write(1, yes)
    for _ in range(3):
        run(engine, lambda uow: record_delivery(uow, BOOK, 1, Path("gl"), ()), actor="ops")
    with pytest.raises(sa.exc.IntegrityError, match="says_which_or_why"):
        write(1, {**yes, "reference": None})
    write(1, no)
    write(2, yes)
    with pytest.raises(sa.exc.IntegrityError, match="batch_acknowledged_once"):
        write(3, yes)
    with pytest.raises(sa.exc.IntegrityError, match="batch_answer_pkey"):
        write(1, no)
