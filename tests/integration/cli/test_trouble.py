"""Trouble with the database or the settings is one clear line, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook, environment
from tests.support.database import Database


def test_a_database_that_does_not_answer_is_named_without_its_password(loanbook: Loanbook) -> None:
    url = "postgresql://app:hunter2@127.0.0.1:1/books"

    refused = loanbook("day", "show", "--json", LOANBOOK_DATABASE_URL=url, expect=2)

    assert refused.refusal["code"] == "database-unreachable"
    assert "hunter2" not in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_database_that_was_never_migrated_says_what_to_do(loanbook: Loanbook, database: Database) -> None:
    empty = database.admin_url.replace(f"/{database.name}?", "/postgres?")

    refused = loanbook("day", "show", LOANBOOK_DATABASE_URL=empty, expect=2)

    assert "run `loanbook migrate`" in refused.err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LOANBOOK_DATABASE_URL", "not a url"),
        ("LOANBOOK_DATABASE_URL", "sqlite:///books.db"),
        ("LOANBOOK_POOL_SIZE", "many"),
        ("LOANBOOK_DIGEST_WEBHOOK", "no address"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(loanbook: Loanbook, variable: str, value: str) -> None:
    refused = loanbook("day", "show", "--json", expect=2, **{variable: value})

    assert refused.refusal["code"] == "setting-invalid"
    assert refused.refusal["setting"] == variable


def test_without_a_server_and_without_books_it_says_what_to_do(loanbook: Loanbook, tmp_path: Path) -> None:
    state = str(tmp_path / "state")

    refused = loanbook("day", "show", "--json", LOANBOOK_DATABASE_URL="", LOANBOOK_STATE_DIR=state, expect=2)

    assert refused.refusal["code"] == "no-books-here"
    assert not Path(state).exists()


@pytest.mark.parametrize("action", ["start", "stop", "status"])
def test_a_server_that_is_not_ours_is_left_alone(loanbook: Loanbook, action: str) -> None:
    assert loanbook("db", action, "--json", expect=2).refusal["code"] == "server-not-embedded"


def test_a_reader_who_has_seen_enough_is_no_error(book: Loanbook, database: Database) -> None:
    script = "from api.cli.main import main; main(['account', 'list'])"
    variables = {name: value for name, value in environment(database).items() if value is not None}

    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -c "{script}" | head -1'],
        env={**variables, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("Code")
    assert done.stderr == ""


def test_the_actor_is_the_option_then_the_setting_then_the_login_name(
    book: Loanbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "dora")
    lines = ("post", "--debit", "5200", "1", "--credit", "1020", "1", "--json")

    makers = [
        book(*lines, "--actor", "alice").json["journals"][0]["maker"],
        book(*lines).json["journals"][0]["maker"],
        book(*lines, LOANBOOK_ACTOR="").json["journals"][0]["maker"],
    ]

    assert makers == ["alice", "bob", "cli:dora"]
