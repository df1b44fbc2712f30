"""The fold of one loan's events: waterfall, installments, fees and days past due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from servicing.contract import Installment
from servicing.delinquency import days_past_due
from servicing.engine import fold
from servicing.events import Event, Kind
from servicing.installments import Installments
from servicing.product import Delinquency
from servicing.state import InstallmentState, LoanState
from servicing.waterfall import Allocation, Claim, Debt, allocate, allocate_as_told
from servicing.waterfall_order import Waterfall, waterfall_of
from tests.unit.servicing.examples import FUNDED, RULES, TERMS, day, payment, undoing

OWED = {"late_fees": 15, "returned_payment_fees": 25, "other_fees": 5, "interest": 100, "principal": 50}
DEBT = Debt(OWED, due={})
ORDER = ("penalties", "fees", "interest", "principal")


SCHEDULE = waterfall_of("schedule", ORDER)


def claim(no: int, most: dict[str, int], room: int, status: str = "due") -> Claim:
    return Claim(no, status, most, room)


def test_within_an_installment_the_waterfall_follows_the_order() -> None:
    claims = [claim(1, OWED, room=150)]
    assert allocate(120, DEBT, claims, SCHEDULE).allocation.components() == {
        "penalties": 40, "fees": 5, "interest": 75, "principal": 0, "unapplied": 0
    }  # fmt: skip
    other = waterfall_of("schedule", ("interest", "principal", "fees", "penalties"))
    assert allocate(120, DEBT, claims, other).allocation.principal == 20


def test_what_is_more_than_the_whole_debt_stays_unapplied() -> None:
    assert allocate(200, DEBT, [claim(1, OWED, room=150)], SCHEDULE).allocation.unapplied == 5


def test_the_oldest_installment_is_paid_whole_before_the_next_one_gets_anything() -> None:
    claims = [
        claim(1, {"late_fees": 15, "interest": 60, "principal": 20}, room=80),
        claim(2, {"returned_payment_fees": 25, "interest": 40, "principal": 30}, room=70),
    ]
    split = allocate(130, DEBT, claims, SCHEDULE)
    assert split.by_installment[1] == Allocation(late_fees=15, interest=60, principal=20)
    assert split.by_installment[2] == Allocation(returned_payment_fees=25, interest=10)
    assert split.allocation == Allocation(late_fees=15, returned_payment_fees=25, interest=70, principal=20)


def test_no_claim_takes_more_than_is_owed_or_than_its_room() -> None:
    claims = [claim(1, {"interest": 500, "principal": 500}, room=110)]
    split = allocate(300, DEBT, claims, SCHEDULE)
    assert split.allocation == Allocation(interest=100, principal=10, unapplied=190)


def test_two_claims_of_one_installment_take_no_more_than_it_asks_for() -> None:
    claims = [claim(1, {"interest": 60, "principal": 0}, room=80), claim(1, {"interest": 60, "principal": 50}, room=80)]
    split = allocate(300, DEBT, claims, SCHEDULE)
    assert split.allocation == Allocation(interest=60, principal=20, unapplied=220)


def test_a_split_by_component_goes_to_the_oldest_first_and_what_is_not_owed_stays_unapplied() -> None:
    claims = [
        claim(1, {"interest": 60, "principal": 20}, room=80, status="past_due"),
        claim(2, {"interest": 40, "principal": 30}, room=70, status="in_advance"),
    ]
    split = allocate_as_told({"principal": 30, "fees": 10, "unapplied": 2}, DEBT, claims)
    assert split.by_installment == {1: Allocation(principal=20), 2: Allocation(principal=10)}
    assert split.allocation == Allocation(principal=30, unapplied=12)


def test_what_is_paid_in_advance_takes_nothing_that_is_due() -> None:
    claims = [
        claim(1, {"interest": 60, "principal": 20}, room=80),
        claim(2, {"interest": 90, "principal": 90}, room=90, status="in_advance"),
    ]
    ahead_first = Waterfall(tuple((status, each) for status in ("in_advance", "due") for each in ORDER), vertical=False)
    split = allocate(75, Debt(OWED, due={"interest": 60, "principal": 20}), claims, ahead_first)
    assert split.by_installment == {1: Allocation(interest=5), 2: Allocation(interest=40, principal=30)}


def parts(state: LoanState, no: int) -> dict[str, int]:
    return {name: minor for name, minor in state.allocations[no].components().items() if minor}


def line(state: LoanState, no: int) -> InstallmentState:
    return state.installments[no - 1]


def test_a_payment_on_its_due_date_pays_the_installment_as_scheduled() -> None:
    state = fold(TERMS, [FUNDED, payment(2, 88849, date(2026, 2, 15))], date(2026, 2, 15))
    assert parts(state, 2) == {"principal": 78657, "interest": 10192}
    assert line(state, 1).paid_off_on == date(2026, 2, 15)
    assert days_past_due(state, date(2026, 3, 15)) == 0
    assert days_past_due(state, date(2026, 3, 16)) == 1


def test_a_payment_before_the_due_date_takes_what_is_earned_and_leaves_the_rest_of_the_month_to_the_next() -> None:
    # By hand: 26 days on 10,000.00 are 85.48; then 5 days on 9,196.99 are 15.12 more.
    state = fold(TERMS, [FUNDED, payment(2, 88849, date(2026, 2, 10))], date(2026, 2, 15))
    assert parts(state, 2) == {"interest": 8548, "principal": 80301}
    assert (line(state, 1).interest, line(state, 1).principal, line(state, 1).unpaid) == (8548, 80301, 0)
    assert state.interest == 1512


def test_of_two_installments_that_are_due_the_older_takes_principal_before_the_younger_takes_interest() -> None:
    # By hand: 101.92 is earned by 15 February, 193.97 by 15 March.
    state = fold(TERMS, [FUNDED, payment(2, 100_000, date(2026, 3, 15))], date(2026, 3, 15))
    assert state.by_installment[2] == {
        1: Allocation(interest=10192, principal=78657),
        2: Allocation(interest=9205, principal=1946),
    }
    assert (line(state, 2).interest, line(state, 2).principal) == (9205, 79644)


def test_when_principal_comes_first_no_installment_is_satisfied_before_its_interest_is_earned() -> None:
    product = RULES.model_copy(update={"order": ("principal", "interest", "fees", "penalties")})
    state = fold(replace(TERMS, product=product), [FUNDED, payment(2, 88849, date(2026, 2, 10))], date(2026, 2, 10))
    assert (line(state, 1).paid_principal, line(state, 1).paid_interest) == (78657, 8548)
    assert line(state, 1).unpaid == 88849 - 78657 - 8548
    assert line(state, 2).paid_principal == 88849 - 78657 - 8548


def test_an_installment_that_had_nothing_to_ask_for_and_was_passed_asks_for_nothing_later() -> None:
    on = date(2026, 2, 10)
    lines = Installments(
        [
            Installment(1, date(2026, 2, 15), principal=0, interest=0, balance=100, keeps_total=False),
            Installment(2, date(2026, 3, 15), principal=100, interest=1, balance=0, keeps_total=False),
        ]
    )
    lines.lay({2: Allocation(principal=50)}, on)
    lines.fall_due(date(2026, 2, 15), interest_earned=1, principal_owed=50)

    first, _ = lines.states()
    assert (first.interest, first.paid_off_on) == (0, on)


def test_the_last_installment_asks_for_whatever_is_left() -> None:
    terms = replace(TERMS, installments=2)
    late = [FUNDED, payment(2, 507_512, date(2026, 3, 10)), payment(3, 507_512, date(2026, 3, 15))]
    state = fold(terms, late, date(2026, 3, 25))
    last = line(state, 2)
    assert state.status == "active"
    assert last.paid_off_on is None
    assert (last.principal - last.paid_principal, last.interest - last.paid_interest) == (
        state.principal,
        state.interest,
    )
    assert days_past_due(state, date(2026, 3, 25)) == 10


def test_installments_ask_for_no_more_principal_than_is_left_after_a_large_prepayment() -> None:
    dear = replace(TERMS, rate=Decimal(36))
    state = fold(dear, [FUNDED, payment(2, 999_000, day(1))], date(2027, 2, 15))
    asked = [each.principal - each.paid_principal for each in state.installments if each.unpaid]
    assert sum(asked) == state.principal
    assert min(each.principal for each in state.installments) == 0, "the last ones ask for nothing"


def test_a_returned_payment_costs_its_fee_and_nothing_else() -> None:
    through = date(2026, 3, 10)
    events = [FUNDED, payment(2, 88849, date(2026, 2, 15)), undoing(3, 2, date(2026, 2, 18), Kind.RETURNED)]
    never, returned = fold(TERMS, [FUNDED], through), fold(TERMS, events, through)
    assert returned.balances() == {**never.balances(), "penalties": 2500}
    assert (line(returned, 1).penalties, line(returned, 2).penalties) == (0, 2500), "it is due with the next one"


def test_a_payment_that_was_undone_later_counts_on_no_earlier_day() -> None:
    events = [FUNDED, payment(2, 88849, date(2026, 2, 15)), undoing(3, 2, date(2026, 2, 18))]
    assert fold(TERMS, events, date(2026, 2, 16)).balances() == fold(TERMS, [FUNDED], date(2026, 2, 16)).balances()


def late_fees(events: list[Event], through: date) -> list[date]:
    state = fold(TERMS, events, through, fees_through=through)
    return [entry.effective_date for entry in state.planned if entry.template == "late_fee_assessed"]


def test_a_late_fee_comes_once_at_the_close_of_the_last_day_of_grace() -> None:
    through = date(2026, 3, 20)
    assert late_fees([FUNDED, payment(2, 88849, date(2026, 2, 25))], through) == []
    assert late_fees([FUNDED, payment(2, 88849, date(2026, 2, 26))], through) == [date(2026, 2, 25)]
    assert late_fees([FUNDED], date(2026, 2, 24)) == []


def test_a_shortfall_that_a_late_fee_made_earns_no_late_fee() -> None:
    events = [FUNDED, payment(2, 88849, date(2026, 2, 26)), payment(3, 88849, date(2026, 3, 15))]
    assert late_fees(events, date(2026, 4, 1)) == [date(2026, 2, 25)]
    short = [FUNDED, payment(2, 88849, date(2026, 2, 26)), payment(3, 88848, date(2026, 3, 15))]
    assert late_fees(short, date(2026, 4, 1)) == [date(2026, 2, 25), date(2026, 3, 25)]


def test_on_one_day_events_count_in_the_order_in_which_they_were_entered() -> None:
    on = date(2026, 2, 15)
    state = fold(TERMS, [FUNDED, payment(3, 80_000, on), payment(2, 20_000, on)], on)
    assert parts(state, 2) == {"interest": 10192, "principal": 9808}
    assert parts(state, 3) == {"principal": 80_000}


def test_a_loan_that_is_paid_off_asks_for_nothing_more() -> None:
    everything = fold(TERMS, [FUNDED], day(40), fees_through=day(39)).payoff
    paid = [FUNDED, payment(2, everything, day(40))]
    state = fold(TERMS, paid, day(400), fees_through=day(400))
    assert (state.status, state.payoff, days_past_due(state, day(400))) == ("paid_off", 0, 0)
    assert all(each.unpaid == 0 and each.paid_off_on == day(40) for each in state.installments if each.no > 1)


def owed_of(state: LoanState) -> dict[str, int]:
    return {"interest": state.interest, "principal": state.principal}


def test_a_loan_that_owes_fees_alone_asks_for_no_installment() -> None:
    product = RULES.model_copy(update={"after_prepayment": "reduce_installment"})
    terms = replace(TERMS, product=product)
    whole = fold(terms, [FUNDED], day(45), fees_through=day(45))
    paid = replace(payment(2, whole.principal + whole.interest, day(45)), details={"allocate": owed_of(whole)})

    state = fold(terms, [FUNDED, paid], day(45), fees_through=day(45))

    assert (state.balances()["penalties"], state.principal, state.interest) == (1_500, 0, 0)
    assert [each.unpaid for each in state.installments] == [0] * 12
    assert state.status == "active"


def test_a_return_fee_on_a_loan_that_is_paid_off_opens_it_again() -> None:
    everything = fold(TERMS, [FUNDED], day(40)).payoff
    events = [FUNDED, payment(2, 1000, day(10)), undoing(3, 2, day(45), Kind.RETURNED), payment(4, everything, day(40))]
    state = fold(TERMS, events, day(45))
    assert (state.status, state.balances()) == (
        "active",
        {"principal": 0, "interest": 0, "fees": 0, "penalties": 2500, "unapplied": 0, "recoverable": 0},
    )


def test_where_interest_is_scheduled_the_payoff_has_the_whole_period_in_it_from_its_first_night_on() -> None:
    terms = replace(TERMS, product=RULES.model_copy(update={"interest": "scheduled"}))
    events = [FUNDED, payment(2, 88849, date(2026, 2, 15))]
    payoffs = {on: fold(terms, events, on).payoff for on in (date(2026, 2, 15), date(2026, 2, 16), date(2026, 3, 15))}
    assert list(payoffs.values()) == [921_343, 921_343 + 8481, 921_343 + 8481]


def test_unapplied_cash_pays_what_the_loan_comes_to_owe_and_the_rest_of_it_stays() -> None:
    everything = fold(TERMS, [FUNDED], day(40)).payoff
    small = [FUNDED, payment(2, 1000, day(10)), undoing(3, 2, day(45), Kind.RETURNED)]
    for excess, owed, unapplied in ((4000, 0, 1500), (2500, 0, 0), (2499, 1, 0)):
        state = fold(TERMS, [*small, payment(4, everything + excess, day(40))], day(45))
        assert (state.penalties, state.unapplied) == (owed, unapplied)
        assert state.status == ("active" if owed else "paid_off")
        assert parts(state, 4)["unapplied"] == excess, "the payment keeps its parts"


def test_cash_that_was_held_beside_a_debt_pays_no_more_than_what_came_to_be_owed() -> None:
    held = replace(payment(4, 100_00, day(5)), details={"allocate": {"unapplied": 100_00}})
    returned = [payment(2, 1000, day(10)), undoing(3, 2, day(12), Kind.RETURNED)]
    state = fold(TERMS, [FUNDED, *returned, held], day(12))
    assert state.unapplied == 100_00 - 25_00
    assert state.payoff == fold(TERMS, [FUNDED], day(12)).payoff


def test_buckets_begin_where_they_say() -> None:
    assert [Delinquency().bucket(n) for n in (0, 1, 29, 30, 59, 60, 90, 120)] == [
        "current", "1-29", "1-29", "30-59", "30-59", "60-89", "90-119", "120+"
    ]  # fmt: skip
