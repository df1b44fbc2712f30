"""An installation that has loans already is brought forward: their names are theirs from then on."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from migrations.runner import migrate
from tests.support.database import APP, OWNER, Database, url_of

NAME = "loanbook_test_upgrade"

BOOK = """
    INSERT INTO ledger.book (book_id, code, name, base_currency, time_zone, fiscal_year_start_month, opened_on,
                             business_date, own_subledger_id)
    VALUES (1, 'OLD', 'Old', 'USD', 'UTC', 1, '2026-01-01', '2026-01-01', 10)
"""
LOAN = """
    INSERT INTO servicing.loan (loan_id, book_id, external_id, currency, actor) VALUES (11, 1, 'L-1', 'USD', 'user:old')
"""


@pytest.fixture
def before(server_url: str) -> Iterator[Database]:
    """Yield a database as it was before the loans' guards."""
    url = server_url.replace("postgresql+psycopg:", "postgresql:", 1)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
        database = Database(NAME, url_of(server_url, NAME))
        migrate(database.admin_url, "0004")
        yield database
        database.close()
        admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def test_a_loan_that_was_boarded_before_keeps_its_name(before: Database) -> None:
    with before.connect(OWNER, autocommit=True) as owner:
        owner.execute(BOOK)
        owner.execute(LOAN)

    migrate(before.admin_url)

    assert _begin(before, "L-1") == ("done", {"loan_id": 11})
    assert _begin(before, "L-2") == ("new", None)
    with before.connect(OWNER) as owner, pytest.raises(psycopg.Error) as refused:
        owner.execute("DELETE FROM servicing.loan")
    assert refused.value.sqlstate == "LB021"


def _begin(database: Database, name: str) -> tuple[str, object]:
    with database.engine(APP).connect() as connection:
        row = connection.execute(
            sa.text("SELECT o_state, o_outcome FROM ledger.begin_request(10, :key, 'board_loan', '{}', 'user:new')"),
            {"key": f"loan:{name}"},
        ).one()
        return row.o_state, row.o_outcome
