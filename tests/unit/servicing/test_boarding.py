"""What a loan begins with: its first event, the entries of it, the days that a book can take."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from servicing.boarding_days import BookDays, objections, require_days
from servicing.drafts import LoanDraft
from servicing.effects.funding import entries_of
from servicing.engine import fold
from servicing.errors import EffectiveDateAhead, FundedBeforeBookOpened, TermsInvalid
from servicing.terms import Terms
from tests.unit.servicing.examples import TERMS

BOOK = BookDays("main", TERMS.funded_on, TERMS.funded_on)


def test_the_entries_of_a_funding_are_those_that_the_fold_plans() -> None:
    event = LoanDraft("A", TERMS).first_event(TERMS.funded_on)

    state = fold(TERMS, [event], TERMS.funded_on)

    assert state.planned == tuple(entries_of(TERMS, event, withheld=0))


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"funded_on": date(2026, 1, 14)}, FundedBeforeBookOpened),
        ({"funded_on": date(2026, 1, 16)}, EffectiveDateAhead),
        ({"funded_on": date(1899, 12, 31)}, TermsInvalid),
        ({"first_due_on": date(2200, 1, 1)}, TermsInvalid),
    ],
)
def test_days_that_a_book_cannot_take_are_refused(changes: dict[str, Any], refused: type[Exception]) -> None:
    require_days(LoanDraft("A", TERMS), BOOK)

    with pytest.raises(refused):
        require_days(LoanDraft("A", replace(TERMS, **changes)), BOOK)


@pytest.mark.parametrize(
    ("frequency", "installments", "first_due_on", "is_right"),
    [
        # A hundred years and no more: 1,200 months from 15 January 2026 end on 15 January 2126.
        ("monthly", 1_200, date(2026, 2, 15), True),
        ("monthly", 1_200, date(2026, 2, 16), False),
        ("annual", 100, date(2027, 1, 15), True),
        ("annual", 101, date(2027, 1, 15), False),
        ("days:999", 36, date(2026, 2, 15), True),
        ("days:999", 38, date(2026, 2, 15), False),
    ],
)
def test_a_loan_falls_due_within_a_hundred_years(
    frequency: str, installments: int, first_due_on: date, is_right: bool
) -> None:
    terms: Terms = replace(TERMS, frequency=frequency, installments=installments, first_due_on=first_due_on)

    assert (not list(objections(LoanDraft("A", terms)))) is is_right
