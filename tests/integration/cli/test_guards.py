"""A database whose guards were loosened is neither served, sealed nor migrated, and `verify` names what differs."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Loanbook, post
from tests.support.database import Database

TRIGGER = "trigger posting.posting_append_only"


@pytest.fixture
def loosened(book: Loanbook, database: Database) -> Loanbook:
    """Return the command line on a book whose postings the owner may change at last."""
    post(book, "1020", "3010", "5000.00")
    as_owner(database, "ALTER TABLE ledger.posting DISABLE TRIGGER posting_append_only")
    return book


def as_owner(database: Database, statement: str) -> None:
    """Execute a statement as the owner of the schema."""
    with database.connect("loanbook_owner", autocommit=True) as owner:
        owner.execute(statement)


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "0"),
        ("seal",),
        ("seal", "--dry-run"),
        ("init", "--code", "second", "--opened-on", "2026-01-01"),
        ("migrate",),
        ("migrate", "--dry-run"),
        ("demo", "--loans", "1"),
    ],
    ids=" ".join,
)
def test_a_database_with_a_trigger_switched_off_is_refused(loosened: Loanbook, arguments: tuple[str, ...]) -> None:
    refused = loosened(*arguments, "--json", expect=1)

    assert refused.out == ""
    assert (refused.refusal["code"], refused.refusal["count"]) == ("guards-differ", 1)
    assert f"{TRIGGER} should be enabled O" in refused.refusal["message"]
    assert "loanbook migrate" in refused.refusal["message"]


def test_the_refusal_is_one_line_for_people(loosened: Loanbook) -> None:
    refused = loosened("seal", expect=1)

    assert refused.err.startswith("error: the guards of the database ")
    assert len(refused.err.splitlines()) == 1


def test_nothing_is_done_to_a_database_that_is_refused(loosened: Loanbook, database: Database) -> None:
    loosened("seal", expect=1)
    loosened("init", "--code", "second", "--opened-on", "2026-01-01", expect=1)
    as_owner(database, "ALTER TABLE ledger.posting ENABLE TRIGGER posting_append_only")

    assert loosened("verify", "--json").json["blocks"] == 0
    assert loosened("day", "show", "--json").json["code"] == "main", "there is one book"
    assert loosened("seal", "--json").json["block"]["block_no"] == 1, "put back, it is sealed on"


def test_verify_names_the_guards_that_differ(loosened: Loanbook) -> None:
    found = loosened("verify", "--json", expect=1).json

    assert (found["verdict"], found["holds"]) == ("damaged", False)
    assert [(each["code"], each["place"]) for each in found["findings"]] == [("guard-differs", TRIGGER)]
    assert TRIGGER in loosened("verify", expect=1).out


def test_the_first_differences_are_named_and_the_rest_are_counted(book: Loanbook, database: Database) -> None:
    for table in ("posting", "journal_entry", "seal_block", "seal_member"):
        as_owner(database, f"GRANT DELETE ON ledger.{table} TO loanbook_app")

    refused = book("seal", "--json", expect=1).refusal

    assert refused["count"] == 4
    assert (
        "grant on table journal_entry to loanbook_app should be SELECT but is DELETE SELECT" in refused["differences"]
    )
    assert refused["differences"].endswith("; and 1 more")


def test_a_role_that_may_pass_the_triggers_by_is_refused(book: Loanbook, database: Database) -> None:
    with database.connect("loanbook_admin", autocommit=True) as admin:
        setting = f"ALTER ROLE loanbook_app IN DATABASE {database.name}"
        admin.execute(f"{setting} SET session_replication_role = replica")
        refused = book("seal", "--json", expect=1).refusal
        admin.execute(f"{setting} RESET session_replication_role")

    assert "setting session_replication_role should be origin but is replica" in refused["differences"]
