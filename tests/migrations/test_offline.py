"""The migrations as a script: it makes the same schema as the online way, and holds nothing that locks for long.

`squawk` reads the script of every migration since the first release. What it objects to is declared below, each with
why it does no harm; an objection that is not declared fails, and so does a declaration without one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from migrations.runner import migrate, offline_sql
from tests.migrations.conftest import Catalogue, revisions
from tests.support.database import ADMIN, Database
from tests.support.servers import chosen_bindir

REVISIONS = revisions()
FIRST_RELEASE = "0004"
SINCE = REVISIONS[REVISIONS.index(FIRST_RELEASE) + 1 :]
SQUAWK = Path(sys.executable).parent / "squawk"

OBJECTIONS: dict[str, dict[str, str]] = {
    "0005": {"ban-drop-function": "three helpers that only the functions replaced by the same migration called"},
    "0006": {"ban-drop-not-null": "nobody who reads the column takes it for granted since the same version"},
    "0010": {
        "prefer-bigint-over-smallint": "a loan's terms and the ways to fold them have few versions",
        "prefer-bigint-over-int": "accounts are numbered by integers",
    },
    "0007": {"ban-drop-constraint": "a wider one takes its place in the same migration"},
    "0014": {"ban-drop-constraint": "a wider one takes its place in the same migration"},
    "0020": {"prefer-bigint-over-int": "books are numbered by integers"},
    "0027": {"prefer-bigint-over-int": "books are numbered by integers"},
    "0029": {"prefer-bigint-over-int": "batches and their deliveries are numbered by integers"},
    "0028": {
        "prefer-bigint-over-int": "books are numbered by integers, and nothing is matched as often as that",
        "prefer-bigint-over-smallint": "a score is out of a hundred",
    },
    "0024": {"prefer-bigint-over-int": "books and gates are numbered by integers, and so are statuses of HTTP"},
    "0023": {
        "prefer-bigint-over-smallint": "an application has few decisions",
        "prefer-bigint-over-int": "a share is at most ten thousand hundredths of a percent",
    },
    "0017": {
        "ban-drop-function": "the same one takes its place, with parameters for memoranda",
        "prefer-bigint-over-int": "books are numbered by integers",
    },
    "0025": {"prefer-bigint-over-int": "books are numbered by integers"},
    "0026": {
        "ban-drop-constraint": "a wider one takes its place in the same migration",
        "require-concurrent-index-creation": "the index holds one row for each loan, and its table few for each",
    },
}
"""By revision, the rules of squawk that it breaks, and why it may."""


def by_psycopg(database: Database, script: Path) -> None:
    with database.connect(ADMIN, autocommit=True) as admin:
        admin.execute(script.read_text(encoding="utf-8"))


def by_psql(database: Database, script: Path) -> None:
    bindir = chosen_bindir()
    beside = bindir / "psql" if bindir else Path("psql")
    program = str(beside) if beside.exists() else shutil.which("psql")
    if program is None:
        pytest.skip("no psql is installed")
    command = [program, "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(script)]
    subprocess.run([*command, "--dbname", database.libpq_url_for(ADMIN)], check=True, capture_output=True)


@pytest.mark.parametrize("apply", [by_psycopg, by_psql])
@pytest.mark.parametrize("start", [None, FIRST_RELEASE], ids=["from nothing", "from the first release"])
def test_the_script_makes_the_schema_that_a_run_makes(
    new_database: Callable[[], Database],
    catalogue: Callable[[Database], Catalogue],
    tmp_path: Path,
    apply: Callable[[Database, Path], None],
    start: str | None,
) -> None:
    online, offline = new_database(), new_database()
    migrate(online.admin_url)
    if start:
        migrate(offline.admin_url, start)
    script = tmp_path / "upgrade.sql"
    script.write_text(offline_sql(f"{start}:head" if start else "head"), encoding="utf-8")

    apply(offline, script)

    assert catalogue(offline) == catalogue(online)


def test_the_script_is_one_transaction_under_the_lock_and_the_limits() -> None:
    statements = [line for line in offline_sql().splitlines() if line]

    assert (statements[0], statements[-1]) == ("BEGIN;", "COMMIT;")
    assert "SET LOCAL lock_timeout = '10s';" in statements
    assert statements.count("BEGIN;") == statements.count("COMMIT;") == 1


@pytest.mark.parametrize("revision", SINCE)
def test_a_migration_locks_no_large_table_for_long(revision: str, tmp_path: Path) -> None:
    before = REVISIONS[REVISIONS.index(revision) - 1]
    script = tmp_path / f"{revision}.sql"
    script.write_text(offline_sql(f"{before}:{revision}"), encoding="utf-8")

    assert set(objections(script)) == set(OBJECTIONS.get(revision, {}))


def test_squawk_would_object_to_a_lock_on_a_large_table(tmp_path: Path) -> None:
    script = tmp_path / "bad.sql"
    script.write_text("SET lock_timeout = '1s'; CREATE INDEX by_amount ON ledger.posting (amount);")

    assert "require-concurrent-index-creation" in objections(script)


def objections(script: Path) -> list[str]:
    """Return the rules that a script breaks."""
    command = [str(SQUAWK), "--pg-version", "15", "--reporter", "json", str(script)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return [str(each["rule_name"]) for each in found]
