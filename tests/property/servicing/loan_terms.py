"""Terms of loans of every kind, drawn for properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from ledger.money import Money
from servicing.day_count import PARTS
from servicing.errors import TermsInvalid
from servicing.product import (
    RECASTS,
    BusinessDays,
    ChargeOff,
    FeeTax,
    Grace,
    LateFee,
    NonAccrual,
    PercentFee,
    SmallBalance,
)
from servicing.schedule import proceeds_of
from servicing.terms import CustomRow, RateStep, Step, Terms
from servicing.waterfall_order import COMPONENTS, NAMED, PAIRS
from tests.unit.servicing.examples import RULES, TERMS

FREQUENCIES = ("weekly", "biweekly", "semimonthly", "monthly", "days:10", "quarterly")


def _waterfalls() -> st.SearchStrategy[dict[str, Any]]:
    named = st.sampled_from(sorted(NAMED)).map(lambda name: {"waterfall": name})
    own = st.builds(
        lambda pairs, processing: {"waterfall": tuple(pairs), "processing": processing},
        st.permutations(list(PAIRS)),
        st.sampled_from(["horizontal", "vertical"]),
    )
    return st.one_of(st.just({}), named, own)


ANY_WATERFALL = st.builds(
    lambda waterfall, after: {**waterfall, "after_prepayment": after},
    _waterfalls(),
    st.sampled_from(["next", "last", "reduce_installment", "reduce_term"]),
)
"""What a product says of where payments go."""

ANY_BUSINESS_DAYS = st.builds(
    BusinessDays,
    convention=st.sampled_from(["none", "none", "following", "modified_following", "preceding"]),
    adjusted=st.booleans(),
)
"""How due dates move that are no business days."""

LATE_FEES = (
    LateFee(amount=Decimal(15)),
    LateFee(amount=Decimal(15), cap_percent=Decimal(5)),
    LateFee(percent=Decimal(5), of="installment", max=Decimal(30)),
)

FEES = st.builds(
    PercentFee,
    percent=st.sampled_from([Decimal(0), Decimal(0), Decimal("2.5")]),
    income=st.sampled_from(["level_yield", "straight_line"]),
)
"""What is charged for making a loan, and how it becomes income."""

LOSSES = st.builds(
    lambda stops, ends, non_accrual, charge_off: {
        "non_accrual_dpd": stops,
        "charge_off_dpd": ends,
        "non_accrual": non_accrual,
        "charge_off": charge_off,
    },
    st.sampled_from([None, None, 10, 45]),
    st.sampled_from([None, None, None, 75]),
    st.builds(
        NonAccrual,
        payments=st.sampled_from(["cost_recovery", "cost_recovery", "cash_basis"]),
        prior_years=st.sampled_from(["income", "allowance"]),
        consecutive_payments=st.sampled_from([0, 0, 1]),
    ),
    st.builds(
        ChargeOff,
        fees=st.sampled_from(["income", "allowance"]),
        recovery_order=st.permutations(COMPONENTS).map(tuple),
    ),
)
"""When a loan is in non-accrual and when it is charged off, and how."""

USUAL_WATERFALL: st.SearchStrategy[dict[str, Any]] = st.just({})
"""The oldest installment first, then the next ones."""


@st.composite
def any_terms(
    draw: st.DrawFn,
    longest: int = 14,
    waterfalls: st.SearchStrategy[dict[str, Any]] = USUAL_WATERFALL,
    business_days: st.SearchStrategy[BusinessDays] = st.just(BusinessDays()),  # noqa: B008
) -> Terms:
    """Draw the terms of a loan; what its kind of amortization needs comes with it."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    count = draw(st.integers(1, longest))
    principal = draw(st.integers(100, 2_000_000))
    first_due = TERMS.funded_on + timedelta(days=draw(st.integers(1, 60)))
    own = KINDS[kind](draw, principal, count, first_due)
    spread = kind not in ("custom", "step")
    rules: dict[str, Any] = {
        "amortization": kind,
        "interest": draw(st.sampled_from(["simple", "simple", "scheduled", "flat", "precomputed"])),
        "rests": draw(st.sampled_from(["daily", "daily", "due_dates"])),
        "day_count": draw(st.sampled_from(sorted(PARTS))),
        "odd_days": draw(st.sampled_from([None, "in_first_installment", "at_funding"])) if kind != "custom" else None,
        "business_days": draw(business_days),
        "origination_fee": draw(FEES),
        "at_rate_change": draw(st.sampled_from(["recalculate", "recalculate", "keep"])),
        "order": draw(st.sampled_from(list(permutations(COMPONENTS)))),
        **draw(waterfalls),
        "late_fee": draw(st.sampled_from(LATE_FEES)),
        "fee_tax": FeeTax(percent=draw(st.sampled_from((Decimal(0), Decimal("8.25"))))),
        "paused_days": draw(st.sampled_from(["skip", "count"])),
        "small_balance": SmallBalance(limit=Decimal(draw(st.integers(1, 50))), automatic=draw(st.booleans())),
        **draw(LOSSES),
        "grace": Grace(
            principal=draw(st.integers(0, count - 1)) if spread else 0,
            interest_payment=draw(st.integers(0, count - 1)) if spread else 0,
            interest_free=draw(st.integers(0, count)),
        ),
    }
    if rules["interest"] == "precomputed" and rules.get("after_prepayment") in RECASTS:
        rules["after_prepayment"] = "next"
    terms = replace(
        TERMS,
        product=RULES.model_copy(update=rules),
        principal=Money(principal, "USD"),
        rate=Decimal(draw(st.integers(0, 3600))) / 100,
        installments=count,
        frequency=draw(st.sampled_from(FREQUENCIES)),
        first_due_on=first_due,
        **own,
    )
    assume(_can_be(terms))
    if kind != "custom" and rules["interest"] != "precomputed" and count > 1 and draw(st.booleans()):
        steps = sorted(draw(st.sets(st.integers(2, count), max_size=2)))
        rates = [RateStep(Decimal(draw(st.integers(0, 3600))) / 100, installment=place) for place in steps]
        terms = replace(terms, rates=tuple(rates))
    return terms


