"""What went over a rail is settled with the bank once, and the clearing account comes back to zero."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from gl_export.commands.settlement import settle_rails
from gl_export.queries.balances import clearing_ages, control_balances
from ledger.commands.posting import PostedEntry, reverse_entry
from ledger.queries.entries import entries
from ledger.unit_of_work import run
from tests.integration.gl_export.books import BOOK, OPENED, fund, go_to, open_book, open_loans, pay, post, seal_all

NEXT_DAY = date(2026, 10, 2)


def settle(engine: sa.Engine, day: date) -> tuple[PostedEntry, ...]:
    return run(engine, lambda uow: settle_rails(uow, BOOK, day, bank_reference="S-1"), actor="ops")


def balance_of(engine: sa.Engine, code: str) -> int:
    seal_all(engine)
    with engine.connect() as connection:
        found = control_balances(connection, BOOK, as_of=date(2026, 12, 31), known_at=10**9)
    return found[code, "USD"].minor if (code, "USD") in found else 0


def test_what_was_paid_out_and_in_on_a_day_leaves_and_reaches_the_bank_in_one_entry_a_rail(
    engine: sa.Engine,
) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    pay(engine, loan, "p1", 30_00)
    post(engine, loan, "p2", ("CHECK_CLEARING", "LOAN_PRINCIPAL", 5_00))
    go_to(engine, date(2026, 10, 5))

    settled = settle(engine, OPENED)

    with engine.connect() as connection:
        drafts = [found.entry.draft for found in entries(connection, settled[0].subledger_id)]
    assert [(draft.template, draft.narration, str(draft.postings[0].money)) for draft in drafts] == [
        ("rail_settled_out", "ACH of 2026-10-01 settled: paid to the rail", "70.00 USD"),
        ("rail_settled_in", "CHECK of 2026-10-01 settled: received from the rail", "5.00 USD"),
    ]
    assert {entry.booking_date for entry in settled} == {date(2026, 10, 5)}
    assert (balance_of(engine, "1120"), balance_of(engine, "1140"), balance_of(engine, "1020")) == (0, 0, -65_00)


def test_a_day_is_settled_once_and_later_only_what_came_to_it_since(engine: sa.Engine) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    go_to(engine, NEXT_DAY)
    settle(engine, OPENED)

    assert settle(engine, OPENED) == ()

    parts = ("ACH_CLEARING", "LOAN_PRINCIPAL", 7_00)
    post(engine, loan, "late", parts, booking_date=OPENED, approved_by="boss")
    (rest,) = settle(engine, OPENED)

    with engine.connect() as connection:
        found = entries(connection, rest.subledger_id, after=rest.entry_no - 1)[0].entry.draft
    assert (found.template, str(found.postings[0].money)) == ("rail_settled_in", "7.00 USD")
    assert balance_of(engine, "1120") == 0


def test_a_return_settles_on_its_own_day(engine: sa.Engine) -> None:
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 100_00)
    paid = pay(engine, loan, "p1", 30_00)
    go_to(engine, NEXT_DAY)
    run(
        engine,
        lambda uow: reverse_entry(uow, loan, paid.entry_no, request_key="back"),
        actor="clerk",
    )
    settle(engine, OPENED)
    go_to(engine, date(2026, 10, 3))

    (returned,) = settle(engine, NEXT_DAY)

    with engine.connect() as connection:
        found = entries(connection, returned.subledger_id, after=returned.entry_no - 1)[0].entry.draft
    assert (found.template, str(found.postings[0].money)) == ("rail_settled_out", "30.00 USD")
    assert balance_of(engine, "1120") == 0
    with engine.connect() as connection:
        (aged,) = clearing_ages(connection, BOOK, as_of=date(2026, 10, 31), known_at=10**9)
    assert aged.open_items == ()


def test_books_are_settled_each_by_itself(engine: sa.Engine) -> None:
    open_book(engine, "OTHER")
    (loan,) = open_loans(engine, 1, "OTHER")
    fund(engine, loan, 100_00, "OTHER")

    assert settle(engine, OPENED) == ()
