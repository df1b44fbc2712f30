"""Public histories of Ally auto loans: which days their payments came on, found out from the interest that they paid.

The files give months, not days. A row of one payment fits if there is a day of its month on which the interest since
the payment before, rounded to the cent, is the interest paid. Worked here in whole numbers, never by the project.
Next: `tests/unit/servicing/test_ally_histories.py`; `docs/spec/interest.md`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from tests.support.public_data import public_rows

EXACT_FROM = "2020-01"
"""From this month on interest is exact, and rounded half up; before, the daily rate was cut to 8 decimals, the interest
to the cent."""

UNITS = 365 * 366
EARLIEST = 99
"""How many days before its month the payment before a run may lie."""


@dataclass(frozen=True, slots=True)
class Row:
    """A month of a loan, in cents."""

    month: str
    begin: int
    amount: int
    principal: int
    end: int
    special: bool

    @property
    def interest(self) -> int:
        """Return the part of the payments that was not principal."""
        return self.amount - self.principal

    @property
    def is_plain(self) -> bool:
        """Tell whether it is a payment of interest and principal, and nothing else moved the balance."""
        foots = self.begin - self.principal == self.end >= 0
        return self.principal > 0 and self.interest >= 0 and foots and not self.special

    @property
    def days(self) -> list[date]:
        """Return the days of the month."""
        year, month = map(int, self.month.split("-"))
        return [date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan and its rows; the rate is a part of one, a year."""

    loan_id: str
    rate: Fraction
    scheduled: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Rows in a row that each fit one payment, the days of those payments, and the day of the one before."""

    loan: Loan
    start: date
    paid: tuple[tuple[date, Row], ...]


def loans(from_month: str, until_month: str = "9999-12") -> list[Loan]:
    """Return the loans with their rows of some months; those without any are left out."""
    rows: dict[str, list[Row]] = {}
    for each in public_rows("ally_history_dev.csv"):
        if from_month <= each["month"] <= until_month:
            rows.setdefault(each["loan_id"], []).append(_row(each))
    return [
        Loan(each["loan_id"], Fraction(each["annual_rate"]), _cents(each["scheduled_payment"]), tuple(found))
        for each in public_rows("ally_loans_dev.csv")
        if (found := rows.get(each["loan_id"]))
    ]


def runs(loan: Loan) -> Iterator[Run]:
    """Yield the longest runs of rows that fit, each from the row at which the one before broke off."""
    reached: list[tuple[Row, Mapping[date, date]]] = []
    for row in loan.rows:
        if not row.amount and row.begin == row.end:
            continue
        before = list(reached[-1][1]) if reached else _any_day_before(row)
        days = _fitting(loan, row, before) if row.is_plain else {}
        if not days and reached:
            yield _run(loan, reached)
            reached = []
            days = _fitting(loan, row, _any_day_before(row)) if row.is_plain else {}
        if days:
            reached.append((row, days))
    if reached:
        yield _run(loan, reached)


def _run(loan: Loan, reached: Sequence[tuple[Row, Mapping[date, date]]]) -> Run:
    day = max(reached[-1][1])
    paid = []
    for row, days in reversed(reached):
        paid.append((day, row))
        day = days[day]
    return Run(loan, day, tuple(reversed(paid)))


def _fitting(loan: Loan, row: Row, before: Sequence[date]) -> dict[date, date]:
    """Return the days of the month on which the payment may have come, each with the day of the one before."""
    found: dict[date, date] = {}
    for first in before:
        for day in row.days:
            if day > first and day not in found and interest(loan.rate, row.begin, first, day) == row.interest:
                found[day] = first
    return found


def interest(rate: Fraction, balance: int, first: date, day: date) -> int:
    """Return the interest of a balance in whole cents, half up: nights of leap years over 366, the others over 365."""
    top, bottom = balance * rate.numerator * (_units(day) - _units(first)), rate.denominator * UNITS
    return (2 * top + bottom) // (2 * bottom)


@lru_cache(maxsize=8192)
def _units(day: date) -> int:
    """Return the years since 2016 in parts of 1 / (365 x 366)."""
    into_year = (day - date(day.year, 1, 1)).days
    return (day.year - 2016) * UNITS + into_year * (365 if calendar.isleap(day.year) else 366)


def _any_day_before(row: Row) -> list[date]:
    return [row.days[-2] - timedelta(days=n) for n in range(EARLIEST)]


def _row(each: Mapping[str, str]) -> Row:
    return Row(
        month=each["month"],
        begin=_cents(each["begin_balance"]),
        amount=_cents(each["total_paid"]),
        principal=_cents(each["principal_paid"]),
        end=_cents(each["end_balance"]),
        special=bool(each["recovered"] or each["repo_proceeds"]),
    )


def _cents(text: str) -> int:
    return int(Decimal(text or 0) * 100)
