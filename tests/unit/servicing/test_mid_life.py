"""Loans taken over in mid-life: what they owe, which installments are past due, and how they go on.

The figures are those of docs/spec/boarding.md: 10,000.00 at 12% in 12 months from 15 January 2026, installments of
888.49 (10,000 x 0.01 / (1 - 1.01^-12)); simple interest on actual days of 365.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger.money import Money
from servicing.delinquency import days_past_due
from servicing.drafting import draft_of, drafted
from servicing.drafts import LoanDraft
from servicing.engine import fold
from servicing.errors import TermsInvalid
from servicing.opening import Opening
from servicing.state import LoanState
from servicing.terms import Terms
from tests.unit.servicing.examples import TERMS, payment

MARCH_20 = date(2026, 3, 20)


def usd(text: str) -> Money:
    """Return dollars."""
    return Money.parse(text, "USD")


def opening(on: date = MARCH_20, **more: Any) -> Opening:
    """Return the opening of the loan on 20 March, after the first installment was paid and the second was not.

    9,213.43 x 12% x 33/365 from 15 February on is 99.9594.
    """
    zero = usd("0")
    facts: dict[str, Any] = {
        "principal": usd("9213.43"),
        "interest": usd("99.96"),
        "late_fees": zero,
        "returned_payment_fees": zero,
        "other_fees": zero,
        "unapplied": zero,
        "days_past_due": 5,
    }
    return Opening(cut_over_on=on, **{**facts, **more})


def boarded(terms: Terms, own: Opening, through: date, *more: Any, fees_through: date | None = None) -> LoanState:
    """Return a boarded loan at the close of a day."""
    event = LoanDraft("A", terms, own).first_event(own.cut_over_on)
    return fold(terms, [event, *more], through, fees_through=fees_through)


def parts(state: LoanState, no: int) -> tuple[int, int]:
    """Return what an installment asks for: interest and principal."""
    installment = state.installments[no - 1]
    return installment.interest, installment.principal


def test_a_loan_owes_what_it_owed_and_its_installment_is_past_due() -> None:
    state = boarded(TERMS, opening(), MARCH_20)

    assert (state.principal, state.interest, state.status) == (921_343, 9_996, "active")
    # 28 of the 33 days lie before the due date: 99.96 x 28/33 is 84.81; the rest of 888.49 is principal.
    assert parts(state, 2) == (8_481, 80_368)
    assert days_past_due(state, MARCH_20) == 5
    assert state.installments[0].unpaid == 0
    (entry,) = state.planned
    assert (entry.template, entry.effective_date) == ("loan_boarded", MARCH_20)
    assert {name: minor for name, minor in entry.amounts.items() if minor} == {"principal": 921_343, "interest": 9_996}


def test_interest_goes_on_from_the_cut_over_and_payments_cure_what_is_past_due() -> None:
    paid = payment(2, 88_849, date(2026, 3, 25))
    state = boarded(TERMS, opening(), date(2026, 4, 15), paid)

    # 9,213.43 x 12% x 5/365 is 15.1454 until the payment, so 115.11 are owed; the second installment has 84.81 of it.
    assert state.allocations[2].components() == {
        "principal": 80_368,
        "interest": 8_481,
        "fees": 0,
        "penalties": 0,
        "unapplied": 0,
    }
    # And 8,409.75 x 12% x 21/365 = 58.0618 until 15 April: 99.96 + 15.1454 + 58.0618 - 84.81 = 88.3572.
    assert state.interest == 8_836
    assert parts(state, 3) == (8_836, 88_849 - 8_836)
    assert days_past_due(state, date(2026, 4, 15)) == 0


def test_a_loan_that_is_up_to_date_has_its_interest_in_the_coming_installment() -> None:
    # On 20 March, both installments paid: 8,409.75 x 12% x 5/365 = 13.8242.
    state = boarded(TERMS, opening(principal=usd("8409.75"), interest=usd("13.82"), days_past_due=0), date(2026, 4, 15))

    assert days_past_due(state, date(2026, 4, 15)) == 0
    # 13.82 + 8,409.75 x 12% x 26/365 = 13.82 + 71.8861.
    assert parts(state, 3) == (8_571, 80_278)
    assert sum(row.principal for row in state.installments) == 840_975


def test_fees_and_cash_are_taken_over_and_a_payment_pays_them_in_their_order() -> None:
    own = opening(late_fees=usd("15"), returned_payment_fees=usd("25"), other_fees=usd("5"), unapplied=usd("10.00"))

    state = boarded(TERMS, own, MARCH_20, payment(2, 10_000, MARCH_20))

    assert own.carrying_amount == 921_343 + 9_996 + 1_500 + 2_500 + 500 - 1_000
    assert state.allocations[2].components() == {
        "principal": 0,
        "interest": 5_500,
        "fees": 500,
        "penalties": 4_000,
        "unapplied": 0,
    }
    assert state.unapplied == 1_000


def test_an_installment_due_on_the_cut_over_is_not_past_due_but_due() -> None:
    april = date(2026, 4, 15)
    # 9,213.43 from 15 March on, were 84.81 paid: 9,213.43 x 12% x 31/365 is 93.90.
    state = boarded(TERMS, opening(april, principal=usd("8409.75"), interest=usd("85.71"), days_past_due=0), april)

    assert days_past_due(state, april) == 0
    assert days_past_due(state, date(2026, 4, 16)) == 1
    assert parts(state, 3) == (8_571, 80_278)


def test_what_was_paid_of_the_oldest_installment_is_not_missing_of_it() -> None:
    # 300.00 of the 888.49 were paid on 15 March: 588.49 is missing, and 300.00 - 84.81 = 215.19 of principal was paid.
    # Interest since: 8,998.24 x 12% x 5/365 = 14.7916; nothing is left of what grew until 15 March.
    own = opening(principal=usd("8998.24"), interest=usd("14.79"), past_due=usd("588.49"))

    state = boarded(TERMS, own, MARCH_20)

    assert sum(parts(state, 2)) == 58_849
    assert days_past_due(state, MARCH_20) == 5
    cured = boarded(TERMS, own, MARCH_20, payment(2, 58_849, MARCH_20))
    assert days_past_due(cured, date(2026, 4, 15)) == 0


def test_a_late_fee_is_assessed_here_where_its_day_comes_after_the_cut_over() -> None:
    on_time = date(2026, 3, 25)

    state = boarded(TERMS, opening(), on_time, fees_through=on_time)
    late = boarded(
        TERMS,
        opening(date(2026, 3, 26), days_past_due=11, interest=usd("118.13")),
        date(2026, 3, 31),
        fees_through=date(2026, 3, 31),
    )

    # Ten days after 15 March is the 25th: that day's close is ours; after it, whoever had the loan before assessed it.
    assert state.late_fees == 1_500
    assert late.late_fees == 0


def test_a_borrower_who_paid_ahead_has_nothing_to_pay_until_then() -> None:
    own = opening(principal=usd("7500"), interest=usd("12.33"), days_past_due=0, next_due_on=date(2026, 6, 15))

    state = boarded(TERMS, own, date(2026, 6, 14))

    assert days_past_due(state, date(2026, 6, 14)) == 0
    assert [row.unpaid for row in state.installments[:4]] == [0, 0, 0, 0]
    assert sum(row.principal for row in state.installments) == 750_000


def test_the_last_installment_of_a_loan_past_its_end_asks_for_everything() -> None:
    end = date(2027, 1, 15)
    own = opening(date(2027, 2, 4), principal=usd("1500"), interest=usd("40"), days_past_due=51)

    state = boarded(TERMS, own, date(2027, 2, 4))

    # Due on 15 December and 15 January; 51 days before 4 February is 15 December, whose period began on 15 November.
    # 40.00 x 30/81 = 14.81 until then; the last one has all the rest.
    assert parts(state, 11) == (1_481, 88_849 - 1_481)
    assert parts(state, 12) == (4_000 - 1_481, 150_000 - 88_849 + 1_481)
    assert (state.installments[-1].due, days_past_due(state, date(2027, 2, 4))) == (end, 51)


def test_of_a_loan_whose_end_alone_is_known_the_terms_go_on_from_its_oldest_unpaid_installment() -> None:
    values = {
        "external_id": "A",
        "product": TERMS.product,
        "rate": Decimal(12),
        "frequency": "monthly",
        "installment_amount": usd("888.49"),
        "cut_over_on": MARCH_20,
        "principal_balance": usd("9213.43"),
        "interest_balance": usd("99.96"),
        "days_past_due": 5,
        "next_due_on": date(2026, 4, 15),
        "installments_left": 10,
    }

    draft = drafted(values)

    terms = draft.terms
    assert (terms.funded_on, terms.first_due_on, terms.installments) == (date(2026, 2, 15), date(2026, 3, 15), 11)
    assert draft.opening is not None
    state = boarded(terms, draft.opening, date(2026, 4, 15))
    original = boarded(TERMS, opening(), date(2026, 4, 15))
    assert (state.principal, state.interest) == (original.principal, original.interest)
    assert [parts(state, no) for no in (1, 2)] == [parts(original, no) for no in (2, 3)]
    assert days_past_due(state, date(2026, 4, 15)) == 31


@pytest.mark.parametrize(
    ("cut_over", "next_due_on", "past_due", "frequency", "funded_on", "dues"),
    [
        # The 31st comes back; the day of the oldest unpaid one says that it is the 31st.
        (date(2026, 4, 1), date(2026, 4, 30), date(2026, 1, 31), "monthly", date(2025, 12, 31), 4),
        (MARCH_20, date(2026, 3, 31), date(2026, 1, 31), "monthly", date(2025, 12, 31), 3),
        (MARCH_20, date(2026, 3, 27), date(2026, 3, 13), "biweekly", date(2026, 2, 27), 2),
        (MARCH_20, date(2026, 4, 1), date(2026, 3, 1), "semimonthly", date(2026, 2, 16), 3),
        (MARCH_20, date(2026, 5, 16), date(2026, 2, 16), "quarterly", date(2025, 11, 16), 2),
        (MARCH_20, date(2026, 4, 1), date(2026, 3, 2), "days:30", date(2026, 1, 31), 2),
    ],
)
def test_the_grid_of_due_dates_is_drawn_backwards(
    cut_over: date, next_due_on: date, past_due: date, frequency: str, funded_on: date, dues: int
) -> None:
    draft = drafted(
        {
            "external_id": "A",
            "product": TERMS.product,
            "rate": Decimal(12),
            "frequency": frequency,
            "cut_over_on": cut_over,
            "principal_balance": usd("1000"),
            "days_past_due": (cut_over - past_due).days,
            "next_due_on": next_due_on,
            "installments_left": 5,
        }
    )

    assert (draft.terms.funded_on, draft.terms.first_due_on) == (funded_on, past_due)
    assert draft.terms.installments == dues + 4


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        (
            {"days_past_due": 6},
            "days_past_due",
            "no installment was due on 2026-03-14; the nearest are due on 2026-02-15",
        ),
        ({"cut_over_on": date(2026, 1, 14)}, "cut_over_on", "it lies before the loan was funded on 2026-01-15"),
        ({"cut_over_on": date(2027, 3, 1), "days_past_due": 0}, "days_past_due", "and there is a balance"),
        ({"next_due_on": date(2026, 5, 15)}, "next_due_on", "the next one is due on 2026-04-15"),
        ({"next_due_on": date(2026, 4, 14)}, "next_due_on", "no installment from the cut-over on is due on 2026-04-14"),
        ({"past_due": usd("888.50")}, "past_due", "ask for 0.01 to 888.49"),
        ({"past_due": usd("0")}, "past_due", "ask for 0.01 to 888.49"),
        ({"days_past_due": 0, "past_due": usd("1")}, "past_due", "ask for nothing"),
        ({"principal_balance": usd("-1")}, "principal_balance", "it must not be below zero"),
        ({"principal_balance": usd("0"), "interest_balance": usd("0")}, "principal_balance", "nothing is owed"),
        ({"other_fees": Money(1, "EUR")}, "other_fees", "its currency is another"),
        ({"installments_left": 9}, "installments_left", "10 are due from the cut-over on, not 9"),
        ({"principal_balance": None}, "principal_balance", "it is missing"),
        ({"first_due_on": None}, "first_due_on", "it is missing"),
        ({"cut_over_on": None}, "principal_balance", "only a loan with a cut-over has it"),
    ],
)
def test_an_opening_that_the_terms_do_not_bear_out_is_refused_by_its_field(
    changes: dict[str, Any], field: str, reason: str
) -> None:
    values: dict[str, Any] = {
        "external_id": "A",
        "product": TERMS.product,
        "principal": TERMS.principal,
        "rate": TERMS.rate,
        "installments": 12,
        "frequency": "monthly",
        "funded_on": TERMS.funded_on,
        "first_due_on": TERMS.first_due_on,
        "cut_over_on": MARCH_20,
        "principal_balance": usd("9213.43"),
        "interest_balance": usd("99.96"),
        "days_past_due": 5,
    }
    drafted(values)
    wrong: list[tuple[str, str]] = []

    made = draft_of({name: value for name, value in {**values, **changes}.items() if value is not None}, wrong)

    assert made is None
    assert wrong[0][0] == field
    assert reason in wrong[0][1]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"next_due_on": date(2026, 3, 15)}, "next_due_on", "what is past due is said by days_past_due"),
        ({"next_due_on": date(2026, 5, 15)}, "next_due_on", "has paid none ahead"),
        ({"next_due_on": None}, "next_due_on", "10 installments are left"),
        ({"next_due_on": None, "installments_left": 0, "days_past_due": 0}, "installments_left", "none is past due"),
        ({"days_past_due": 6}, "days_past_due", "no installment was due on 2026-03-14"),
        ({"frequency": "often"}, "frequency", "it must be one of"),
        ({"installments_left": None}, "installments_left", "it is missing"),
    ],
)
def test_what_is_left_of_a_loan_must_fit_together(changes: dict[str, Any], field: str, reason: str) -> None:
    values: dict[str, Any] = {
        "external_id": "A",
        "product": TERMS.product,
        "rate": TERMS.rate,
        "frequency": "monthly",
        "cut_over_on": MARCH_20,
        "principal_balance": usd("9213.43"),
        "days_past_due": 5,
        "next_due_on": date(2026, 4, 15),
        "installments_left": 10,
    }
    drafted(values)

    with pytest.raises(TermsInvalid) as refused:
        drafted({name: value for name, value in {**values, **changes}.items() if value is not None})

    assert (refused.value.field, reason in refused.value.reason) == (field, True)


def test_interest_that_is_the_contract_s_is_divided_as_the_contract_has_it() -> None:
    flat = replace(TERMS, product=TERMS.product.model_copy(update={"interest": "flat", "day_count": "period"}))
    # 1% of 10,000.00 a month whatever is owed: 100.00 in each installment; on 20 March 2 of them and 5 days of a third.
    own = opening(principal=usd("10000"), interest=usd("216.13"), days_past_due=33)

    state = boarded(flat, own, MARCH_20)

    assert [parts(state, no)[0] for no in (1, 2)] == [10_000, 10_000]
