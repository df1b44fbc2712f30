"""Applications decided by the active policy on a real database: kept, replayed, split, shadowed, underwritten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.commands.books import advance_business_date
from ledger.unit_of_work import run
from origination.application import Action, ApplicationState
from origination.commands import decide_application as decide_by_hand
from origination.commands import submit_applications
from origination.decision_commands import Decided, decide_applications, underwrite
from origination.decision_queries import (
    DecisionView,
    decision_view,
    decisions_of,
    past_facts,
    policy_version,
    policy_view,
    referrals,
    replay,
)
from origination.errors import (
    ActivationRefused,
    ApplicationStateRefused,
    ApplicationUnknown,
    AuthorityMissing,
    DecisionUnknown,
    OverrideRefused,
    OwnWorkApproved,
    PolicyApprovalMissing,
    PolicyNotActive,
    PolicyUnknown,
    ReferralNotOpen,
)
from origination.policies.authority import parse_authority
from origination.policies.backtest import backtest
from origination.policies.engine import Policy
from origination.policies.split import is_challenged
from origination.policy_commands import activate_policy, load_authority, load_policy
from origination.queries import application
from tests.integration.origination.test_funding import BOOK, TODAY, count, engine, fund, request
from tests.support.database import OWNER, Database
from tests.unit.origination.policies import small

pytestmark = pytest.mark.twice

__all__ = ["engine"]

AUTHORITY = {
    "about": "Tests",
    "amount": "amount",
    "dti": "dti",
    "groups": [
        {"name": "junior", "members": ["uma"], "amount": 1500000, "dti": "25", "exceptions": ["R2"]},
        {
            "name": "senior",
            "members": ["sue", "ann"],
            "amount": 2500000,
            "dti": "45",
            "exceptions": ["any"],
            "overrides": True,
        },
    ],
}
GOOD: dict[str, dict[str, Any]] = {
    "application": {"amount": 1000000, "term": 36},
    "income": {"annual": 6000000},
    "credit_report": {"dti": "19.99", "inquiries": 1},
    "applicant": {"home": "OWN"},
}


def sources(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return sources in which some facts are changed, named by their places in them."""
    given = deepcopy(GOOD)
    places = {"amount": "application", "annual": "income", "dti": "credit_report", "inquiries": "credit_report"}
    for name, value in changes.items():
        given[places[name]][name] = value
    return given


REFERRED = sources(inquiries=5)
DECLINED = sources(dti="41")


def activate(engine: sa.Engine, policy: Policy | None = None, **more: Any) -> Policy:
    version = policy or small()

    def work(uow: Any) -> None:
        load_policy(uow, version)
        activate_policy(uow, BOOK, version.content_hash, reason="test", **more)

    run(engine, work, actor="pat", approver="quinn")
    return version


def load(engine: sa.Engine, policy: Policy) -> str:
    return run(engine, lambda uow: load_policy(uow, policy), actor="pat").content_hash


def authorize(engine: sa.Engine) -> None:
    run(engine, lambda uow: load_authority(uow, parse_authority(AUTHORITY)), actor="pat", approver="quinn")


def enter(engine: sa.Engine, many: int = 1) -> tuple[int, ...]:
    requests = [request(f"A-{number}") for number in range(many)]
    return run(engine, lambda uow: submit_applications(uow, BOOK, requests), actor="ann")


def decide(engine: sa.Engine, cases: dict[int, Any]) -> tuple[Decided, ...]:
    return run(engine, lambda uow: decide_applications(uow, BOOK, "small", cases), actor="bot")


def judged(engine: sa.Engine, decision_id: int, verdict: Any, actor: str, **more: Any) -> DecisionView:
    approver = more.pop("approver", None)
    return run(engine, lambda uow: underwrite(uow, BOOK, decision_id, verdict, **more), actor=actor, approver=approver)


def referral(engine: sa.Engine, given: Any = None) -> Decided:
    activate(engine)
    authorize(engine)
    return decide(engine, {enter(engine)[0]: given or REFERRED})[0]


