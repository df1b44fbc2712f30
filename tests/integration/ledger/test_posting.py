"""Posting an entry: where it lands, what it moves, what comes back when it is asked for again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.chart import AccountCode, AccountDefinition, AccountType, Side
from ledger.commands.accounts import close_account, open_account
from ledger.commands.posting import post_entry
from ledger.commands.subledgers import freeze_subledger
from ledger.errors import (
    AccountIsHeader,
    AmountOutOfRange,
    BalanceWouldGoContra,
    BookingDateRefused,
    CurrencyNotTaken,
    EntryUnknown,
    MemorandumMixed,
    RequestKeyReused,
    SubledgerFrozen,
    TextRefused,
)
from ledger.money import MAX_MINOR
from ledger.unit_of_work import UnitOfWork
from tests.support.ledger_setup import ACCRUAL, FUNDING, OWN_MONEY, PAYMENT, TODAY, Ledger, contents


def test_entries_of_each_subledger_are_numbered_from_one_without_gaps(book: Ledger) -> None:
    first, second, _ = book.loans

    numbers = [book.post(loan, FUNDING).entry_no for loan in (first, first, second, first, second)]

    assert numbers == [1, 2, 1, 3, 2]


def test_entry_is_kept_as_it_was_asked_for(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    draft = book.draft(
        book.loan,
        PAYMENT,
        ACCRUAL,
        template="payment",
        template_version=3,
        effective_date=date(2026, 1, 10),
        approved_by="supervisor",
        source_ref="ach:42",
        narration="Payment “Nº 1” — 100 %\nsecond line",
        corrects_no=1,
        group_id=2**62,
        details={"rate": Decimal("0.0725"), "days": 31, "who": {"name": "Zoë", "none": None}, "yes": [True]},
    )

    posted = book.book_draft(draft)

    (view,) = book.entries(book.loan)[1:]
    assert view.entry.draft == replace(draft, booking_date=None)
    assert (posted.booking_date, view.entry.booking_date) == (TODAY, TODAY)


def test_numbers_in_details_stay_numbers_to_the_last_digit(book: Ledger) -> None:
    details = {"apr": Decimal("7.2500"), "tiny": Decimal("1E-30"), "long": 10**30, "list": [Decimal("0.1")]}

    book.post(book.loan, FUNDING, details=details)

    assert book.entries(book.loan)[0].entry.draft.details == details
    with book.engine.connect() as connection:
        kinds = sa.text("SELECT DISTINCT jsonb_typeof(value) FROM ledger.journal_entry, jsonb_each(details - 'list')")
        assert connection.scalars(kinds).all() == ["number"]


def test_entry_lands_in_the_books_of_the_business_date_whatever_its_effective_date(book: Ledger) -> None:
    for effective in (date(1999, 12, 31), TODAY, date(2031, 1, 1)):
        assert book.post(book.loan, FUNDING, effective_date=effective).booking_date == TODAY


def test_lines_are_drawn_as_an_accountant_draws_them(book: Ledger) -> None:
    book.post(book.loan, FUNDING, ACCRUAL)
    book.post(
        book.loan,
        ("CASH", "INTEREST_RECEIVABLE", 500),
        ("CASH", "LOAN_PRINCIPAL", 9_000),
        ("CASH", "UNAPPLIED_PAYMENTS", 500),
    )

    with book.engine.connect() as connection:
        lines = connection.execute(
            sa.text(
                "SELECT line_no, account, debit, credit FROM ledger.journal_line"
                " WHERE subledger_id = :loan AND entry_no = 2 ORDER BY line_no"
            ),
            {"loan": book.loan},
        ).all()

    assert [tuple(line) for line in lines] == [
        (1, "1020", 10_000, 0),
        (2, "1220", 0, 500),
        (3, "1210", 0, 9_000),
        (4, "2010", 0, 500),
    ]
    drawn = [(line.account, str(line.side), line.money.minor) for line in book.entries(book.loan)[1].lines]
    assert drawn == [
        ("1020", "debit", 10_000),
        ("1220", "credit", 500),
        ("1210", "credit", 9_000),
        ("2010", "credit", 500),
    ]


def test_balances_are_kept_for_what_a_loan_owes_and_not_for_cash_or_income(book: Ledger) -> None:
    book.post(book.loan, FUNDING, ACCRUAL, ("CASH", "UNAPPLIED_PAYMENTS", 700))
    book.post(book.loan, PAYMENT)

    assert book.balances(book.loan) == {"1210": 90_000, "1220": 500, "2010": 700, "2030": 100_000}
    assert book.balances(book.loans[1]) == {}


def test_an_account_that_is_debited_and_credited_in_one_entry_moves_by_the_difference(book: Ledger) -> None:
    book.post(book.loan, FUNDING)

    book.post(book.loan, ("CASH", "LOAN_PRINCIPAL", 300), ("LOAN_PRINCIPAL", "INTEREST_INCOME", 300))
    book.post(book.loan, ("CASH", "LOAN_PRINCIPAL", 100_500), ("LOAN_PRINCIPAL", "INTEREST_INCOME", 600))

    assert book.balances(book.loan)["1210"] == 100


def test_book_has_a_subledger_of_its_own_that_takes_every_currency(book: Ledger) -> None:
    dollars = book.postings(OWN_MONEY)
    yen = book.postings(("CASH", "CONTRIBUTED_CAPITAL", 150_000), currency="JPY")

    book.post(book.own, postings=dollars + yen)

    assert book.trial(TODAY) == {"1020": 1_000, "1020 JPY": 150_000, "3010": -1_000, "3010 JPY": -150_000}


def test_amounts_of_several_currencies_are_never_added_up_on_the_way(book: Ledger) -> None:
    most = ("CASH", "CONTRIBUTED_CAPITAL", MAX_MINOR)

    book.post(book.own, postings=book.postings(most) + book.postings(most, currency="EUR"))

    assert book.trial(TODAY)["1020"] == book.trial(TODAY)["1020 EUR"] == MAX_MINOR


@pytest.mark.parametrize("moves", [(OWN_MONEY,), (FUNDING,), (OWN_MONEY, FUNDING)], ids=["cash", "principal", "both"])
def test_a_loan_takes_entries_of_its_own_currency_only(book: Ledger, moves: tuple[Any, ...]) -> None:
    before = contents(book.database)

    with pytest.raises(CurrencyNotTaken) as refused:
        book.post(book.loan, *moves, currency="EUR")

    assert (refused.value.currency, refused.value.expected) == ("EUR", "USD")
    assert contents(book.database) == before


def test_a_loan_takes_no_entry_that_is_partly_in_another_currency(book: Ledger) -> None:
    mixed = book.postings(FUNDING) + book.postings(OWN_MONEY, currency="EUR")

    with pytest.raises(CurrencyNotTaken):
        book.post(book.loan, postings=mixed)


# --- The same request again -------------------------------------------------------------------------------


def test_the_same_request_again_returns_the_entry_of_the_first_time(book: Ledger) -> None:
    draft = book.draft(book.loan, FUNDING)
    first = book.book_draft(draft)
    before = contents(book.database)

    again = book.book_draft(draft)

    assert (again, first.replayed) == (replace(first, replayed=True), False)
    assert contents(book.database) == before


def test_neither_the_order_of_keys_nor_trailing_zeros_make_another_request(book: Ledger) -> None:
    book.post(book.loan, FUNDING, key="k", details={"rate": Decimal("1.0"), "days": 30})

    again = book.post(book.loan, FUNDING, key="k", details={"days": 30, "rate": Decimal("1.00")})

    assert again.replayed


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("postings", {"postings": None}),
        ("template", {"template": "other"}),
        ("template_version", {"template_version": 2}),
        ("effective_date", {"effective_date": date(2026, 1, 14)}),
        ("source_ref", {"source_ref": ""}),
        ("narration", {"narration": "other"}),
        ("details", {"details": {"rate": Decimal("0.07"), "days": 31}}),
        ("corrects_no", {"corrects_no": 1}),
        ("booking_date", {"booking_date": date(2026, 1, 14), "approved_by": "boss"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_key_with_another_input_is_refused_naming_the_field(
    book: Ledger, field: str, change: dict[str, Any]
) -> None:
    book.post(book.loan, FUNDING)
    details = {"rate": Decimal("0.070"), "days": 30}
    draft = book.draft(book.loan, FUNDING, key="k", details=details, narration="Funded")
    book.book_draft(draft)
    before = contents(book.database)
    changed = {**change, "postings": book.postings(("LOAN_PRINCIPAL", "CASH", 100_000))}

    with pytest.raises(RequestKeyReused) as refused:
        book.book_draft(replace(draft, **(changed if field == "postings" else change)))

    assert (refused.value.request_key, refused.value.field) == ("k", field)
    assert refused.value.stored != refused.value.given
    assert contents(book.database) == before


def test_the_same_key_in_two_subledgers_is_two_requests(book: Ledger) -> None:
    for loan in book.loans:
        assert not book.post(loan, FUNDING, key="fund").replayed


def test_a_refused_entry_leaves_its_key_free_and_its_number_too(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    with pytest.raises(BalanceWouldGoContra):
        book.post(book.loan, ("CASH", "LOAN_PRINCIPAL", 100_001), key="pay")

    posted = book.post(book.loan, PAYMENT, key="pay")

    assert (posted.entry_no, posted.replayed) == (2, False)


def test_a_request_is_answered_though_its_account_is_closed_and_its_loan_frozen_since(book: Ledger) -> None:
    draft = book.draft(book.loan, ACCRUAL)
    first = book.book_draft(draft)
    book.run(lambda uow: close_account(uow, book.code, "4010", closed_from=TODAY))
    assert book.book_draft(draft) == replace(first, replayed=True)

    book.run(lambda uow: freeze_subledger(uow, book.loan, frozen=True))

    assert book.book_draft(draft) == replace(first, replayed=True)
    with pytest.raises(SubledgerFrozen):
        book.post(book.loan, FUNDING)


def test_rolled_back_entries_leave_no_gap(book: Ledger) -> None:
    def forget(uow: UnitOfWork) -> None:
        post_entry(uow, book.draft(book.loan, FUNDING))

    for _ in range(20):
        book.run(forget, dry_run=True)

    assert book.post(book.loan, FUNDING).entry_no == 1


def test_a_dry_run_says_what_would_be_booked_and_keeps_nothing(book: Ledger) -> None:
    before = contents(book.database)

    posted = book.run(lambda uow: post_entry(uow, book.draft(book.loan, FUNDING)), dry_run=True)

    assert (posted.entry_no, posted.booking_date, posted.replayed) == (1, TODAY, False)
    assert contents(book.database) == before


def test_entries_of_two_loans_in_one_transaction_are_booked_together_or_not_at_all(book: Ledger) -> None:
    old, new, _ = book.loans
    book.post(old, FUNDING)

    def refinance(uow: UnitOfWork, payoff: int) -> None:
        opening = ("LOAN_PRINCIPAL", "REFINANCE_CLEARING", payoff)
        post_entry(uow, book.draft(new, opening, group_id=7))
        post_entry(uow, book.draft(old, ("REFINANCE_CLEARING", "LOAN_PRINCIPAL", payoff), group_id=7))

    with pytest.raises(BalanceWouldGoContra):
        book.run(lambda uow: refinance(uow, 100_001))
    assert book.entries(new) == ()
    book.run(lambda uow: refinance(uow, 100_000))

    assert book.balances(new)["1210"] == 100_000
    assert book.trial(TODAY)["1410"] == 0
    assert {view.entry.draft.group_id for view in (*book.entries(old)[1:], *book.entries(new))} == {7}


# --- Limits -----------------------------------------------------------------------------------------------


def test_a_balance_may_be_paid_down_to_nothing_and_not_one_cent_further(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    with pytest.raises(BalanceWouldGoContra) as refused:
        book.post(book.loan, ("CASH", "LOAN_PRINCIPAL", 100_001))

    book.post(book.loan, ("CASH", "LOAN_PRINCIPAL", 100_000))

    figures = refused.value.figures
    assert figures == {
        "subledger_id": book.loan,
        "account": "1210",
        "balance": 100_000,
        "change": -100_001,
        "currency": "USD",
    }
    assert "holds 1000.00 USD" in str(refused.value)
    assert book.balances(book.loan)["1210"] == 0


def test_a_balance_that_was_never_opened_does_not_go_contra_either(book: Ledger) -> None:
    with pytest.raises(BalanceWouldGoContra) as refused:
        book.post(book.loan, PAYMENT)

    assert (refused.value.balance, refused.value.change) == (0, -10_000)


def test_a_subledgered_account_that_may_go_contra_does(book: Ledger) -> None:
    escrow = AccountDefinition(
        code=AccountCode("2500"),
        slug="escrow",
        name="Escrow",
        type=AccountType.LIABILITY,
        normal_side=Side.CREDIT,
        subledgered=True,
        may_go_contra=True,
    )
    book.run(lambda uow: open_account(uow, book.code, escrow, effective_from=TODAY))
    roles = {**book.roles, "ESCROW": escrow.code}
    with_escrow = replace(book, roles=roles)

    with_escrow.post(book.loan, ("ESCROW", "CASH", 300))
    with_escrow.post(book.loan, ("ESCROW", "CASH", 200))

    assert book.balances(book.loan) == {"2500": -500}


def test_the_largest_amount_is_booked_once_and_a_balance_past_it_is_refused(book: Ledger) -> None:
    book.post(book.loan, ("LOAN_PRINCIPAL", "CASH", MAX_MINOR))

    with pytest.raises(AmountOutOfRange):
        book.post(book.loan, ("LOAN_PRINCIPAL", "CASH", 1))

    assert book.balances(book.loan) == {"1210": MAX_MINOR}
    assert len(book.entries(book.loan)) == 1


@pytest.mark.parametrize("number", [0, -1, 2, 99])
def test_an_entry_corrects_an_earlier_one_of_its_own_subledger(book: Ledger, number: int) -> None:
    book.post(book.loan, FUNDING)
    book.post(book.loans[1], FUNDING)
    book.post(book.loans[1], FUNDING)

    with pytest.raises(EntryUnknown) as refused:
        book.post(book.loan, PAYMENT, corrects_no=number)

    assert (refused.value.subledger_id, refused.value.entry_no) == (book.loan, number)
    book.post(book.loan, PAYMENT, corrects_no=1)
    assert book.entries(book.loan)[0].corrected_by == (2,)


def test_memoranda_are_posted_against_each_other_only(book: Ledger) -> None:
    book.post(book.loan, ("CHARGED_OFF_CLAIM", "CHARGED_OFF_CLAIM_CONTRA", 500))

    with pytest.raises(MemorandumMixed) as refused:
        book.post(book.loan, FUNDING, ("CHARGED_OFF_CLAIM", "CASH", 500))

    assert (refused.value.debit, refused.value.credit) == ("9010", "1020")


def test_a_header_of_the_chart_takes_no_postings(book: Ledger) -> None:
    headed = replace(book, roles={**book.roles, "HEADER": AccountCode("1010")})

    with pytest.raises(AccountIsHeader) as refused:
        headed.post(book.own, ("HEADER", "CONTRIBUTED_CAPITAL", 5))

    assert refused.value.account == "1010"


def test_an_earlier_day_of_an_open_month_takes_an_entry_that_somebody_approved(book: Ledger) -> None:
    with pytest.raises(BookingDateRefused, match="needs authority"):
        book.post(book.loan, FUNDING, booking_date=date(2026, 1, 14))
    with pytest.raises(BookingDateRefused, match="lies ahead"):
        book.post(book.loan, FUNDING, booking_date=date(2026, 1, 16), approved_by="boss")

    posted = book.post(book.loan, FUNDING, booking_date=date(2026, 1, 1), approved_by="boss")

    assert posted.booking_date == date(2026, 1, 1)
    assert book.post(book.loan, FUNDING, booking_date=TODAY).booking_date == TODAY


@pytest.mark.parametrize(
    "details", [{"bad\0key": 1}, {"bad": "nul\0"}, {"bad": "\ud800"}, {"bad": [1.5]}, {"bad": {1: 2}}]
)
def test_details_that_cannot_be_stored_exactly_are_refused(book: Ledger, details: dict[str, Any]) -> None:
    with pytest.raises(TextRefused):
        book.post(book.loan, FUNDING, details=details)
