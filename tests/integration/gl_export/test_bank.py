"""Bank lines settle what went over the rails: once, to the cent, undone by reversals, whoever comes at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from gl_export.bank.statement import BankLine, BankStatement
from gl_export.commands.bank import TakenStatement, confirm, confirm_sure, take_file, undo
from gl_export.commands.settlement import settle_rails
from gl_export.errors import BankLineChanged, BankMatchUnequal, BankMatchUnknown, BankPartMatched
from gl_export.queries.bank import lines, matches, open_items, work_list
from ledger.domain_error import DomainError
from ledger.money import Money
from ledger.unit_of_work import run
from tests.integration.gl_export.books import BOOK, OPENED, fund, go_to, open_loans, pay, post
from tests.integration.gl_export.test_settlement import balance_of

pytestmark = pytest.mark.once

DAY = date(2026, 10, 5)


def statement(*amounts: str, name: str = "S-1", day: date = DAY) -> BankStatement:
    found = tuple(
        BankLine(f"line {place}", day, Money.parse(text, "USD"), bank_id=f"{name}:{place}")
        for place, text in enumerate(amounts, start=1)
    )
    return BankStatement(file=f"{name}.bai", account="1", statement_id=name, currency="USD", as_of=day, lines=found)


def take(engine: sa.Engine, of: BankStatement) -> TakenStatement:
    content = f"{of.statement_id}{of.lines}".encode()
    (taken,) = run(engine, lambda uow: take_file(uow, BOOK, [of], content), actor="ann")
    return taken


@pytest.fixture
def rails(engine: sa.Engine) -> sa.Engine:
    """Return a book on 5 October: on the first 100.00 sent, 30.00 and 20.00 collected by ACH, and a check of 5.00."""
    loans = open_loans(engine, 1)
    fund(engine, loans[0], 100_00)
    pay(engine, loans[0], "p1", 30_00)
    pay(engine, loans[0], "p2", 20_00)
    post(engine, loans[0], "p3", ("CHECK_CLEARING", "LOAN_PRINCIPAL", 5_00))
    go_to(engine, DAY)
    return engine


def items(engine: sa.Engine) -> dict[str, str]:
    with engine.connect() as connection:
        found = open_items(connection, BOOK, from_date=OPENED, to_date=date.max)
    return {each.key: each.amount.format() for each in found}


def test_sure_matches_settle_the_rails_and_empty_the_clearing_accounts(rails: sa.Engine) -> None:
    take(rails, statement("50.00", "-100.00", "5.00"))

    done = run(rails, lambda uow: confirm_sure(uow, BOOK), actor="ann")

    assert sorted((each.rule, len(each.parts), each.score) for each in done) == [
        ("amount", 2, 82),
        ("amount", 2, 82),
        ("deposit", 3, 85),
    ]
    assert (balance_of(rails, "1120"), balance_of(rails, "1140"), balance_of(rails, "1020")) == (0, 0, -45_00)
    assert items(rails) == {}
    with rails.connect() as connection:
        assert work_list(connection, BOOK).lines == ()
    assert run(rails, lambda uow: confirm_sure(uow, BOOK), actor="ann") == ()
    assert run(rails, lambda uow: settle_rails(uow, BOOK, OPENED), actor="ann") == ()


def test_a_match_that_is_undone_leaves_everything_as_it_was_and_can_be_made_again(rails: sa.Engine) -> None:
    take(rails, statement("50.00"))
    before = items(rails)
    (made,) = run(rails, lambda uow: confirm_sure(uow, BOOK), actor="ann")
    between = balance_of(rails, "1120")

    run(rails, lambda uow: undo(uow, BOOK, made.match_no, reason="Another deposit"), actor="ben")

    assert (between, balance_of(rails, "1120"), balance_of(rails, "1020")) == (-100_00, -50_00, 0)
    assert items(rails) == before
    with pytest.raises(BankMatchUnknown):
        run(rails, lambda uow: undo(uow, BOOK, made.match_no, reason="again"), actor="ben")
    (again,) = run(rails, lambda uow: confirm_sure(uow, BOOK), actor="ann")
    assert (again.match_no, balance_of(rails, "1120")) == (2, -100_00)
    with rails.connect() as connection:
        assert [each.match_no for each in matches(connection, BOOK)] == [2]


def test_what_is_left_of_a_day_that_was_settled_otherwise_is_one_item(rails: sa.Engine) -> None:
    run(rails, lambda uow: settle_rails(uow, BOOK, OPENED), actor="ann")
    loans = open_loans(rails, 1)
    fund(rails, loans[0], 9_00)
    post(rails, loans[0], "late", ("ACH_CLEARING", "LOAN_PRINCIPAL", 7_00), booking_date=OPENED, approved_by="boss")

    assert items(rails) == {
        f"ACH_CLEARING:{OPENED}:USD:700": "7.00",
        f"ACH_CLEARING:{loans[0]}:1": "-9.00",
    }
    take(rails, statement("7.00"))
    run(rails, lambda uow: confirm_sure(uow, BOOK), actor="ann")
    assert list(items(rails).values()) == ["-9.00"]


def test_a_person_matches_what_is_equal_and_nothing_else(rails: sa.Engine) -> None:
    take(rails, statement("25.00", "25.00"))
    ach, check = sorted(key for key, amount in items(rails).items() if amount in ("20.00", "5.00"))

    with pytest.raises(BankMatchUnequal) as refused:
        run(rails, lambda uow: confirm(uow, BOOK, [1], [ach]), actor="ann")
    made = run(rails, lambda uow: confirm(uow, BOOK, [1], [ach, check]), actor="ann")
    with pytest.raises(BankPartMatched):
        run(rails, lambda uow: confirm(uow, BOOK, [1], [ach, check]), actor="ann")

    assert refused.value.difference == 5_00
    # Two rails, hence two entries.
    assert (made.rule, len(made.entries)) == ("by hand", 2)
    assert balance_of(rails, "1140") == 0


def test_two_people_at_once_settle_once(rails: sa.Engine) -> None:
    take(rails, statement("50.00", "-100.00", "5.00"))

    def one(_: int) -> int:
        return len(run(rails, lambda uow: confirm_sure(uow, BOOK), actor="ann"))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == [0, 0, 0, 3]
    assert balance_of(rails, "1120") == 0


def test_lines_are_taken_once_whichever_file_brings_them(rails: sa.Engine) -> None:
    first, both = statement("50.00"), statement("50.00", "5.00")

    assert take(rails, first).new_lines == 1
    assert take(rails, first).statement_no is None
    assert take(rails, both).new_lines == 1
    with rails.connect() as connection:
        assert [each.line.amount.format() for each in lines(connection, BOOK)] == ["50.00", "5.00"]
    changed = replace(first, lines=(replace(first.lines[0], amount=Money.parse("51.00", "USD")),))
    with pytest.raises(BankLineChanged):
        take(rails, changed)


def test_the_database_refuses_unequal_matches_and_two_of_one_line_by_itself(rails: sa.Engine) -> None:
    take(rails, statement("50.00"))
    head = sa.text(
        "INSERT INTO gl_export.bank_match (book_id, match_no, rule, score, why, entries, actor)"
        " SELECT book_id, :no, 'r', 1, 'w', '{}', 'mallory' FROM gl_export.bank_statement"
    )
    parts = sa.text(
        "INSERT INTO gl_export.bank_match_part (book_id, match_no, side, key, times_before, amount, currency)"
        " SELECT s.book_id, :no, p.side, p.key, 0, p.amount, 'USD' FROM gl_export.bank_statement s,"
        " (VALUES ('line', '1', 5000), ('item', 'x' || :no, :item)) p (side, key, amount)"
    )

    def write(no: int, item: int) -> None:
        with rails.begin() as connection:
            connection.execute(head, {"no": no})
            connection.execute(parts, {"no": no, "item": item})

    with pytest.raises(sa.exc.DBAPIError, match="1 apart"):
        write(1, 49_99)
    write(1, 50_00)
    with pytest.raises(sa.exc.IntegrityError, match="bank_match_part_pkey"):
        write(2, 50_00)
    for table in ("bank_statement", "bank_line", "bank_match", "bank_match_part"):
        with pytest.raises(sa.exc.DBAPIError), rails.begin() as connection:
            connection.execute(sa.text(f"DELETE FROM gl_export.{table}"))


def test_a_settlement_that_cannot_be_booked_leaves_no_match(rails: sa.Engine) -> None:
    take(rails, statement("50.00"))

    def work(uow: object) -> None:
        confirm_sure(uow, BOOK)  # type: ignore[arg-type]
        raise DomainErrorOfTheTest

    with pytest.raises(DomainErrorOfTheTest):
        run(rails, work, actor="ann")
    with rails.connect() as connection:
        assert matches(connection, BOOK) == ()


class DomainErrorOfTheTest(DomainError, code="error-of-the-test"):
    """something else went wrong in the same transaction"""