def test_an_approval_and_a_decline_move_the_application_under_the_name_of_the_policy(engine: sa.Engine) -> None:
    policy = activate(engine)
    one, two, three = enter(engine, 3)

    done = decide(engine, {one: GOOD, two: DECLINED, three: REFERRED})

    assert [each.state for each in done] == ["approved", "declined", "received"]
    with engine.connect() as connection:
        approved, declined = application(connection, one), application(connection, two)
        assert approved.events[-1].actor == f"policy:small@{policy.content_hash[:8]}"
        assert (approved.events[-1].action, approved.events[-1].reason) == ("approve", None)
        assert declined.events[-1].reason == "C1-09 Excessive obligations in relation to income"
        assert [each.application_id for each in referrals(connection, BOOK)] == [three]
    assert fund(engine, one) > 0


def test_a_decision_keeps_facts_and_every_result_and_replays(engine: sa.Engine) -> None:
    activate(engine)
    done = decide(engine, {enter(engine)[0]: DECLINED})[0]
    # Another version decides by now; what was decided does not care.
    run(engine, lambda uow: advance_business_date(uow, BOOK, date(2026, 11, 3)), actor="setup")
    activate(engine, small(rules=[]))

    with engine.connect() as connection:
        view = decision_view(connection, done.decision_id)
        assert replay(connection, done.decision_id).differences == ()

    assert view.decision.facts["dti"] == "41"
    assert view.decision.facts["born"] is None
    assert view.decision.result["rules"] == [["R1", True], ["R2", False], ["R3", False]]
    assert (view.decision.actor, view.decision.role) == ("bot", "champion")


def test_a_decision_that_was_altered_does_not_replay(engine: sa.Engine, database: Database) -> None:
    activate(engine)
    done = decide(engine, {enter(engine)[0]: GOOD})[0]

    with database.connect(OWNER, autocommit=True) as owner:
        owner.execute("ALTER TABLE origination.decision DISABLE TRIGGER decision_append_only")
        owner.execute("""UPDATE origination.decision SET facts = jsonb_set(facts, '{dti}', '"20"')""")

    with engine.connect() as connection:
        found = replay(connection, done.decision_id).differences
    # DTI 20 scores 15 instead of 30, and 135 is the other price.
    assert [each.split(":")[0] for each in found] == ["score", "points", "price"]


def test_a_decision_is_made_once_and_only_where_one_is_due(engine: sa.Engine) -> None:
    activate(engine)
    one, two = enter(engine, 2)
    decide(engine, {one: GOOD})

    with pytest.raises(ApplicationStateRefused):
        decide(engine, {two: GOOD, one: GOOD})
    with pytest.raises(ApplicationUnknown):
        decide(engine, {one + 10_000: GOOD})

    assert count(engine, "origination.decision") == 1


def test_a_referred_application_is_decided_again_when_more_is_known(engine: sa.Engine) -> None:
    activate(engine)
    authorize(engine)
    one = enter(engine)[0]
    first = decide(engine, {one: REFERRED})[0]
    second = decide(engine, {one: sources(inquiries=6)})[0]

    with engine.connect() as connection:
        assert [each.decision_no for each in decisions_of(connection, one)] == [1, 2]
        assert [each.decision_id for each in referrals(connection, BOOK)] == [second.decision_id]
    with pytest.raises(ReferralNotOpen, match="came after it"):
        judged(engine, first.decision_id, "approve", "uma")


def test_two_who_decide_at_the_same_instant_decide_once(engine: sa.Engine) -> None:
    activate(engine)
    one = enter(engine)[0]
    decide(engine, {enter_again(engine): GOOD})
    outcomes: list[object] = []
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        try:
            outcomes.append(decide(engine, {one: GOOD})[0].state)
        except ApplicationStateRefused as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, outcomes)) == ["application-state-refused", "approved"]
    assert count(engine, "origination.decision") == 2


def enter_again(engine: sa.Engine) -> int:
    return run(engine, lambda uow: submit_applications(uow, BOOK, [request("B-1")]), actor="ann")[0]


def test_many_are_decided_in_few_statements(engine: sa.Engine) -> None:
    activate(engine)
    ids = enter(engine, 60)
    decide(engine, {ids[0]: GOOD})
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    decide(engine, dict.fromkeys(ids[1:], GOOD))

    assert len(statements) <= 6
    assert count(engine, "origination.decision") == 60


