"""What people try: several steps that belong together, of which the last lacks one thing only.

Chance alone seldom comes that close. Whether a try succeeds, the reference says. Next: `application_steps.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.property.origination.application_reference import KINDS, OUT, Case
from tests.property.origination.application_steps import HAS_CASES, PEOPLE, WHICH, ApplicationSteps

UP_TO: dict[str, tuple[str, ...]] = {
    "approved": ("received", "declined"),
    "accepted": ("received", "declined", "approved"),
}


class ApplicationMachine(ApplicationSteps):
    """Takes any step at any time, and tries some on purpose."""

    def bring(self, which: int, state: str) -> tuple[Case, int]:
        """Return an application that is brought to a state if it can be, with the number by which it is found."""
        case = self.case(which, state, *UP_TO[state])
        for _ in range(4):
            if case.state in UP_TO[state]:
                self.further(case, 1)
        return case, self.number_of(case)

    @HAS_CASES
    @rule(which=WHICH, days=st.sampled_from([0, 0, 1]), wait=st.sampled_from([0, 1, 2]), again=st.booleans())
    def accept_late(self, which: int, days: int, wait: int, again: bool) -> None:
        """Accept an offer at the end of its days, or after them, or after others took its place."""
        case, number = self.bring(which, "approved")
        self.offer(number, [(case.amount, None), (case.amount, 0)], days, is_counter=False)
        if wait:
            self.advance_some(wait)
        if again:
            self.offer(number, [(400_000, None)], 5, is_counter=True)
        self.accept(number, 2 if again else 1, "whole", "web")

    @HAS_CASES
    @rule(which=WHICH, people=st.lists(PEOPLE, min_size=1, max_size=3), funder=st.integers(0, 2))
    def fund_with(self, which: int, people: Sequence[str], funder: int) -> None:
        """Let some approve, of whom one funds; then somebody else."""
        case, number = self.bring(which, "accepted")
        if case.contract is not None:
            for name in sorted(set(case.contract.rules["conditions"]) - case.conditions):
                self.settle_condition(number, name, "omar", "note 77", waive=False)
        for person in people:
            self.approve(number, person)
        self.fund(number, people[funder % len(people)])
        self.fund(number, case.entered_by)

    @HAS_CASES
    @rule(which=WHICH, waive=st.booleans(), left_out=st.integers(0, 3))
    def fund_without(self, which: int, waive: bool, left_out: int) -> None:
        """Let enough approve, but leave a condition open, or not."""
        case, number = self.bring(which, "accepted")
        names = [] if case.contract is None else sorted(set(case.contract.rules["conditions"]) - case.conditions)
        for place, name in enumerate(names):
            if place != left_out:
                self.settle_condition(number, name, "olga", "seen", waive=waive)
        for person in ("omar", "olga", "ann", "cleo"):
            self.approve(number, person)
        self.fund(number, "fred")

    @HAS_CASES
    @rule(which=WHICH, kind=st.sampled_from(sorted(KINDS)), people=st.lists(PEOPLE, min_size=2, max_size=2))
    def judge_with(self, which: int, kind: str, people: Sequence[str]) -> None:
        """Ask the policy, and decide as somebody who has too little authority, or hardly enough."""
        case = self.case(which, "received")
        self.ask_policy(self.number_of(case), kind)
        if case.decisions:
            asked = KINDS[case.decisions[-1].kind][0]
            decided = [each for each in self.reference.cases if each.decisions]
            number = 2 * (len(decided) - 1 - decided.index(case)) + 1
            for actor, approver in (("uma", None), ("uma", people[0]), (people[1], people[0])):
                self.judge(number, 0, "approve" if asked == "refer" else "override", actor, approver, "seen")

    @precondition(lambda self: any(case.payings for case in self.reference.cases))
    @rule(which=WHICH, wait=st.sampled_from([0, 1, 3, 4]), keep=st.booleans())
    def unwind(self, which: int, wait: int, keep: bool) -> None:
        """Take back what is out of a funding, all of it or all but one part, and cancel it on some day."""
        case = self.case(which, "funded")
        if wait:
            self.advance_some(wait)
        for place, each in enumerate(case.payings):
            if each.status in OUT and not (keep and place == 0):
                self._move_paying(case, place, "returned")
        self.cancel(self.number_of(case), "fred")
