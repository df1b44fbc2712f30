"""The pure modules, by figures that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import DomainError
from ledger.money import Money, Rounding
from servicing.accrual import rounded
from servicing.boarding import read_tape
from servicing.day_count import days_30_360, part_of_period, year_fraction
from servicing.delinquency import bucket, days_past_due
from servicing.engine import fold
from servicing.errors import ControlTotalWrong, LaterWork, ProductInvalid, ScenarioInvalid, TapeInvalid
from servicing.events import Event, Kind
from servicing.portfolio import make_portfolio, script_life
from servicing.product import Product, parse_product, shipped
from servicing.scenario import parse_scenarios
from servicing.schedule import contract_schedule, due_dates, level_payment
from servicing.terms import Terms
from servicing.waterfall import allocate

RULES = Product.model_validate({"late_fee": {"amount": "15.00"}, "returned_payment_fee": "25.00", "grace_days": 10})
TERMS = Terms(
    product=RULES,
    principal=Money.parse("10000.00", "USD"),
    rate=Decimal("12.00"),
    installments=12,
    frequency="monthly",
    funded_on=date(2026, 1, 15),
    first_due_on=date(2026, 2, 15),
)
FUNDED = Event(
    no=1,
    kind=Kind.FUNDED,
    effective_date=TERMS.funded_on,
    entered_on=TERMS.funded_on,
    amount=1_000_000,
    method="ach",
)


def payment(no: int, amount: int, on: date) -> Event:
    return Event(no=no, kind=Kind.PAYMENT, effective_date=on, entered_on=on, amount=amount)


def undoing(no: int, of: int, on: date, kind: Kind = Kind.REVERSED) -> Event:
    return Event(no=no, kind=kind, effective_date=on, entered_on=on, of=of)


def test_day_counts_are_exact_fractions() -> None:
    assert year_fraction("actual/365", date(2026, 1, 15), date(2026, 2, 15)) == Fraction(31, 365)
    assert year_fraction("actual/360", date(2024, 1, 1), date(2025, 1, 1)) == Fraction(366, 360)
    assert year_fraction("30/360", date(2026, 1, 31), date(2027, 1, 31)) == 1
    assert days_30_360(date(2026, 1, 30), date(2026, 3, 31)) == 60
    assert days_30_360(date(2026, 1, 15), date(2026, 1, 31)) == 16


def day(number: int) -> date:
    """Return the day so many days after the funding."""
    return date.fromordinal(TERMS.funded_on.toordinal() + number)


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.lists(st.integers(0, 40), min_size=1, max_size=8))
@pytest.mark.parametrize("day_count", ["actual/365", "actual/360", "30/360"])
def test_parts_of_a_period_sum_to_the_period(day_count: str, start: date, gaps: list[int]) -> None:
    days = [start]
    for gap in gaps:
        days.append(date.fromordinal(days[-1].toordinal() + gap))
    parts = [part_of_period(day_count, start, a, b) for a, b in pairwise(days)]
    assert sum(parts) == year_fraction(day_count, start, days[-1])
    assert min(parts) >= 0


def test_rounding_modes_part_ways_at_the_half() -> None:
    assert rounded(Fraction(5, 2), Rounding.HALF_EVEN) == 2
    assert rounded(Fraction(5, 2), Rounding.HALF_UP) == 3
    assert rounded(Fraction(21, 10), Rounding.UP) == 3
    assert rounded(Fraction(29, 10), Rounding.DOWN) == 2


def test_the_level_payment_is_the_annuity() -> None:
    assert level_payment(TERMS) == 88849


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
    assert due_dates(date(2026, 1, 31), "monthly", 3) == (
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
    )
    assert due_dates(date(2026, 1, 5), "semimonthly", 3)[1:] == (date(2026, 1, 20), date(2026, 2, 5))
    assert due_dates(date(2026, 1, 5), "days:10", 2)[1] == date(2026, 1, 15)


def test_the_waterfall_follows_the_order_and_leaves_the_rest_unapplied() -> None:
    owed = {"late_fees": 15, "returned_payment_fees": 25, "other_fees": 5, "interest": 100, "principal": 50}
    parts = allocate(120, owed, ("penalties", "fees", "interest", "principal"))
    assert parts.components() == {"penalties": 40, "fees": 5, "interest": 75, "principal": 0, "unapplied": 0}
    assert allocate(120, owed, ("interest", "principal", "fees", "penalties")).principal == 20
    assert allocate(200, owed, ("penalties", "fees", "interest", "principal")).unapplied == 5


def test_interest_is_that_of_the_days_to_the_cent_however_often_it_is_booked() -> None:
    through = date(2026, 4, 2)  # 77 days at 12 percent: 253.150...
    once = fold(TERMS, [FUNDED], through)
    daily = fold(
        TERMS,
        [FUNDED],
        through,
        accrual_days=[date.fromordinal(n) for n in range(TERMS.funded_on.toordinal(), through.toordinal() + 1)],
    )
    assert once.interest == daily.interest == 25315
    booked = sum(e.amounts["interest"] for e in daily.planned if e.template == "interest_accrued")
    assert booked == 25315


def test_a_payment_on_its_due_date_pays_the_installment_as_scheduled() -> None:
    state = fold(TERMS, [FUNDED, payment(2, 88849, date(2026, 2, 15))], date(2026, 2, 15))
    assert state.allocations[2].components() == {
        "principal": 78657, "interest": 10192, "fees": 0, "penalties": 0, "unapplied": 0
    }  # fmt: skip
    assert state.installments[0].paid_off_on == date(2026, 2, 15)
    assert days_past_due(state, date(2026, 3, 15)) == 0
    assert days_past_due(state, date(2026, 3, 16)) == 1


def test_a_late_fee_comes_once_at_the_close_of_the_last_day_of_grace() -> None:
    on_time = [FUNDED, payment(2, 88849, date(2026, 2, 25))]
    day = date(2026, 3, 20)
    assert fold(TERMS, on_time, day, fees_through=day).penalties == 0
    late = [FUNDED, payment(2, 88849, date(2026, 2, 26))]
    state = fold(TERMS, late, day, fees_through=day)
    assert [e.effective_date for e in state.planned if e.template == "late_fee_assessed"] == [date(2026, 2, 25)]
    assert state.allocations[2].penalties == 1500


def test_a_shortfall_that_a_late_fee_made_earns_no_late_fee() -> None:
    events = [FUNDED, payment(2, 88849, date(2026, 2, 26)), payment(3, 88849, date(2026, 3, 15))]
    day = date(2026, 4, 1)
    fees = [e for e in fold(TERMS, events, day, fees_through=day).planned if e.template == "late_fee_assessed"]
    assert len(fees) == 1


def test_buckets_begin_where_they_say() -> None:
    assert [bucket(n) for n in (0, 1, 29, 30, 59, 60, 90, 120)] == [
        "current", "1-29", "1-29", "30-59", "30-59", "60-89", "90-119", "120+"
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 200_000)), max_size=6),
    st.integers(0, 300),
    st.integers(1, 200_000),
    st.integers(0, 60),
    st.sampled_from(["actual/365", "actual/360", "30/360"]),
)
def test_payment_and_reversal_equal_never_paid(
    others: list[tuple[int, int]], offset: int, amount: int, later: int, day_count: str
) -> None:
    terms = replace(TERMS, product=RULES.model_copy(update={"day_count": day_count}))
    known = [FUNDED, *(payment(2 + n, a, day(o)) for n, (o, a) in enumerate(others))]
    extra = [payment(50, amount, day(offset)), undoing(51, 50, day(offset + later))]
    through = day(400)
    never = fold(terms, known, through, fees_through=through)
    undone = fold(terms, [*known, *extra], through, fees_through=through)
    assert undone.balances() == never.balances()
    assert undone.allocations == never.allocations
    assert undone.installments == never.installments


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 400_000)), max_size=10))
def test_parts_sum_to_payments_and_the_books_to_the_contract(payments: list[tuple[int, int]]) -> None:
    events = [FUNDED, *(payment(2 + n, a, day(o)) for n, (o, a) in enumerate(payments))]
    through = day(600)
    state = fold(TERMS, events, through, fees_through=through, accrual_days=[through])
    assert all(state.allocations[e.no].total == e.amount for e in events[1:])
    assert min(state.balances().values()) >= 0
    charged = 1_000_000 + sum(
        sum(e.amounts.values()) for e in state.planned if e.template in ("interest_accrued", "late_fee_assessed")
    )
    assert state.payoff - state.unapplied == charged - sum(a for _, a in payments)


def test_a_returned_payment_costs_its_fee_and_nothing_else() -> None:
    through = date(2026, 3, 10)
    events = [FUNDED, payment(2, 88849, date(2026, 2, 15)), undoing(3, 2, date(2026, 2, 18), Kind.RETURNED)]
    never, returned = fold(TERMS, [FUNDED], through), fold(TERMS, events, through)
    assert returned.balances() == {**never.balances(), "penalties": 2500}


def test_a_product_refuses_what_it_does_not_know_or_cannot_do_yet() -> None:
    assert shipped("installment").content_hash() == shipped("installment").content_hash()
    with pytest.raises(ProductInvalid, match=r"product\.colour: unknown key"):
        parse_product({"colour": "red"})
    with pytest.raises(LaterWork, match="flat"):
        parse_product({"interest": "flat"})
    with pytest.raises(ProductInvalid, match="float"):
        parse_product({"returned_payment_fee": 25.0})
    assert parse_product({"grace": {"principal": "0"}}) == Product()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("loan: {}\nloan: {}", "loan"),
        ("colour: red\nloan: {}", "colour"),
        ("loan: {principal: 1, rate: x}", "loan"),
        ("loan: [", "scenario"),
    ],
)
def test_a_scenario_with_a_mistake_names_its_place(text: str, place: str) -> None:
    with pytest.raises(ScenarioInvalid) as refused:
        parse_scenarios(text)
    assert place in refused.value.place


LOAN = "loan: {principal: 1200, rate: 0, installments: 12, funded_on: 2026-01-01, first_due_on: 2026-02-01}\n"


def test_a_scenario_refuses_later_work_by_name_and_reads_on_as_a_word() -> None:
    with pytest.raises(LaterWork, match=r"events\.charge_off"):
        parse_scenarios(LOAN + "events: [{on: 2026-02-01, charge_off: }]")
    with pytest.raises(LaterWork, match=r"payment\.allocate"):
        parse_scenarios(LOAN + "events: [{on: 2026-02-01, payment: {amount: 1, allocate: {principal: 1}}}]")
    (found,) = parse_scenarios(LOAN + "events: [{on: 2026-02-01, payment: {amount: 100.10}}]")
    assert found.events[0].values["amount"] == "100.10"
    assert found.events[0].id == "payment-1"


HEADER = "external_id,principal,rate,installments,frequency,funded_on,first_due_on\n"


def test_a_tape_names_every_mistake_by_row_and_column() -> None:
    text = HEADER + "A,100.001,12,12,monthly,2026-01-01,2026-02-01\nB,100,12,0,monthly,2026-01-01,2026-02-01\nC,1\n"
    with pytest.raises(TapeInvalid) as refused:
        read_tape(text, RULES, "USD")
    assert refused.value.count == 3
    assert "row 2, column principal" in refused.value.mistakes[0]
    assert "row 3, column installments" in refused.value.mistakes[1]
    assert refused.value.mistakes[2].startswith("row 4:")


def test_a_tape_must_agree_with_its_control_totals() -> None:
    text = HEADER + "A,100,12,12,monthly,2026-01-01,2026-02-01\n"
    assert read_tape(text, RULES, "USD", expected_count=1).principal == Money(10000, "USD")
    with pytest.raises(ControlTotalWrong):
        read_tape(text, RULES, "USD", expected_principal=Money(10001, "USD"))


def test_the_same_seed_makes_the_same_portfolio_and_life() -> None:
    opening = date(2026, 1, 1)
    one, two = make_portfolio(3, 40, opening), make_portfolio(3, 40, opening)
    assert one == two != make_portfolio(4, 40, opening)
    assert script_life(3, one, opening, 3) == script_life(3, two, opening, 3)


def test_every_error_has_a_code_and_a_message() -> None:
    assert issubclass(TapeInvalid, DomainError)
    assert str(LaterWork(key="x")) == "x is not supported yet"


def test_a_payment_that_was_undone_later_counts_on_no_earlier_day() -> None:
    events = [FUNDED, payment(2, 88849, date(2026, 2, 15)), undoing(3, 2, date(2026, 2, 18))]
    assert fold(TERMS, events, date(2026, 2, 16)).balances() == fold(TERMS, [FUNDED], date(2026, 2, 16)).balances()
