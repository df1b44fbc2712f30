"""Money: an integer count of minor units in one currency.

Amounts come from text, from integers, or from one named rounding of an exact number; a float is refused
everywhere, two currencies are never mixed, and no amount past 64 bits is ever held, so that every amount in the
ledger is exact or an error. A total, which is read and never booked, is of any size.
Next: `ledger/journal.py`, where money becomes postings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import ClassVar, Self

from ledger.currencies import EXPONENTS, amount_text
from ledger.errors import (
    AllocationImpossible,
    AmountOutOfRange,
    CurrencyMismatch,
    CurrencyUnknown,
    FractionalMinorUnit,
    MoneyMalformed,
)

MAX_MINOR = 2**63 - 1
"""The largest amount, either side of zero: what a signed 64-bit integer holds."""

Exact = int | Decimal | Fraction
"""A number without rounding in it."""

_AMOUNT = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_TEXT_LIMIT = 64
_MAGNITUDE_LIMIT = 400  # powers of ten; the integers behind `1E+999999999` would fill the memory


class Rounding(StrEnum):
    """How an exact amount becomes whole minor units; `up` and `down` mean away from and towards zero."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency of ISO 4217 and the number of its decimals."""

    code: str
    exponent: int

    @classmethod
    def of(cls, code: str) -> Self:
        """Return the currency with this code.

        Raises: CurrencyUnknown.
        """
        return cls(code, _exponent(code))