def _can_be(terms: Terms) -> bool:
    """Tell whether anything of the proceeds is left, and the first business day lies after the funding."""
    try:
        return proceeds_of(terms).minor > 0
    except TermsInvalid:
        return False


def _balloon(draw: st.DrawFn, principal: int, count: int, first_due: date) -> dict[str, Any]:
    return {"balloon": Money(draw(st.integers(0, principal - 1)), "USD")}


def _steps(draw: st.DrawFn, principal: int, count: int, first_due: date) -> dict[str, Any]:
    first = draw(st.integers(1, count))
    steps = (Step(first, Money(draw(st.integers(0, principal)), "USD")), Step(count - first))
    return {"steps": steps[: 1 if first == count else 2]}


def _rows(draw: st.DrawFn, principal: int, count: int, first_due: date) -> dict[str, Any]:
    rows = []
    for n in range(count):
        due = first_due + timedelta(days=20 * n)
        amount = Money(draw(st.integers(0, 2 * principal // count)), "USD")
        rows.append(CustomRow(due, total=amount) if draw(st.booleans()) else CustomRow(due, principal=amount))
    rows[-1] = CustomRow(rows[-1].due)
    return {"rows": tuple(rows)}


def _nothing(draw: st.DrawFn, principal: int, count: int, first_due: date) -> dict[str, Any]:
    return {}


KINDS = {
    "level": _nothing,
    "equal_principal": _nothing,
    "interest_only": _nothing,
    "balloon": _balloon,
    "step": _steps,
    "custom": _rows,
}
"""What each kind of amortization needs beside what all have."""
