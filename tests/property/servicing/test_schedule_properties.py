"""What must hold for the schedule of any loan, and for a borrower who keeps to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from servicing.engine import fold
from servicing.product import Product
from servicing.schedule import contract_schedule, periods_of
from servicing.terms import Terms, terms_from_json
from tests.property.servicing.loan_terms import any_terms
from tests.unit.servicing.examples import FUNDED, payment


@given(any_terms())
def test_principal_sums_to_the_amount_and_no_part_is_below_zero(terms: Terms) -> None:
    rows = contract_schedule(terms)

    assert [row.no for row in rows] == list(range(1, terms.installments + 1))
    assert sum(row.principal for row in rows) == terms.principal.minor
    assert rows[-1].balance == 0
    assert min(min(row.principal, row.interest, row.balance) for row in rows) >= 0
    assert all(earlier.due < later.due for earlier, later in pairwise(rows))


@given(any_terms())
def test_terms_come_back_from_what_is_stored(terms: Terms) -> None:
    product = Product.model_validate(terms.product.as_json())

    assert terms_from_json(product, terms.as_json()) == terms


@given(any_terms())
def test_who_keeps_to_the_schedule_pays_what_it_says(terms: Terms) -> None:
    rows = contract_schedule(terms)
    paid = [payment(row.no + 1, row.total, row.due) for row in rows if row.total]
    end = rows[-1].due

    state = fold(terms, [replace(FUNDED, amount=terms.principal.minor), *paid], end, fees_through=end)

    assert state.payoff == state.unapplied == 0
    parts = [(line.interest, line.principal) for line in state.installments if line.paid]
    assert parts == [(row.interest, row.principal) for row in rows if row.total]
    assert all(line.paid_off_on is not None and line.paid_off_on <= line.due for line in state.installments)


@given(any_terms(), st.sampled_from(["scheduled", "flat"]), st.data())
def test_interest_of_the_contract_is_the_same_on_whichever_day_of_its_period_it_is_paid(
    terms: Terms, interest: str, data: st.DataObject
) -> None:
    terms = replace(terms, product=terms.product.model_copy(update={"interest": interest}))
    rows = contract_schedule(terms)
    days = [data.draw(st.integers(1, (period.end - period.start).days)) for period in periods_of(terms)]
    paid = [
        payment(row.no + 1, row.total, period.start + timedelta(days=nights))
        for row, period, nights in zip(rows, periods_of(terms), days, strict=True)
        if row.total
    ]

    state = fold(terms, [replace(FUNDED, amount=terms.principal.minor), *paid], rows[-1].due)

    assert state.payoff == state.unapplied == 0
    parts = {no: (allocation.interest, allocation.principal) for no, allocation in state.allocations.items()}
    assert parts == {row.no + 1: (row.interest, row.principal) for row in rows if row.total}