@dataclass(frozen=True, slots=True, eq=False)
class Money:
    """An amount in minor units (cents of USD, yen of JPY); negative amounts are allowed, fractions are not.

    Raises: CurrencyUnknown; AmountOutOfRange past 64 bits; TypeError for anything but an int.
    """

    minor: int
    currency: str

    _limit: ClassVar[int | None] = MAX_MINOR

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are an int, not {type(self.minor).__name__}")
        _exponent(self.currency)
        if self._limit is not None and abs(self.minor) > self._limit:
            raise AmountOutOfRange(amount=self.minor, limit=self._limit)

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return nothing, in a currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read an amount in the major unit: `12.5` of USD is 1250 cents.

        Raises: MoneyMalformed; FractionalMinorUnit if the text has more decimals than the currency.
        """
        if not isinstance(text, str):
            raise TypeError(f"an amount is read from text, not from {type(text).__name__}")
        exponent = _exponent(currency)
        match = _AMOUNT.fullmatch(text)
        if match is None or len(text) > _TEXT_LIMIT:
            raise MoneyMalformed(text=text[:_TEXT_LIMIT])
        sign, whole, fraction = match[1], match[2], match[3] or ""
        if len(fraction) > exponent:
            raise FractionalMinorUnit(text=text, currency=currency, exponent=exponent)
        minor = int(whole + fraction.ljust(exponent, "0"))
        return cls(-minor if sign == "-" else minor, currency)

    @classmethod
    def sum(cls, amounts: Iterable[Money], currency: str) -> Self:
        """Add up amounts of one currency; of none, the sum is zero.

        Raises: CurrencyMismatch; AmountOutOfRange if the sum is past 64 bits.
        """
        total = 0
        for amount in amounts:
            _same_currency(currency, amount.currency)
            total += amount.minor
        return cls(total, currency)

    def format(self, *, grouping: bool = False) -> str:
        """Write the amount in the major unit without its currency: `1234.50`, or `1,234.50` with grouping."""
        return amount_text(self.minor, self.currency, grouping=grouping)

    def __str__(self) -> str:
        return f"{self.format()} {self.currency}"

    def to_decimal(self) -> Decimal:
        """Return the amount in the major unit, exactly, with the currency's own number of decimals."""
        return Decimal(self.format())

    def __bool__(self) -> bool:
        return self.minor != 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return (self.minor, self.currency) == (other.minor, other.currency)

    def __hash__(self) -> int:
        return hash((self.minor, self.currency))

    def __add__(self, other: Money) -> Money:
        return self._wider(other)(self.minor + self._minor_of(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return self._wider(other)(self.minor - self._minor_of(other), self.currency)

    def __neg__(self) -> Money:
        return type(self)(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return type(self)(abs(self.minor), self.currency)

    def __mul__(self, times: int) -> Money:
        if type(times) is not int:
            raise TypeError("money is multiplied by a whole number; use round_to_minor for anything else")
        return Money(self.minor * times, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._minor_of(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._minor_of(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._minor_of(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._minor_of(other)

    def allocate(self, weights: Sequence[Exact]) -> tuple[Money, ...]:
        """Divide the amount in proportion to the weights; the parts sum to it exactly.

        Each part is cut off to whole minor units, then the units left over go one by one to the largest
        remainders, the earlier position first. A part of weight zero is zero; a negative amount is divided
        as its opposite is. 100.00 by (1, 1, 1) is 33.34, 33.33, 33.33.

        Raises: AllocationImpossible if there is no weight above zero, or one below.
        """
        shares = [_exact(weight) for weight in weights]
        total = sum(shares)
        if total <= 0 or min(shares) < 0:
            raise AllocationImpossible(amount=str(self), reason="weights must be zero or more, and not all zero")
        exact_parts = [abs(self.minor) * share / total for share in shares]
        parts = [part.numerator // part.denominator for part in exact_parts]
        by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - exact_parts[i])  # stable: ties by position
        for position in by_remainder[: abs(self.minor) - sum(parts)]:
            parts[position] += 1
        sign = -1 if self.minor < 0 else 1
        return tuple(Money(sign * part, self.currency) for part in parts)

    def split(self, parts: int) -> tuple[Money, ...]:
        """Divide the amount into equal parts, the first ones taking the units left over.

        Raises: AllocationImpossible if `parts` is below one.
        """
        return self.allocate((1,) * parts)

    def _minor_of(self, other: object) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money goes with money, not with {type(other).__name__}")
        _same_currency(self.currency, other.currency)
        return other.minor

    def _wider(self, other: object) -> type[Money]:
        return Total if isinstance(self, Total) or isinstance(other, Total) else Money


@dataclass(frozen=True, slots=True, eq=False)
class Total(Money):
    """What amounts add up to, of any size: read from the books, never booked. It equals money of the same amount.

    A hundred entries at the limit of 64 bits are sound books, and so are their reversals.
    """

    _limit: ClassVar[int | None] = None


def round_to_minor(value: Exact, currency: str, mode: Rounding = Rounding.HALF_UP) -> Money:
    """Round an exact amount of the major unit to money: the one place where rounding happens.

    Raises: CurrencyUnknown; AmountOutOfRange; MoneyMalformed for NaN, an infinity or an absurd
    power of ten; TypeError for a float.
    """
    exact = _exact(value)
    units = abs(exact) * 10 ** _exponent(currency)
    whole, rest = divmod(units.numerator, units.denominator)
    twice, unit = 2 * rest, units.denominator
    goes_up = {
        Rounding.HALF_UP: twice >= unit,
        Rounding.HALF_EVEN: twice > unit or (twice == unit and whole % 2 == 1),
        Rounding.UP: rest > 0,
        Rounding.DOWN: False,
    }[Rounding(mode)]
    minor = whole + goes_up
    return Money(-minor if exact < 0 else minor, currency)


def _exponent(code: str) -> int:
    try:
        return EXPONENTS[code]
    except (KeyError, TypeError):
        raise CurrencyUnknown(currency=str(code)) from None


def _same_currency(left: str, right: str) -> None:
    if left != right:
        raise CurrencyMismatch(left=left, right=right)


def _exact(value: object) -> Fraction:
    """Return a number as a fraction, refusing what is not exact (a float) or no sensible number."""
    if not isinstance(value, int | Decimal | Fraction) or isinstance(value, bool):
        raise TypeError(f"an exact number is needed, not {type(value).__name__}")
    if isinstance(value, Decimal) and not (value.is_finite() and abs(value.adjusted()) <= _MAGNITUDE_LIMIT):
        raise MoneyMalformed(text=str(value)[:_TEXT_LIMIT])
    return Fraction(value)
