"""`loanbook journal`, `entry`, `balance`, `trial-balance` and `statement`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.cli.conftest import Loanbook, post


@pytest.fixture
def january(book: Loanbook) -> Loanbook:
    """Return a book with capital of 5,000.00 paid in on the 1st and 120.50 spent on the 5th."""
    post(book, "1020", "3010", "5000.00", "--narration", "Capital [paid] in")
    book("day", "advance", "2026-01-05")
    post(book, "5200", "1020", "120.50", "--narration", "Agency")
    return book


def test_an_entry_is_drawn_as_an_accountant_draws_it(january: Loanbook) -> None:
    lines = january("entry", "1", "2").out.splitlines()

    assert [line.split() for line in lines[-4:]] == [
        ["Account", "Name", "Debit", "Credit"],
        [lines[-3]],
        ["5200", "Collection", "expense", "120.50", "USD"],
        ["1020", "Cash", "in", "bank", "120.50", "USD"],
    ]


def test_text_of_the_books_is_neither_markup_nor_control(book: Loanbook) -> None:
    post(book, "5200", "1020", "1", "--narration", "[bold]not bold[/bold] \x1b[31mred")

    shown = book("journal").out

    assert "[bold]not bold[/bold]" in shown
    assert "\x1b" not in shown


def test_the_trial_balance_agrees_and_says_what_it_reflects(january: Loanbook) -> None:
    out = january("trial-balance", "--as-of", "2026-01-05").out

    assert "Total" in out
    assert out.count("5,000.00") == 3
    assert "4,879.50" in out
    assert "Reflects no block yet and entries not sealed yet." in out


def test_the_trial_balance_of_an_earlier_day_does_not_move(january: Loanbook) -> None:
    report = january("trial-balance", "--as-of", "2026-01-04", "--json").json

    assert [(row["account"], row["debit_balance"], row["credit_balance"]) for row in report["rows"]] == [
        ("1020", "5000.00", "0.00"),
        ("3010", "0.00", "5000.00"),
    ]


def test_a_statement_runs_from_opening_to_closing(january: Loanbook) -> None:
    found = january("statement", "cash", "--from", "2026-01-02", "--json").json

    assert found["opening"] == "5000.00"
    assert [(line["debit"], line["credit"], line["balance"]) for line in found["lines"]] == [
        (None, "120.50", "4879.50")
    ]
    assert found["closing"] == "4879.50"
    assert "Closing balance" in january("statement", "1020").out


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--account", "3010"), [1]),
        (("--account", "contributed_capital"), [1]),
        (("--effective-from", "2026-01-02"), [2]),
        (("--effective-to", "2026-01-04"), [1]),
        (("--request-key", "manual_journal:1"), [1]),
        (("--source-ref", "INV-7"), []),
        (("--group", "1"), []),
        (("--amount-from", "100", "--amount-to", "200", "--currency", "USD"), [2]),
        (("--currency", "EUR"), []),
        (("--text", "agency"), [2]),
        (("--amount-from", "120.51"), [1]),
        (("--amount-to", "120.50"), [2]),
        (("--from", "2026-01-02"), [2]),
        (("--to", "2026-01-04"), [1]),
        (("--by", "bob", "--approved-by", "carol"), [1, 2]),
        (("--by", "alice"), []),
        (("--kind", "manual_journal", "--subledger", "1"), [1, 2]),
        (("--recorded-from", "2020-01-01"), [1, 2]),
        (("--recorded-to", "2020-01-01T00:00Z"), []),
    ],
)
def test_the_journal_finds_what_is_asked_for(january: Loanbook, arguments: tuple[str, ...], found: list[int]) -> None:
    entries = january("journal", *arguments, "--json").json["entries"]

    assert [entry["entry_no"] for entry in entries] == found


@pytest.mark.parametrize("by", ["booking", "effective"])
@pytest.mark.parametrize("known_at", [(), ("--known-at", "1")])
@pytest.mark.parametrize("day", ["2025-12-31", "2026-01-01", "2026-01-20", "2026-01-31"])
def test_a_total_leads_to_the_entries_behind_it(
    january: Loanbook, by: str, known_at: tuple[str, ...], day: str
) -> None:
    january("seal")
    january("day", "advance", "2026-01-31")
    post(january, "5200", "1020", "7.00", "--effective-date", "2025-12-15")
    post(january, "5200", "1020", "1.25", "--effective-date", "2026-01-20")
    cut = ("--by", by, *known_at)

    totals = january("trial-balance", "--as-of", day, *cut, "--json").json["rows"]

    begin = ("--from", "2025-01-01") if by == "effective" else ()
    for row in totals:
        found = january("statement", row["account"], *begin, "--to", day, *cut, "--json").json
        of_loan = january("statement", row["account"], *begin, "--to", day, *cut, "--subledger", "1", "--json").json
        of_day = january("statement", row["account"], "--from", day, "--to", day, *cut, "--json").json
        debits_less_credits = Decimal(row["debit_balance"]) - Decimal(row["credit_balance"])
        on_its_side = debits_less_credits if found["normal_side"] == "debit" else -debits_less_credits
        assert Decimal(found["closing"]) == on_its_side, row["account"]
        assert sum(Decimal(line["debit"] or 0) for line in found["lines"]) == Decimal(row["debits"])
        assert of_loan["closing"] == of_day["closing"] == found["closing"], "opening balances are cut alike"


def test_the_journal_is_read_page_by_page(january: Loanbook) -> None:
    first = january("journal", "--limit", "1", "--json").json

    second = january("journal", "--limit", "1", "--cursor", first["next_cursor"], "--json").json

    assert [page["entries"][0]["entry_no"] for page in (first, second)] == [1, 2]
    assert second["next_cursor"] is None
    assert "There is more: --cursor" in january("journal", "--limit", "1").err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("journal", "--account", "9999"), "account-unknown"),
        (("journal", "--cursor", "x"), "cursor-invalid"),
        (("journal", "--recorded-from", "noon"), "input-malformed"),
        (("journal", "--amount-from", "1.001"), "fractional-minor-unit"),
        (("journal", "--book", "other"), "book-unknown"),
        (("statement", "9999"), "account-unknown"),
        (("balance", "999"), "subledger-unknown"),
        (("entry", "999", "1"), "entry-unknown"),
        (("trial-balance", "--known-at", "x"), "input-malformed"),
    ],
)
def test_a_question_about_nothing_is_refused(book: Loanbook, arguments: tuple[str, ...], code: str) -> None:
    assert book(*arguments, "--json", expect=2).refusal["code"] == code


def test_an_empty_book_has_an_empty_trial_balance(book: Loanbook) -> None:
    assert book("trial-balance", "--json").json["rows"] == []
    assert "Trial balance of main" in book("trial-balance").out


def test_balances_of_a_subledger_without_any_are_an_empty_list(book: Loanbook) -> None:
    assert book("balance", "1", "--json").json == {"subledger_id": 1, "balances": []}
