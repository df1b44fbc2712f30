"""What is true of every amount: text and back, sums of parts, and rounding within half a unit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.currencies import EXPONENTS
from ledger.errors import AmountOutOfRange, FractionalMinorUnit
from ledger.money import MAX_MINOR, Money, Rounding, round_to_minor

CURRENCIES = st.sampled_from(sorted(EXPONENTS))
MINORS = st.integers(-MAX_MINOR, MAX_MINOR)
AMOUNTS = st.builds(Money, MINORS, CURRENCIES)
WEIGHTS = st.lists(
    st.integers(0, 10**12) | st.fractions(0, 1000, max_denominator=10_000) | st.decimals(0, 1000, places=6),
    min_size=1,
    max_size=40,
).filter(any)


@given(AMOUNTS)
def test_every_amount_is_read_back_from_its_text(money: Money) -> None:
    assert Money.parse(money.format(), money.currency) == money
    assert money.format(grouping=True).replace(",", "") == money.format()
    assert money.to_decimal() * 10 ** EXPONENTS[money.currency] == money.minor


@given(MINORS, CURRENCIES, st.integers(1, 9))
def test_one_decimal_too_many_is_always_refused(minor: int, currency: str, digit: int) -> None:
    text = Money(minor, currency).format()
    longer = f"{text}{digit}" if "." in text else f"{text}.{digit}"

    with pytest.raises(FractionalMinorUnit):
        Money.parse(longer, currency)


@given(MINORS, MINORS)
def test_sums_are_exact_or_refused(left: int, right: int) -> None:
    if abs(left + right) <= MAX_MINOR:
        assert (Money(left, "USD") + Money(right, "USD")).minor == left + right
        assert Money(left, "USD") + Money(right, "USD") - Money(right, "USD") == Money(left, "USD")
    else:
        with pytest.raises(AmountOutOfRange):
            Money(left, "USD") + Money(right, "USD")


@given(AMOUNTS, WEIGHTS)
def test_parts_sum_to_the_whole_and_each_is_within_one_unit_of_its_share(
    money: Money, weights: list[int | Fraction | Decimal]
) -> None:
    parts = money.allocate(weights)
    exact = [Fraction(weight) for weight in weights]

    assert Money.sum(parts, money.currency) == money
    for part, weight in zip(parts, exact, strict=True):
        share = money.minor * weight / sum(exact)
        assert abs(part.minor - share) < 1
        assert part.minor == 0 if weight == 0 else part.minor * money.minor >= 0


@given(AMOUNTS, WEIGHTS)
def test_the_opposite_amount_is_divided_into_the_opposite_parts(
    money: Money, weights: list[int | Fraction | Decimal]
) -> None:
    assert (-money).allocate(weights) == tuple(-part for part in money.allocate(weights))


@given(AMOUNTS, WEIGHTS, st.fractions("1/1000", 1000))
def test_only_the_proportion_of_the_weights_counts(
    money: Money, weights: list[int | Fraction | Decimal], factor: Fraction
) -> None:
    scaled = [Fraction(weight) * factor for weight in weights]

    assert money.allocate(scaled) == money.allocate(weights)


@given(AMOUNTS, st.integers(1, 500))
def test_equal_parts_differ_by_one_unit_at_most_the_larger_first(money: Money, count: int) -> None:
    parts = [abs(part) for part in money.split(count)]

    assert parts == sorted(parts, reverse=True)
    assert parts[0].minor - parts[-1].minor <= 1


@given(st.fractions(-(10**12), 10**12), CURRENCIES)
def test_rounding_goes_to_a_neighbor_and_the_modes_keep_their_word(value: Fraction, currency: str) -> None:
    unit = Fraction(1, 10 ** EXPONENTS[currency])
    rounded = {mode: round_to_minor(value, currency, mode).minor * unit for mode in Rounding}

    assert abs(rounded[Rounding.DOWN]) <= abs(value) <= abs(rounded[Rounding.UP])
    assert abs(rounded[Rounding.UP]) - abs(rounded[Rounding.DOWN]) == (0 if value % unit == 0 else unit)
    assert abs(rounded[Rounding.HALF_UP] - value) <= unit / 2
    assert abs(rounded[Rounding.HALF_EVEN] - value) <= unit / 2


# Python's decimal module is an implementation of its own of the same four modes.
@given(st.decimals(-(10**9), 10**9, places=5))
def test_rounding_agrees_with_the_decimal_module(value: Decimal) -> None:
    names = {
        Rounding.HALF_UP: "ROUND_HALF_UP",
        Rounding.HALF_EVEN: "ROUND_HALF_EVEN",
        Rounding.UP: "ROUND_UP",
        Rounding.DOWN: "ROUND_DOWN",
    }

    for mode, name in names.items():
        assert round_to_minor(value, "USD", mode).to_decimal() == value.quantize(Decimal("0.01"), rounding=name)
