"""The fold against a loan in plain Python, night by night: simple interest, paid before principal.

Terms, schedules, frequencies, ties, returns, reversals and back days are any; whatever the schedule says, such a loan
owes the same. Next: `tests/support/reference_loan.py`.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from servicing.engine import fold
from servicing.events import UNDOING, Event, Kind
from servicing.product import FeeTax, Grace, LateFee, SmallBalance
from servicing.terms import Terms
from tests.property.servicing.loan_terms import USUAL_WATERFALL
from tests.property.servicing.test_replay_properties import END, lives
from tests.support.reference_loan import Happening, live
from tests.unit.servicing.examples import day

RETURN_FEE = 25_00
DAY_COUNTS = ("actual/365", "actual/360", "actual/364", "actual/actual")


def simple(terms: Terms, day_count: str) -> Terms:
    """Return the same loan under simple interest that is paid first, without late fees or free periods."""
    rules = {
        "interest": "simple",
        "rests": "daily",
        "day_count": day_count,
        "waterfall": "payoff",
        "order": ("interest", "principal", "fees", "penalties"),
        "late_fee": LateFee(),
        "returned_payment_fee": Decimal(25),
        "grace": Grace(),
        "fee_tax": FeeTax(),
        "small_balance": SmallBalance(),
        "odd_days": None,
        "charge_off_dpd": None,
    }
    return replace(terms, product=terms.product.model_copy(update=rules), rates=())


def happenings(events: tuple[Event, ...]) -> list[Happening]:
    """Return what counts of events, in the order of entry: payments, fees and waivers that stand, fees of returns."""
    undone = {event.of for event in events if event.kind in UNDOING}
    found = []
    for event in (each for each in events if each.no not in undone):
        match event.kind:
            case Kind.PAYMENT:
                found.append(Happening(event.effective_date, paid=event.amount))
            case Kind.FEE:
                found.append(Happening(event.effective_date, fee=event.amount))
            case Kind.WAIVER:
                found.append(Happening(event.effective_date, waived=event.amount))
            case Kind.RETURNED:
                found.append(Happening(event.effective_date, fee=RETURN_FEE))
    return found


def is_counted(event: Event) -> bool:
    """Tell whether the reference knows an event; which fee a waiver is of, other rates and drawdowns it does not.

    Nor charge-offs, sales and modifications. Non-accrual changes nothing of what is owed, so it need not know that.
    """
    others = (Kind.CHARGE_OFF, Kind.RECOVERY, Kind.SOLD, Kind.BOUGHT_BACK, Kind.MODIFICATION)
    if event.kind in (Kind.RATE_RESET, Kind.DRAWDOWN, *others):
        return False
    return event.kind is not Kind.WAIVER or event.details.get("component") == "interest"


@given(lives(waterfalls=USUAL_WATERFALL), st.sampled_from(DAY_COUNTS), st.integers(0, END))
def test_a_loan_owes_what_one_owes_that_was_counted_night_by_night(
    life: tuple[Terms, tuple[Event, ...]], day_count: str, on: int
) -> None:
    terms, events = simple(life[0], day_count), tuple(event for event in life[1] if is_counted(event))
    known = tuple(event for event in events if event.effective_date <= day(on))

    state = fold(terms, events, day(on), fees_through=day(on))
    reference = live(
        terms.principal.minor,
        terms.rate,
        day_count,
        funded_on=terms.funded_on,
        happenings=[each for each in happenings(events) if each.on <= day(on)],
        through=day(on),
    )

    assert known
    found = (state.principal, state.interest, state.penalties + state.other_fees, state.unapplied)
    assert found == (reference.principal, reference.interest, reference.fee, reference.unapplied)
