"""Fees by their ids, the tax in them, late fees, waivers and small balances, as the fold has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from servicing.buckets import Bucket, buckets
from servicing.engine import fold
from servicing.events import Event, Kind
from servicing.fees import Fee
from servicing.product import FeeTax, LateFee, Product, SmallBalance, parse_product
from servicing.state import FeeState, LoanState, Review
from servicing.terms import Terms
from tests.unit.servicing.examples import FUNDED, RULES, TERMS, day, payment, undoing

DUE = date(2026, 2, 15)


def decided(no: int, kind: Kind, amount: int, on: date, **details: Any) -> Event:
    return Event(no=no, kind=kind, effective_date=on, entered_on=on, amount=amount, details=details)


def fee(no: int, amount: int, on: date, **details: Any) -> Event:
    return decided(no, Kind.FEE, amount, on, **{"fee_id": f"F-{no}", "fee_kind": "any", **details})


def under(**rules: Any) -> Terms:
    return replace(TERMS, product=RULES.model_copy(update=rules))


def lived(*events: Event, terms: Terms = TERMS, through: date = DUE) -> LoanState:
    return fold(terms, [FUNDED, *events], through, fees_through=through)


def found(state: LoanState, id_: str) -> FeeState:
    return next(each for each in state.fees if each.id == id_)


@pytest.mark.parametrize(
    ("rule", "past_due", "fee_due"),
    [
        ({"amount": "15.00"}, "0.01", "15.00"),
        ({"amount": "50.00", "cap_percent": "5"}, "888.49", "44.4245"),
        ({"percent": "5"}, "188.49", "9.4245"),
        ({"percent": "5", "of": "installment"}, "188.49", "44.4245"),
        ({"percent": "5", "min": "10.00"}, "188.49", "10.00"),
        ({"percent": "5", "of": "installment", "max": "30.00"}, "188.49", "30.00"),
        ({"percent": "5", "min": "50.00", "cap_percent": "2"}, "888.49", "17.7698"),
    ],
)
def test_a_late_fee_by_its_rule(rule: dict[str, str], past_due: str, fee_due: str) -> None:
    # 5% of 888.49 is 44.4245, of 188.49 it is 9.4245; 2% of 888.49 is 17.7698.
    found_fee = LateFee.model_validate(rule).on(Decimal(past_due), Decimal("888.49"))
    assert found_fee == Decimal(fee_due)


def test_the_fee_that_was_charged_first_is_paid_first() -> None:
    events = [fee(2, 1_000, day(5)), fee(3, 2_000, day(6)), payment(4, 1_500, day(10))]

    state = lived(*events)

    assert [(each.id, each.paid, each.owed) for each in state.fees] == [("F-2", 1_000, 0), ("F-3", 500, 1_500)]


def test_a_waiver_of_the_later_fee_leaves_the_earlier_one_owed() -> None:
    events = [fee(2, 1_000, day(5)), fee(3, 2_000, day(6))]
    waiver = decided(4, Kind.WAIVER, 2_000, day(7), fee_id="F-3")

    state = lived(*events, waiver, payment(5, 400, day(10)))

    assert [(each.paid, each.waived, each.owed) for each in state.fees] == [(400, 0, 600), (0, 2_000, 0)]
    assert state.other_fees == 600


def test_the_tax_in_what_is_waived_is_its_share_and_all_of_it_in_the_end() -> None:
    taxed = Fee("F", "any", "other_fees", DUE, 1, amount=3_248, tax=248)

    shares = []
    for waived in (1_000, 3_247, 3_248):
        taxed.waived = waived
        shares.append(taxed.tax_waived)

    # 10.00 x 2.48 / 32.48 = 0.7635...; 32.47 x 2.48 / 32.48 = 2.4792...
    assert shares == [76, 247, 248]


def test_every_fee_bears_the_tax_of_the_product() -> None:
    terms = under(fee_tax=FeeTax(percent=Decimal(10)))
    events = [fee(2, 1_005, day(5)), payment(3, 10_000, day(31)), undoing(4, 3, day(33), Kind.RETURNED)]

    state = lived(*events, terms=terms, through=day(41))

    # 10% of 10.05 is 1.005, rounded half up; of 25.00 and 15.00 it is 2.50 and 1.50.
    assert [(each.id, each.amount, each.tax) for each in state.fees] == [
        ("F-2", 1_106, 101),
        ("returned_payment_fee-4", 2_750, 250),
        ("late_fee-1", 1_650, 150),
    ]
    planned = {entry.key: entry.template for entry in state.planned}
    assert planned["late_fee:1/tax"] == planned["event:2/tax"] == planned["event:4/tax"] == "fee_tax_charged"


def test_a_waiver_of_a_component_takes_the_oldest_fee_first() -> None:
    events = [fee(2, 1_000, day(5), penalty=True), fee(3, 2_000, day(6), penalty=True)]

    state = lived(*events, decided(4, Kind.WAIVER, 1_500, day(7), component="penalties"))

    assert [each.waived for each in state.fees] == [1_000, 500]
    assert state.reviews == ()


def test_a_waiver_waits_for_the_late_fee_of_the_close_of_its_day() -> None:
    waiver = decided(2, Kind.WAIVER, 1_500, day(41), fee_id="late_fee-1")

    before = fold(TERMS, [FUNDED, waiver], day(41), fees_through=day(40))
    after = fold(TERMS, [FUNDED, waiver], day(41), fees_through=day(41))

    assert before.reviews == (Review(2, 1_500, 0),)
    assert (after.reviews, found(after, "late_fee-1").owed) == ((), 0)


def test_interest_is_waived_from_the_oldest_installment_that_is_due() -> None:
    # By 15 March 193.97 is earned; the first asks for 101.92 of it, the second for 92.05.
    state = lived(decided(2, Kind.WAIVER, 11_000, day(59), component="interest"), through=day(59))

    first, second, *_ = state.installments
    assert (first.interest, first.waived) == (0, 10_192)
    assert (second.interest, second.waived) == (9_205 - 808, 808)
    assert state.interest == 19_397 - 11_000


def test_waived_interest_is_not_asked_for_by_the_next_installment() -> None:
    waiver = decided(2, Kind.WAIVER, 10_192, day(31), component="interest")

    with_it, without = lived(waiver, through=day(59)), lived(through=day(59))

    assert with_it.installments[1] == without.installments[1]
    assert without.interest - with_it.interest == 10_192


def test_a_small_balance_is_what_a_last_payment_leaves() -> None:
    terms = under(small_balance=SmallBalance(limit=Decimal(5), automatic=True))
    first, last = payment(2, 88_849, day(31)), payment(3, 924_372, day(42))

    closed = lived(first, last, terms=terms, through=day(42))
    open_ = fold(terms, [FUNDED, first, last], day(42), fees_through=day(41))

    # 3.03: docs/spec/fees.md.
    assert (open_.principal, open_.status) == (303, "active")
    assert (closed.principal, closed.status, closed.installments[-1].waived) == (0, "paid_off", 303)
    assert closed.planned[-1].amounts["principal"] == 303


def test_no_balance_is_small_while_cash_of_the_borrower_is_held() -> None:
    terms = under(small_balance=SmallBalance(limit=Decimal(5), automatic=True))
    told = {"allocate": {"interest": 3_332, "principal": 921_040, "unapplied": 100}}
    last = replace(payment(3, 924_472, day(42)), details=told)

    state = lived(payment(2, 88_849, day(31)), last, terms=terms, through=day(42))

    assert (state.principal, state.unapplied, state.status) == (303, 100, "active")


def test_buckets_part_each_component_by_when_it_is_asked_for() -> None:
    penalty = fee(2, 700, day(32), penalty=True, due="2026-03-15")

    state = lived(penalty, payment(3, 10_000, day(59)), terms=under(late_fee=LateFee()), through=day(59))

    # 193.97 earned; 100.00 of the first installment's 101.92 is paid.
    assert buckets(state) == {
        "penalties": Bucket(0, 700, 0),
        "fees": Bucket(0, 0, 0),
        "interest": Bucket(192, 9_205, 0),
        "principal": Bucket(78_657, 79_644, 1_000_000 - 78_657 - 79_644),
    }


def test_rules_that_came_later_leave_a_stored_product_as_it_was() -> None:
    stored = Product().as_json()
    assert not {"fee_tax", "waivers", "small_balance"} & set(stored)
    assert "cap_percent" not in stored["late_fee"]
    own = parse_product({"waivers": "contra_income", "fee_tax": {"percent": "8.25"}, "small_balance": {"limit": "1"}})
    assert parse_product(own.as_json()) == own
