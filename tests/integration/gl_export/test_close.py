"""The close of a month: step by step, once, with evidence, by two people."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from gl_export.close import CloseStatus, StepProgress, StepState, step_names
from gl_export.commands.close import close_month
from gl_export.errors import (
    CloseGateRefused,
    CloseNotStarted,
    CloseStepUnknown,
    EvidenceDiffers,
    TieOutBroken,
)
from gl_export.queries.batches import batches
from gl_export.queries.close import close_status
from ledger.commands.periods import reopen_period
from ledger.commands.subledgers import freeze_subledger
from ledger.dates import Month
from ledger.errors import ApprovalMissing, DomainError, PeriodIsClosed
from ledger.queries.trial_balance import trial_balance
from ledger.unit_of_work import run
from servicing.commands.boarding import board_and_fund_loans
from servicing.drafts import LoanDraft
from tests.integration.gl_export.books import BOOK, fund, go_to, open_loans, pay, post
from tests.support.database import OWNER, Database
from tests.unit.servicing.examples import TERMS

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)


def close(
    engine: sa.Engine,
    out: Path,
    month: Month = OCTOBER,
    *,
    until: str | None = None,
    progress: list[StepProgress] | None = None,
) -> CloseStatus:
    return close_month(
        engine,
        BOOK,
        month,
        actor="ops",
        approver="controller",
        out_dir=out,
        until=until,
        on_progress=None if progress is None else progress.append,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def lived(engine: sa.Engine) -> sa.Engine:
    """Return the engine of a book with a month of payments behind it."""
    loans = open_loans(engine, 3)
    for loan in loans:
        fund(engine, loan, 1_000_00)
    go_to(engine, date(2026, 10, 20))
    pay(engine, loans[0], "p1", 100_00, unapplied=3_00)
    return engine


def test_a_close_does_every_step_and_leaves_a_package_that_agrees(lived: sa.Engine, tmp_path: Path) -> None:
    status = close(lived, tmp_path)

    assert status.is_complete
    folder = tmp_path / "2026-10"
    package = json.loads((folder / "package.json").read_text())
    with lived.connect() as connection:
        ledger_says = trial_balance(connection, BOOK, as_of=OCTOBER.last_day).balance.digest().hex()
    assert package["trial_balance_digest"] == ledger_says
    assert package["batches"] == ["MAIN-000001-000001-v1"]
    for name, digest in package["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    rows = list(csv.DictReader((folder / "reconciliation.csv").read_text().splitlines()))
    assert {row["verdict"] for row in rows} == {"agreed"}
    assert {row["block_no"] for row in rows} == {str(package["block_no"])}


def test_beancount_accepts_the_general_ledger_of_the_package(lived: sa.Engine, tmp_path: Path) -> None:
    close(lived, tmp_path)
    file = tmp_path / "2026-10" / "general_ledger.beancount"

    command = [sys.executable, "-m", "beancount.scripts.check", "--no-cache", str(file)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    file.write_text(file.read_text().replace("100.00 USD", "100.01 USD", 1))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_the_month_is_closed_and_the_next_one_takes_the_work(lived: sa.Engine, tmp_path: Path) -> None:
    close(lived, tmp_path)

    assert pay(lived, 2, "p2", 1_00).booking_date == date(2026, 11, 1)
    parts = ("ACH_CLEARING", "LOAN_PRINCIPAL", 1_00)
    with pytest.raises(DomainError):
        post(lived, 2, "late", parts, booking_date=OCTOBER.last_day, approved_by="boss")


def test_a_second_run_does_nothing_again(lived: sa.Engine, tmp_path: Path) -> None:
    first = close(lived, tmp_path)
    before = contents(tmp_path / "2026-10")
    progress: list[StepProgress] = []

    second = close(lived, tmp_path, progress=progress)

    assert second == first
    assert progress == []
    assert contents(tmp_path / "2026-10") == before


def test_files_that_were_lost_come_out_as_they_were(lived: sa.Engine, tmp_path: Path) -> None:
    close(lived, tmp_path / "one")
    pay(lived, 2, "later", 1_00)

    close(lived, tmp_path / "two")

    assert contents(tmp_path / "one" / "2026-10") == contents(tmp_path / "two" / "2026-10")


def test_a_month_after_a_month_takes_only_what_is_new(lived: sa.Engine, tmp_path: Path) -> None:
    close(lived, tmp_path)
    pay(lived, 2, "p2", 50_00)

    close(lived, tmp_path, NOVEMBER)

    with lived.connect() as connection:
        kept = [record.batch for record in batches(connection, BOOK)]
    assert [(batch.blocks.first, batch.blocks.last) for batch in kept] == [(1, 1), (2, 2)]
    assert {line.money.minor for line in kept[1].lines} == {50_00}
    assert {line.booking_date for line in kept[1].lines} == {date(2026, 11, 1)}


def test_a_month_whose_month_before_is_open_is_refused_before_anything_is_done(
    lived: sa.Engine, tmp_path: Path
) -> None:
    with pytest.raises(CloseGateRefused) as refusal:
        close(lived, tmp_path, NOVEMBER)

    assert str(refusal.value) == "the close of 2026-11 stops at reach_month_end: 2026-10 is not closed yet"
    with lived.connect() as connection:
        assert close_status(connection, BOOK, NOVEMBER).steps[0][1] is StepState.NEXT


@pytest.mark.parametrize("approver", ["", "ops"])
def test_a_close_takes_two_people(lived: sa.Engine, tmp_path: Path, approver: str) -> None:
    with pytest.raises(ApprovalMissing):
        close_month(lived, BOOK, OCTOBER, actor="ops", approver=approver, out_dir=tmp_path)

    with lived.connect() as connection, pytest.raises(CloseNotStarted):
        close_status(connection, BOOK, OCTOBER)


def test_a_close_stops_where_it_is_told_to_and_goes_on_from_there(lived: sa.Engine, tmp_path: Path) -> None:
    progress: list[StepProgress] = []

    stopped = close(lived, tmp_path, until="tie_out")
    finished = close(lived, tmp_path, progress=progress)

    assert [state for _, state, _ in stopped.steps].index(StepState.NEXT) == step_names().index("soft_close")
    assert progress[0].step.name == "soft_close"
    assert [each.number for each in progress if each.state is StepState.DONE] == [8, 9, 10, 11, 12]
    assert finished.is_complete


def test_a_step_that_does_not_exist_is_refused_before_anything_is_done(lived: sa.Engine, tmp_path: Path) -> None:
    with pytest.raises(CloseStepUnknown):
        close(lived, tmp_path, until="coffee")


def test_an_approved_entry_between_batch_and_close_leaves_in_a_batch_of_its_own(
    lived: sa.Engine, tmp_path: Path
) -> None:
    close(lived, tmp_path, until="export")
    parts = ("ACH_CLEARING", "LOAN_PRINCIPAL", 7_00)
    post(lived, 2, "late", parts, booking_date=OCTOBER.last_day, approved_by="boss")

    status = close(lived, tmp_path)

    assert status.evidence_of("export")["batches"] == [1]
    assert status.evidence_of("export_rest")["batches"] == [2]
    rows = list(csv.DictReader((tmp_path / "2026-10" / "reconciliation.csv").read_text().splitlines()))
    assert {row["verdict"] for row in rows} == {"agreed"}


def test_books_that_do_not_tie_out_stop_the_close_until_they_do(
    lived: sa.Engine, database: Database, tmp_path: Path
) -> None:
    change = "UPDATE ledger.account_balance SET balance = balance {} 1 WHERE subledger_id = 2"
    with database.connect(OWNER, autocommit=True) as owner:
        owner.execute(change.format("+"))

    with pytest.raises(TieOutBroken):
        close(lived, tmp_path)

    with lived.connect() as connection:
        stopped = close_status(connection, BOOK, OCTOBER)
    assert next(step.name for step, state, _ in stopped.steps if state is StepState.NEXT) == "tie_out"
    with database.connect(OWNER, autocommit=True) as owner:
        owner.execute(change.format("-"))
    assert close(lived, tmp_path).is_complete


def test_a_reopened_month_is_closed_by_another_run_with_a_package_of_its_own(lived: sa.Engine, tmp_path: Path) -> None:
    close(lived, tmp_path)
    first = contents(tmp_path / "2026-10")
    reopen_period(lived, BOOK, OCTOBER, actor="ops", approver="controller", reason="fee missed")
    parts = ("ACH_CLEARING", "LOAN_PRINCIPAL", 7_00)
    post(lived, 2, "late", parts, booking_date=OCTOBER.last_day, approved_by="boss")

    status = close(lived, tmp_path)

    assert (status.run_no, status.is_complete) == (2, True)
    assert contents(tmp_path / "2026-10") == first
    second = json.loads((tmp_path / "2026-10-run2" / "package.json").read_text())
    assert second["run"] == 2
    assert second["trial_balance_digest"] != json.loads(first["package.json"])["trial_balance_digest"]


def test_files_that_would_come_out_otherwise_are_refused(lived: sa.Engine, database: Database, tmp_path: Path) -> None:
    close(lived, tmp_path)
    (tmp_path / "2026-10" / "trial_balance.csv").unlink()
    with database.connect(OWNER, autocommit=True) as owner:
        owner.execute("ALTER TABLE gl_export.close_step DISABLE TRIGGER close_step_append_only")
        owner.execute(
            "UPDATE gl_export.close_step SET evidence ="
            " jsonb_set(evidence, '{files,trial_balance.csv}', '\"00\"') WHERE step = 'write_package'"
        )

    with pytest.raises(EvidenceDiffers) as refusal:
        close(lived, tmp_path)

    assert refusal.value.file == "trial_balance.csv"
    # What would be another is not written, nor is anything beside it.
    assert not (tmp_path / "2026-10" / "trial_balance.csv").exists()


def test_a_book_in_which_nothing_happened_closes_with_an_empty_package(engine: sa.Engine, tmp_path: Path) -> None:
    status = close(engine, tmp_path)

    assert status.evidence_of("export")["batches"] == []
    assert (tmp_path / "2026-10" / "trial_balance.csv").read_text().count("\n") == 1


def test_a_closed_month_refuses_even_approved_entries(lived: sa.Engine, tmp_path: Path) -> None:
    close(lived, tmp_path)
    parts = ("ACH_CLEARING", "LOAN_PRINCIPAL", 1_00)

    with pytest.raises(PeriodIsClosed):
        post(lived, 2, "late", parts, booking_date=OCTOBER.last_day, approved_by="boss")


def test_a_loan_that_fails_its_day_stops_the_close_until_it_is_mended(lived: sa.Engine, tmp_path: Path) -> None:
    terms = replace(TERMS, funded_on=date(2026, 10, 15), first_due_on=date(2026, 11, 15))
    (loan_id,) = run(lived, lambda uow: board_and_fund_loans(uow, BOOK, [LoanDraft("L", terms)]), actor="ops")
    run(lived, lambda uow: freeze_subledger(uow, loan_id, frozen=True), actor="ops")

    with pytest.raises(CloseGateRefused) as refused:
        close(lived, tmp_path)
    run(lived, lambda uow: freeze_subledger(uow, loan_id, frozen=False), actor="ops")

    assert f"1 loans failed, loan {loan_id} first" in str(refused.value)
    assert close(lived, tmp_path).is_complete
    with lived.connect() as connection:
        booked = connection.execute(
            sa.text(
                "SELECT count(*), min(booking_date), max(booking_date), max(effective_date) FROM ledger.journal_entry"
                " WHERE subledger_id = :loan AND template = 'interest_accrued'"
            ),
            {"loan": loan_id},
        ).one()
    # The nights of 16 to 31 October, all of them in October's books.
    assert tuple(booked) == (16, OCTOBER.last_day, OCTOBER.last_day, OCTOBER.last_day)
