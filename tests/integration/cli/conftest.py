"""The command line on a database of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli.main import main
from tests.support.database import TEMPLATE, Database, fresh_database, template_of


@dataclass(frozen=True)
class Ran:
    """What one run of `loanbook` came to."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the document on stdout."""
        return json.loads(self.out)

    @property
    def refusal(self) -> Any:
        """Return the error object on stderr."""
        return json.loads(self.err)


Loanbook = Callable[..., Ran]


def environment(database: Database) -> dict[str, str | None]:
    """Return the environment that names a database."""
    return {
        "LOANBOOK_DATABASE_URL": database.app_url,
        "LOANBOOK_OWNER_DATABASE_URL": database.admin_url,
        "LOANBOOK_ACTOR": "bob",
        "LOANBOOK_BOOK": None,
        "LOANBOOK_STATE_DIR": "/nonexistent",
    }


@pytest.fixture(scope="session")
def with_book(server_url: str) -> Iterator[str]:
    """Yield the name of a database with a book that opened on 1 January 2026: `init` takes longer than a copy."""
    with template_of(server_url, lambda database: _init(runs(database))) as name:
        yield name


def _init(loanbook: Loanbook) -> None:
    loanbook("init", "--opened-on", "2026-01-01")


@pytest.fixture
def database(request: pytest.FixtureRequest, server_url: str) -> Iterator[Database]:
    """Yield a fresh database, with the book for a test that asks for `book`."""
    template = request.getfixturevalue("with_book") if "book" in request.fixturenames else TEMPLATE
    with fresh_database(server_url, template) as fresh:
        yield fresh


@pytest.fixture
def loanbook(database: Database) -> Loanbook:
    """Return a function that runs `loanbook` in this process and expects exit code 0 unless told."""
    return runs(database)


def runs(database: Database) -> Loanbook:
    """Return what runs `loanbook` on a database."""

    def run(*arguments: str, expect: int | None = 0, **variables: str) -> Ran:
        runner = CliRunner(env={**environment(database), **variables})
        result = runner.invoke(main, list(arguments))
        ran = Ran(result.exit_code, result.stdout, result.stderr)
        assert expect is None or ran.exit_code == expect, f"{arguments}: {ran.out}{ran.err}"
        return ran

    return run


@pytest.fixture
def pricing() -> Loanbook:
    """Return a function that runs `loanbook` where there is no database, and expects exit code 0 unless told."""

    def run(*arguments: str, expect: int = 0, given: str | None = None) -> Ran:
        runner = CliRunner(env={"LOANBOOK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
        result = runner.invoke(main, list(arguments), input=given)
        ran = Ran(result.exit_code, result.stdout, result.stderr)
        assert ran.exit_code == expect, f"{arguments}: {ran.out}{ran.err}"
        return ran

    return run


@pytest.fixture
def book(loanbook: Loanbook) -> Loanbook:
    """Return the same, with a book that opened on 1 January 2026."""
    return loanbook


def post(loanbook: Loanbook, debit: str, credit: str, amount: str, *more: str) -> dict[str, Any]:
    """Book a journal by hand, approved at once, and return it."""
    lines = ("--debit", debit, amount, "--credit", credit, amount)
    done = loanbook("post", *lines, "--approver", "carol", "--json", *more)
    journal: dict[str, Any] = done.json["journals"][0]
    return journal
