"""`loanbook db`, and the embedded server that other commands find by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.embedded.server import remove
from tests.support.servers import chosen_bindir, scratch_folder

RUN = "from api.cli.main import main; main()"
Process = subprocess.CompletedProcess[str]
Loanbook = Callable[..., Process]


@pytest.fixture
def loanbook() -> Iterator[Loanbook]:
    """Yield a function that runs `loanbook` as a process of its own on a new state directory."""
    bindir = chosen_bindir()
    if bindir is None:
        pytest.skip("no PostgreSQL is installed")
    with scratch_folder() as folder:
        state = folder / "state"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOANBOOK_")}
        environment |= {"LOANBOOK_STATE_DIR": str(state), "LOANBOOK_PG_BINDIR": str(bindir)}

        def run(*arguments: str, expect: int = 0) -> Process:
            command = [sys.executable, "-c", RUN, *arguments]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == expect, f"{arguments}: {done.stdout}{done.stderr}"
            return done

        try:
            yield run
        finally:
            remove(state)


def test_a_server_is_started_entered_and_stopped(loanbook: Loanbook) -> None:
    assert loanbook("db", "status", expect=1).stdout == "not running\n"

    first = json.loads(loanbook("db", "start", "--json").stdout)
    second = json.loads(loanbook("db", "start", "--json").stdout)

    assert (first["started_now"], second["started_now"]) == (True, False)
    assert first["durable"] is True
    assert Path(first["data"]).name == "data"
    assert json.loads(loanbook("db", "status", "--json").stdout)["pid"] == first["pid"]
    assert loanbook("db", "stop").stdout == "stopped\n"
    assert loanbook("db", "stop").stdout == "no server ran\n"


def test_init_starts_a_server_where_there_is_none_and_others_find_it(loanbook: Loanbook) -> None:
    started = loanbook("init", "--opened-on", "2026-01-01")

    assert "`loanbook db stop` stops it" in started.stderr
    assert "business_date            2026-01-01" in loanbook("day", "show").stdout
    loanbook("db", "stop")
    again = loanbook("day", "show", "--json")
    assert json.loads(again.stdout)["code"] == "main"
    assert again.stderr == "", "a program that reads stderr for errors finds none"


def test_a_new_server_without_a_book_says_what_to_do(loanbook: Loanbook) -> None:
    loanbook("db", "start")

    assert "loanbook migrate" in loanbook("day", "show", expect=2).stderr
    loanbook("migrate")
    assert "loanbook init" in loanbook("day", "show", expect=2).stderr


def test_the_url_of_a_role_is_one_that_psql_takes(loanbook: Loanbook) -> None:
    loanbook("migrate")

    app = loanbook("db", "url").stdout.strip()
    owner = loanbook("db", "url", "--owner").stdout.strip()

    assert app.startswith("postgresql://loanbook_app@/loanbook?host=")
    assert owner.startswith("postgresql://loanbook_owner@/loanbook?host=")


def test_the_shell_speaks_sql_as_the_role_that_is_asked_for(loanbook: Loanbook) -> None:
    if not (chosen_bindir() or Path()).joinpath("psql").exists():
        pytest.skip("this PostgreSQL comes without psql")
    loanbook("migrate")

    answer = loanbook("db", "shell", "-Atc", "select current_user")
    owner = loanbook("db", "shell", "--owner", "-Atc", "select current_user")
    reader = loanbook("db", "shell", "--reader", "-Atc", "select current_user")

    assert (answer.stdout, owner.stdout) == ("loanbook_app\n", "loanbook_owner\n")
    assert reader.stdout == "loanbook_reader\n"
