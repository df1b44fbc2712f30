"""The annual percentage rate of closed-end credit by the actuarial method, and the figures disclosed with it.

Source: Regulation Z, 12 CFR 1026, Appendix J, whose paragraphs are cited as (b)(4). Advances and payments by date go
in; the rate is rounded once, half up. Never: which charges are finance charges, so the caller takes the prepaid ones
off the advances. Next: `servicing/unit_periods.py` for how time is counted; `docs/spec/apr.md` for worked figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

from ledger.money import Money
from servicing.errors import (
    AdvanceUnrepaid,
    FlowNotPositive,
    NeverPaidBack,
    NoRateFound,
    NothingAdvanced,
    NothingPaid,
    NoTimeToEarn,
)
from servicing.schedule import contract_schedule, proceeds_of
from servicing.terms import Terms
from servicing.unit_periods import UnitPeriod, day_to_return_to, find_unit_period, unit_periods_between, units_of

SHOWN = Decimal("0.0001")
"""To what the rate in percent a year is rounded, half up; a disclosure needs 1/8 of a point."""

ARITHMETIC = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""How every step on the way is computed: to 60 digits."""

EXACT = Decimal("1e-28")
"""To what the rate of a unit-period is known; the bracket around it is closed to `CLOSE` before it is rounded so."""

CLOSE = EXACT / 10_000

REGULAR_TOLERANCE, IRREGULAR_TOLERANCE = Decimal("0.125"), Decimal("0.25")
"""By how many points a disclosed rate may differ. Source: 12 CFR 1026.22(a)(2) and (3)."""


