"""Payoff quotes and payoffs on a real database: kept, repeated, refused, expired, used."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.errors import DomainError, RequestKeyReused
from ledger.money import Money
from ledger.unit_of_work import run
from servicing.commands.payments import return_payment, take_payment
from servicing.commands.payoffs import PaidOff, pay_off, quote_payoff
from servicing.errors import (
    LoanUnknown,
    PaymentExceedsPayoff,
    PaymentRuleUnknown,
    PayoffDateRefused,
    PayoffQuoteUnknown,
    WaterfallInvalid,
)
from servicing.queries import PayoffQuote, booked_balances, loan_view, payoff_quote, payoff_quotes
from tests.integration.servicing.acts import pay
from tests.support.database import APP, Database
from tests.support.loan_lives import ACTOR

TODAY = date(2026, 3, 20)


def quote(engine: sa.Engine, loan_id: int, good_through: date, key: str) -> PayoffQuote:
    return run(engine, lambda uow: quote_payoff(uow, loan_id, good_through=good_through, request_key=key), actor=ACTOR)


def settle(
    engine: sa.Engine,
    loan_id: int,
    minor: int,
    key: str,
    *,
    on: date = TODAY,
    quote_id: int | None = None,
    overpayment: str | None = None,
) -> PaidOff:
    return run(
        engine,
        lambda uow: pay_off(
            uow,
            loan_id,
            amount=Money(minor, "USD"),
            effective_date=on,
            method="wire",
            external_id=key,
            request_key=key,
            quote_id=quote_id,
            overpayment=overpayment,
        ),
        actor=ACTOR,
    )


def test_a_quote_is_kept_and_the_same_request_gets_the_same_quote(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, one, two = loan
    first = quote(engine, one, TODAY, "q1")

    again = quote(engine, one, TODAY, "q1")

    # 10000.00 x 12% x 64/365 = 210.41 on 20 March.
    assert (first.quote_id, first.principal, first.interest, first.status) == (1, 1_000_000, 21_041, "open")
    assert again == first
    assert (first.expires_on, first.actor) == (TODAY, ACTOR)
    with pytest.raises(RequestKeyReused):
        quote(engine, one, date(2026, 3, 21), "q1")
    assert quote(engine, one, date(2026, 3, 21), "q2").quote_id == 2
    with engine.connect() as connection:
        assert [each.quote_id for each in payoff_quotes(connection, one)] == [1, 2]
        assert payoff_quotes(connection, two) == ()


def test_a_quote_is_given_from_today_to_a_year_ahead(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, one, _ = loan
    for day in (date(2026, 3, 19), date(2027, 3, 22)):
        with pytest.raises(PayoffDateRefused):
            quote(engine, one, day, f"q{day}")
    assert quote(engine, one, date(2027, 3, 21), "longest").good_through == date(2027, 3, 21)
    with pytest.raises(LoanUnknown):
        quote(engine, 2**60, TODAY, "q")
    with pytest.raises(PayoffQuoteUnknown), engine.connect() as connection:
        payoff_quote(connection, one, 9)
    with pytest.raises(PayoffQuoteUnknown):
        settle(engine, one, 100, "p", quote_id=9)


def test_a_quote_counts_the_late_fees_that_no_daily_cycle_has_assessed_yet(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, one, _ = loan
    # The first installment's fee came at the close of 25 February; the second's comes at that of 25 March.
    assert quote(engine, one, date(2026, 3, 25), "before").late_fees_to_come == 1500
    assert quote(engine, one, date(2026, 3, 26), "after").late_fees_to_come == 3000


def test_a_payoff_uses_its_quote_and_a_late_return_opens_the_loan_again(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, one, _ = loan
    given = quote(engine, one, TODAY, "q")
    done = settle(engine, one, given.total, "all", quote_id=given.quote_id)
    again = settle(engine, one, given.total, "all", quote_id=given.quote_id)

    assert again.taken.replayed
    assert (dict(done.missing), done.days_late) == (dict(again.missing), 0) == ({}, 0)
    with engine.connect() as connection:
        # The late fee of the first installment was to come, and no cycle has assessed it: its 15.00 are unapplied.
        assert booked_balances(connection, one)["unapplied"] == 1500
        assert {money.minor for money in done.left.values()} == {1500}
        assert payoff_quote(connection, one, 1).status == "used"
        assert loan_view(connection, one).state.status == "paid_off"
    run(engine, partial(books.advance_business_date, book_code=code, to=date(2026, 5, 19)), actor=ACTOR)
    run(engine, lambda uow: return_payment(uow, one, done.taken.payment_id, "R10", "back"), actor=ACTOR)
    with engine.connect() as connection:
        view = loan_view(connection, one)
        # 10000.00 x 12% x 124/365 = 407.67; 93 days since 15 February.
        assert (view.state.status, view.state.principal, view.state.interest, view.dpd) == (
            "active",
            1_000_000,
            40_767,
            93,
        )
        assert payoff_quote(connection, one, 1).status == "expired"


def test_a_quote_is_superseded_by_whatever_happens_after_it(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, one, _ = loan
    given = quote(engine, one, TODAY, "q")
    pay(engine, one, "10.00", TODAY, "small")
    with engine.connect() as connection:
        assert payoff_quote(connection, one, given.quote_id).status == "superseded"


def test_an_amount_over_the_payoff_is_refused_with_both_figures(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, one, _ = loan
    with pytest.raises(PaymentExceedsPayoff) as refused:
        settle(engine, one, 1_021_042, "all", overpayment="refuse")
    assert str(refused.value) == (
        "a payment of 10210.42 USD is more than the 10210.41 USD that pay the loan off on 2026-03-20"
    )
    assert settle(engine, one, 1_021_041, "all", overpayment="refuse").missing == {}


def test_a_back_dated_payoff_is_measured_on_its_own_day(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, one, _ = loan
    # 10000.00 x 12% x 31/365 = 101.92 on 15 February.
    done = settle(engine, one, 1_010_192, "all", on=date(2026, 2, 15))
    assert (dict(done.missing), dict(done.left)) == ({}, {})
    with engine.connect() as connection:
        assert loan_view(connection, one).state.status == "paid_off"


def test_the_database_refuses_a_quote_that_does_not_add_up(
    module_database: Database, engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, one, _ = loan
    quote(engine, one, TODAY, "q")
    copied = (
        "INSERT INTO servicing.payoff_quote SELECT (r).* FROM (SELECT jsonb_populate_record(q, %s::jsonb) r"
        " FROM servicing.payoff_quote q WHERE loan_id = %s) s"
    )
    for changed in ('{"total": 1}', '{"principal": -1}', '{"good_through": "2026-03-19"}'):
        value = changed.replace("{", '{"quote_no": 2, "request_key": "x", ')
        with module_database.connect(APP) as app, pytest.raises(psycopg.errors.CheckViolation):
            app.execute(copied, (value, one))


def test_words_of_a_payment_that_contradict_each_other_or_are_unknown_are_refused(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, one, _ = loan
    amount = Money(1_000, "USD")
    refusals: tuple[tuple[type[DomainError], dict[str, Any]], ...] = (
        (WaterfallInvalid, {"excess": "hold", "allocate": {"unapplied": amount}}),
        (WaterfallInvalid, {"excess": "hold", "waterfall": "payoff"}),
        (PaymentRuleUnknown, {"excess": "keep"}),
        (PaymentRuleUnknown, {"overpayment": "keep"}),
    )
    for error, words in refusals:
        with pytest.raises(error):
            run(
                engine,
                partial(
                    take_payment,
                    loan_id=one,
                    amount=amount,
                    effective_date=TODAY,
                    method="ach",
                    external_id="p",
                    request_key="p",
                    **words,
                ),
                actor=ACTOR,
            )
