"""An export that is killed between building a batch and delivering it: the next one delivers it, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook, environment, post
from tests.support.database import Database

ROOT = Path(__file__).resolve().parents[3]


def killed_export(database: Database, where: str, folder: Path) -> None:
    """Export in a process that kills itself."""
    variables = {name: value for name, value in environment(database).items() if value is not None}
    command = [sys.executable, "-m", "tests.integration.cli.export_child", where, "export", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


@pytest.mark.parametrize("where", ["built", "half", "written"])
def test_a_batch_that_was_built_and_not_delivered_is_delivered_by_the_next_export(
    book: Loanbook, database: Database, tmp_path: Path, where: str
) -> None:
    post(book, "1020", "3010", "5000.00")
    killed_export(database, where, tmp_path)
    before = book("export", "list", "--json").json["batches"]

    tried = book("export", "--out", str(tmp_path), "--dry-run", "--json").json
    resumed = book("export", "--out", str(tmp_path), "--json").json
    files = names(tmp_path)
    again = book("export", "--out", str(tmp_path), "--json").json

    assert [batch["delivered"] for batch in before] == [False]
    assert resumed["batch"] is None
    assert (
        [each["batch_no"] for each in tried["left_over"]] == [each["batch_no"] for each in resumed["left_over"]] == [1]
    )
    assert sorted(file["name"] for file in resumed["left_over"][0]["files"]) == files
    assert not [name for name in files if name.endswith(".part")]
    assert again == {"batch": None, "left_over": []}
    assert [batch["delivered"] for batch in book("export", "list", "--json").json["batches"]] == [True]


def test_what_was_booked_since_leaves_in_a_batch_of_its_own_after_the_one_left_over(
    book: Loanbook, database: Database, tmp_path: Path
) -> None:
    post(book, "1020", "3010", "5000.00")
    killed_export(database, "built", tmp_path)
    post(book, "5200", "1020", "120.50")

    shown = book("export", "--out", str(tmp_path))
    batches = book("export", "list", "--json").json["batches"]

    assert [(batch["batch_no"], batch["delivered"]) for batch in batches] == [(1, True), (2, True)]
    assert "had never been delivered" in shown.out
    assert {name.split(".")[0] for name in names(tmp_path)} == {batch["batch_id"] for batch in batches}
    book("reconcile")
