"""The contract schedule and the terms that it comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger.money import Money
from servicing.amortization import Start, ask
from servicing.contract import Phase
from servicing.due_dates import due_dates
from servicing.errors import TermsInvalid
from servicing.product import Grace, Product
from servicing.schedule import contract_schedule, periods_of
from servicing.terms import CustomRow, Step, Terms, terms_from_json
from tests.unit.servicing.examples import RULES, TERMS

FUNDED_ON = date(2026, 1, 1)


def level_payment(terms: Terms) -> int:
    principal = terms.principal.minor
    start = Start(principal=principal, periods=periods_of(terms), rate=terms.rate, original=principal)
    return ask(terms, Phase(terms.installments, "level", None), start).amount


def test_the_level_payment_is_the_annuity() -> None:
    # A i / (1 - (1 + i)^-n) at 1% over 12 months: 888.4878...
    assert level_payment(TERMS) == 88849


def test_the_level_payment_is_rounded_to_what_the_product_says() -> None:
    up = Product.model_validate({"installment_rounding": {"to": "1", "mode": "up"}})
    assert level_payment(replace(TERMS, product=up)) == 88900
    assert contract_schedule(replace(TERMS, installment_amount=Money(90_000, "USD")))[0].total == 90_000


def test_the_schedule_pays_off_to_the_cent_and_the_last_installment_takes_the_rest() -> None:
    rows = contract_schedule(TERMS)
    assert (rows[0].principal, rows[0].interest) == (78657, 10192)
    assert sum(row.principal for row in rows) == 1_000_000
    assert rows[-1].balance == 0
    assert {row.total for row in rows[:-1]} == {88849}


def test_a_loan_without_interest_is_split_evenly_with_the_rest_at_the_end() -> None:
    rows = contract_schedule(replace(TERMS, rate=Decimal(0), principal=Money(100_00, "USD"), installments=3))
    assert [row.total for row in rows] == [3333, 3333, 3334]


def test_due_dates_come_back_to_their_day_after_a_short_month() -> None:
    assert due_dates(FUNDED_ON, date(2026, 1, 31), "monthly", 3) == (
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
    )
    assert due_dates(FUNDED_ON, date(2026, 1, 31), "quarterly", 2)[1] == date(2026, 4, 30)


def test_due_dates_between_months() -> None:
    assert due_dates(FUNDED_ON, date(2026, 1, 5), "semimonthly", 3)[1:] == (date(2026, 1, 20), date(2026, 2, 5))
    assert due_dates(FUNDED_ON, date(2026, 1, 31), "semimonthly", 3) == (
        date(2026, 1, 31),
        date(2026, 2, 16),
        date(2026, 2, 28),
    )
    assert due_dates(FUNDED_ON, date(2026, 1, 5), "biweekly", 2)[1] == date(2026, 1, 19)
    assert due_dates(FUNDED_ON, date(2026, 1, 5), "days:10", 2)[1] == date(2026, 1, 15)


def test_due_dates_past_the_end_of_the_calendar_are_refused() -> None:
    with pytest.raises(TermsInvalid, match="9999"):
        due_dates(FUNDED_ON, date(9990, 1, 31), "annual", 20)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"principal": Money(0, "USD")}, "principal"),
        ({"rate": Decimal("-0.01")}, "rate"),
        ({"rate": Decimal("NaN")}, "rate"),
        ({"rate": Decimal("1000.01")}, "rate"),
        ({"installments": 0}, "installments"),
        ({"installments": 1201}, "installments"),
        ({"first_due_on": TERMS.funded_on}, "first_due_on"),
        ({"frequency": "fortnightly"}, "frequency"),
        ({"frequency": "days:0"}, "frequency"),
        ({"installment_amount": Money(0, "USD")}, "installment_amount"),
        ({"installment_amount": Money(1, "EUR")}, "installment_amount"),
    ],
)
def test_terms_that_cannot_be_are_refused_by_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(TermsInvalid) as refused:
        replace(TERMS, **change)
    assert refused.value.field == field


STEPS = (Step(6, Money(500_00, "USD")), Step(6))
ROWS = (CustomRow(TERMS.first_due_on, principal=Money(4_000_00, "USD")), CustomRow(date(2026, 5, 1)))


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("level", {"balloon": Money(1, "USD")}, "balloon"),
        ("balloon", {"balloon": TERMS.principal}, "balloon"),
        ("balloon", {"balloon": Money(-1, "USD")}, "balloon"),
        ("balloon", {"balloon": Money(1, "EUR")}, "balloon"),
        ("interest_only", {"installment_amount": Money(100, "USD")}, "installment_amount"),
        ("equal_principal", {"installment_amount": Money(100, "USD")}, "installment_amount"),
        ("level", {"steps": STEPS}, "steps"),
        ("step", {}, "steps"),
        ("step", {"steps": STEPS[:1]}, "steps"),
        ("step", {"steps": STEPS[::-1]}, "steps"),
        ("step", {"steps": (Step(0, Money(1, "USD")), Step(12))}, "steps"),
        ("step", {"steps": (Step(12, Money(-1, "USD")),)}, "steps"),
        ("step", {"steps": (Step(12, Money(1, "EUR")),)}, "steps"),
        ("level", {"rows": ROWS, "installments": 2}, "rows"),
        ("custom", {}, "rows"),
        ("custom", {"rows": ROWS}, "rows"),
        ("custom", {"rows": ROWS, "installments": 2, "first_due_on": date(2026, 2, 16)}, "rows"),
        ("custom", {"rows": (ROWS[0], ROWS[0]), "installments": 2}, "rows"),
        ("custom", {"rows": (CustomRow(TERMS.first_due_on), ROWS[1]), "installments": 2}, "rows"),
        ("custom", {"rows": ROWS[:1], "installments": 1}, "rows"),
        (
            "custom",
            {"rows": (replace(ROWS[0], total=Money(1, "USD")), ROWS[1]), "installments": 2},
            "rows",
        ),
    ],
)
def test_what_a_kind_of_amortization_has_no_use_for_is_refused_by_field(
    kind: Any, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(TermsInvalid) as refused:
        replace(TERMS, product=Product(amortization=kind), **change)
    assert refused.value.field == field


@pytest.mark.parametrize("grace", [Grace(principal=12), Grace(interest_payment=12)])
def test_there_are_more_installments_than_those_with_a_grace(grace: Grace) -> None:
    replace(TERMS, product=Product(grace=grace), installments=13)
    with pytest.raises(TermsInvalid):
        replace(TERMS, product=Product(grace=grace))


def test_an_agreed_total_has_no_grace_for_the_interest_in_it() -> None:
    grace = Grace(interest_payment=1)
    with pytest.raises(TermsInvalid):
        replace(TERMS, product=Product(amortization="step", grace=grace), steps=STEPS)
    rows = (CustomRow(TERMS.first_due_on, total=Money(1, "USD")), CustomRow(date(2026, 5, 1)))
    with pytest.raises(TermsInvalid):
        replace(TERMS, product=Product(amortization="custom", grace=grace), rows=rows, installments=2)


def test_terms_of_an_older_release_are_read() -> None:
    stored = TERMS.as_json()
    older = {key: value for key, value in stored.items() if key not in ("balloon", "steps", "rows")}
    assert terms_from_json(RULES, older) == TERMS


def test_interest_that_an_agreed_total_has_no_room_for_waits() -> None:
    # 10,000.00 at 1% a month: 100.00 is earned each month, 60.00 of it asked for, so 11 x 40.00 wait for the last.
    product = Product(amortization="step", day_count="30/360")
    rows = contract_schedule(replace(TERMS, product=product, steps=(Step(12, Money(60_00, "USD")),)))
    assert [(row.interest, row.principal) for row in rows[:11]] == [(6000, 0)] * 11
    assert (rows[11].interest, rows[11].principal) == (10000 + 11 * 4000, 1_000_000)


def test_a_fee_that_leaves_nothing_to_pay_out_is_refused() -> None:
    dear = Product.model_validate({"origination_fee": {"percent": "99"}})
    with pytest.raises(TermsInvalid):
        replace(TERMS, product=dear, principal=Money(1, "USD"))


def test_terms_come_back_from_what_is_stored() -> None:
    own = replace(TERMS, installment_amount=Money(90_000, "USD"))
    for terms in (TERMS, own):
        assert terms_from_json(RULES, terms.as_json()) == terms


def test_the_due_date_of_a_single_installment_pays_everything() -> None:
    (row,) = contract_schedule(replace(TERMS, installments=1))
    assert (row.principal, row.interest, row.balance) == (1_000_000, 10192, 0)


def _total(terms: Terms) -> int:
    return sum(row.principal for row in contract_schedule(terms))


@pytest.mark.parametrize("frequency", ["weekly", "biweekly", "semimonthly", "monthly", "quarterly", "annual", "days:9"])
def test_principal_sums_to_the_amount_at_any_frequency(frequency: str) -> None:
    for cents in (1, 99, 12345, 10**9):
        assert _total(replace(TERMS, principal=Money(cents, "USD"), frequency=frequency, installments=7)) == cents