def test_the_challenger_decides_on_its_share_and_a_shadow_has_no_effect(engine: sa.Engine) -> None:
    champion, challenger = small(), small(about="Declines everybody who has inquired", rules=[_strict()])
    shadow = small(about="Refers everybody", default="refer")
    for each in (champion, challenger, shadow):
        load(engine, each)
    activate(
        engine,
        champion,
        challenger=challenger.content_hash,
        challenger_bp=3_000,
        shadows=(shadow.content_hash[:12],),
    )
    ids = enter(engine, 40)

    done = decide(engine, dict.fromkeys(ids, GOOD))

    for made in done:
        challenged = is_challenged("small", made.application_id, 3_000)
        assert made.role == ("challenger" if challenged else "champion")
        assert made.state == ("declined" if challenged else "approved")
    assert {made.role for made in done} == {"champion", "challenger"}
    with engine.connect() as connection:
        shadowed = decisions_of(connection, ids[0])[1]
        assert (shadowed.role, shadowed.outcome) == ("shadow", "refer")
        assert referrals(connection, BOOK) == ()
        assert replay(connection, shadowed.decision_id).differences == ()
    with pytest.raises(ReferralNotOpen, match="shadow"):
        judged(engine, shadowed.decision_id, "approve", "sue")


def _strict() -> dict[str, Any]:
    return {"code": "S", "about": "x", "when": "(inquiries ?? 0) > 0", "outcome": "decline", "reason": "inquiries"}


def test_a_version_counts_from_its_day_on(engine: sa.Engine) -> None:
    first = activate(engine)
    later = activate(engine, small(rules=[]), effective_date=date(2026, 12, 1))
    fixed = activate(engine, small(default="refer"))

    with engine.connect() as connection:
        today, then = policy_view(connection, "small", TODAY), policy_view(connection, "small", date(2026, 12, 1))

    assert first.content_hash != fixed.content_hash
    assert today.in_force is not None
    assert then.in_force is not None
    assert (today.in_force.champion, then.in_force.champion) == (fixed.content_hash, later.content_hash)
    assert [each.actor for each in today.activations] == ["pat"] * 3


def test_what_cannot_be_activated_is_refused(engine: sa.Engine) -> None:
    version = load(engine, small())

    def attempt(name: str = version, approver: str | None = "quinn", **more: Any) -> None:
        run(
            engine,
            lambda uow: activate_policy(uow, BOOK, name, **{"reason": "test", **more}),
            actor="pat",
            approver=approver,
        )

    with pytest.raises(PolicyUnknown):
        attempt("nobody")
    for approver in (None, "pat"):
        with pytest.raises(PolicyApprovalMissing):
            attempt(approver=approver)
    refused: list[dict[str, Any]] = [
        {"effective_date": date(2026, 11, 1)},
        {"challenger": version, "challenger_bp": 100},
        {"challenger_bp": 100},
        {"reason": " "},
    ]
    for more in refused:
        with pytest.raises(ActivationRefused):
            attempt(**more)
    with pytest.raises(PolicyNotActive):
        decide(engine, {enter(engine)[0]: GOOD})


def test_the_same_file_again_is_the_same_version(engine: sa.Engine) -> None:
    assert run(engine, lambda uow: load_policy(uow, small()), actor="pat").is_new
    assert not run(engine, lambda uow: load_policy(uow, small()), actor="uma").is_new
    with engine.connect() as connection:
        found = policy_version(connection, small().content_hash[:8])
    assert found.content_hash == small().content_hash


def test_an_underwriter_decides_within_the_limits_of_authority(engine: sa.Engine) -> None:
    done = referral(engine)

    view = judged(engine, done.decision_id, "approve", "uma")

    assert view.position.standing.state is ApplicationState.APPROVED
    assert view.underwriting is not None
    assert (view.underwriting.authority_group, view.underwriting.exceptions) == ("junior", ("R2",))
    with engine.connect() as connection:
        assert referrals(connection, BOOK) == ()
        assert application(connection, done.application_id).events[-1].actor == "uma"
    with pytest.raises(ReferralNotOpen):
        judged(engine, done.decision_id, "approve", "sue")


