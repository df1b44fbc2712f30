"""Applications decided by the active policy, and by underwriters where it refers; each decision kept with its facts.

Many are decided set-based: one statement for each table, whatever their number. An approval or a decline moves the
application, under the name of the policy; what is referred or countered stays where it is until a person decides.
Shadow versions are evaluated and kept, and have no effect. Never: arithmetic (`origination/policies/engine.py`).
Next: `origination/decision_queries.py`; `docs/spec/decisions.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ledger.ids import take_ids
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from origination import policy_store as store
from origination.application import Action, ApplicationState
from origination.application import decide as move
from origination.decision_queries import (
    OPEN,
    DecisionView,
    active_policy,
    authority_in_force,
    decision_view,
    last_with_effect,
)
from origination.decision_records import Activation
from origination.errors import (
    ApplicationStateRefused,
    ApplicationUnknown,
    AuthorityMissing,
    OverrideRefused,
    ReferralNotOpen,
)
from origination.policies.authority import Authority, Case, Judged, Verdict, judge
from origination.policies.engine import Decision, Policy, decide
from origination.policies.reasons import FORM, MOST
from origination.policies.split import is_challenged
from origination.policies.vocabulary import Facts, Sources, facts_as_json
from origination.policy_store import Position
from origination.store import EventRow, insert_events

CHUNK = 1000
"""How many applications are decided in a statement."""

ACTIONS: Mapping[str, Action] = {"approve": Action.APPROVE, "decline": Action.DECLINE, "override": Action.OVERRIDE}


@dataclass(frozen=True, slots=True)
class Decided:
    """What the version with effect decided on an application, and where that left it."""

    application_id: int
    decision_id: int
    role: str
    policy: Policy
    facts: Facts
    decision: Decision
    state: ApplicationState


def decide_application(
    uow: UnitOfWork, book_code: str, application_id: int, policy_name: str, sources: Sources
) -> Decided:
    """Decide on one application by the active policy of a name.

    Raises: as `decide_applications`.
    """
    return decide_applications(uow, book_code, policy_name, {application_id: sources})[0]


def decide_applications(
    uow: UnitOfWork, book_code: str, policy_name: str, cases: Mapping[int, Sources]
) -> tuple[Decided, ...]:
    """Decide on applications from what is known of them, all or none.

    Raises: BookUnknown; PolicyUnknown; PolicyNotActive; ApplicationUnknown; ApplicationStateRefused for one that is
    decided, withdrawn or funded; FactsInvalid.
    """
    found = book(uow.connection, book_code)
    active = active_policy(uow.connection, policy_name, found.business_date)
    desk = _Desk(uow, found.book_id, found.business_date, active)
    items = list(cases.items())
    chunks = (dict(items[at : at + CHUNK]) for at in range(0, len(items), CHUNK))
    return tuple(done for chunk in chunks for done in desk.decide(chunk))


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where a run decides: by which activation, on which day."""

    uow: UnitOfWork
    book_id: int
    today: date
    active: Activation

    def decide(self, cases: Mapping[int, Sources]) -> tuple[Decided, ...]:
        """Decide on a chunk."""
        connection = self.uow.connection
        standing = store.positions(connection, tuple(cases))
        for application_id in cases:
            _check_open(standing.get(application_id), application_id, self.book_id)
        done = []
        rows: list[dict[str, Any]] = []
        ids = iter(take_ids(connection.engine, "decision", len(cases) * (1 + len(self.active.shadows))))
        for application_id, sources in cases.items():
            at = standing[application_id]
            done.append(self._decided(at, sources, next(ids)))
            rows += self._rows(at, done[-1], sources, ids)
        for application_id, _ in sorted(store.insert_decisions(connection, rows)):
            _refuse(standing[application_id], "decided")
        self._move(standing, done)
        return tuple(done)

    def _decided(self, at: Position, sources: Sources, decision_id: int) -> Decided:
        active, application_id = self.active, at.standing.application_id
        challenged = active.challenger is not None and is_challenged(active.name, application_id, active.challenger_bp)
        chosen = active.challenger if challenged and active.challenger else active.champion
        policy = store.load_policy(self.uow.connection, chosen)
        facts = policy.facts(sources)
        decision = decide(policy, facts)
        action = ACTIONS.get(decision.outcome)
        state = at.standing.state if action is None else move(at.standing, action, actor=policy.actor)
        role = "challenger" if challenged else "champion"
        return Decided(application_id, decision_id, role, policy, facts, decision, state)

    def _rows(self, at: Position, first: Decided, sources: Sources, ids: Iterator[int]) -> Iterator[dict[str, Any]]:
        yield self._row(first, at.last_decision_no + 1)
        for number, shadow in enumerate(self.active.shadows, start=at.last_decision_no + 2):
            policy = store.load_policy(self.uow.connection, shadow)
            facts = policy.facts(sources)
            made = decide(policy, facts)
            yield self._row(
                Decided(first.application_id, next(ids), "shadow", policy, facts, made, first.state), number
            )

    def _row(self, decided: Decided, number: int) -> dict[str, Any]:
        return {
            "application_id": decided.application_id,
            "decision_no": number,
            "decision_id": decided.decision_id,
            "role": decided.role,
            "policy": decided.policy.name,
            "content_hash": decided.policy.content_hash,
            "outcome": decided.decision.outcome,
            "facts": facts_as_json(decided.facts),
            "result": decided.decision.as_json(),
            "business_date": self.today,
            "actor": self.uow.actor,
        }

    def _move(self, standing: Mapping[int, Position], done: Sequence[Decided]) -> None:
        """Write the events of what was approved or declined."""
        events = [
            EventRow(
                application_id=each.application_id,
                event_no=standing[each.application_id].last_event_no + 1,
                action=str(ACTIONS[each.decision.outcome]),
                state=each.state,
                business_date=self.today,
                actor=each.policy.actor,
                reason=reasons_text([(one.code, one.text) for one in each.decision.reasons]),
            )
            for each in done
            if each.decision.outcome in ACTIONS
        ]
        if events:
            for application_id in sorted(insert_events(self.uow.connection, events)):
                _refuse(standing[application_id], "decided")


