"""Schedules against the closed formulas of the annuity, worked here in decimals of 60 digits.

Where every period is the same part of a year, the formula knows the payment and every balance. Never: the code's own
fractions. Next: `docs/spec/schedules.md`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, ROUND_UP, Context, Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from ledger.money import Money, Rounding
from servicing.product import InstallmentRounding
from servicing.schedule import contract_schedule
from servicing.terms import Terms
from tests.unit.servicing.examples import RULES, TERMS

PRECISE = Context(prec=60)
PERIODS = {"weekly": 52, "biweekly": 26, "semimonthly": 24, "monthly": 12, "quarterly": 4, "annual": 1}
PRINCIPALS = st.integers(1_000_00, 1_000_000_00)
RATES = st.decimals("0.01", "36", places=2)
COUNTS = st.integers(1, 120)


def annuity(principal: Decimal, rate: Decimal, count: int, *, a_year: int, balloon: Decimal = Decimal(0)) -> Decimal:
    """Return A i / (1 - (1 + i)^-n), the balloon discounted first; the rate is in percent a year."""
    i = rate / 100 / a_year
    discount = (1 + i) ** -count
    return (principal - balloon * discount) * i / (1 - discount)


def owed_after(paid: int, principal: Decimal, rate: Decimal, payment: Decimal, *, a_year: int) -> Decimal:
    """Return A (1 + i)^k - P ((1 + i)^k - 1) / i."""
    i = rate / 100 / a_year
    growth = (1 + i) ** paid
    return principal * growth - payment * (growth - 1) / i


def loan(cents: int, rate: Decimal, count: int, frequency: str = "monthly", **rules: object) -> Terms:
    """Return a loan whose periods are all the same part of a year, whatever their days."""
    product = RULES.model_copy(update={"day_count": "period", **rules})
    terms = replace(TERMS, product=product, principal=Money(cents, "USD"), rate=rate, frequency=frequency)
    return replace(terms, installments=count, funded_on=date(2026, 1, 15), first_due_on=date(2026, 2, 15))


def cents_of(exact: Decimal, mode: str) -> int:
    return int(exact.quantize(Decimal(1), mode))


@given(PRINCIPALS, RATES, COUNTS, st.sampled_from(sorted(PERIODS)))
def test_the_level_payment_is_the_annuity_to_the_cent(cents: int, rate: Decimal, count: int, frequency: str) -> None:
    with localcontext(PRECISE):
        exact = annuity(Decimal(cents), rate, count, a_year=PERIODS[frequency])
        half_up, up = cents_of(exact, ROUND_HALF_UP), cents_of(exact, ROUND_UP)
    always_up = InstallmentRounding(mode=Rounding.UP)

    rows = contract_schedule(loan(cents, rate, count, frequency))
    rounded_up = contract_schedule(loan(cents, rate, count, frequency, installment_rounding=always_up))

    assert count == 1 or (rows[0].total, rounded_up[0].total) == (half_up, up)
    assert sum(row.principal for row in rows) == sum(row.principal for row in rounded_up) == cents


@given(PRINCIPALS, RATES, st.integers(2, 120))
def test_every_balance_is_that_of_the_formula_to_half_a_cent(cents: int, rate: Decimal, count: int) -> None:
    # Rounded is the interest earned so far, so that balances never drift: what is left is half a cent, which has
    # earned interest itself.
    rows = contract_schedule(loan(cents, rate, count))

    for row in rows[:-1]:
        with localcontext(PRECISE):
            exact = owed_after(row.no, Decimal(cents), rate, Decimal(rows[0].total), a_year=12)
            reach = (1 + rate / 1200) ** row.no / 2
        assert abs(row.balance - exact) <= reach


@given(PRINCIPALS, RATES, st.integers(2, 120), st.integers(1, 99))
def test_a_balloon_is_discounted_first(cents: int, rate: Decimal, count: int, percent: int) -> None:
    balloon = cents * percent // 100
    with localcontext(PRECISE):
        exact = annuity(Decimal(cents), rate, count, a_year=12, balloon=Decimal(balloon))
        wanted = cents_of(exact, ROUND_HALF_UP)
    terms = loan(cents, rate, count, amortization="balloon")

    rows = contract_schedule(replace(terms, balloon=Money(balloon, "USD")))

    assert rows[0].total == wanted
    assert abs(rows[-1].total - wanted - balloon) <= count * (1 + rate / 1200) ** count


@given(st.integers(100, 500_000), RATES, st.integers(2, 120))
def test_equal_principal_costs_half_the_interest_of_the_first_period_times_one_more_than_their_number(
    each: int, rate: Decimal, count: int
) -> None:
    cents = each * count
    with localcontext(PRECISE):
        interest = Decimal(cents) * rate / 1200 * (count + 1) / 2
        wanted = cents_of(interest, ROUND_HALF_UP)

    rows = contract_schedule(loan(cents, rate, count, amortization="equal_principal"))

    assert sum(row.interest for row in rows) == wanted
    assert {row.principal for row in rows} == {each}