@pytest.mark.parametrize(
    ("given", "beyond"),
    [
        (sources(inquiries=5, amount=1500001), "the amount 1500001 is above 1500000"),
        (sources(inquiries=5, dti="25.01"), "DTI 25.01 is above 25"),
        (sources(dti="25", amount=2000000, annual=12000000), "no exceptions of strategy"),
    ],
)
def test_above_the_limits_a_second_person_decides_as_well(engine: sa.Engine, given: Any, beyond: str) -> None:
    done = referral(engine, given)

    with pytest.raises(AuthorityMissing, match=beyond):
        judged(engine, done.decision_id, "approve", "uma")
    with pytest.raises(AuthorityMissing):
        judged(engine, done.decision_id, "approve", "uma", approver="uma")
    with pytest.raises(AuthorityMissing, match="no group"):
        judged(engine, done.decision_id, "approve", "uma", approver="nobody")
    view = judged(engine, done.decision_id, "approve", "uma", approver="sue")

    assert view.underwriting is not None
    assert (view.underwriting.approver, view.underwriting.second_group) == ("sue", "senior")


def test_at_the_limits_one_person_is_enough(engine: sa.Engine) -> None:
    done = referral(engine, sources(inquiries=5, amount=1500000, dti="25"))

    assert judged(engine, done.decision_id, "approve", "uma").underwriting is not None


def test_nobody_decides_on_an_application_that_they_entered(engine: sa.Engine) -> None:
    done = referral(engine)

    with pytest.raises(OwnWorkApproved):
        judged(engine, done.decision_id, "approve", "ann")
    with pytest.raises(OwnWorkApproved):
        judged(engine, done.decision_id, "approve", "uma", approver="ann")


def test_an_incomplete_referral_is_declined_and_approved_by_nobody(engine: sa.Engine) -> None:
    done = referral(engine, sources(dti=None))

    assert (done.decision.outcome, done.decision.missing) == ("refer", ("dti",))
    with pytest.raises(AuthorityMissing, match="not known"):
        judged(engine, done.decision_id, "approve", "uma", approver="sue")
    view = judged(engine, done.decision_id, "decline", "uma")
    assert view.underwriting is not None
    assert [code for _, code, _ in view.underwriting.reasons] == ["C1-01"]


def test_a_referral_is_no_override(engine: sa.Engine) -> None:
    done = referral(engine)

    with pytest.raises(OverrideRefused, match="approve or decline it"):
        judged(engine, done.decision_id, "override", "sue")


def test_a_referral_is_declined_for_reasons_of_the_policy(engine: sa.Engine) -> None:
    done = referral(engine)

    with pytest.raises(OverrideRefused, match="1 to 4 reasons"):
        judged(engine, done.decision_id, "decline", "uma")
    view = judged(engine, done.decision_id, "decline", "uma", reasons=("inquiries", "housing"))

    assert view.underwriting is not None
    assert [code for _, code, _ in view.underwriting.reasons] == ["C1-22", "C1-24"]
    with engine.connect() as connection:
        event = application(connection, done.application_id).events[-1]
    assert (event.state, event.actor) == ("declined", "uma")
    assert event.reason == "C1-22 Number of recent inquiries on credit bureau report; C1-24 Type of housing"


def test_a_decline_is_overridden_with_a_reason_and_above_the_limit_by_two(engine: sa.Engine) -> None:
    done = referral(engine, DECLINED)

    with pytest.raises(OverrideRefused, match="override it"):
        judged(engine, done.decision_id, "approve", "sue")
    with pytest.raises(OverrideRefused, match="needs a reason"):
        judged(engine, done.decision_id, "override", "sue", reason=" ")
    with pytest.raises(AuthorityMissing, match="it overrides the policy"):
        judged(engine, done.decision_id, "override", "uma", reason="Salary seen")
    view = judged(engine, done.decision_id, "override", "uma", reason="Salary seen", approver="sue")

    assert view.position.standing.state is ApplicationState.APPROVED
    with engine.connect() as connection:
        event = application(connection, done.application_id).events[-1]
    assert (event.action, event.actor, event.approver, event.reason) == ("override", "uma", "sue", "Salary seen")


def test_a_counter_offer_waits_and_the_amount_asked_is_an_override(engine: sa.Engine) -> None:
    done = referral(engine, sources(amount=1500000, annual=4500000))

    assert (done.decision.outcome, done.state) == ("counter_offer", "received")
    with pytest.raises(OverrideRefused):
        judged(engine, done.decision_id, "approve", "sue")
    view = judged(engine, done.decision_id, "override", "sue", reason="A second income")
    assert view.underwriting is not None
    assert view.underwriting.exceptions == ("amount",)