def underwrite(
    uow: UnitOfWork,
    book_code: str,
    decision_id: int,
    verdict: Verdict,
    *,
    reason: str | None = None,
    reasons: Sequence[str] = (),
) -> DecisionView:
    """Decide as an underwriter about what the policy referred or countered, or override what it declined.

    `reasons` are names of reasons of the policy, for a decline; without them those of the referral are sent.

    Raises: DecisionUnknown; ReferralNotOpen; OwnWorkApproved; AuthorityMissing; OverrideRefused;
    ApplicationStateRefused.
    """
    view, today = decision_view(uow.connection, decision_id), book(uow.connection, book_code)
    decision, at = view.decision, view.position
    if at.book_id != today.book_id:
        raise ApplicationUnknown(application_id=decision.application_id)
    _check_referral(view, last_with_effect(uow.connection, decision.application_id))
    in_force = authority_in_force(uow.connection)
    if in_force is None:
        raise AuthorityMissing(person=uow.actor, reason="no limits of authority are in force")
    version, authority = in_force
    case = _case(authority, view)
    judged = judge(authority, case, verdict, actor=uow.actor, approver=uow.approver, reason=reason)
    sent = _reasons_sent(view, reasons) if verdict == "decline" else ()
    _keep(uow, view, version, verdict, judged, case, sent, reason, today.business_date)
    action = Action.APPROVE if verdict == "override" and decision.outcome in OPEN else ACTIONS[verdict]
    words = reason if verdict != "decline" else reasons_text([(code, text) for _, code, text in sent])
    event = EventRow(
        application_id=decision.application_id,
        event_no=at.last_event_no + 1,
        action=str(action),
        state=move(at.standing, action, actor=uow.actor),
        business_date=today.business_date,
        actor=uow.actor,
        approver=uow.approver if judged.second_group else None,
        reason=words,
    )
    if insert_events(uow.connection, [event]):
        _refuse(at, action.past)
    return decision_view(uow.connection, decision_id)


