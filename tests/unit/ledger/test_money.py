"""Money is exact: read from text, never from a float, one currency at a time, within 64 bits."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ledger.currencies import EXPONENTS, amount_text
from ledger.errors import (
    AllocationImpossible,
    AmountOutOfRange,
    CurrencyMismatch,
    CurrencyUnknown,
    FractionalMinorUnit,
    MoneyMalformed,
)
from ledger.money import MAX_MINOR, Currency, Money, Rounding, round_to_minor


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("100", "USD", 10_000),
        ("100.5", "USD", 10_050),
        ("-0.01", "USD", -1),
        ("+0.01", "USD", 1),
        ("-0.00", "USD", 0),
        ("0012.34", "USD", 1_234),
        ("0" * 63 + "1", "USD", 100),
        ("1500", "JPY", 1_500),
        ("1.234", "BHD", 1_234),
        ("1.2345", "CLF", 12_345),
        ("92233720368547758.07", "USD", MAX_MINOR),
        ("-92233720368547758.07", "USD", -MAX_MINOR),
    ],
)
def test_text_is_read_in_the_major_unit(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"), [("10.005", "USD"), ("10.500", "USD"), ("1500.0", "JPY"), ("1.2345", "BHD")]
)
def test_more_decimals_than_the_currency_has_are_refused_even_zeros(text: str, currency: str) -> None:
    with pytest.raises(FractionalMinorUnit) as refusal:
        Money.parse(text, currency)

    assert refusal.value.text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1,000",
        "1e3",
        "NaN",
        "inf",
        "1.",
        ".5",
        "--1",
        "$1",
        "0x1",
        "1_000",
        "١٢",
        "1\n",
        "9" * 65,
    ],
)
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyMalformed):
        Money.parse(text, "USD")


@pytest.mark.parametrize("text", ["92233720368547758.08", "-92233720368547758.08", "99999999999999999999"])
def test_amounts_past_64_bits_are_refused_with_the_limit(text: str) -> None:
    with pytest.raises(AmountOutOfRange, match="9223372036854775807"):
        usd(text)


def test_sums_past_64_bits_are_refused() -> None:
    largest = Money(MAX_MINOR, "USD")

    with pytest.raises(AmountOutOfRange):
        largest + Money(1, "USD")
    with pytest.raises(AmountOutOfRange):
        Money.sum([largest] * 10, "USD")
    assert Money.sum([largest, Money(1, "USD"), Money(-1, "USD")], "USD") == largest


@pytest.mark.parametrize("value", [0.1, 1.0, True, "1", None, Decimal(1)])
def test_minor_units_are_an_int_and_nothing_else(value: Any) -> None:
    with pytest.raises(TypeError):
        Money(value, "USD")


@pytest.mark.parametrize("value", [0.1, 10, Decimal("1.5"), None])
def test_parse_takes_text_and_nothing_else(value: Any) -> None:
    with pytest.raises(TypeError):
        Money.parse(value, "USD")


@pytest.mark.parametrize("code", ["usd", "XXX", "XAU", "", "US", None, ["USD"]])
def test_unknown_currencies_are_refused(code: Any) -> None:
    with pytest.raises(CurrencyUnknown):
        Money(1, code)


def test_two_currencies_are_neither_added_nor_compared() -> None:
    dollars, yen = Money(1, "USD"), Money(1, "JPY")

    for combine in (
        lambda: dollars + yen,
        lambda: dollars - yen,
        lambda: dollars < yen,
        lambda: dollars >= yen,
        lambda: Money.sum([dollars, yen], "USD"),
    ):
        with pytest.raises(CurrencyMismatch):
            combine()
    assert dollars != yen


@pytest.mark.parametrize("other", [1, 1.0, Decimal(1), "1", None])
def test_money_is_not_mixed_with_bare_numbers(other: Any) -> None:
    with pytest.raises(TypeError):
        Money(1, "USD") + other
    with pytest.raises(TypeError):
        Money(1, "USD") < other
    with pytest.raises(TypeError):
        0 + Money(1, "USD")  # type: ignore[operator]  # what the built-in sum would do


def test_arithmetic_and_order_are_those_of_the_minor_units() -> None:
    ten, three = usd("10.00"), usd("3.00")

    assert ten + three == usd("13.00")
    assert three - ten == usd("-7.00")
    assert -ten == usd("-10.00")
    assert abs(usd("-10.00")) == ten
    assert 3 * three == three * 3 == usd("9.00")
    assert three < ten
    assert three <= ten <= ten
    assert ten > three
    assert ten >= three
    assert not (ten < ten or ten > ten)
    assert ten >= ten
    assert max(three, ten) == ten
    assert bool(three)
    assert not Money.zero("USD")


@pytest.mark.parametrize("times", [1.5, Decimal(2), True])
def test_money_is_multiplied_by_whole_numbers_only(times: Any) -> None:
    with pytest.raises(TypeError):
        Money(1, "USD") * times


@pytest.mark.parametrize(
    ("money", "plain", "grouped"),
    [
        (Money(123_456_789, "USD"), "1234567.89", "1,234,567.89"),
        (Money(-5, "USD"), "-0.05", "-0.05"),
        (Money(0, "BHD"), "0.000", "0.000"),
        (Money(1_500, "JPY"), "1500", "1,500"),
    ],
)
def test_amounts_are_written_with_all_decimals_of_their_currency(money: Money, plain: str, grouped: str) -> None:
    assert money.format() == plain
    assert money.format(grouping=True) == grouped
    assert str(money) == f"{plain} {money.currency}"
    assert str(money.to_decimal()) == plain


def test_hundred_in_three_gives_the_cent_left_over_to_the_first() -> None:
    assert usd("100.00").split(3) == (usd("33.34"), usd("33.33"), usd("33.33"))
    assert usd("-0.01").split(3) == (usd("-0.01"), usd("0.00"), usd("0.00"))


def test_allocation_goes_by_largest_remainder_and_gives_nothing_to_a_weight_of_zero() -> None:
    assert usd("0.05").allocate([3, 0, 7]) == (usd("0.02"), usd("0.00"), usd("0.03"))
    assert usd("1.00").allocate([Decimal("0.335"), Decimal("0.335"), Fraction(33, 100)]) == (
        usd("0.34"),
        usd("0.33"),
        usd("0.33"),
    )


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [3, -1]])
def test_allocation_by_impossible_weights_is_refused(weights: list[int]) -> None:
    with pytest.raises(AllocationImpossible):
        usd("1.00").allocate(weights)


def test_allocation_by_floats_is_refused() -> None:
    with pytest.raises(TypeError):
        usd("1.00").allocate([0.5, 0.5])  # type: ignore[list-item]  # the point of the test


@pytest.mark.parametrize("parts", [0, -1])
def test_split_into_no_parts_is_refused(parts: int) -> None:
    with pytest.raises(AllocationImpossible):
        usd("1.00").split(parts)


# Figures: IEEE 754-2019, 4.3 (rounding-direction attributes), on the second decimal.
@pytest.mark.parametrize(
    ("value", "half_up", "half_even", "up", "down"),
    [
        ("2.005", "2.01", "2.00", "2.01", "2.00"),
        ("2.015", "2.02", "2.02", "2.02", "2.01"),
        ("2.0049", "2.00", "2.00", "2.01", "2.00"),
        ("2.0051", "2.01", "2.01", "2.01", "2.00"),
        ("2.00", "2.00", "2.00", "2.00", "2.00"),
        ("-2.005", "-2.01", "-2.00", "-2.01", "-2.00"),
        ("-0.001", "0.00", "0.00", "-0.01", "0.00"),
    ],
)
def test_rounding_is_by_the_named_mode(value: str, half_up: str, half_even: str, up: str, down: str) -> None:
    results = [round_to_minor(Decimal(value), "USD", mode) for mode in Rounding]

    assert results == [usd(half_up), usd(half_even), usd(up), usd(down)]
    assert round_to_minor(Fraction(value), "USD") == usd(half_up)


def test_rounding_knows_the_currency_and_takes_whole_numbers() -> None:
    assert round_to_minor(Fraction(2_000, 3), "JPY") == Money(667, "JPY")
    assert round_to_minor(Fraction(2, 3), "BHD") == Money(667, "BHD")
    assert round_to_minor(7, "USD") == usd("7.00")


@pytest.mark.parametrize("value", [0.1, True, "1", None])
def test_rounding_takes_no_float(value: Any) -> None:
    with pytest.raises(TypeError):
        round_to_minor(value, "USD")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1E+999999999", "1E-999999999"])
def test_rounding_refuses_what_is_no_sensible_number(value: str) -> None:
    with pytest.raises(MoneyMalformed):
        round_to_minor(Decimal(value), "USD")


def test_rounding_past_64_bits_is_refused() -> None:
    with pytest.raises(AmountOutOfRange):
        round_to_minor(Decimal("92233720368547758.075"), "USD")
    with pytest.raises(AmountOutOfRange, match="1000000"):
        round_to_minor(Decimal("1E+400"), "USD")
    assert round_to_minor(Decimal("92233720368547758.074"), "USD").minor == MAX_MINOR


def test_currency_table_is_that_of_iso_4217() -> None:
    iso4217 = pytest.importorskip("iso4217", reason="the oracle for ISO 4217 is not installed")
    published = {currency.code: currency.exponent for currency in iso4217.Currency if currency.exponent is not None}

    assert dict(EXPONENTS) == published


def test_currency_knows_its_decimals() -> None:
    assert Currency.of("JPY") == Currency("JPY", 0)
    assert Currency.of("KWD").exponent == 3
    with pytest.raises(CurrencyUnknown):
        Currency.of("XXX")


def test_amount_text_of_an_unknown_currency_shows_the_minor_units() -> None:
    assert amount_text(-1234, "") == "-1234"


def test_a_number_out_of_json_stays_text_until_it_is_money() -> None:
    parsed = json.loads('{"amount": 888.49}', parse_float=str)

    assert Money.parse(parsed["amount"], "USD") == usd("888.49")