@dataclass(frozen=True, slots=True)
class Flow:
    """An amount above zero on a day: an advance, or a payment."""

    on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Counted:
    """A flow and its distance from the beginning of the term: whole unit-periods, and a fraction of one."""

    on: date
    amount: Money
    whole: int
    fraction: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What is disclosed of a loan: the rate in percent a year, rounded to `SHOWN`, and the amounts it comes from.

    `unit_rate` is the rate of a unit-period as a fraction of one, to `EXACT`.
    """

    apr: Decimal
    unit_rate: Decimal
    unit_period: UnitPeriod
    begins_on: date
    finance_charge: Money
    amount_financed: Money
    total_of_payments: Money
    advances: tuple[Counted, ...]
    payments: tuple[Counted, ...]
    is_irregular: bool

    @property
    def tolerance(self) -> Decimal:
        """Return by how many points a disclosed rate may differ from the exact one."""
        return IRREGULAR_TOLERANCE if self.is_irregular else REGULAR_TOLERANCE

    def allows(self, disclosed: Decimal) -> bool:
        """Tell whether a rate in percent a year, disclosed elsewhere, is accurate under 12 CFR 1026.22(a)."""
        return abs(disclosed - percent_a_year(self.unit_rate, self.unit_period)) <= self.tolerance


def disclose(
    advances: Sequence[Flow],
    payments: Sequence[Flow],
    unit_period: UnitPeriod | None = None,
) -> Disclosure:
    """Return rate and amounts of advances and payments; the term begins with the first of them.

    The unit-period is found from the dates, (b)(4), unless it is given.
    Raises: NothingAdvanced; NothingPaid; FlowNotPositive; NeverPaidBack; AdvanceUnrepaid; NoTimeToEarn; NoRateFound;
    CurrencyMismatch.
    """
    _check(advances, payments)
    currency = advances[0].amount.currency
    advance_days, payment_days = _days_of(advances), _days_of(payments)
    first = min(advance_days[0], payment_days[0])
    financed = Money.sum((flow.amount for flow in advances), currency)
    total = Money.sum((flow.amount for flow in payments), currency)
    if total < financed:
        raise NeverPaidBack(paid=total.minor, advanced=financed.minor, currency=currency)
    if payment_days[-1] == first:
        raise NoTimeToEarn(on=first, finance_charge=(total - financed).minor, currency=currency)
    unit = unit_period or find_unit_period(first, advance_days, payment_days)
    counted_advances = tuple(_counted(unit, first, advances))
    counted_payments = tuple(_counted(unit, first, payments))
    rate = unit_period_rate(counted_advances, counted_payments)
    return Disclosure(
        apr=percent_a_year(rate, unit).quantize(SHOWN, ROUND_HALF_UP, ARITHMETIC),
        unit_rate=rate,
        unit_period=unit,
        begins_on=first,
        finance_charge=total - financed,
        amount_financed=financed,
        total_of_payments=total,
        advances=counted_advances,
        payments=counted_payments,
        is_irregular=_is_irregular(advance_days, payments),
    )


def disclose_terms(terms: Terms, unit_period: UnitPeriod | None = None) -> Disclosure:
    """Return the disclosure of a loan on which everything is paid when it is due.

    What is advanced is what is paid out: an origination fee and interest that are withheld are prepaid finance
    charges. A down payment on that day is no payment, but less that is advanced.
    Raises: as `disclose`; TermsInvalid.
    """
    rows = [row for row in contract_schedule(terms) if row.total and not row.is_down_payment]
    payments = [Flow(row.due, Money(row.total, terms.currency)) for row in rows]
    advance = Flow(terms.funded_on, proceeds_of(terms) - terms.down_payment)
    return disclose([advance], payments, unit_period=unit_period)


def percent_a_year(unit_rate: Decimal, unit: UnitPeriod) -> Decimal:
    """Return the unit-period rate times the unit-periods in a year in percent, unrounded; (b)(1)."""
    with localcontext(ARITHMETIC):
        return unit_rate * unit.a_year.numerator * 100 / unit.a_year.denominator


def present_value(flows: Iterable[Counted], rate: Decimal) -> Decimal:
    """Return what flows are worth when the term begins, in minor units, unrounded.

    Each is amount / ((1 + f i) (1 + i)^t), t whole unit-periods and the fraction f at the rate i; (b)(8).
    """
    with localcontext(ARITHMETIC):
        total = Decimal(0)
        for flow in flows:
            odd = 1 + rate * flow.fraction.numerator / flow.fraction.denominator
            total += flow.amount.minor / (odd * (1 + rate) ** flow.whole)
        return total


def unit_period_rate(advances: Sequence[Counted], payments: Sequence[Counted]) -> Decimal:
    """Return the rate of a unit-period at which payments are worth the advances, to `EXACT`, by bisection.

    The payments are worth as much or more at 0. The upper end is doubled until they are worth less. Where every
    payment follows every advance, that comes before i = P / (A m), with P all payments, A what is advanced first and
    m the distance of the first payment, at most 1; and between the two is one solution. Where they interleave there
    may be more of them, and it is the one in the lowest bracket.
    Raises: NoRateFound.
    """

    def excess(rate: Decimal) -> Decimal:
        return present_value(payments, rate) - present_value(advances, rate)

    with localcontext(ARITHMETIC):
        low, high, bound = Decimal(0), Decimal(1) / 1024, Decimal(2) ** 80
        if excess(low) == 0:
            return low
        while excess(high) > 0:
            low, high = high, high * 2
            if high > bound:
                raise NoRateFound(bound=str(bound))
        while high - low > CLOSE:
            middle = (low + high) / 2
            low, high = (middle, high) if excess(middle) > 0 else (low, middle)
        return ((low + high) / 2).quantize(EXACT)


def _check(advances: Sequence[Flow], payments: Sequence[Flow]) -> None:
    if not advances:
        raise NothingAdvanced(payments=len(payments))
    for flow in (*advances, *payments):
        if flow.amount.minor <= 0:
            raise FlowNotPositive(on=flow.on, amount=flow.amount.minor, currency=flow.amount.currency)
    if not payments:
        currency = advances[0].amount.currency
        advanced = Money.sum((flow.amount for flow in advances), currency)
        raise NothingPaid(advanced=advanced.minor, currency=currency)
    last_advance, last_payment = (max(flow.on for flow in flows) for flows in (advances, payments))
    if last_advance > last_payment:
        raise AdvanceUnrepaid(on=last_advance, last_payment_on=last_payment)


def _days_of(flows: Iterable[Flow]) -> list[date]:
    return sorted({flow.on for flow in flows})


def _counted(unit: UnitPeriod, begins_on: date, flows: Sequence[Flow]) -> Iterator[Counted]:
    days = _days_of(flows)
    for flow in sorted(flows, key=lambda flow: flow.on):
        anchor = day_to_return_to(flow.on, days)
        whole, fraction = unit_periods_between(unit, begins_on, flow.on, anchor=anchor)
        yield Counted(flow.on, flow.amount, whole, fraction)


def _is_irregular(advances: Sequence[date], payments: Sequence[Flow]) -> bool:
    """Tell whether a transaction is irregular: several advances, or payments uneven in time or amount.

    An odd first period, first payment or last payment does not make it so. Source: 12 CFR 1026.22(a)(3).
    """
    days = _days_of(payments)
    steps = [units_of(start, end) for start, end in pairwise(days)]
    uneven_days = bool(steps) and not frozenset.intersection(*steps)
    middle = {flow.amount for flow in sorted(payments, key=lambda flow: flow.on)[1:-1]}
    return len(advances) > 1 or uneven_days or len(middle) > 1