def test_of_two_underwriters_at_the_same_instant_one_decides(engine: sa.Engine) -> None:
    done = referral(engine)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def work(verdict: str, actor: str) -> None:
        start.wait()
        try:
            judged(engine, done.decision_id, verdict, actor, reasons=("inquiries",) if verdict == "decline" else ())
            outcomes.append(verdict)
        except (ReferralNotOpen, ApplicationStateRefused):
            outcomes.append("refused")

    threads = [threading.Thread(target=work, args=who) for who in (("approve", "uma"), ("decline", "sue"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) in (["approve", "refused"], ["decline", "refused"])
    assert count(engine, "origination.underwriting") == 1


def test_what_was_withdrawn_or_approved_waits_for_nobody(engine: sa.Engine) -> None:
    done = referral(engine)
    run(engine, lambda uow: decide_by_hand(uow, BOOK, done.application_id, Action.WITHDRAW), actor="ann")

    with pytest.raises(ReferralNotOpen, match="withdrawn"):
        judged(engine, done.decision_id, "approve", "uma")
    with pytest.raises(DecisionUnknown):
        judged(engine, 999_999, "approve", "uma")


def test_without_limits_of_authority_nobody_decides(engine: sa.Engine) -> None:
    activate(engine)
    done = decide(engine, {enter(engine)[0]: REFERRED})[0]

    with pytest.raises(AuthorityMissing, match="in force"):
        judged(engine, done.decision_id, "approve", "uma")


def test_limits_take_two_people_and_the_same_again_are_the_same_version(engine: sa.Engine) -> None:
    authorize(engine)
    authorize(engine)

    with pytest.raises(PolicyApprovalMissing):
        run(engine, lambda uow: load_authority(uow, parse_authority(AUTHORITY)), actor="pat")
    assert count(engine, "origination.authority_version") == 1


def test_a_backtest_runs_a_version_over_what_was_decided(engine: sa.Engine) -> None:
    live = activate(engine)
    one, two, three = enter(engine, 3)
    decide(engine, {one: GOOD, two: DECLINED, three: REFERRED})

    with engine.connect() as connection:
        cases = [facts for _, facts in past_facts(connection, BOOK, "small")]
        found = backtest(small(rules=[]), cases, live=live)

    assert found.live_outcomes == {"approve": 1, "refer": 1, "decline": 1}
    # Without rules: 150, 150, and 100 + 0 + 20 = 120, which refers.
    assert found.outcomes == {"approve": 2, "refer": 1}
    assert found.changes == {("refer", "approve"): 1, ("decline", "refer"): 1}


def test_a_dry_run_keeps_nothing(engine: sa.Engine) -> None:
    activate(engine)
    one = enter(engine)[0]

    run(engine, lambda uow: decide_applications(uow, BOOK, "small", {one: GOOD}), actor="bot", dry_run=True)

    assert count(engine, "origination.decision") == 0


TABLES = ("policy_version", "policy_activation", "authority_version", "decision", "underwriting")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_was_decided_is_never_changed(engine: sa.Engine, database: Database, table: str, statement: str) -> None:
    wanted = statement.format(f"origination.{table}")
    with database.connect(OWNER, autocommit=True) as owner, pytest.raises(psycopg.Error) as refusal:
        owner.execute(wanted)
    assert refusal.value.sqlstate == "LB021"

    with database.connect(autocommit=True) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(wanted)


INSERTS: tuple[Callable[[], str], ...] = (
    lambda: (
        "INSERT INTO origination.policy_activation (name, activation_no, effective_date, champion, challenger_bp,"
        " shadows, reason, actor, approver) SELECT name, 9, '2026-11-02', content_hash, 0, '{}', 'x', 'pat', 'pat'"
        " FROM origination.policy_version"
    ),
    lambda: (
        "INSERT INTO origination.policy_activation (name, activation_no, effective_date, champion, challenger_bp,"
        " shadows, reason, actor, approver) SELECT name, 9, '2026-11-02', content_hash, 5, '{}', 'x', 'pat', 'qu'"
        " FROM origination.policy_version"
    ),
    lambda: "INSERT INTO origination.authority_version VALUES (1, 'h', '{}', 'pat', 'pat')",
)


@pytest.mark.parametrize("statement", INSERTS)
def test_the_database_refuses_one_person_and_a_share_of_nobody(
    engine: sa.Engine, database: Database, statement: Callable[[], str]
) -> None:
    load(engine, small())

    with database.connect(autocommit=True) as app, pytest.raises(psycopg.errors.CheckViolation):
        app.execute(statement())
