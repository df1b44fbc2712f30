"""Amortization: how the principal comes back, as phases of a schedule, each with one rule.

A rule says what every installment of its phase asks for: an agreed total, of which interest takes its part, or an
agreed principal, to which interest is added. Whatever the rules, the last installment of a loan takes what is left.
Never: dates, or the interest itself. Next: `servicing/schedule.py`; `docs/spec/schedules.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from ledger.money import Money, Rounding
from servicing.accrual import interest_of, rounded
from servicing.contract import Phase
from servicing.day_count import Period
from servicing.terms import Terms


@dataclass(frozen=True, slots=True)
class Ask:
    """What one installment asks for, in minor units: a total with interest in it, or a principal beside interest."""

    amount: int
    is_total: bool


@dataclass(frozen=True, slots=True)
class Start:
    """Where installments are worked out, for the first time or again: the principal that the coming ones share.

    `periods` go to the end of the loan, the first `free` of them without interest; `rate` is in percent a year, and
    `original` is the whole amount lent, in minor units.
    """

    principal: int
    periods: tuple[Period, ...]
    rate: Decimal
    original: int
    free: int = 0


LEVEL = frozenset({"level", "level_whole"})
"""The rules of equal payments; by the second one they leave no balloon."""


def phases(terms: Terms) -> tuple[Phase, ...]:
    """Return the phases of a loan; their installments sum to the loan's."""
    grace = terms.product.grace.principal
    rest = PLANS[terms.product.amortization](terms, terms.installments - grace)
    return (Phase(grace, "interest_only"), *rest) if grace else rest


def ask(terms: Terms, phase: Phase, start: Start) -> Ask:
    """Return what each installment of a phase asks for."""
    return RULES[phase.rule](terms, phase, start)


def ask_again(terms: Terms, phase: Phase, start: Start) -> Ask:
    """Return what the installments of a phase that is under way ask for from now on; a level one is solved anew."""
    return ask(terms, replace(phase, agreed=None) if phase.rule in LEVEL else phase, start)


def _custom(terms: Terms, count: int) -> tuple[Phase, ...]:
    return tuple(
        Phase(1, "total", row.total.minor)
        if row.total is not None
        else Phase(1, "principal", 0 if row.principal is None else row.principal.minor)
        for row in terms.rows
    )


def _steps(terms: Terms, count: int) -> tuple[Phase, ...]:
    return tuple(
        Phase(step.installments, "level" if step.amount is None else "total", _minor(step.amount))
        for step in terms.steps
    )


def _interest_only(terms: Terms, count: int) -> tuple[Phase, ...]:
    rule = "level" if terms.product.grace.principal else "interest_only"
    return (Phase(count, rule, _minor(terms.installment_amount)),)


PLANS: Mapping[str, Callable[[Terms, int], tuple[Phase, ...]]] = MappingProxyType(
    {
        "level": lambda terms, count: (Phase(count, "level", _minor(terms.installment_amount)),),
        "balloon": lambda terms, count: (Phase(count, "level", _minor(terms.installment_amount)),),
        "equal_principal": lambda terms, count: (Phase(count, "equal_principal"),),
        "interest_only": _interest_only,
        "custom": _custom,
        "step": _steps,
    }
)
"""The phases of each kind of amortization, behind those in which principal has its grace."""


def _level(terms: Terms, phase: Phase, start: Start) -> Ask:
    """Ask for the equal payments that leave the balloon, or nothing."""
    if phase.agreed is not None:
        return Ask(phase.agreed, is_total=True)
    balloon = 0 if terms.balloon is None or phase.rule != "level" else min(terms.balloon.minor, start.principal)
    exact = LEVELS[terms.product.interest](terms, start, balloon)
    return Ask(_to_the_product(exact, terms), is_total=True)


def _annuity(terms: Terms, start: Start, balloon: int) -> Fraction:
    """Return A i / (1 - (1 + i)^-n), the balloon discounted first: 10,000.00 at 1% over 12 periods is 888.4879."""
    rate, count = Fraction(start.rate) / 100 * start.periods[0].nominal, len(start.periods)
    free = min(count, start.free)
    if rate == 0 or free == count:
        return Fraction(start.principal - balloon, count)
    growth = (1 + rate) ** (count - free)
    share = rate / (growth - 1)
    # What `free` payments x leave, A - x free, is paid off by the others: x = ((A - x free) growth - B) share.
    return share * (start.principal * growth - balloon) / (1 + share * growth * free)


def _shared(terms: Terms, start: Start, balloon: int) -> Fraction:
    """Return equal shares of the principal and of all interest to come."""
    interest = sum(
        interest_of(start.original, start.rate, terms.product.day_count, period, period.start, period.end)
        for period in start.periods[start.free :]
    )
    return (start.principal - balloon + interest) / Fraction(len(start.periods))


LEVELS: Mapping[str, Callable[[Terms, Start, int], Fraction]] = MappingProxyType(
    {"simple": _annuity, "scheduled": _annuity, "flat": _shared, "precomputed": _annuity}
)
"""How equal payments are found, by the product's interest."""


def _equal_principal(terms: Terms, phase: Phase, start: Start) -> Ask:
    return Ask(_to_the_product(Fraction(start.principal, len(start.periods)), terms), is_total=False)


RULES: Mapping[str, Callable[[Terms, Phase, Start], Ask]] = MappingProxyType(
    {
        "level": _level,
        "level_whole": _level,
        "equal_principal": _equal_principal,
        "interest_only": lambda terms, phase, start: Ask(0, is_total=False),
        "total": lambda terms, phase, start: Ask(phase.agreed or 0, is_total=True),
        "principal": lambda terms, phase, start: Ask(phase.agreed or 0, is_total=False),
    }
)
"""What the installments of a phase ask for, by its rule."""


def _to_the_product(exact: Fraction, terms: Terms) -> int:
    """Round an installment as the product says, in minor units."""
    rule = terms.product.installment_rounding
    unit = max(1, terms.amount(rule.to).minor)
    return rounded(exact / unit, Rounding(rule.mode)) * unit


def _minor(money: Money | None) -> int | None:
    return None if money is None else money.minor
