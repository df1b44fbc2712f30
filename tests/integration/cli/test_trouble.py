"""Trouble with the database or the settings is one clear line, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook, environment, post
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
        ("LOANBOOK_DATABASE_URL", "postgresql://app@127.0.0.1:port/books"),
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


@pytest.mark.parametrize(
    "arguments",
    [
        ("post", "--debit", "1020", "1", "--credit", "3010", "1"),
        ("seal",),
        ("export",),
        ("close", "2026-01", "--approver", "carol"),
        ("day", "advance", "2026-01-02"),
        ("migrate",),
        ("init", "--code", "second"),
    ],
)
def test_a_role_that_may_not_do_it_is_named_with_the_settings_that_name_others(
    book: Loanbook, database: Database, arguments: tuple[str, ...]
) -> None:
    urls = {"LOANBOOK_DATABASE_URL": database.reader_url, "LOANBOOK_OWNER_DATABASE_URL": ""}

    refused = book(*arguments, "--json", expect=2, **urls)

    assert refused.refusal["code"] == "database-role-refused"
    assert "permission denied" in refused.refusal["reason"]
    assert "LOANBOOK_OWNER_DATABASE_URL" in refused.refusal["message"]


def test_a_role_or_a_database_that_is_not_there_is_named(loanbook: Loanbook, database: Database) -> None:
    role = loanbook("day", "show", expect=2, LOANBOOK_DATABASE_URL=database.url_for("nobody"))
    place = database.app_url.replace(f"/{database.name}?", "/nothing?")
    books = loanbook("day", "show", expect=2, LOANBOOK_DATABASE_URL=place)

    assert 'role "nobody" does not exist' in role.err
    assert 'database "nothing" does not exist' in books.err


def test_an_option_of_a_url_that_the_driver_does_not_know_is_named(loanbook: Loanbook, database: Database) -> None:
    refused = loanbook("day", "show", expect=2, LOANBOOK_DATABASE_URL=f"{database.app_url}&nonsense=1")

    assert 'invalid connection option "nonsense"' in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_database_that_waits_too_long_says_so_and_keeps_nothing(book: Loanbook, database: Database) -> None:
    with database.connect("loanbook_admin", autocommit=True) as admin:
        admin.execute(f"ALTER ROLE loanbook_app IN DATABASE {database.name} SET lock_timeout = '20ms'")
    with database.connect("loanbook_owner") as owner:
        owner.execute("LOCK TABLE ledger.book")
        refused = book("day", "advance", "2026-01-02", "--json", expect=2).refusal

    assert refused["code"] == "database-trouble"
    assert "nothing was kept" in refused["message"]
    assert book("day", "show", "--json").json["business_date"] == "2026-01-01"


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/loanbook"])
def test_a_state_directory_that_cannot_be_written_is_named(loanbook: Loanbook, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("no folder")
    state = str(tmp_path / place)

    refused = loanbook("init", "--json", expect=2, LOANBOOK_DATABASE_URL="", LOANBOOK_STATE_DIR=state).refusal

    assert (refused["code"], refused["setting"]) == ("setting-invalid", "LOANBOOK_STATE_DIR")
    assert state in refused["reason"]


def test_output_that_cannot_be_written_is_one_line(book: Loanbook, database: Database) -> None:
    script = "from api.cli.main import main; main(['account', 'list'])"
    variables = {name: value for name, value in environment(database).items() if value is not None}

    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -c "{script}" > /dev/full'],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (2, "error: a file or the terminal: No space left on device\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evidence", "export", "/proc/bundle"), "No such file or directory"),
        (("evidence", "verify", "{}/text", "--public-key", "zz"), "64 hexadecimal digits"),
        (("export", "--out", "{}/text"), "File exists"),
        (("export", "show", "9" * 20), "is not in the range"),
        (("scenario", "{}/empty"), "there is no scenario in it"),
        (("scenario", "{}/binary"), "byte 1 is not UTF-8"),
        (("board", "{}/header"), "there is no loan in it"),
        (("board", "{}/binary"), "byte 1 is not UTF-8"),
        (("board", "{}"), "Is a directory"),
        (("board", "{}/nul"), "is NUL"),
        (("demo", "--file", "{}/binary"), "byte 1 is not UTF-8"),
        (("demo", "--file", "{}/header"), "there is no loan in it"),
        (("demo", "--file", "{}/missing"), "No such file or directory"),
        (("demo", "--loans", "1", "--out", "{}/text"), "Not a directory"),
        (("init", "--code", "a b"), "is not 1 to 64 letters"),
        (("init", "--code", "../up"), "is not 1 to 64 letters"),
        (("post", "approve", "9" * 20), "there is no manual journal"),
        (("post", "reject", "404", "--reason", "x"), "there is no manual journal 404"),
        (("report", "trial-balance", "--by", "effective"), "--by is for"),
        (("report", "balance-sheet", "--from", "2026-01-01"), "--from is for"),
        (("report", "balance-sheet", "--csv", "--json"), "either --csv or --json"),
        (("report", "balance-sheet", "--month", "2026-01", "--as-of", "2026-01-01"), "either --as-of or --month"),
    ],
)
def test_what_a_stranger_gives_wrong_is_one_line_that_says_so(
    book: Loanbook, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    post(book, "1020", "3010", "5.00")
    book("seal")
    (tmp_path / "text").write_text("text")
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(b"\xff\x00\xfe")
    (tmp_path / "nul").write_bytes(b"a\x00b")
    (tmp_path / "header").write_text(
        "external_id,principal,rate,installments,frequency,funded_on,first_due_on\n", encoding="utf-8"
    )

    refused = book(*(word.replace("{}", str(tmp_path)) for word in arguments), expect=2)

    assert words in refused.err
    assert len(refused.err.splitlines()) == 1
