"""A book on a fresh database, a bureau as a process of its own, a desk at which applications go through workflows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from importlib.resources import files
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from api.edge import Edge
from ledger.chart_file import parse_chart
from ledger.commands.books import create_book, load_chart
from ledger.unit_of_work import UnitOfWork, run
from tests.integration.origination.workflow_lives import Desk
from tests.support.card_processor import call, process
from tests.support.database import Database

BOOK = "MAIN"
TODAY = date(2026, 1, 5)
SEED = 7
BUREAU_KEY = "a-key-of-a-bureau"
ENVIRONMENT = {"LOANBOOK_BUREAU_KEY": BUREAU_KEY}
T = TypeVar("T")
Change = Callable[..., Any]
Mode = Callable[..., Any]


@pytest.fixture
def engine(database: Database) -> sa.Engine:
    """Return the application's engine on a fresh database with one book."""
    engine = database.engine()
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

    def work(uow: UnitOfWork) -> None:
        create_book(uow, code=BOOK, name="Main", base_currency="USD", opened_on=TODAY)
        load_chart(uow, BOOK, chart)

    run(engine, work, actor="setup")
    return engine


@pytest.fixture
def change(engine: sa.Engine) -> Change:
    """Return a function that does something in a transaction of its own, as bob unless told."""

    def do(work: Callable[..., T], *arguments: Any, actor: str = "bob", approver: str | None = None, **named: Any) -> T:
        return run(engine, lambda uow: work(uow, *arguments, **named), actor=actor, approver=approver)

    return do


@pytest.fixture(scope="module")
def bureau() -> Iterator[str]:
    with process("bureau", "--seed", str(SEED), LOANBOOK_BUREAU_KEY=BUREAU_KEY) as url:
        yield url


@pytest.fixture
def mode(bureau: str) -> Iterator[Mode]:
    """Return a function that switches the bureau; afterwards it is well again."""

    def switch(name: str, **more: Any) -> Any:
        body = {"mode": name, **more}
        status, found = call(bureau, "/admin/mode", body, Authorization=f"Bearer {BUREAU_KEY}")
        assert status == 200, found
        return found

    switch("ok")
    yield switch
    switch("ok")


@pytest.fixture
def edge(database: Database, engine: sa.Engine) -> Iterator[Edge]:
    """Yield the edge of the same book."""
    opened = Edge.open(sa.make_url(database.app_url))
    yield opened
    opened.close()


@pytest.fixture
def desk(engine: sa.Engine) -> Desk:
    """Return a desk where the workflow `small` is in force."""
    found = Desk(engine)
    found.load()
    return found