def reasons_text(reasons: Sequence[tuple[str, str]]) -> str | None:
    """Return reasons as the history of an application keeps them; None if there are none."""
    return "; ".join(f"{code} {text}" for code, text in reasons) or None


def _keep(
    uow: UnitOfWork,
    view: DecisionView,
    version: int,
    verdict: Verdict,
    judged: Judged,
    case: Case,
    sent: Sequence[tuple[str, str, str]],
    reason: str | None,
    today: date,
) -> None:
    values = {
        "application_id": view.decision.application_id,
        "decision_no": view.decision.decision_no,
        "decision_id": view.decision.decision_id,
        "verdict": verdict,
        "authority_version": version,
        "authority_group": judged.group,
        "second_group": judged.second_group,
        "exceptions": list(case.exceptions) if verdict != "decline" else [],
        "reasons": [list(each) for each in sent],
        "reason": reason,
        "business_date": today,
        "actor": uow.actor,
        "approver": uow.approver if judged.second_group else None,
    }
    if not store.insert_underwriting(uow.connection, values):
        raise ReferralNotOpen(decision_id=view.decision.decision_id, reason="an underwriter decided already")


def _case(authority: Authority, view: DecisionView) -> Case:
    decision = view.decision
    derived = {name: Decimal(value) for name, value in decision.result["derived"].items()}
    facts = {**view.policy.facts_from_json(decision.facts), **derived}
    amount, dti = facts.get(authority.amount), facts.get(authority.dti)
    return Case(
        application_id=decision.application_id,
        entered_by=view.position.standing.entered_by,
        outcome=decision.outcome,
        amount=amount if isinstance(amount, int) else None,
        dti=Decimal(dti) if isinstance(dti, (int, Decimal)) else None,
        exceptions=exceptions_of(view.policy, decision.result),
    )


def exceptions_of(policy: Policy, result: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an approval makes exceptions of: rules that fired, tables, the score, the amount."""
    card = policy.document.scorecard
    bars = [bar for bar in (card.decline_below, card.refer_below) if bar is not None] if card else []
    found = [code for code, fired in result["rules"] if fired is not False]
    if result["score"] is not None and any(result["score"] < bar for bar in bars):
        found.append("score")
    found += [table for table, _, outcome in result["tables"] if outcome != "approve"]
    if result["outcome"] == "counter_offer":
        found.append("amount")
    return tuple(found)


def _reasons_sent(view: DecisionView, names: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    declared, application_id = view.policy.document.reasons, view.decision.application_id
    if not names:
        names = [name for name, *_ in view.decision.result["reasons"]]
    unknown = [name for name in names if name not in declared]
    if unknown or not names or len(set(names)) != len(names) or len(names) > MOST:
        reason = f"a decline has 1 to {MOST} reasons of the policy: {', '.join(declared)}"
        raise OverrideRefused(application_id=application_id, reason=reason)
    return tuple((name, declared[name].code, declared[name].text or FORM[declared[name].code]) for name in names)


def _check_open(at: Position | None, application_id: int, book_id: int) -> None:
    if at is None or at.book_id != book_id:
        raise ApplicationUnknown(application_id=application_id)
    if at.standing.state is not ApplicationState.RECEIVED:
        _refuse(at, "decided")


def _check_referral(view: DecisionView, last: int | None) -> None:
    decision, state = view.decision, view.position.standing.state
    if view.underwriting is not None:
        reason = f"{view.underwriting.actor} decided: {view.underwriting.verdict}"
    elif decision.role == "shadow":
        reason = "it is a shadow, without effect"
    elif last != decision.decision_id:
        reason = f"decision {last} came after it"
    elif decision.outcome in OPEN and state is not ApplicationState.RECEIVED:
        reason = f"the application is {state}"
    elif decision.outcome == "approve":
        reason = "the policy approved"
    else:
        return
    raise ReferralNotOpen(decision_id=decision.decision_id, reason=reason)


def _refuse(at: Position, wanted: str) -> None:
    standing = at.standing
    raise ApplicationStateRefused(application_id=standing.application_id, state=str(standing.state), wanted=wanted)
