"""Months close in order, reopen in the opposite one by two people, and take no entry while closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from ledger.dates import Month
from ledger.errors import ApprovalMissing, BookingDateRefused, PeriodTransitionRefused
from ledger.periods import (
    TRANSITIONS,
    PeriodAction,
    PeriodState,
    PeriodView,
    decide_booking_date,
    decide_transition,
)

MARCH = PeriodView(
    book="MAIN",
    month=Month(2026, 3),
    state=PeriodState.OPEN,
    previous_state=PeriodState.CLOSED,
    next_state=PeriodState.OPEN,
    first_month=Month(2026, 1),
)
APRIL_1 = date(2026, 4, 1)


def decide(period: PeriodView, action: PeriodAction, business_date: date = APRIL_1) -> PeriodState:
    return decide_transition(
        period, action, business_date=business_date, actor="olga", approver="pete", reason="late invoice"
    ).target


def test_a_month_lives_from_open_to_closed_and_back() -> None:
    life = [
        (None, PeriodAction.OPEN, PeriodState.OPEN),
        (PeriodState.OPEN, PeriodAction.SOFT_CLOSE, PeriodState.SOFT_CLOSED),
        (PeriodState.SOFT_CLOSED, PeriodAction.LIFT_SOFT_CLOSE, PeriodState.OPEN),
        (PeriodState.OPEN, PeriodAction.START_CLOSE, PeriodState.CLOSING),
        (PeriodState.CLOSING, PeriodAction.START_CLOSE, PeriodState.CLOSING),
        (PeriodState.CLOSING, PeriodAction.ABANDON_CLOSE, PeriodState.SOFT_CLOSED),
        (PeriodState.SOFT_CLOSED, PeriodAction.START_CLOSE, PeriodState.CLOSING),
        (PeriodState.CLOSING, PeriodAction.FINISH_CLOSE, PeriodState.CLOSED),
        (PeriodState.CLOSED, PeriodAction.REOPEN, PeriodState.SOFT_CLOSED),
    ]

    assert [decide(replace(MARCH, state=state), action) for state, action, _ in life] == [
        target for _, _, target in life
    ]
    assert {(row.source, row.action) for row in TRANSITIONS} == {(state, action) for state, action, _ in life}


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (state, action)
        for state, action in product([None, *PeriodState], PeriodAction)
        if not any((row.source, row.action) == (state, action) for row in TRANSITIONS)
    ],
)
def test_whatever_the_table_does_not_allow_is_refused(state: PeriodState | None, action: PeriodAction) -> None:
    with pytest.raises(PeriodTransitionRefused, match="not possible from there"):
        decide(replace(MARCH, state=state), action)


CLOSING_STEPS = [
    (PeriodState.OPEN, PeriodAction.START_CLOSE),
    (PeriodState.SOFT_CLOSED, PeriodAction.START_CLOSE),
    (PeriodState.CLOSING, PeriodAction.START_CLOSE),
    (PeriodState.CLOSING, PeriodAction.FINISH_CLOSE),
]
STEPS_BACK = [
    (PeriodState.CLOSING, PeriodAction.ABANDON_CLOSE),
    (PeriodState.CLOSED, PeriodAction.REOPEN),
]


@pytest.mark.parametrize(("state", "action"), [*CLOSING_STEPS, (PeriodState.OPEN, PeriodAction.SOFT_CLOSE)])
def test_a_month_closes_only_once_it_is_over(state: PeriodState, action: PeriodAction) -> None:
    march = replace(MARCH, state=state)

    with pytest.raises(PeriodTransitionRefused, match="the month ends on 2026-03-31"):
        decide(march, action, business_date=date(2026, 3, 31))
    assert decide(march, action, business_date=date(2026, 4, 1))


@pytest.mark.parametrize("previous", [None, PeriodState.OPEN, PeriodState.SOFT_CLOSED, PeriodState.CLOSING])
@pytest.mark.parametrize(("state", "action"), CLOSING_STEPS)
def test_a_month_closes_only_after_the_one_before_it(
    previous: PeriodState | None, state: PeriodState, action: PeriodAction
) -> None:
    with pytest.raises(PeriodTransitionRefused, match="2026-02 is not closed yet") as refusal:
        decide(replace(MARCH, state=state, previous_state=previous), action)

    assert (refusal.value.book, refusal.value.month, refusal.value.state) == ("MAIN", "2026-03", state)


def test_a_refusal_names_the_state_that_was_wanted() -> None:
    with pytest.raises(PeriodTransitionRefused) as refusal:
        decide(replace(MARCH, state=None), PeriodAction.FINISH_CLOSE)

    assert str(refusal.value) == (
        "period 2026-03 of book MAIN is not there and cannot become closed: finish_close is not possible from there"
    )


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (None, PeriodAction.OPEN),
        (PeriodState.OPEN, PeriodAction.SOFT_CLOSE),
        (PeriodState.SOFT_CLOSED, PeriodAction.LIFT_SOFT_CLOSE),
    ],
)
def test_what_closes_nothing_asks_nobody_and_heeds_no_neighbor(state: PeriodState | None, action: PeriodAction) -> None:
    alone = replace(MARCH, state=state, previous_state=PeriodState.OPEN, next_state=PeriodState.CLOSED)
    day = APRIL_1 if action is PeriodAction.SOFT_CLOSE else date(2026, 3, 1)

    assert decide_transition(alone, action, business_date=day, actor="olga").action is action


def test_the_first_month_of_a_book_has_none_before_it() -> None:
    first = replace(MARCH, first_month=MARCH.month, previous_state=None)

    assert decide(first, PeriodAction.START_CLOSE) is PeriodState.CLOSING
    assert decide(replace(first, state=None), PeriodAction.OPEN) is PeriodState.OPEN


def test_months_are_opened_without_a_gap_and_not_before_the_book() -> None:
    unopened = replace(MARCH, state=None, previous_state=None)

    with pytest.raises(PeriodTransitionRefused, match="2026-02 has no period yet"):
        decide(unopened, PeriodAction.OPEN)
    with pytest.raises(PeriodTransitionRefused, match="the book opens in 2026-04"):
        decide(replace(unopened, first_month=Month(2026, 4)), PeriodAction.OPEN)


@pytest.mark.parametrize("next_state", [PeriodState.CLOSED, PeriodState.CLOSING])
@pytest.mark.parametrize(("state", "action"), STEPS_BACK)
def test_only_the_latest_closed_month_is_reopened(
    next_state: PeriodState, state: PeriodState, action: PeriodAction
) -> None:
    with pytest.raises(PeriodTransitionRefused, match="2026-04 is"):
        decide(replace(MARCH, state=state, next_state=next_state), action)
    assert decide(replace(MARCH, state=state, next_state=None), action) is PeriodState.SOFT_CLOSED


@pytest.mark.parametrize("approver", [None, "", "olga"])
@pytest.mark.parametrize(("state", "action"), STEPS_BACK)
def test_a_step_back_takes_a_second_person(approver: str | None, state: PeriodState, action: PeriodAction) -> None:
    with pytest.raises(ApprovalMissing, match=f"{action} of 2026-03 by olga"):
        decide_transition(
            replace(MARCH, state=state),
            action,
            business_date=APRIL_1,
            actor="olga",
            approver=approver,
            reason="late invoice",
        )


@pytest.mark.parametrize("reason", [None, "", " "])
def test_reopening_takes_a_reason(reason: str | None) -> None:
    with pytest.raises(PeriodTransitionRefused, match="needs a reason"):
        decide_transition(
            replace(MARCH, state=PeriodState.CLOSED),
            PeriodAction.REOPEN,
            business_date=APRIL_1,
            actor="olga",
            approver="pete",
            reason=reason,
        )


def book_on(wanted: date | None, state: PeriodState | None, *, authorized: bool) -> date:
    return decide_booking_date(business_date=APRIL_1, wanted=wanted, state=state, authorized=authorized)


def test_an_entry_is_booked_on_the_business_date() -> None:
    assert book_on(None, PeriodState.OPEN, authorized=False) == APRIL_1
    assert book_on(APRIL_1, PeriodState.OPEN, authorized=False) == APRIL_1


@pytest.mark.parametrize("state", [PeriodState.OPEN, PeriodState.SOFT_CLOSED])
def test_an_earlier_day_takes_authority_and_a_month_that_is_not_closed(state: PeriodState) -> None:
    earlier = date(2026, 3, 31)

    assert book_on(earlier, state, authorized=True) == earlier
    with pytest.raises(BookingDateRefused, match="needs authority"):
        book_on(earlier, state, authorized=False)


@pytest.mark.parametrize(
    ("wanted", "state", "authorized", "reason"),
    [
        (date(2026, 4, 2), PeriodState.OPEN, True, "lies ahead"),
        (date(2026, 3, 31), PeriodState.CLOSED, True, "its month is closed"),
        (date(2026, 3, 31), PeriodState.CLOSING, True, "its month is closing"),
        (date(2026, 3, 31), None, True, "has no period"),
        (None, PeriodState.SOFT_CLOSED, False, "authorized entries only"),
        (None, None, False, "has no period"),
    ],
)
def test_a_day_that_takes_no_entry_is_refused_with_the_reason(
    wanted: date | None, state: PeriodState | None, authorized: bool, reason: str
) -> None:
    with pytest.raises(BookingDateRefused, match=reason):
        book_on(wanted, state, authorized=authorized)
