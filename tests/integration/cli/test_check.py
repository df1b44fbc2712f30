"""`loanbook check`: sound books pass every check, and each kind of damage is found by the check that is for it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.commands.posting import post_entry
from ledger.journal import EntryDraft, Posting, SubledgerId
from ledger.money import Money
from ledger.queries.accounts import role_map
from ledger.unit_of_work import UnitOfWork, run
from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_loans import TAPE
from tests.support.database import ADMIN, Database


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book with two loans, a payment on one of them, and a month of interest."""
    (tmp_path / "tape.csv").write_text(TAPE)
    book("day", "advance", "2026-01-15")
    book("board", str(tmp_path / "tape.csv"))
    book("day", "advance", "2026-02-15")
    book("run-day", "2026-02-15")
    for day in ("2026-01-02", "2026-01-15"):
        book("settle", day)
    book("loan", "pay", first(book), "888.49", "--method", "ach", "--id", "P-1")
    book("seal")
    return book


def first(loanbook: Loanbook) -> str:
    return str(loanbook("loan", "list", "--json").json["loan_ids"][0])


def failing(loanbook: Loanbook, *arguments: str) -> dict[str, list[str]]:
    """Return what does not hold, by check."""
    found: Any = loanbook("check", *arguments, "--json", expect=1).json
    return {each["check"]: each["findings"] for each in found["checks"] if not each["holds"]}


def test_sound_books_pass_every_check(lender: Loanbook) -> None:
    found = lender("check", "--json").json
    people = lender("check").out

    assert found["holds"] is True
    assert {each["check"]: each["looked_at"] for each in found["checks"]}["engine"] == 2
    assert "each loan, folded again" in people


def test_a_sample_is_drawn_by_its_seed(lender: Loanbook) -> None:
    found = lender("check", "--sample", "1", "--seed", "7", "--json").json

    assert found["checks"][-1]["looked_at"] == 1
    assert lender("check", "--sample", "0", "--json").json["checks"][-1]["looked_at"] == 0


def test_what_lies_too_long_in_a_clearing_account_is_found(lender: Loanbook) -> None:
    lender("day", "advance", "2026-02-20")

    found = failing(lender, "--clearing-days", "4")

    assert list(found) == ["clearing"]
    assert "888.49" in found["clearing"][0] or "open since 2026-02-15, 5 days" in " ".join(found["clearing"])
    assert lender("check", "--clearing-days", "5").exit_code == 0


def test_an_entry_that_no_event_asks_for_is_found(lender: Loanbook, database: Database) -> None:
    loan_id = int(first(lender))

    def work(uow: UnitOfWork) -> None:
        roles = role_map(uow.connection, lender("check", "--sample", "0", "--json").json["book"], "default")
        draft = EntryDraft(
            subledger_id=SubledgerId(loan_id),
            template="fee_charged",
            template_version=1,
            effective_date=date(2026, 2, 15),
            actor=uow.actor,
            request_key="smuggled",
            source_ref="fee:99",
            postings=(Posting(roles["FEES_RECEIVABLE"], roles["OTHER_FEE_INCOME"], Money(1_00, "USD")),),
        )
        post_entry(uow, draft)

    run(database.engine(), work, actor="mallory")

    found = failing(lender)

    assert list(found) == ["engine"]
    assert found["engine"] == [f"loan {loan_id}: 1 entries are to be reversed, 0 to be booked"]


def test_a_balance_that_was_altered_is_found(lender: Loanbook, database: Database) -> None:
    with database.engine(ADMIN).begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            sa.text(
                "UPDATE ledger.account_balance SET balance = balance + 100 WHERE (subledger_id, account_id) IN ("
                " SELECT b.subledger_id, b.account_id FROM ledger.account_balance b"
                " JOIN ledger.account a ON a.account_id = b.account_id AND a.subledgered"
                " WHERE b.subledger_id = :loan AND b.balance > 0 ORDER BY b.account_id LIMIT 1)"
            ),
            {"loan": int(first(lender))},
        )

    found = failing(lender)

    assert {"balances", "tie_out"} <= set(found)
    assert f"subledger {first(lender)}" in found["balances"][0]
