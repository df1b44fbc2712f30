"""Bad input, line by line: each has a named error with its figures, and nothing at all is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger import errors
from ledger.chart import AccountCode
from ledger.commands.accounts import close_account
from ledger.commands.batches import post_batch
from ledger.commands.manual_journals import propose_all
from ledger.commands.posting import post_entry, reverse_entry
from ledger.domain_error import DomainError
from ledger.errors import BY_SQLSTATE
from ledger.journal import Posting
from ledger.manual_journal import read_csv
from ledger.money import MAX_MINOR, Money
from ledger.requests import once
from ledger.unit_of_work import UnitOfWork
from tests.support.database import Database
from tests.support.ledger_setup import FUNDING, OWN_MONEY, PAYMENT, Ledger, Move, contents, new_ledger

CLOSED, OTHER, HEADER, UNKNOWN = "1440", "OTHER", "1000", "7777"
CASH, CAPITAL, MEMORANDUM = AccountCode("1020"), AccountCode("3010"), AccountCode("9010")


@pytest.fixture(scope="module")
def scene(module_database: Database) -> Ledger:
    """Return a book whose January is closed, with an entry, its reversal, a closed account, and a second book."""
    book = new_ledger(module_database)
    new_ledger(module_database, code=OTHER)
    book.post(book.loan, FUNDING, key="fund")
    book.post(book.loan, FUNDING, key="again")
    book.reverse(book.loan, 2)
    book.run(lambda uow: close_account(uow, book.code, CLOSED, closed_from=date(2026, 1, 10)))
    book.advance(date(2026, 2, 3))
    book.close("2026-01")
    return book


@dataclass(frozen=True)
class Bad:
    """One bad input, and the error with the figures that it must get."""

    send: Callable[[Ledger], object]
    error: type[DomainError]
    figures: dict[str, Any]


def between(
    debit: str, credit: str, minor: int = 5, currency: str = "USD", **fields: Any
) -> Callable[[Ledger], object]:
    """Post to the book's own subledger, between two accounts given by code."""

    def send(book: Ledger) -> object:
        posting = Posting(AccountCode(debit), AccountCode(credit), Money(minor, currency))
        return book.post(book.own, postings=(posting,), **fields)

    return send


def to_loan(move: Move = PAYMENT, **fields: Any) -> Callable[[Ledger], object]:
    """Post to the first loan."""
    return lambda book: book.post(book.loan, move, **fields)


def in_other_book(book: Ledger) -> object:
    """Post an account of the first book to a subledger of the second, past Python's own look-up."""
    other = replace(book, code=OTHER)
    foreign = book.read(
        lambda c: c.exec_driver_sql("SELECT account_id FROM ledger.account WHERE book_id = 1 LIMIT 1").scalar()
    )

    def work(uow: UnitOfWork) -> object:
        return uow.connection.exec_driver_sql(
            "SELECT ledger.post_entry(%s, 'k', '', 't', 1, '2026-01-15', NULL, 'a', NULL, ARRAY[%s]::int[],"
            " ARRAY[%s]::int[], ARRAY[5]::bigint[], ARRAY['USD'], NULL, NULL, NULL, NULL, NULL, NULL)",
            (other.own, foreign, foreign),
        )

    return book.run(work)


def by_batch(debit: str, credit: str) -> Callable[[Ledger], object]:
    """Post a batch with one row between two accounts."""

    def send(book: Ledger) -> object:
        row = book.batch((book.loan, OWN_MONEY)).rows[0]
        row = replace(row, debit=AccountCode(debit), credit=AccountCode(credit))
        return post_batch(book.engine, replace(book.batch(key="bad"), rows=(row,)), actor="job")

    return send


def by_csv(*lines: str) -> Callable[[Ledger], object]:
    """Propose the journals of a file."""
    header = "journal,effective_date,account,debit,credit,currency,narration,source_ref"

    def send(book: Ledger) -> object:
        journals = read_csv([header, *lines], file="bad.csv", book_code=book.code)
        return book.run(lambda uow: propose_all(uow, journals))

    return send


