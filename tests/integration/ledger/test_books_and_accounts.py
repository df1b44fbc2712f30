"""Books, their charts and business dates; accounts that open, close and are renamed; subledgers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.chart import AccountCode, AccountDefinition, AccountType, Chart, Side
from ledger.commands.accounts import close_account, open_account, rename_account, reopen_account
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.commands.subledgers import freeze_subledger, open_subledgers
from ledger.errors import (
    AccountClosed,
    AccountExists,
    AccountNotOpenYet,
    AccountUnknown,
    BookExists,
    BookingBeforeBookOpened,
    BookingDateRefused,
    BookUnknown,
    CurrencyUnknown,
    DomainError,
    MonthMalformed,
    RoleMapUnknown,
    SubledgerFrozen,
    SubledgerUnknown,
    TextRefused,
)
from ledger.queries.accounts import accounts, books, chart, closed_from, role_map
from ledger.unit_of_work import UnitOfWork
from tests.support.ledger_setup import (
    CHART,
    FUNDING,
    OPENED_ON,
    OWN_MONEY,
    TODAY,
    Ledger,
    contents,
    new_ledger,
)

BOND = AccountDefinition(
    code=AccountCode("1510"),
    slug="bonds",
    name="Bonds",
    type=AccountType.ASSET,
    normal_side=Side.DEBIT,
    parent=AccountCode("1000"),
)


def months(book: Ledger) -> list[tuple[date, str]]:
    statement = sa.text("SELECT month, state FROM ledger.period WHERE book_id = :id ORDER BY month")
    with book.engine.connect() as connection:
        return [(row.month, row.state) for row in connection.execute(statement, {"id": book.book.book_id})]


# --- Books ------------------------------------------------------------------------------------------------


def test_a_new_book_has_its_first_months_open_and_a_subledger_of_its_own(book: Ledger) -> None:
    late = new_ledger(book.database, code="LATE", opened_on=date(2025, 11, 20), business_date=date(2026, 1, 5))

    opened = [(date(2025, 11, 1), "open"), (date(2025, 12, 1), "open"), (date(2026, 1, 1), "open")]
    assert months(late) == opened
    assert months(book) == [(date(2026, 1, 1), "open")]
    assert late.own not in (*late.loans, *book.loans, book.own)
    assert [each.code for each in book.read(books)] == ["LATE", "MAIN"]


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"code": "MAIN"}, BookExists),
        ({"code": " "}, TextRefused),
        ({"name": ""}, TextRefused),
        ({"base_currency": "XXX"}, CurrencyUnknown),
        ({"base_currency": "usd"}, CurrencyUnknown),
        ({"time_zone": "Mars/Olympus"}, TextRefused),
        ({"time_zone": "../etc/passwd"}, TextRefused),
        ({"business_date": date(2025, 12, 31)}, BookingBeforeBookOpened),
        ({"fiscal_year_start_month": 0}, MonthMalformed),
        ({"fiscal_year_start_month": 13}, MonthMalformed),
    ],
    ids=str,
)
def test_a_book_that_cannot_be_is_refused(book: Ledger, facts: dict[str, Any], error: type[DomainError]) -> None:
    usual: dict[str, Any] = {"code": "NEW", "name": "New", "base_currency": "USD", "opened_on": OPENED_ON}
    before = contents(book.database)

    with pytest.raises(error):
        book.run(lambda uow: create_book(uow, **{**usual, **facts}))

    assert contents(book.database) == before


def test_a_book_that_is_not_there_is_named(book: Ledger) -> None:
    for refused in (
        lambda uow: advance_business_date(uow, "NONE", TODAY),
        lambda uow: load_chart(uow, "NONE", CHART),
        lambda uow: open_subledgers(uow, "NONE", "USD", 1),
        lambda uow: open_account(uow, "NONE", BOND, effective_from=TODAY),
    ):
        with pytest.raises(BookUnknown) as error:
            book.run(refused)
        assert error.value.book == "NONE"


def test_the_business_date_moves_forward_only_and_opens_the_months_it_enters(book: Ledger) -> None:
    book.advance(date(2026, 3, 2))
    before = contents(book.database)

    book.advance(date(2026, 3, 2))
    with pytest.raises(BookingDateRefused, match="only moves forward") as refused:
        book.advance(date(2026, 3, 1))

    assert (refused.value.booking_date, refused.value.business_date) == (date(2026, 3, 1), date(2026, 3, 2))
    assert contents(book.database) == before
    assert months(book) == [(date(2026, month, 1), "open") for month in (1, 2, 3)]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kolkata"])
def test_the_time_zone_of_a_session_moves_no_date(book: Ledger, zone: str) -> None:
    with book.engine.begin() as connection:
        connection.execute(sa.text(f"SET LOCAL TimeZone = '{zone}'"))
        uow = UnitOfWork(connection, "night shift")
        advance_business_date(uow, book.code, date(2026, 11, 1))

    assert months(book) == [(date(2026, month, 1), "open") for month in range(1, 12)]
    assert book.post(book.loan, FUNDING).booking_date == date(2026, 11, 1)


# --- The chart --------------------------------------------------------------------------------------------


def test_the_chart_of_a_book_is_the_chart_that_was_loaded(book: Ledger) -> None:
    loaded = book.read(chart, book.code)

    assert set(loaded.accounts) == set(CHART.accounts)
    assert {name: dict(roles) for name, roles in loaded.roles.items()} == {
        name: dict(roles) for name, roles in CHART.roles.items()
    }


def test_loading_the_same_chart_again_changes_nothing(book: Ledger) -> None:
    before = contents(book.database)

    again = book.run(lambda uow: load_chart(uow, book.code, CHART))

    assert (again.opened, len(again.unchanged), again.roles_mapped) == ((), len(CHART.accounts), 0)
    assert contents(book.database) == before


def test_a_chart_that_contradicts_the_book_is_refused_whole(book: Ledger) -> None:
    accounts = tuple(
        replace(account, normal_side=Side.CREDIT) if account.code == "1020" else account for account in CHART.accounts
    )
    changed = Chart(name="changed", accounts=(BOND, *accounts), roles={})
    before = contents(book.database)

    with pytest.raises(AccountExists) as refused:
        book.run(lambda uow: load_chart(uow, book.code, changed))

    assert refused.value.account == "1020"
    assert contents(book.database) == before


def test_what_a_book_has_is_kept_when_a_newer_chart_brings_more(book: Ledger) -> None:
    book.run(
        lambda uow: load_chart(uow, book.code, replace(CHART, roles={"default": {"SUSPENSE": AccountCode("1440")}}))
    )
    name = "Operating account, First Bank"
    book.run(lambda uow: rename_account(uow, book.code, "1020", name, effective_from=TODAY))
    newer = replace(
        CHART,
        accounts=(*CHART.accounts, BOND),
        roles={**CHART.roles, "default": {**CHART.roles["default"], "BONDS": BOND.code}},
    )

    load = book.run(lambda uow: load_chart(uow, book.code, newer, keep=True))

    roles = book.read(role_map, book.code, "default")
    names = {account.code: account.name for account in book.read(chart, book.code).accounts}
    assert (load.opened, load.roles_mapped) == ((BOND.code,), 1)
    assert (roles["BONDS"], roles["SUSPENSE"]) == (BOND.code, "1440")
    assert names[AccountCode("1020")] == name


def test_an_account_of_another_kind_is_not_taken_for_that_of_a_newer_chart(book: Ledger) -> None:
    accounts = tuple(
        replace(account, subledgered=not account.subledgered) if account.code == "1020" else account
        for account in CHART.accounts
    )
    with pytest.raises(AccountExists, match="1020"):
        book.run(lambda uow: load_chart(uow, book.code, replace(CHART, accounts=accounts), keep=True))


def test_a_role_that_a_later_chart_maps_elsewhere_is_mapped_there_from_today(book: Ledger) -> None:
    roles = {"default": {**CHART.roles["default"], "SUSPENSE": AccountCode("1440")}}
    book.run(lambda uow: load_chart(uow, book.code, replace(CHART, roles=roles)))

    def suspense(on: date | None) -> str:
        return book.read(role_map, book.code, "default", on)["SUSPENSE"]

    assert (suspense(OPENED_ON), suspense(TODAY), suspense(None)) == ("1490", "1440", "1440")


def test_a_product_map_lies_over_the_default_one(book: Ledger) -> None:
    credit_line = book.read(role_map, book.code, "credit_line")

    assert credit_line["LATE_FEE_INCOME"] == "4115"
    assert credit_line["CASH"] == "1020"
    with pytest.raises(RoleMapUnknown):
        book.read(role_map, book.code, "mortgage")


# --- Accounts ---------------------------------------------------------------------------------------------


def test_an_account_is_opened_once(book: Ledger) -> None:
    book.run(lambda uow: open_account(uow, book.code, BOND, effective_from=TODAY))

    for again in (BOND, replace(BOND, slug="other"), replace(BOND, code=AccountCode("1520"))):
        with pytest.raises(AccountExists):
            book.run(lambda uow, again=again: open_account(uow, book.code, again, effective_from=TODAY))  # type: ignore[misc]
    orphan = replace(BOND, code=AccountCode("1530"), slug="x", parent=AccountCode("7000"))
    with pytest.raises(AccountUnknown):
        book.run(lambda uow: open_account(uow, book.code, orphan, effective_from=TODAY))


def test_an_account_takes_entries_from_the_day_it_opens_until_the_day_before_it_closes(book: Ledger) -> None:
    book.run(lambda uow: open_account(uow, book.code, BOND, effective_from=date(2026, 1, 10)))
    book.run(lambda uow: close_account(uow, book.code, "1510", closed_from=date(2026, 1, 14)))
    bonds = replace(book, roles={**book.roles, "BONDS": AccountCode("1510")})

    def buy(day: int) -> None:
        bonds.post(book.own, ("BONDS", "CASH", 5), booking_date=date(2026, 1, day), approved_by="boss")

    with pytest.raises(AccountNotOpenYet) as early:
        buy(9)
    buy(10)
    buy(13)
    with pytest.raises(AccountClosed) as late:
        buy(14)
    assert (early.value.account, early.value.opened_from) == ("1510", date(2026, 1, 10))
    assert (late.value.account, late.value.closed_on) == ("1510", date(2026, 1, 14))

    with pytest.raises(AccountClosed):
        book.run(lambda uow: close_account(uow, book.code, "1510", closed_from=TODAY))
    book.run(lambda uow: reopen_account(uow, book.code, "1510", effective_from=TODAY))
    buy(15)


def test_renaming_an_account_keeps_its_old_name_for_earlier_days_and_does_not_open_it(book: Ledger) -> None:
    book.run(lambda uow: close_account(uow, book.code, "1020", closed_from=date(2026, 1, 10)))

    book.run(lambda uow: rename_account(uow, book.code, "1020", "Vault", effective_from=date(2026, 6, 1)))

    def name(on: date | None) -> str:
        found = book.read(accounts, book.code, on)
        return next(account.name for account in found if account.code == "1020")

    assert (name(TODAY), name(date(2026, 6, 1)), name(None)) == ("Cash in bank", "Vault", "Vault")
    assert book.read(closed_from, book.code)["1020"] == date(2026, 1, 10)
    with pytest.raises(AccountClosed):
        book.post(book.own, OWN_MONEY)
    assert book.findings() == ()


def test_changing_an_account_that_is_not_there_is_refused(book: Ledger) -> None:
    with pytest.raises(AccountUnknown):
        book.run(lambda uow: close_account(uow, book.code, "7777", closed_from=TODAY))
    with pytest.raises(AccountUnknown):
        book.run(lambda uow: rename_account(uow, book.code, "7777", "X", effective_from=TODAY))


def test_a_code_that_was_rolled_back_never_stands_for_another_account(book: Ledger) -> None:
    def open_and_use(uow: UnitOfWork) -> None:
        open_account(uow, book.code, BOND, effective_from=TODAY)
        rename_account(uow, book.code, "1510", "Bonds held", effective_from=TODAY)

    book.run(open_and_use, dry_run=True)
    stocks = replace(BOND, code=AccountCode("1520"), slug="stocks")
    book.run(lambda uow: open_account(uow, book.code, stocks, effective_from=TODAY))
    bonds = replace(book, roles={**book.roles, "BONDS": AccountCode("1510")})

    with pytest.raises(AccountUnknown):
        bonds.post(book.own, ("BONDS", "CASH", 5))

    assert book.entries(book.own) == ()


# --- Subledgers -------------------------------------------------------------------------------------------


def test_subledgers_have_ids_that_nobody_else_gets(book: Ledger) -> None:
    other = new_ledger(book.database, code="OTHER", loans=120)

    ids = [*book.loans, book.own, *other.loans, other.own, *book.open_loans(60), *other.open_loans(2)]

    assert len(set(ids)) == len(ids)


def test_a_currency_that_nobody_knows_opens_no_subledger(book: Ledger) -> None:
    with pytest.raises(CurrencyUnknown):
        book.open_loans(1, currency="XXX")


def test_a_frozen_subledger_takes_no_entry_until_it_is_thawed(book: Ledger) -> None:
    book.run(lambda uow: freeze_subledger(uow, book.loan, frozen=True))
    with pytest.raises(SubledgerFrozen) as refused:
        book.post(book.loan, FUNDING)

    book.run(lambda uow: freeze_subledger(uow, book.loan, frozen=False))

    assert refused.value.subledger_id == book.loan
    assert book.post(book.loan, FUNDING).entry_no == 1
    with pytest.raises(SubledgerUnknown):
        book.run(lambda uow: freeze_subledger(uow, 999_999, frozen=True))
