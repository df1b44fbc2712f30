"""Cases open, move and close by the policy of the book, whichever days are run; promises are kept or broken."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.errors import RequestKeyReused
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.collecting import Policy, read_policy
from servicing.collection_queries import collecting, work_list
from servicing.commands import collection_days
from servicing.commands.collections import allow_contact, assign, cease_contact, contact, load_policy, promise
from servicing.commands.cycle import run_cycle
from servicing.commands.flags import flag_loan
from servicing.drafts import LoanDraft
from servicing.errors import CaseNotOpen, CollectionPolicyInvalid, ContactCeased, PromiseInvalid
from tests.integration.servicing.acts import pay
from tests.integration.servicing.test_run_cycle import OPENING, advance, lender, portfolio
from tests.support.loan_lives import ACTOR
from tests.unit.servicing.examples import TERMS

POLICY = read_policy(
    """
[[strategies]]
bucket = "3-29"
queue = "early"
priority = 10
owners = ["ana"]
next_action = "text"
within_days = 2

[[strategies]]
bucket = "30+"
queue = "late"
priority = 50
owners = ["ben", "eva"]
next_action = "call"

[promises]
tolerance_percent = "5"
grace_days = 1
"""
)


def collect_by(engine: sa.Engine, code: str, policy: Policy = POLICY) -> None:
    run(engine, lambda uow: load_policy(uow, code, policy), actor=ACTOR)


def through(engine: sa.Engine, code: str, day: date) -> None:
    advance(engine, code, day)
    run_cycle(engine, code, day, actor=ACTOR)


def log_of(engine: sa.Engine, loan_id: int) -> list[tuple[str, date]]:
    with engine.connect() as connection:
        return [(note["kind"], note["on_day"]) for note in collecting(connection, loan_id).notes]


def standing_of(engine: sa.Engine, loan_id: int) -> tuple[Any, ...]:
    with engine.connect() as connection:
        found = collecting(connection, loan_id)
    return (
        found.cases,
        found.promises,
        tuple((note["kind"], note["on_day"], str(note["details"])) for note in found.notes),
    )


@pytest.fixture
def late(engine: sa.Engine) -> tuple[str, int]:
    """Return a book that collects, and a loan of which 888.49 fall due on 15 February and on the 15th of each month."""
    code, (loan_id,) = lender(engine, [LoanDraft("A", TERMS)])
    collect_by(engine, code)
    return code, loan_id


def test_a_case_opens_moves_and_closes_by_itself(engine: sa.Engine, late: tuple[str, int]) -> None:
    code, loan_id = late
    # Three days past due on 18 February; thirty on 17 March; the 1,791.98 of 20 March pay all, a late fee included.
    through(engine, code, date(2026, 2, 17))
    with engine.connect() as connection:
        assert work_list(connection, code) == ()
    through(engine, code, date(2026, 3, 18))
    with engine.connect() as connection:
        (line,) = work_list(connection, code)
    assert (line.queue, line.priority, line.dpd, line.next_action) == ("late", 50, 31, "call")
    advance(engine, code, date(2026, 3, 20))
    pay(engine, loan_id, "1900.00", date(2026, 3, 20), "all")
    through(engine, code, date(2026, 3, 20))

    assert log_of(engine, loan_id) == [
        ("case_opened", date(2026, 2, 18)),
        ("case_moved", date(2026, 3, 17)),
        ("case_closed", date(2026, 3, 20)),
    ]


@pytest.mark.parametrize("seed", [5])
def test_skipped_days_and_killed_runs_come_to_the_same_cases(
    engine: sa.Engine, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = portfolio()[:10]
    kinds = [lender(engine, drafts), lender(engine, drafts)]
    chance = random.Random(seed)
    for code, _ in kinds:
        collect_by(engine, code)
    real, today, last = collection_days._settle, OPENING, OPENING + timedelta(days=70)
    while today < last:
        today += timedelta(days=1)
        skipped, life = chance.random() < 0.6 and today != last, chance.getrandbits(32)
        for side, (code, ids) in enumerate(kinds):
            advance(engine, code, today)
            own = random.Random(life)
            place = own.randrange(len(ids))
            if own.random() < 0.3:
                amounts = [Money(own.choice([5_000, 88_849]), "USD")]
                by = [today + timedelta(days=own.randrange(10))]
                work = partial(promise, loan_id=ids[place], amounts=amounts, due_on=by, request_key=f"pp{today}")
                run(engine, work, actor=ACTOR)
            if own.random() < 0.3:
                pay(engine, ids[own.randrange(len(ids))], own.choice(["888.49", "50.00"]), today, f"p{today}")
            if side == 0 or not skipped:
                if side == 1 and own.random() < 0.3:
                    monkeypatch.setattr(collection_days, "_settle", _killed)
                    with suppress(KeyboardInterrupt):
                        run_cycle(engine, code, today, actor=ACTOR)
                    monkeypatch.setattr(collection_days, "_settle", real)
                run_cycle(engine, code, today, actor=ACTOR)

    for one, other in zip(kinds[0][1], kinds[1][1], strict=True):
        first, second = standing_of(engine, one), standing_of(engine, other)
        assert [_facts(case) for case in first[0]] == [_facts(case) for case in second[0]]
        assert [(p.status, p.received, p.decided_on) for p in first[1]] == [
            (p.status, p.received, p.decided_on) for p in second[1]
        ]
        assert sorted(first[2]) == sorted(second[2])
    assert any(standing_of(engine, loan_id)[0] for loan_id in kinds[0][1])


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def _facts(case: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name != "owner"}


def test_nobody_is_contacted_against_a_flag(engine: sa.Engine, late: tuple[str, int]) -> None:
    _, loan_id = late

    def call(uow: UnitOfWork, key: str, *, channel: str = "call", inbound: bool = False) -> bool:
        return contact(uow, loan_id, channel=channel, outcome="reached", text="", inbound=inbound, request_key=key)

    assert run(engine, lambda uow: call(uow, "c1"), actor=ACTOR)
    assert not run(engine, lambda uow: call(uow, "c1"), actor=ACTOR)
    stop = partial(cease_contact, loan_id=loan_id, channel="call", reason="asked in writing", request_key="f1")
    assert run(engine, stop, actor=ACTOR)
    with pytest.raises(ContactCeased):
        run(engine, lambda uow: call(uow, "c2"), actor=ACTOR)
    assert run(engine, lambda uow: call(uow, "c3", channel="letter"), actor=ACTOR)
    assert run(engine, lambda uow: call(uow, "c4", inbound=True), actor=ACTOR)
    run(engine, partial(allow_contact, loan_id=loan_id, channel="call", reason="agreed", request_key="f2"), actor=ACTOR)
    assert run(engine, lambda uow: call(uow, "c2"), actor=ACTOR)
    with pytest.raises(RequestKeyReused):
        run(engine, lambda uow: call(uow, "c1", channel="text"), actor=ACTOR)


def test_a_bankruptcy_stays_collections_until_it_is_lifted(engine: sa.Engine, late: tuple[str, int]) -> None:
    code, loan_id = late
    through(engine, code, date(2026, 2, 20))
    advance(engine, code, date(2026, 2, 24))
    told: dict[str, Any] = {"flag": "bankruptcy", "reason": "notice of the court", "effective_date": date(2026, 2, 24)}
    run(engine, partial(flag_loan, loan_id=loan_id, request_key="stay", **told), actor=ACTOR)
    called = partial(contact, loan_id=loan_id, channel="call", outcome="reached", text="")

    with pytest.raises(ContactCeased) as ceased:
        run(engine, partial(called, inbound=False, request_key="c1"), actor=ACTOR)
    assert run(engine, partial(called, inbound=True, request_key="c2"), actor=ACTOR)
    through(engine, code, date(2026, 2, 26))
    with engine.connect() as connection:
        assert work_list(connection, code) == ()
    run(
        engine,
        partial(
            flag_loan, loan_id=loan_id, request_key="over", lifted=True, **{**told, "effective_date": date(2026, 2, 26)}
        ),
        actor=ACTOR,
    )
    through(engine, code, date(2026, 2, 27))

    assert (ceased.value.reason, ceased.value.since) == ("bankruptcy", date(2026, 2, 24))
    kinds = [kind for kind, _ in log_of(engine, loan_id)]
    assert kinds == ["case_opened", "contact", "case_closed", "case_opened"]


def test_a_plan_is_a_promise_for_each_of_its_days(engine: sa.Engine, late: tuple[str, int]) -> None:
    code, loan_id = late
    through(engine, code, date(2026, 3, 1))
    days = [date(2026, 3, 6), date(2026, 3, 13)]
    plan = partial(promise, loan_id=loan_id, amounts=[Money(40_000, "USD")] * 2, due_on=days, request_key="plan")
    made = run(engine, plan, actor=ACTOR)
    assert [each.promise_no for each in run(engine, plan, actor=ACTOR)] == [each.promise_no for each in made]
    with engine.connect() as connection:
        assert work_list(connection, code)[0].next_action == "await_promise"

    # 380.00 on the 7th, a day late: 5 % less than 400.00 and within the day of grace. The second one is not paid.
    advance(engine, code, date(2026, 3, 7))
    pay(engine, loan_id, "380.00", date(2026, 3, 7), "P1")
    through(engine, code, date(2026, 3, 14))

    with engine.connect() as connection:
        first, second = collecting(connection, loan_id).promises
        assert (first.status, first.received, second.status) == ("kept", 38_000, "broken")
        assert (work_list(connection, code)[0].next_action) == "call"


def test_what_cannot_be_is_refused(engine: sa.Engine, late: tuple[str, int]) -> None:
    _, loan_id = late
    wrong = partial(promise, loan_id=loan_id, amounts=[Money(1, "USD")], due_on=[date(2026, 1, 1)], request_key="x")
    with pytest.raises(PromiseInvalid):
        run(engine, wrong, actor=ACTOR)
    with pytest.raises(CaseNotOpen):
        run(
            engine,
            partial(assign, loan_id=loan_id, owner="ana", next_action=None, next_action_on=None, request_key="a"),
            actor=ACTOR,
        )
    with pytest.raises(CollectionPolicyInvalid):
        read_policy("[[strategies]]\nbucket = 'x'\nqueue = 'q'\nnext_action = 'call'")