def parse(text: str, currency: str) -> Callable[[Ledger], object]:
    """Read an amount and post it."""
    return lambda book: book.post(book.own, postings=(Posting(CASH, CAPITAL, Money.parse(text, currency)),))


def by_request(**inputs: Any) -> Callable[[Ledger], object]:
    """Send a request under a key that was answered."""

    def send(book: Ledger) -> object:
        def work(uow: UnitOfWork) -> object:
            ask = {"subledger_id": book.loan, "key": "asked", "command": "pay", "work": dict}
            once(uow, inputs={"amount": Decimal(5)}, **ask)  # type: ignore[arg-type]
            return once(uow, inputs=inputs, **ask)  # type: ignore[arg-type]

        return book.run(work)

    return send


JANUARY: dict[str, Any] = {"booking_date": date(2026, 1, 31), "approved_by": "boss"}

BAD: dict[str, Bad] = {
    "unknown account": Bad(between(UNKNOWN, CAPITAL), errors.AccountUnknown, {"account": UNKNOWN}),
    "unknown account in a batch": Bad(by_batch(UNKNOWN, CAPITAL), errors.AccountUnknown, {"account": UNKNOWN}),
    "unknown account in a file": Bad(
        by_csv("j,2026-02-01,7777,5,,USD,,", "j,2026-02-01,1020,,5,USD,,"), errors.AccountUnknown, {"account": UNKNOWN}
    ),
    "closed account": Bad(
        between(CLOSED, CASH),
        errors.AccountClosed,
        {"account": CLOSED, "closed_on": date(2026, 1, 10), "booking_date": date(2026, 2, 3)},
    ),
    "closed account in a batch": Bad(by_batch(CLOSED, CASH), errors.AccountClosed, {"account": CLOSED}),
    "header account": Bad(between(HEADER, CASH), errors.AccountIsHeader, {"account": HEADER}),
    "memorandum against money": Bad(
        between(MEMORANDUM, CASH), errors.MemorandumMixed, {"debit": MEMORANDUM, "credit": CASH}
    ),
    "control account by hand": Bad(
        by_csv("j,2026-02-01,1210,5,,USD,,", "j,2026-02-01,1020,,5,USD,,"),
        errors.ControlAccountRefusesManual,
        {"account": "1210"},
    ),
    "wrong book": Bad(in_other_book, errors.AccountOfOtherBook, {"book": "MAIN", "expected_book": OTHER}),
    "unknown book": Bad(
        lambda book: replace(book, code="NONE").advance(date(2026, 3, 1)), errors.BookUnknown, {"book": "NONE"}
    ),
    "unknown subledger": Bad(
        lambda book: book.post(424_242, FUNDING), errors.SubledgerUnknown, {"subledger_id": 424_242}
    ),
    "wrong currency": Bad(
        to_loan(OWN_MONEY, currency="EUR"), errors.CurrencyNotTaken, {"currency": "EUR", "expected": "USD"}
    ),
    "unknown currency": Bad(between(CASH, CAPITAL, 5, "ZZZ"), errors.CurrencyUnknown, {"currency": "ZZZ"}),
    "zero": Bad(between(CASH, CAPITAL, 0), errors.AmountNotPositive, {"amount": 0}),
    "negative": Bad(between(CASH, CAPITAL, -5), errors.AmountNotPositive, {"amount": -5}),
    "same account on both sides": Bad(between(CASH, CASH), errors.SameAccountBothSides, {"account": CASH}),
    "no postings": Bad(lambda book: book.post(book.own), errors.EntryEmpty, {}),
    "fractional cent": Bad(
        parse("10.005", "USD"),
        errors.FractionalMinorUnit,
        {"text": "10.005", "currency": "USD", "exponent": 2},
    ),
    "fractional yen": Bad(parse("10.5", "JPY"), errors.FractionalMinorUnit, {"currency": "JPY", "exponent": 0}),
    "fourth decimal of a dinar": Bad(
        parse("1.0005", "BHD"), errors.FractionalMinorUnit, {"currency": "BHD", "exponent": 3}
    ),
    "not a number": Bad(parse("NaN", "USD"), errors.MoneyMalformed, {"text": "NaN"}),
    "an exponent": Bad(parse("1e400", "USD"), errors.MoneyMalformed, {"text": "1e400"}),
    "amount over 64 bits": Bad(
        between(CASH, CAPITAL, MAX_MINOR + 1), errors.AmountOutOfRange, {"amount": MAX_MINOR + 1, "limit": MAX_MINOR}
    ),
    "amounts that sum over 64 bits": Bad(
        lambda book: book.post(
            book.own,
            postings=(
                Posting(CASH, CAPITAL, Money(MAX_MINOR, "USD")),
                Posting(CASH, CAPITAL, Money(1, "USD")),
            ),
        ),
        errors.AmountOutOfRange,
        {"amount": MAX_MINOR + 1},
    ),
    "balance over 64 bits": Bad(
        to_loan(("LOAN_PRINCIPAL", "CASH", MAX_MINOR)), errors.AmountOutOfRange, {"limit": MAX_MINOR}
    ),
    "balance that would go contra": Bad(
        to_loan(("CASH", "LOAN_PRINCIPAL", 100_001)),
        errors.BalanceWouldGoContra,
        {"account": "1210", "balance": 100_000, "change": -100_001, "currency": "USD"},
    ),
    "closed period": Bad(
        to_loan(**JANUARY),
        errors.PeriodIsClosed,
        {"book": "MAIN", "booking_date": date(2026, 1, 31), "closed_through": date(2026, 1, 31)},
    ),
    "closed period, reversal": Bad(
        lambda book: book.reverse(book.loan, 1, **JANUARY), errors.PeriodIsClosed, {"booking_date": date(2026, 1, 31)}
    ),
    "date before the book opened": Bad(
        lambda book: replace(book, code=OTHER).post(
            replace(book, code=OTHER).own, OWN_MONEY, booking_date=date(2025, 12, 31), approved_by="boss"
        ),
        errors.BookingBeforeBookOpened,
        {"book": OTHER, "booking_date": date(2025, 12, 31), "opened_on": date(2026, 1, 1)},
    ),
    "date ahead": Bad(
        to_loan(booking_date=date(2026, 2, 4), approved_by="boss"),
        errors.BookingDateRefused,
        {"booking_date": date(2026, 2, 4), "business_date": date(2026, 2, 3)},
    ),
    "earlier day without approval": Bad(
        to_loan(booking_date=date(2026, 2, 2)), errors.BookingDateRefused, {"booking_date": date(2026, 2, 2)}
    ),
    "approval of one's own work": Bad(
        to_loan(approved_by="teller"), errors.ApprovalMissing, {"actor": "teller", "approver": "teller"}
    ),
    "malformed row": Bad(
        by_csv("j,2026-02-01,5200,5,,USD,,", "j,2026-02-01,1020,,five,USD,,"),
        errors.MalformedRow,
        {"file": "bad.csv", "row": 3, "field": "credit", "value": "five"},
    ),
    "unbalanced file": Bad(
        by_csv("j,2026-02-01,5200,5.00,,USD,,", "j,2026-02-01,1020,,4.99,USD,,"),
        errors.EntryUnbalanced,
        {"debits": 500, "credits": 499, "difference": 1, "currency": "USD"},
    ),
    "balanced only over two currencies": Bad(
        by_csv("j,2026-02-01,5200,5.00,,USD,,", "j,2026-02-01,1020,,5.00,EUR,,"),
        errors.EntryUnbalanced,
        {"currency": "USD", "debits": 500, "credits": 0},
    ),
    "repeated key with another input": Bad(
        to_loan(("LOAN_PRINCIPAL", "CASH", 7), key="fund"),
        errors.RequestKeyReused,
        {"request_key": "fund", "field": "postings"},
    ),
    "repeated key of a request with another input": Bad(
        by_request(amount=Decimal(6)), errors.RequestKeyReused, {"request_key": "asked", "field": "amount"}
    ),
    "reversal of a reversal": Bad(lambda book: book.reverse(book.loan, 3), errors.ReversalOfReversal, {"entry_no": 3}),
    "reversal of a reversed entry": Bad(
        lambda book: book.reverse(book.loan, 2), errors.EntryAlreadyReversed, {"entry_no": 2, "reversed_by": 3}
    ),
    "reversal of no entry": Bad(lambda book: book.reverse(book.loan, 99), errors.EntryUnknown, {"entry_no": 99}),
    "close out of turn": Bad(
        lambda book: book.close("2026-02"), errors.PeriodTransitionRefused, {"month": "2026-02", "state": "open"}
    ),
    "reopening alone": Bad(
        lambda book: book.reopen("2026-01", approver=None), errors.ApprovalMissing, {"approver": None}
    ),
    "malformed month": Bad(lambda book: book.close("2026-13"), errors.MonthMalformed, {"text": "2026-13"}),
    "unprintable text": Bad(to_loan(narration="nul\0"), errors.TextRefused, {"field": "narration"}),
    "empty key": Bad(to_loan(key=" "), errors.TextRefused, {"field": "request_key"}),
    "float in the details": Bad(to_loan(details={"rate": 0.1}), errors.TextRefused, {"field": "value.details.rate"}),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_input_is_refused_by_name_with_its_figures_and_nothing_is_written(scene: Ledger, bad: Bad) -> None:
    before = contents(scene.database)

    with pytest.raises(bad.error) as refused:
        bad.send(scene)

    found = refused.value.figures
    assert {name: found[name] for name in bad.figures} == bad.figures
    assert "{" not in str(refused.value)
    assert contents(scene.database) == before


def test_work_that_is_refused_half_way_leaves_nothing_of_its_first_half(scene: Ledger) -> None:
    before = contents(scene.database)

    def work(uow: UnitOfWork) -> None:
        post_entry(uow, scene.draft(scene.loan, FUNDING))
        reverse_entry(uow, scene.loan, 1, request_key="half")
        post_entry(uow, scene.draft(scene.loans[1], PAYMENT))

    with pytest.raises(errors.BalanceWouldGoContra):
        scene.run(work)

    assert contents(scene.database) == before


def test_a_book_that_opens_within_a_month_takes_nothing_from_before_that_day(database: Database) -> None:
    book = new_ledger(database, opened_on=date(2026, 1, 10))
    book.advance(date(2026, 2, 3))
    book.close("2026-01")
    book.reopen("2026-01")
    before = contents(database)

    with pytest.raises(errors.BookingBeforeBookOpened) as refused:
        book.post(book.loan, FUNDING, booking_date=date(2026, 1, 9), approved_by="boss")

    assert (refused.value.opened_on, refused.value.booking_date) == (date(2026, 1, 10), date(2026, 1, 9))
    assert contents(database) == before
    assert book.post(book.loan, FUNDING, booking_date=date(2026, 1, 10), approved_by="boss").entry_no == 1


def test_the_first_day_of_a_book_takes_entries_and_the_day_before_does_not(database: Database) -> None:
    book = new_ledger(database, opened_on=date(2026, 1, 10))

    with pytest.raises(errors.BookingBeforeBookOpened):
        book.post(book.loan, FUNDING, booking_date=date(2026, 1, 9), approved_by="boss")

    assert book.post(book.loan, FUNDING, booking_date=date(2026, 1, 10), approved_by="boss").entry_no == 1


def test_every_refusal_of_the_database_has_a_class_of_its_own(scene: Ledger) -> None:
    functions = scene.read(
        lambda c: c.exec_driver_sql(
            "SELECT string_agg(prosrc, ' ') FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
        ).scalar()
    )
    used = {word.strip("'(),") for word in str(functions).split() if word.strip("'(),").startswith("LB0")}

    assert used <= set(BY_SQLSTATE)
