"""`loanbook init`, `migrate`, `day` and `account`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook


def test_init_makes_a_book_with_the_default_chart(loanbook: Loanbook) -> None:
    made = loanbook("init", "--opened-on", "2026-01-01", "--json").json

    assert made["book"]["code"] == "main"
    assert made["book"]["business_date"] == "2026-01-01"
    assert made["chart"] == "us_lender"
    assert len(made["opened"]) > 50


def test_init_in_a_dry_run_keeps_nothing(loanbook: Loanbook) -> None:
    tried = loanbook("init", "--opened-on", "2026-01-01", "--dry-run", "--json").json

    assert tried["dry_run"] is True
    assert loanbook("day", "show", "--json", expect=2).refusal["code"] == "book-missing"


def test_a_second_book_of_the_same_code_is_refused(book: Loanbook) -> None:
    assert book("init", "--json", expect=2).refusal["code"] == "book-exists"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--currency", "XXX"), "currency-unknown"),
        (("--time-zone", "Mars/Olympus"), "text-refused"),
        (("--time-zone", "../../etc/passwd"), "text-refused"),
        (("--chart", "/nonexistent.toml"), "file-unusable"),
    ],
)
def test_init_refuses_what_it_cannot_use(loanbook: Loanbook, arguments: tuple[str, ...], code: str) -> None:
    assert loanbook("init", *arguments, "--json", expect=2).refusal["code"] == code


def test_init_takes_a_chart_of_ones_own(loanbook: Loanbook, tmp_path: Path) -> None:
    chart = tmp_path / "small.toml"
    chart.write_text('name = "small"\naccounts = [{ code = "1", name = "Cash", type = "asset" }]\n')

    made = loanbook("init", "--chart", str(chart), "--json").json

    assert made["opened"] == ["1"]


def test_a_chart_with_mistakes_is_refused_by_its_place(loanbook: Loanbook, tmp_path: Path) -> None:
    chart = tmp_path / "bad.toml"
    chart.write_text('name = "bad"\naccounts = [{ code = "1", name = "Cash", type = "money" }]\n')

    refusal = loanbook("init", "--chart", str(chart), "--json", expect=2).refusal

    assert refusal["code"] == "chart-invalid"
    assert refusal["place"] == "account number 1 (1)"


def test_with_two_books_one_must_be_named(book: Loanbook) -> None:
    book("init", "--code", "uk", "--currency", "GBP", "--opened-on", "2026-01-01")

    refusal = book("day", "show", "--json", expect=2).refusal

    assert refusal["code"] == "book-ambiguous"
    assert refusal["known"] == ["main", "uk"]
    assert book("day", "show", "--book", "uk", "--json").json["base_currency"] == "GBP"
    assert book("day", "show", "--json", LOANBOOK_BOOK="uk").json["code"] == "uk"


def test_the_business_date_moves_forward_only(book: Loanbook) -> None:
    assert book("day", "advance", "--json").json["business_date"] == "2026-01-02"
    assert book("day", "advance", "2026-02-01", "--json").json["business_date"] == "2026-02-01"

    refusal = book("day", "advance", "2026-01-31", "--json", expect=2).refusal

    assert refusal["code"] == "booking-date-refused"


def test_a_dry_run_leaves_the_business_date(book: Loanbook) -> None:
    assert "Dry run" in book("day", "advance", "2026-02-01", "--dry-run").out

    assert book("day", "show", "--json").json["business_date"] == "2026-01-01"


def test_migrating_again_changes_nothing(book: Loanbook) -> None:
    done = book("migrate", "--json").json

    assert done["before"] == done["after"]


def test_an_account_is_opened_renamed_closed_and_reopened(book: Loanbook) -> None:
    book("account", "open", "1025", "--name", "Lockbox", "--type", "asset", "--parent", "1010")
    book("account", "rename", "1025", "Lockbox, First Bank", "--from", "2026-02-01")
    book("account", "close", "1025", "--from", "2026-07-01")

    (found,) = [a for a in book("account", "list", "--json").json["accounts"] if a["code"] == "1025"]

    assert (found["name"], found["closed_from"]) == ("Lockbox, First Bank", "2026-07-01")
    book("account", "reopen", "1025")
    (found,) = [a for a in book("account", "list", "--json").json["accounts"] if a["code"] == "1025"]
    assert found["closed_from"] is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("open", "1020", "--name", "Cash again", "--type", "asset"), "account-exists"),
        (("open", "1025", "--name", "X", "--type", "asset", "--parent", "9999"), "account-unknown"),
        (("open", "a b", "--name", "X", "--type", "asset"), "account-definition-invalid"),
        (("open", "1025", "--name", "X", "--type", "money"), "usage"),
        (("close", "9999"), "account-unknown"),
    ],
)
def test_what_is_no_account_is_refused(book: Loanbook, arguments: tuple[str, ...], code: str) -> None:
    assert book("account", *arguments, "--json", expect=2).refusal["code"] == code


def test_a_list_of_accounts_is_drawn_as_a_tree(book: Loanbook) -> None:
    lines = book("account", "list").out.splitlines()

    assert any("loan_principal" in line and "    Loan principal" in line for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", "--code", "second", "--opened-on", "0001-01-01"),
        ("init", "--code", "second", "--business-date", "9999-12-31"),
        ("day", "advance", "9999-12-31"),
        ("post", "--debit", "1020", "1", "--credit", "3010", "1", "--effective-date", "1899-12-31"),
        ("post", "--debit", "1020", "1", "--credit", "3010", "1", "--booking-date", "2200-01-01"),
        ("entry", "reverse", "1", "1", "--effective-date", "0026-01-01"),
        ("loan", "pay", "1", "5", "--id", "P", "--effective-date", "0001-01-01"),
        ("account", "open", "9999", "--name", "New", "--type", "asset", "--from", "0001-01-01"),
    ],
)
def test_a_day_that_no_books_can_hold_is_refused_with_the_days_that_they_can(
    book: Loanbook, arguments: tuple[str, ...]
) -> None:
    refusal = book(*arguments, "--json", expect=2).refusal

    assert refusal["code"] == "usage"
    assert "lies outside 1900-01-01 to 2199-12-31, the days that books can hold" in refusal["message"]


@pytest.mark.parametrize("year", ["0", "1899", "2200", "99999"])
def test_a_year_that_no_books_can_hold_is_refused(book: Loanbook, year: str) -> None:
    assert book("period", "year-end", year, "--json", expect=2).refusal["code"] == "usage"


def test_the_last_and_the_first_day_that_books_can_hold_are_taken(loanbook: Loanbook) -> None:
    for code, day in (("old", "1900-01-01"), ("far", "2199-12-31")):
        made = loanbook("init", "--code", code, "--opened-on", day, "--json").json
        assert made["book"]["opened_on"] == day


def test_a_book_of_an_older_chart_gets_what_a_newer_one_has_more(loanbook: Loanbook, tmp_path: Path) -> None:
    chart = tmp_path / "small.toml"
    cash = '{ code = "1020", name = "Our vault", slug = "cash", type = "asset", parent = "1000" }'
    header = '{ code = "1000", name = "Assets", type = "asset", header = true }'
    chart.write_text(f'name = "small"\naccounts = [{header}, {cash}]\n[roles.default]\nCASH = "1020"\n')
    loanbook("init", "--opened-on", "2026-01-01", "--chart", str(chart))

    tried = loanbook("account", "load", "--dry-run", "--json").json
    loaded = loanbook("account", "load", "--json").json
    again = loanbook("account", "load")

    assert tried["opened"] == loaded["opened"] and len(loaded["opened"]) > 50
    assert loaded["unchanged"] == ["1000", "1020"]
    assert "Opened in book main: none. Roles mapped: 0." in again.out
    assert "Our vault" in loanbook("account", "list").out
