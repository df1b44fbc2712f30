"""Where most of the demonstration's people apply: entered, decided by policy, underwritten and funded, many at once.

Each step looks at where the applications stand, so a demonstration that was killed goes on with what is left of a day.
Next: `api/demo/front_door.py`, for those that go the whole way one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from api.demo.applicants import Applicant
from ledger.unit_of_work import UnitOfWork, run
from origination.application import Action, ApplicationState
from origination.commands import decide_application, fund_applications, submit_applications
from origination.decision_commands import decide_applications, underwrite
from origination.decision_queries import OPEN, active_policy, authority_in_force, last_with_effect
from origination.errors import PolicyNotActive, PolicyUnknown
from origination.policies.authority import Verdict, read_authority
from origination.policies.engine import decide, read_policy
from origination.policy_commands import activate_policy, load_authority, load_policy
from origination.queries import states_by_name

POLICY = "demonstration"
CLERK, UNDERWRITER, OFFICER = "demo:clerk", "demo:underwriter", "demo:officer"
FUNDER, CONTROLLER = "demo:operator", "demo:controller"

Standings = Mapping[str, tuple[int, ApplicationState]]


def open_counter(engine: sa.Engine, book_code: str, opening: date) -> None:
    """Put the demonstration's policy in force, and its underwriter's limits unless others are in force."""

    def work(uow: UnitOfWork) -> None:
        policy = read_policy(_text("policy.toml"))
        load_policy(uow, policy)
        try:
            active_policy(uow.connection, POLICY, opening)
        except (PolicyNotActive, PolicyUnknown):
            activate_policy(
                uow, book_code, policy.content_hash, reason="the demonstration's own", effective_date=opening
            )
        if authority_in_force(uow.connection) is None:
            load_authority(uow, read_authority(_text("authority.toml")))

    run(engine, work, actor=FUNDER, approver=CONTROLLER)


def is_own_underwriter(connection: sa.Connection) -> bool:
    """Tell whether the limits that are in force know the demonstration's underwriter."""
    in_force = authority_in_force(connection)
    return in_force is not None and any(UNDERWRITER in group.members for group in in_force[1].groups)


def _text(name: str) -> str:
    return (files("api.demo") / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Desk:
    """The counter at which people apply for loans of a book."""

    engine: sa.Engine
    book_code: str

    def serve(self, people: Sequence[Applicant]) -> dict[int, int]:
        """Take people from their applications to their loans; return the loans by the places of their drafts."""
        self._enter(people)
        self._decide(people)
        self._underwrite(people)
        return self._fund(people)

    def _enter(self, people: Sequence[Applicant]) -> None:
        known = self._standings(people)
        new = [each.request for each in people if each.name not in known]
        if new:
            self._change(lambda uow: submit_applications(uow, self.book_code, new), CLERK)

    def _decide(self, people: Sequence[Applicant]) -> None:
        undecided = self._received(people, is_decided=False)
        if undecided and not self._has_limits():
            undecided = self._judge_by_hand(undecided)
        if undecided:
            cases = {number: each.sources for number, each in undecided}
            self._change(lambda uow: decide_applications(uow, self.book_code, POLICY, cases), OFFICER)

    def _underwrite(self, people: Sequence[Applicant]) -> None:
        """Decide on what was referred: for those who get their loan, and against the others."""
        referred = self._received(people, is_decided=True)
        if referred:
            self._change(partial(self._judge, referred), UNDERWRITER, OFFICER)
        approved = self._in_state(people, ApplicationState.APPROVED)
        leaving = [number for number, each in approved if each.place is None]
        if leaving:
            self._change(partial(self._withdraw, leaving), CLERK)

    def _judge(self, referred: Sequence[tuple[int, Applicant]], uow: UnitOfWork) -> None:
        for number, each in referred:
            decision_id = last_with_effect(uow.connection, number)
            assert decision_id is not None, "what is referred was decided on by the policy"
            verdict: Verdict = "decline" if each.place is None else "approve"
            underwrite(uow, self.book_code, decision_id, verdict, reason="seen with the papers")

    def _has_limits(self) -> bool:
        with self.engine.connect() as connection:
            return is_own_underwriter(connection)

    def _judge_by_hand(self, undecided: Sequence[tuple[int, Applicant]]) -> list[tuple[int, Applicant]]:
        """Decide on what would be referred to people whose limits are in force here; return what is left.

        They alone could decide on it once the policy has spoken, and they know nothing of a demonstration.
        """
        policy = read_policy(_text("policy.toml"))
        left = [each for each in undecided if decide(policy, policy.facts(each[1].sources)).outcome not in OPEN]
        known = {number for number, _ in left}

        def work(uow: UnitOfWork) -> None:
            for number, each in undecided:
                if number not in known:
                    action = Action.DECLINE if each.place is None else Action.APPROVE
                    decide_application(uow, self.book_code, number, action, reason="seen with the papers")

        self._change(work, UNDERWRITER)
        return left

    def _withdraw(self, numbers: Sequence[int], uow: UnitOfWork) -> None:
        for number in numbers:
            decide_application(uow, self.book_code, number, Action.WITHDRAW, reason="took another lender's offer")

    def _fund(self, people: Sequence[Applicant]) -> dict[int, int]:
        approved = [each for each in self._in_state(people, ApplicationState.APPROVED) if each[1].place is not None]
        if not approved:
            return {}
        numbers = [number for number, _ in approved]
        funded = self._change(lambda uow: fund_applications(uow, self.book_code, numbers), FUNDER, CONTROLLER)
        places = {number: each.place for number, each in approved}
        return {place: done.loan_id for done in funded if (place := places[done.application_id]) is not None}

    def _received(self, people: Sequence[Applicant], *, is_decided: bool) -> list[tuple[int, Applicant]]:
        received = self._in_state(people, ApplicationState.RECEIVED)
        with self.engine.connect() as connection:
            return [each for each in received if (last_with_effect(connection, each[0]) is not None) is is_decided]

    def _in_state(self, people: Sequence[Applicant], state: ApplicationState) -> list[tuple[int, Applicant]]:
        known = self._standings(people)
        return [(known[each.name][0], each) for each in people if known.get(each.name, (0, None))[1] is state]

    def _standings(self, people: Sequence[Applicant]) -> Standings:
        with self.engine.connect() as connection:
            return states_by_name(connection, self.book_code, [each.name for each in people])

    def _change(self, work: Callable[[UnitOfWork], Any], actor: str, approver: str | None = None) -> Any:
        return run(self.engine, work, actor=actor, approver=approver)
