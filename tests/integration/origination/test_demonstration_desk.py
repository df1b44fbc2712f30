"""The counter of the demonstration, on a database where the limits of authority are its own, or of somebody else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from api.demo.applicants import applicants
from api.demo.counter import Desk, open_counter
from servicing.drafts import LoanDraft
from tests.integration.origination.test_decisions import authorize
from tests.integration.origination.test_funding import BOOK, TODAY, count, engine, request

__all__ = ["engine"]

LOANS = 30


@pytest.mark.parametrize("are_of_others", [False, True])
def test_whose_limits_ever_are_in_force_everybody_of_the_plan_gets_a_loan(
    engine: sa.Engine, are_of_others: bool
) -> None:
    if are_of_others:
        authorize(engine)
    open_counter(engine, BOOK, TODAY)
    drafts = [LoanDraft(f"D-{number}", request().terms) for number in range(LOANS)]
    people = [each for place in range(LOANS) for each in applicants(7, drafts, place)]

    loans = Desk(engine, BOOK).serve(people)

    assert sorted(loans) == list(range(LOANS))
    # The policy refers some; with limits of others nobody of the demonstration could decide on them.
    assert (count(engine, "origination.underwriting") == 0) is are_of_others
