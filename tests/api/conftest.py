"""A book with its chart on a fresh database, and clients of the application on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

import ledger
from api.app import create_app
from api.edge import Edge
from ledger.chart import AccountCode, Side
from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.commands.manual_journals import approve, propose
from ledger.journal import Line
from ledger.manual_journal import ManualJournal
from ledger.money import Money
from ledger.seals import seal
from ledger.unit_of_work import UnitOfWork
from tests.support.database import Database

OPENED_ON = date(2026, 1, 1)
CHART = Path(ledger.__path__[0]) / "charts" / "us_lender.toml"


@dataclass(frozen=True)
class Books:
    """A book of a test, and ways to put something into it."""

    edge: Edge
    code: str = "main"

    def advance(self, to: date) -> None:
        """Move the business date."""
        self.edge.change(lambda uow: advance_business_date(uow, self.code, to), actor="test")

    def seal(self) -> None:
        """Book something and seal it."""
        self.post(debit="1020", credit="3010", cents=1)
        self.edge.change(seal, actor="test")

    def post(self, *, debit: str, credit: str, cents: int, narration: str = "A journal") -> int:
        """Book a manual journal in dollars on the business date and return its number."""
        journal = ManualJournal(
            book_code=self.code,
            effective_date=OPENED_ON,
            narration=narration,
            lines=(
                Line(AccountCode(debit), Side.DEBIT, Money(cents, "USD")),
                Line(AccountCode(credit), Side.CREDIT, Money(cents, "USD")),
            ),
        )

        def work(uow: UnitOfWork) -> int:
            return approve(UnitOfWork(uow.connection, "carol"), propose(uow, journal)).entry_no

        return self.edge.change(work, actor="bob")


@pytest.fixture
def edge(database: Database) -> Iterator[Edge]:
    """Yield the edge of the application's role on a migrated database without a book."""
    opened = Edge.open(sa.make_url(database.app_url))
    yield opened
    opened.close()


@pytest.fixture
def books(edge: Edge) -> Books:
    """Return a book that opened on 1 January 2026."""

    def work(uow: UnitOfWork) -> None:
        create_book(uow, code="main", name="Test book", base_currency="USD", opened_on=OPENED_ON)
        load_chart(uow, "main", parse_chart(CHART.read_text()))

    edge.change(work, actor="test")
    return Books(edge)


@pytest.fixture
def client(edge: Edge) -> FlaskClient:
    """Return a client of the application."""
    return create_app(edge).test_client()


def problem(response: Any) -> dict[str, Any]:
    """Return the problem document of a response, which must be one."""
    assert response.mimetype == "application/problem+json"
    document: dict[str, Any] = response.get_json()
    assert document["status"] == response.status_code
    assert document["type"] == f"/problems/{document['code']}"
    assert document["request_id"] == response.headers["X-Request-Id"]
    return document
