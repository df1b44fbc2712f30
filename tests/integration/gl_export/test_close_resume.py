"""A close that is killed, at every boundary of every step and at random instants, ends as if it never was.

Each scenario runs on a copy of one lived-in database, so that its books can be held against those of a close
that nobody disturbed. Only the hashes of the seals differ: a seal holds the moment at which it was made.
"""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from gl_export.close import STEPS, CloseStatus, StepProgress, StepState
from gl_export.commands.batches import build_batch
from gl_export.commands.close import Progress, close_month
from gl_export.queries.batches import batches
from gl_export.queries.close import close_status
from gl_export.queries.tie_out import tie_out
from ledger.commands.books import advance_business_date
from ledger.dates import Month
from ledger.money import Money
from ledger.queries.trial_balance import trial_balance
from ledger.unit_of_work import UnitOfWork, run
from origination.application import LoanRequest
from origination.commands import originate
from servicing.commands.payments import take_payment
from servicing.drafts import LoanDraft
from servicing.portfolio import PaymentAction, make_portfolio, script_life
from tests.integration.gl_export.books import BOOK, OPENED, go_to, open_book
from tests.support.database import ADMIN, Database, url_of

pytestmark = pytest.mark.once

pytestmark = pytest.mark.once

MONTH = Month(2026, 10)
LOANS = 40
ROOT = Path(__file__).resolve().parents[3]
HASH = re.compile(rb"[0-9a-f]{64}")


@pytest.fixture(scope="module")
def lived(module_database: Database) -> Database:
    """Return a database in which loans were funded and paid up to some days before the end of the month."""
    engine = module_database.engine()
    open_book(engine)
    drafts = make_portfolio(7, LOANS, OPENED)
    ids: dict[int, int] = {}
    for scripted in script_life(7, drafts, OPENED, 1):
        if scripted.day > date(2026, 10, 27):
            break
        go_to(engine, scripted.day)
        boarded = [drafts[n] for n in scripted.boarded]
        ids.update(zip(scripted.boarded, _fund(engine, boarded), strict=True))
        for action in scripted.actions:
            if isinstance(action, PaymentAction):
                _pay(engine, ids[action.loan], action)
    module_database.close()
    return module_database


def _fund(engine: sa.Engine, drafts: list[LoanDraft]) -> list[int]:
    requests = [
        LoanRequest(external_id=draft.external_id, channel="file", applicant="P", terms=draft.terms) for draft in drafts
    ]
    funded = run(engine, lambda uow: originate(uow, BOOK, requests), actor="maker", approver="checker")
    return [each.loan_id for each in funded]


def _pay(engine: sa.Engine, loan_id: int, action: PaymentAction) -> None:
    def work(uow: UnitOfWork) -> None:
        take_payment(
            uow,
            loan_id,
            amount=action.amount,
            effective_date=action.effective_date,
            method=action.method,
            external_id=action.external_id,
            request_key=f"pay:{action.external_id}",
        )

    run(engine, work, actor="teller")


@contextmanager
def copy_of(original: Database, name: str) -> Iterator[Database]:
    """Yield a copy of a database that nobody is connected to, and drop it at the end."""
    copy = Database(name, url_of(original.admin_url, name))
    postgres = Database("postgres", url_of(original.admin_url, "postgres"))
    with postgres.connect(ADMIN, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {original.name} STRATEGY file_copy")
        try:
            yield copy
        finally:
            copy.close()
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def child(database: Database, folder: Path, mode: str = "never", step: str = "-") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.integration.gl_export.close_child"]
    return subprocess.Popen(
        [*command, database.app_url, str(folder), str(MONTH), mode, step], cwd=ROOT, stderr=subprocess.PIPE
    )


def ended(process: subprocess.Popen[bytes]) -> int:
    _, complaint = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL), complaint.decode()
    return process.returncode


def books(database: Database) -> dict[str, str]:
    """Return what the books say, seals aside."""
    with database.engine().connect() as connection:
        kept = [record.batch for record in batches(connection, BOOK)]
        balance = trial_balance(connection, BOOK, as_of=MONTH.last_day).balance
        entries = connection.scalar(sa.text("SELECT count(*) FROM ledger.journal_entry"))
        found = tie_out(connection, BOOK, as_of=MONTH.last_day, known_at=10**9)
        complete = close_status(connection, BOOK, MONTH).is_complete
    found.prove()
    return {
        "trial balance": balance.canonical_text(),
        "batches": "".join(batch.canonical_text() for batch in kept),
        "entries": str(entries),
        "complete": str(complete),
    }


