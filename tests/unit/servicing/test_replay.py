"""From what the journal holds to what it should: which steps, in which order, linked how."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from ledger.chart import AccountCode
from ledger.journal import Posting
from ledger.money import Money
from servicing.posting_rules import RULES, TURNS, Roles, books, postings_of
from servicing.replay import Book, Booked, Desired, Reverse, Step, difference, touches_payments
from servicing.state import PlannedEntry

NAMES = (
    "CASH_CLEARING",
    "INTEREST_RECEIVABLE",
    "INTEREST_INCOME",
    "LOAN_PRINCIPAL",
    "RETURNED_PAYMENT_FEES_RECEIVABLE",
    "UNAPPLIED_PAYMENTS",
)
NOW = {name: AccountCode(name) for name in NAMES}
ROLES = Roles(NOW, {name: frozenset({code}) for name, code in NOW.items()})
DAY = date(2026, 2, 15)


def accrual(interest: int, on: date = DAY) -> PlannedEntry:
    return PlannedEntry(
        key=f"accrual:{on}", template="interest_accrued", effective_date=on, amounts={"interest": interest}
    )


def paid(no: int, interest: int, principal: int, unapplied: int = 0) -> PlannedEntry:
    amounts = dict.fromkeys(("late_fees", "returned_payment_fees", "other_fees"), 0)
    return PlannedEntry(
        key=f"event:{no}",
        template="payment_applied",
        effective_date=DAY,
        amounts={**amounts, "interest": interest, "principal": principal, "unapplied": unapplied},
        clearing_role="CASH_CLEARING",
    )


def applied(no: int, fee: int) -> PlannedEntry:
    return PlannedEntry(
        key=f"event:{no}/applied",
        template="unapplied_applied",
        effective_date=DAY,
        amounts={
            **dict.fromkeys(("late_fees", "other_fees", "interest", "principal"), 0),
            "returned_payment_fees": fee,
        },
    )


def desired(*planned: PlannedEntry) -> list[Desired]:
    return [Desired(item, postings_of(item, ROLES, "USD")) for item in planned]


def booked(entry_no: int, planned: PlannedEntry, version: int = 1) -> Booked:
    return Booked(
        entry_no=entry_no,
        key=planned.key,
        template=planned.template,
        template_version=version,
        effective_date=planned.effective_date,
        postings=postings_of(planned, ROLES, "USD"),
    )


def told(steps: tuple[Step, ...]) -> list[str]:
    return [
        f"book {step.desired.planned.key} for {step.corrects}" if isinstance(step, Book) else f"undo {step.booked.key}"
        for step in steps
    ]


def test_what_is_as_it_should_be_is_left_alone() -> None:
    plan = [accrual(100), paid(2, 100, 50)]
    assert difference(desired(*plan), [booked(3, plan[0]), booked(4, plan[1])], ROLES) == ()


def test_what_is_missing_is_booked_and_corrects_nothing() -> None:
    assert told(difference(desired(accrual(100)), [], ROLES)) == ["book accrual:2026-02-15 for None"]


def test_new_charges_come_first_and_wrong_ones_go_while_no_wrong_payment_stands() -> None:
    held = [booked(3, accrual(100)), booked(4, paid(2, 100, 50)), booked(5, paid(3, 0, 70))]
    steps = difference(desired(accrual(90), paid(3, 90, 0)), held, ROLES)

    assert told(steps) == [
        "book accrual:2026-02-15 for 3",
        "undo event:3",
        "undo event:2",
        "undo accrual:2026-02-15",
        "book event:3 for 5",
    ]
    assert touches_payments(steps)
    assert not touches_payments(steps[3:4])


def test_what_unapplied_cash_paid_stays_where_other_payments_cover_it() -> None:
    spent, more = applied(4, 25), applied(6, 10)
    held = [
        booked(3, paid(2, 0, 50, unapplied=25)),
        booked(4, spent),
        booked(5, paid(3, 0, 70, unapplied=10)),
        booked(6, more),
    ]
    steps = difference(desired(paid(2, 0, 50, unapplied=25), spent, paid(3, 0, 60, unapplied=20), more), held, ROLES)

    assert told(steps) == [
        "undo event:6/applied",
        "undo event:3",
        "book event:3 for 5",
        "book event:6/applied for 6",
    ]


def test_what_is_spent_of_cash_from_before_a_checkpoint_stays() -> None:
    spent = applied(4, 25)
    held = [booked(4, spent), booked(5, paid(3, 0, 70))]
    plan = desired(spent, paid(3, 0, 60, unapplied=10))

    assert told(difference(plan, held, ROLES, {"UNAPPLIED_PAYMENTS": 25})) == ["undo event:3", "book event:3 for 5"]
    assert told(difference(plan, held, ROLES, {"UNAPPLIED_PAYMENTS": 24})) == [
        "undo event:4/applied",
        "undo event:3",
        "book event:3 for 5",
        "book event:4/applied for 4",
    ]


def test_every_template_has_one_turn_for_all_its_versions() -> None:
    assert {rule.template.name: rule.turn for rule in RULES} == TURNS


def test_what_unapplied_cash_paid_is_undone_before_any_payment_and_booked_after_all() -> None:
    spent = applied(4, 25)
    held = [booked(3, paid(2, 0, 50)), booked(4, spent), booked(5, paid(3, 0, 70))]
    steps = difference(desired(paid(2, 0, 50), spent, paid(3, 0, 60)), held, ROLES)

    assert told(steps) == [
        "undo event:4/applied",
        "undo event:3",
        "book event:3 for 5",
        "book event:4/applied for 4",
    ]
    assert difference(desired(paid(2, 0, 50), spent, paid(3, 0, 70)), held, ROLES) == ()


def test_an_entry_that_nobody_asks_for_any_more_is_undone() -> None:
    (step,) = difference([], [booked(3, accrual(100))], ROLES)
    assert isinstance(step, Reverse)


def test_an_entry_that_moves_to_another_day_is_another_entry() -> None:
    late = replace(accrual(100), effective_date=date(2026, 2, 16))
    assert len(difference(desired(late), [booked(3, accrual(100))], ROLES)) == 2


def test_an_account_that_once_had_the_role_is_still_right_for_what_was_booked_then() -> None:
    new = AccountCode("4999")
    moved = Roles(
        {**NOW, "INTEREST_INCOME": new},
        {**ROLES.ever, "INTEREST_INCOME": frozenset({NOW["INTEREST_INCOME"], new})},
    )
    plan = [Desired(item, postings_of(item, moved, "USD")) for item in [accrual(100)]]

    assert difference(plan, [booked(3, accrual(100))], moved) == ()
    assert len(difference(plan, [booked(3, accrual(90))], moved)) == 2


def test_the_same_amount_for_another_component_is_not_the_same_entry() -> None:
    interest = paid(2, 100, 0)
    principal = paid(2, 0, 100)
    assert books(interest, 1, postings_of(interest, ROLES, "USD"), ROLES)
    assert not books(interest, 1, postings_of(principal, ROLES, "USD"), ROLES)


def test_a_posting_between_accounts_that_never_had_the_roles_is_not_the_same() -> None:
    stray = Posting(AccountCode("1"), AccountCode("2"), Money(100, "USD"))
    assert not books(accrual(100), 1, [stray], ROLES)
