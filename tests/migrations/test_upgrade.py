"""Bringing a database forward: from nothing, again, two at once, beside people at work, and never backward."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from ledger.db import sqlstate
from ledger.self_check import expected_manifest, read_manifest, self_check
from migrations import runner, versions
from migrations.runner import MIGRATION_LOCK, config, make_roles, migrate
from tests.migrations.conftest import Catalogue, revisions
from tests.support.database import ADMIN, APP, Database

REVISIONS = revisions()
LOCK_NOT_AVAILABLE = "55P03"

AT_WORK = {
    "0001": "CREATE SCHEMA ledger",
    "0002": "CREATE SCHEMA servicing",
    "0003": "CREATE SCHEMA origination",
    "0004": "CREATE SCHEMA gl_export",
    "0005": "LOCK TABLE ledger.subledger IN ROW EXCLUSIVE MODE",  # as everybody does who posts
    "0006": "LOCK TABLE servicing.allocation_version IN ROW EXCLUSIVE MODE",
    "0007": "LOCK TABLE servicing.event IN ROW EXCLUSIVE MODE",
    "0008": "LOCK TABLE servicing.product_version IN ROW EXCLUSIVE MODE",
    "0009": "LOCK TABLE servicing.loan IN ROW EXCLUSIVE MODE",
    "0010": "LOCK TABLE servicing.loan IN SHARE UPDATE EXCLUSIVE MODE",  # as a vacuum does
    "0012": "CREATE TABLE servicing.index_value (name text)",
    "0013": "LOCK TABLE servicing.loan IN ROW EXCLUSIVE MODE",
    "0014": "LOCK TABLE servicing.event IN ROW EXCLUSIVE MODE",
    "0020": "LOCK TABLE servicing.loan IN ROW EXCLUSIVE MODE",
    "0021": "LOCK TABLE servicing.loan IN ROW EXCLUSIVE MODE",
    "0016": "LOCK TABLE servicing.loan IN ROW EXCLUSIVE MODE",
    "0023": "LOCK TABLE origination.application IN ROW EXCLUSIVE MODE",
    "0017": "CREATE TABLE servicing.loss_rates (book_id integer)",
    "0024": "LOCK TABLE origination.application IN ROW EXCLUSIVE MODE",
    "0025": "LOCK TABLE origination.application IN ROW EXCLUSIVE MODE",
    "0026": "LOCK TABLE servicing.event IN ROW EXCLUSIVE MODE",
    "0027": "CREATE TABLE gl_export.gl_statement (place int)",
    "0028": "CREATE TABLE gl_export.bank_statement (place int)",
    "0029": "CREATE TABLE gl_export.batch_answer (place int)",
}
"""What somebody else is doing, in a transaction that is still open, that a migration must wait for."""

AT_THE_END = "LOCK TABLE public.alembic_version IN SHARE MODE"
"""Read the version, and keep others from writing it: what a migration waits for after all its work is done."""

CASES = [*AT_WORK.items(), *((revision, AT_THE_END) for revision in REVISIONS[1:])]

RUN = "import sys; from migrations.runner import migrate; migrate(sys.argv[1])"


def test_an_empty_database_gets_the_schema_that_this_version_was_delivered_with(empty: Database) -> None:
    migrate(empty.admin_url)

    with empty.engine(APP).connect() as connection:
        assert read_manifest(connection) == expected_manifest()
        assert self_check(connection) == ()
    assert _versions(empty) == [REVISIONS[-1]]


def test_it_comes_to_the_same_in_one_run_or_in_steps(
    new_database: Callable[[], Database], catalogue: Callable[[Database], Catalogue]
) -> None:
    at_once, in_steps = new_database(), new_database()

    migrate(at_once.admin_url)
    for revision in REVISIONS:
        migrate(in_steps.admin_url, revision)

    assert catalogue(in_steps) == catalogue(at_once)


def test_running_again_changes_nothing_and_waits_for_nobody(
    empty: Database, catalogue: Callable[[Database], Catalogue]
) -> None:
    migrate(empty.admin_url)
    before, written = catalogue(empty), _transactions_of(empty)

    with empty.connect(ADMIN) as busy:
        for table in ("ledger.posting", "ledger.subledger", "servicing.loan"):
            busy.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        migrate(empty.admin_url)
        elapsed = time.monotonic() - started

    assert elapsed < 5
    assert catalogue(empty) == before
    assert _transactions_of(empty) == written


def test_of_two_runners_one_waits_for_the_other_and_both_succeed(
    new_database: Callable[[], Database], catalogue: Callable[[Database], Catalogue]
) -> None:
    database, alone = new_database(), new_database()
    with database.connect(ADMIN) as gate:
        gate.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        runners = [_start(database), _start(database)]
        try:
            _wait_until_advisory_waiters(database, 2)
            # Neither has begun.
            assert gate.execute("SELECT to_regnamespace('ledger')").fetchone() == (None,)
            gate.rollback()
            ends = [(each.wait(timeout=60), each.stderr.read() if each.stderr else "") for each in runners]
        finally:
            for each in runners:
                each.kill()
                each.communicate()
    migrate(alone.admin_url)

    assert [code for code, _ in ends] == [0, 0], ends
    assert _versions(database) == [REVISIONS[-1]]
    assert catalogue(database) == catalogue(alone)


def test_two_databases_of_one_cluster_can_be_migrated_for_the_first_time_at_once(
    new_database: Callable[[], Database],
) -> None:
    one, other = new_database(), new_database()
    role = f"{one.name}_role"
    ended: list[str] = []
    with one.connect(ADMIN) as first, other.connect(ADMIN) as second:
        first.execute(make_roles([role]))

        def make_it_too() -> None:
            second.execute(make_roles([role]))
            ended.append(role)

        late = threading.Thread(target=make_it_too)
        late.start()
        late.join(0.3)
        assert late.is_alive()  # it waits for the role that is being made
        first.commit()
        late.join(30)
        assert ended == [role]
        second.rollback()
        second.execute(f"DROP ROLE {role}")
        second.commit()


@pytest.mark.once
@pytest.mark.parametrize(("revision", "work"), CASES, ids=[f"{r} {w.split(' IN ')[0].lower()}" for r, w in CASES])
def test_a_migration_gives_up_on_a_lock_leaves_nothing_and_succeeds_later(
    empty: Database,
    catalogue: Callable[[Database], Catalogue],
    monkeypatch: pytest.MonkeyPatch,
    revision: str,
    work: str,
) -> None:
    place = REVISIONS.index(revision)
    if place:
        migrate(empty.admin_url, REVISIONS[place - 1])
    before = catalogue(empty)

    with _patience(monkeypatch, "200ms"), empty.connect(ADMIN) as busy:
        busy.execute(work)
        started = time.monotonic()
        with pytest.raises(sa.exc.OperationalError, match="canceling statement due to lock timeout") as refused:
            migrate(empty.admin_url, revision)
        elapsed = time.monotonic() - started
        busy.rollback()

    assert sqlstate(refused.value) == LOCK_NOT_AVAILABLE
    assert elapsed < 10
    assert catalogue(empty) == before
    migrate(empty.admin_url, revision)
    assert _versions(empty) == [revision]


def test_a_migration_waits_for_a_lock_ten_seconds_at_most() -> None:
    assert f"SET LOCAL lock_timeout = '{runner.LOCK_TIMEOUT}'" in runner.BEFORE_EVERY_RUN
    assert runner.LOCK_TIMEOUT == "10s"


@pytest.mark.parametrize("target", ["-1", "base", REVISIONS[0]])
def test_there_is_no_way_back(empty: Database, catalogue: Callable[[Database], Catalogue], target: str) -> None:
    migrate(empty.admin_url)
    before = catalogue(empty)

    with pytest.raises(AttributeError, match="downgrade"):
        command.downgrade(config(empty.admin_url), target)

    assert catalogue(empty) == before


def test_no_migration_says_how_to_go_back() -> None:
    files = Path(versions.__file__).parent.glob("[0-9]*.py")
    modules = [import_module(f"migrations.versions.{each.stem}") for each in files]

    assert len(modules) == len(REVISIONS)
    assert [each.__name__ for each in modules if hasattr(each, "downgrade")] == []


def _start(database: Database) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", RUN, database.admin_url], stderr=subprocess.PIPE, text=True)


def _wait_until_advisory_waiters(database: Database, count: int) -> None:
    statement = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    deadline = time.monotonic() + 60
    with database.connect(ADMIN, autocommit=True) as watch:
        while watch.execute(statement).fetchone() != (count,):
            assert time.monotonic() < deadline, "the runners never came to wait"
            time.sleep(0.02)


@contextmanager
def _patience(monkeypatch: pytest.MonkeyPatch, limit: str) -> Iterator[None]:
    """Run migrations with a shorter limit on waiting than they are delivered with."""
    statements = [each.replace(runner.LOCK_TIMEOUT, limit) for each in runner.BEFORE_EVERY_RUN]
    with monkeypatch.context() as patch:
        patch.setattr(runner, "BEFORE_EVERY_RUN", statements)
        yield


def _versions(database: Database) -> list[str]:
    with database.connect(ADMIN) as admin:
        return [version for (version,) in admin.execute("SELECT version_num FROM public.alembic_version")]


def _transactions_of(database: Database) -> list[tuple[object, ...]]:
    """Return which transaction wrote each row of the catalogue, in all that migrations make."""
    statement = (
        "SELECT relname::text, xmin::text FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace"
        " WHERE nspname IN ('ledger', 'servicing', 'origination', 'gl_export', 'api')) UNION ALL"
        " SELECT proname::text, xmin::text FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace UNION ALL"
        " SELECT tgname::text, xmin::text FROM pg_trigger UNION ALL"
        " SELECT version_num::text, xmin::text FROM public.alembic_version ORDER BY 1, 2"
    )
    with database.connect(ADMIN) as admin:
        return list(admin.execute(statement))