def content_of(path: Path) -> bytes:
    """Return what is in a file; of a workbook, what it holds unpacked."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with ZipFile(path) as workbook:
        return b"".join(name.encode() + workbook.read(name) for name in workbook.namelist())


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a package with their hashes blanked; nothing may lie beside them."""
    package = folder / str(MONTH)
    paths = [path for path in package.rglob("*") if path.is_file()]
    found = {str(path.relative_to(package)): HASH.sub(b"#", content_of(path)) for path in paths}
    assert not [name for name in found if name.endswith(".part")]
    return found


@pytest.fixture(scope="module")
def undisturbed(lived: Database, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return books and files of a close that was left alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with copy_of(lived, f"{lived.name}_left_alone") as database:
        assert ended(child(database, folder)) == 0
        return books(database), files(folder)


@pytest.mark.parametrize("mode", ["after", "before"])
def test_killed_at_every_step_it_comes_to_the_same_books_and_files(
    lived: Database, undisturbed: tuple[dict[str, str], dict[str, bytes]], tmp_path: Path, mode: str
) -> None:
    with copy_of(lived, f"{lived.name}_{mode}") as database:
        for step in STEPS:
            assert ended(child(database, tmp_path, mode, step.name)) == -signal.SIGKILL
        assert ended(child(database, tmp_path)) == 0

        assert (books(database), files(tmp_path)) == undisturbed
        _check_what_was_listed(tmp_path)


def test_killed_at_random_instants_it_comes_to_the_same_books_and_files(
    lived: Database, undisturbed: tuple[dict[str, str], dict[str, bytes]], tmp_path: Path
) -> None:
    dice = random.Random(20261031)
    with copy_of(lived, f"{lived.name}_random") as database:
        for _ in range(8):
            process = child(database, tmp_path)
            time.sleep(dice.uniform(0.5, 1.5))
            process.kill()
            ended(process)
        assert ended(child(database, tmp_path)) == 0

        assert (books(database), files(tmp_path)) == undisturbed


def test_two_closers_at_once_come_to_the_same_books(
    lived: Database, undisturbed: tuple[dict[str, str], dict[str, bytes]], tmp_path: Path
) -> None:
    with copy_of(lived, f"{lived.name}_twins") as database:
        twins = [child(database, tmp_path) for _ in range(2)]
        for process in twins:
            process.communicate(timeout=120)
        assert ended(child(database, tmp_path)) == 0

        found = books(database)
    assert found == undisturbed[0]


def test_of_two_closers_the_slower_one_goes_on_from_what_the_other_left(
    lived: Database, undisturbed: tuple[dict[str, str], dict[str, bytes]], tmp_path: Path
) -> None:
    with copy_of(lived, f"{lived.name}_slower") as database:

        def close(actor: str, until: str | None = None, on_progress: Progress | None = None) -> CloseStatus:
            return close_month(
                database.engine(),
                BOOK,
                MONTH,
                actor=actor,
                approver="controller",
                out_dir=tmp_path,
                until=until,
                on_progress=on_progress,
            )

        def be_slower(progress: StepProgress) -> None:
            if progress.state is StepState.RUNNING and progress.whole == 0:
                close("quick", until=progress.step.name)

        status = close("slow", on_progress=be_slower)

        assert [left.actor for _, _, left in status.steps if left is not None] == ["quick"] * len(STEPS)
        assert files(tmp_path) == undisturbed[1]
        assert books(database) == undisturbed[0]
        close("slow")


def test_what_is_posted_while_the_month_closes_goes_into_the_next_one(lived: Database, tmp_path: Path) -> None:
    with copy_of(lived, f"{lived.name}_posting") as database:
        assert ended(child(database, tmp_path, "after", "roll_business_date")) == -signal.SIGKILL
        engine = database.engine()
        late = PaymentAction(
            loan=0,
            external_id="late",
            amount=Money(1_00, "USD"),
            effective_date=MONTH.last_day,
            method="ach",
        )
        _pay(engine, 2, late)
        run(engine, lambda uow: advance_business_date(uow, BOOK, date(2026, 11, 2)), actor="ops")
        assert ended(child(database, tmp_path)) == 0

        books(database)
        assert run(engine, lambda uow: build_batch(uow, BOOK), actor="ops") is None
        with engine.connect() as connection:
            days = {line.booking_date for record in batches(connection, BOOK) for line in record.batch.lines}
    assert date(2026, 11, 1) in days


def _check_what_was_listed(folder: Path) -> None:
    for sums in (folder / str(MONTH)).rglob("*SHA256SUMS"), (folder / str(MONTH)).rglob("*.sha256"):
        for path in sums:
            command = ["sha256sum", "--check", "--strict", "--quiet", path.name]
            checked = subprocess.run(command, cwd=path.parent, capture_output=True, check=False)
            assert checked.returncode == 0, checked.stdout
