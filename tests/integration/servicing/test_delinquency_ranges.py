"""The ranges of days of a book, kept by the daily cycle and by what happens, are what folds at every day say."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.unit_of_work import run
from servicing.aging import position_on
from servicing.commands import bulk_accrual
from servicing.commands.agreements import pause_delinquency, resume_delinquency
from servicing.commands.cycle import run_cycle
from servicing.commands.payments import return_payment
from servicing.delinquency_queries import delinquency_history
from servicing.drafts import LoanDraft
from servicing.errors import DelinquencyPaused, EffectiveBeforeFunding
from servicing.product import Delinquency, Tolerance
from servicing.queries import loan_view
from tests.integration.servicing.acts import pay
from tests.integration.servicing.test_run_cycle import OPENING, act, advance, lender, portfolio
from tests.support.loan_lives import ACTOR
from tests.unit.servicing.examples import TERMS

pytestmark = pytest.mark.twice

OWN = Delinquency(grace_days=3, tolerance=Tolerance(amount=Decimal(50)), cure="full", buckets=(1, 11, 21))


@pytest.mark.parametrize("seed", [3, pytest.param(7, marks=pytest.mark.deep)])
def test_ranges_say_for_every_day_what_a_fold_at_its_close_says(
    engine: sa.Engine, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_accrual, "CHUNK_LOANS", 7)
    loans = [
        replace(each, terms=replace(each.terms, product=each.terms.product.model_copy(update={"delinquency": OWN})))
        if n % 4 == 0
        else each
        for n, each in enumerate(portfolio()[:16])
    ]
    code, ids = lender(engine, loans)
    chance = random.Random(seed)
    paid: list[list[int]] = [[] for _ in loans]
    today, last = OPENING, OPENING + timedelta(days=80)
    while today < last:
        today += timedelta(days=1)
        advance(engine, code, today)
        for number in range(3):
            if chance.random() < 0.5:
                place = chance.randrange(len(ids))
                act(engine, chance, ids[place], today, f"{today}-{number}", paid[place])
        if chance.random() < 0.3:
            _pause(engine, chance, ids[chance.randrange(len(ids))], today)
        if chance.random() < 0.7 or today == last:
            run_cycle(engine, code, today, actor=ACTOR)

    with engine.connect() as connection:
        for loan_id in ids:
            _, ranges = delinquency_history(connection, loan_id)
            for n in range(0, 81, 3):
                on = OPENING + timedelta(days=n)
                view = loan_view(connection, loan_id, on)
                (found,) = [e for e in ranges if e.position.from_day <= on and (e.through is None or on <= e.through)]
                own = position_on(view.state.positions, on)
                assert own is not None
                assert not found.position.differs(own)
                assert (found.position.dpd(on), found.bucket) == (view.dpd, view.bucket)


def _pause(engine: sa.Engine, chance: random.Random, loan_id: int, today: date) -> None:
    """Pause the days past due of a loan, from a day on that may be over; of one that is paused, resume them."""
    on, key = today - timedelta(days=chance.randrange(6)), f"pause:{today}"
    until = chance.choice([None, on + timedelta(days=chance.randrange(1, 25))])
    why: dict[str, Any] = {"reason": "flood", "effective_date": on, "request_key": key}
    try:
        run(engine, lambda uow: pause_delinquency(uow, loan_id, until=until, **why), actor=ACTOR)
    except DelinquencyPaused:
        run(engine, lambda uow: resume_delinquency(uow, loan_id, **why), actor=ACTOR)
    except EffectiveBeforeFunding:
        return


def test_nothing_is_written_on_a_day_on_which_nothing_happens(engine: sa.Engine) -> None:
    code, ids = lender(engine, portfolio()[:4])
    written = []
    for n in (40, 41, 42, 43):
        advance(engine, code, OPENING + timedelta(days=n))
        run_cycle(engine, code, OPENING + timedelta(days=n), actor=ACTOR)
        with engine.connect() as connection:
            statement = "SELECT max(range_no), min(recorded_at), max(recorded_at) FROM servicing.delinquency_range"
            written.append(connection.execute(sa.text(statement + " WHERE loan_id = ANY (:ids)"), {"ids": ids}).one())

    assert len(set(written[1:])) == 1


def test_what_a_return_makes_otherwise_is_still_there_as_it_was_known(engine: sa.Engine) -> None:
    # 888.49 due on 15 February are paid that day and come back on 10 March: past due since 15 February after all.
    code, (loan_id,) = lender(engine, [LoanDraft("A", TERMS)])
    due, later = date(2026, 2, 15), date(2026, 3, 10)
    advance(engine, code, due)
    number = pay(engine, loan_id, "888.49", due, "P1")
    advance(engine, code, later)
    run_cycle(engine, code, later, actor=ACTOR)
    run(engine, lambda uow: return_payment(uow, loan_id, number, "R01", "back"), actor=ACTOR)
    advance(engine, code, later + timedelta(days=1))

    with engine.connect() as connection:
        _, now = delinquency_history(connection, loan_id, from_day=later, through=later)
        _, then = delinquency_history(connection, loan_id, from_day=later, through=later, known_at=date(2026, 3, 9))

    assert [(each.position.since, each.dpd_from <= 23) for each in now][-1] == (due, True)
    assert [(each.position.since, each.bucket) for each in then] == [(None, "current")]
