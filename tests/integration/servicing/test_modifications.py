"""Modifications in the database: versions of the terms, requests that come twice, and the daily cycle of a book."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from ledger.commands import books
from ledger.money import Money
from ledger.unit_of_work import run
from servicing.commands.agreements import Trial, begin_trial, pause_delinquency
from servicing.commands.cycle import run_cycle
from servicing.commands.modifications import comparison_of, modify
from servicing.commands.recording import Recorded
from servicing.commands.reversals import reverse_event
from servicing.queries import loan_view
from tests.integration.servicing.acts import pay
from tests.support.loan_lives import ACTOR

DECIDED: dict[str, Any] = {"reason": "hardship", "approved_by": "boss"}


def change(engine: sa.Engine, loan_id: int, kind: str, on: date, key: str, **told: str) -> Recorded:
    own = {"effective_date": on, "request_key": key, **DECIDED}
    return run(engine, lambda uow: modify(uow, loan_id, kind=kind, told=told, **own), actor=ACTOR)


def versions(engine: sa.Engine, loan_id: int) -> list[tuple[int, date, str, dict[str, Any] | None]]:
    statement = sa.text(
        "SELECT version, effective_date, reason, terms -> 'modified' AS modified FROM servicing.terms_version"
        " WHERE loan_id = :loan_id ORDER BY version"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement, {"loan_id": loan_id})]


def advance(engine: sa.Engine, code: str, day: date) -> None:
    run(engine, lambda uow: books.advance_business_date(uow, code, day), actor=ACTOR)


def test_each_modification_and_each_reversal_appends_a_version_of_the_terms(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, first, other = loan
    on = date(2026, 3, 20)

    made = change(engine, first, "extend", on, "m1", installments="6")
    again = change(engine, first, "extend", on, "m1", installments="6")
    change(engine, first, "due_date", on, "m2", day="25")
    run(engine, lambda uow: reverse_event(uow, first, made.event.no, "wrong loan", "r1"), actor=ACTOR)

    assert (again.replayed, again.event) == (True, made.event)
    found = versions(engine, first)
    assert [(version, day) for version, day, _, _ in found] == [
        (1, date(2026, 1, 15)),
        (2, on),
        (3, on),
        (4, on),
    ]
    assert [reason for _, _, reason, _ in found[1:]] == [
        "extend: hardship",
        "due_date: hardship",
        f"due_date: hardship (replayed because of event {made.event.no + 2})",
    ]
    # 12 and 6 installments, of which those of 15 February and 15 March are due; moved to the 25th; 6 fewer.
    assert [modified and (modified["installments"], modified["matures_on"]) for *_, modified in found] == [
        None,
        (16, "2027-07-15"),
        (16, "2027-07-25"),
        (10, "2027-01-25"),
    ]
    assert [version for version, *_ in versions(engine, other)] == [1]


def test_a_comparison_looks_at_the_day_of_the_modification_whatever_came_later(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, first, _ = loan
    done = change(engine, first, "forgive", date(2026, 3, 1), "m1", amount="1000")
    pay(engine, first, "500", date(2026, 3, 20), "p1")

    with engine.connect() as connection:
        comparison = comparison_of(loan_view(connection, first).loan, done.event)

    assert (comparison.before.principal, comparison.after.principal) == (1_000_000, 900_000)
    assert comparison.on == date(2026, 3, 1)
    assert comparison.cost < -100_000


def test_the_daily_cycle_boards_a_trial_that_was_kept_and_counts_no_paused_day(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, first, second = loan
    trial = Trial(payments=2, amount=Money(50_000, "USD"), grace_days=0, then={"kind": "capitalize"})
    on = date(2026, 3, 20)
    own = {"effective_date": on, "request_key": "t1", **DECIDED}
    run(engine, lambda uow: begin_trial(uow, first, trial, **own), actor=ACTOR)
    until = date(2026, 5, 1)
    paused: dict[str, Any] = {"until": until, "reason": "flood", "effective_date": on, "request_key": "d1"}
    run(engine, lambda uow: pause_delinquency(uow, second, **paused), actor=ACTOR)

    for due in (date(2026, 4, 15), date(2026, 5, 15)):
        advance(engine, code, due)
        pay(engine, first, "500", due, f"p{due}")
        assert not run_cycle(engine, code, due, actor=ACTOR).failures
        with engine.connect() as connection:
            # 33 days on 20 March; the night of 30 April is the last that does not count.
            assert loan_view(connection, second).dpd == 33 + max(0, (due - until).days)
    advance(engine, code, date(2026, 5, 20))
    report = run_cycle(engine, code, date(2026, 5, 20), actor=ACTOR)

    with engine.connect() as connection:
        view = loan_view(connection, first)
        (agreement,) = view.state.agreements
        assert (agreement.status, agreement.boarded_on) == ("met", date(2026, 5, 16))
        assert [modified.kind for modified in view.state.modified] == ["capitalize"]
        assert view.dpd == 0
        assert loan_view(connection, second).dpd == 33 + 19
    assert (report.buckets["current"], report.buckets["30-59"]) == (1, 1)
    assert versions(engine, first)[-1][2] == "capitalize: hardship"
    assert run_cycle(engine, code, date(2026, 5, 20), actor=ACTOR).entries == 0
