"""Histories of real loans through the fold: interest of balance x rate x days / 365 or 366 to the cent, then principal.

The days are not given: those are taken on which the interest fits, which must lie in their months over all the years of
a run. What was compared with what result: docs/spec/interest.md. Next: `tests/support/ally_histories.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise

from ledger.money import Money
from servicing.engine import fold
from servicing.events import Event, Kind
from servicing.product import Product
from servicing.state import LoanState
from servicing.terms import Terms
from tests.support.ally_histories import EXACT_FROM, Loan, Row, Run, loans, runs

SIMPLE = Product.model_validate(
    {"day_count": "actual/actual", "waterfall": "payoff", "order": ["interest", "principal", "fees", "penalties"]}
)
"""Simple interest on the balance of each night; whatever comes pays interest first."""


@cache
def exact_loans() -> tuple[tuple[Loan, tuple[Run, ...]], ...]:
    """Return the loans of the months whose interest is exact, with their runs."""
    return tuple((loan, tuple(runs(loan))) for loan in loans(EXACT_FROM))


def all_runs() -> Iterator[Run]:
    for _, found in exact_loans():
        yield from found


def terms_of(loan: Loan, start: date, balance: int) -> Terms:
    return Terms(
        product=SIMPLE,
        principal=Money(balance, "USD"),
        rate=Decimal(loan.rate.numerator * 100) / loan.rate.denominator,
        installments=84,
        frequency="monthly",
        funded_on=start,
        first_due_on=start + timedelta(days=30),
        installment_amount=Money(loan.scheduled, "USD"),
    )


def lived(loan: Loan, start: date, paid: tuple[tuple[date, Row], ...]) -> LoanState:
    """Return the loan of the first row's balance after the payments of all of them."""
    terms = terms_of(loan, start, paid[0][1].begin)
    events = [Event(no=1, kind=Kind.FUNDED, effective_date=start, entered_on=start)]
    for no, (day, row) in enumerate(paid, start=2):
        events.append(Event(no=no, kind=Kind.PAYMENT, effective_date=day, entered_on=day, amount=row.amount))
    return fold(terms, events, paid[-1][0])


def test_nine_of_ten_payments_fit_a_day_of_their_month_to_the_cent() -> None:
    rows = [(loan, row) for loan, _ in exact_loans() for row in loan.rows if row.amount]
    fit = [(run.loan, row) for run in all_runs() for _, row in run.paid]
    scheduled = [(loan, row) for loan, row in rows if row.amount == loan.scheduled]
    scheduled_that_fit = [(loan, row) for loan, row in fit if row.amount == loan.scheduled]

    assert len(fit) * 10 >= len(rows) * 9
    assert len(scheduled_that_fit) * 100 >= len(scheduled) * 98


def test_the_days_of_a_run_lie_in_their_months_in_order() -> None:
    for run in all_runs():
        days = [run.start, *(day for day, _ in run.paid)]
        assert all(earlier < later for earlier, later in pairwise(days))
        assert all(day.isoformat()[:7] == row.month for day, row in run.paid)


def test_each_payment_by_itself_is_interest_and_principal_to_the_cent() -> None:
    for run in all_runs():
        days = [run.start, *(day for day, _ in run.paid)]
        for before, (day, row) in list(zip(days, run.paid, strict=False))[::5]:
            state = lived(run.loan, before, ((day, row),))

            parts = state.allocations[2]
            assert (parts.interest, parts.principal) == (row.interest, row.principal), (run.loan.loan_id, row.month)
            assert (state.principal, state.interest, state.unapplied) == (row.end, 0, 0)


def test_a_whole_history_leaves_no_row_by_more_than_the_cent_of_rounding_once() -> None:
    # The histories round the interest of each payment by itself, the fold the interest since the funding: a row is a
    # cent apart at most, and the balance after n rows half a cent for each of them and half a cent.
    apart: Counter[int] = Counter()
    for run in all_runs():
        state = lived(run.loan, run.start, run.paid)
        balance = run.paid[0][1].begin
        for no, (_, row) in enumerate(run.paid, start=2):
            parts = state.allocations[no]
            balance -= parts.principal
            apart[abs(parts.interest - row.interest)] += 1
            assert parts.total == row.amount
            assert 2 * abs(balance - row.end) <= no, (run.loan.loan_id, row.month)

    assert set(apart) <= {0, 1}
    assert apart[0] * 10 >= apart.total() * 7
