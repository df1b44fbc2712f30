"""Applications that go the whole way one by one: taken in, verified by a bureau, decided, offered, accepted, funded.

The bureau is a process of its own. Each day every application takes one step that a person takes, from wherever it
stands, so a demonstration that was killed goes on. Data of invented people are encrypted under a key that is no secret.
Next: `origination/workflow_commands/`, which does what programs do.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from api.automatic_tasks import Programs
from api.bureau.people import income, people
from api.bureau.process import KEY, running_bureau
from api.bureau.sources import as_toml
from api.demo.counter import CONTROLLER, FUNDER, OFFICER, POLICY, UNDERWRITER, is_own_underwriter
from api.demo.new_loan import NewLoan
from api.edge import Edge
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from origination.application import Action, ApplicationState
from origination.commands import decide_application
from origination.funding_queries import funding
from origination.intake.form import Form
from origination.intake.routing import parse_routing
from origination.intake_commands import Opening, form_in_force, load_routing, open_application, submit_intake
from origination.offer_commands import accept_offer
from origination.queries import states_by_name
from origination.verification.source import read_sources
from origination.verification_commands import load_source
from origination.workflow.acts import Completion, Person
from origination.workflow.reading import shipped_source
from origination.workflow.state import Phase, State
from origination.workflow_commands import moving
from origination.workflow_commands.running import Runner, advance
from origination.workflow_commands.starting import start_routed
from origination.workflow_commands.versions import load_workflow
from origination.workflow_queries import workflow_of
from servicing.vault import Vault

PRODUCT = "personal"
CLERK, CLOSER = "demo:clerk", "demo:closer"
FIRST_AFTER = timedelta(days=4)
A_DAY = 3
"""So many apply on a day."""
REFUSES, IN_DOUBT = 7, 3
"""Every so manieth refuses the offers; of those who are referred, every so manieth is declined."""


@dataclass(slots=True)
class FrontDoor:
    """The door of a book by which `count` people come; `paid` are the payments that are on the book by their names."""

    engine: sa.Engine
    book_code: str
    opening: date
    seed: int
    count: int
    paid: Mapping[str, int]
    stack: ExitStack
    loans: list[NewLoan] = field(default_factory=list)
    over: set[str] = field(default_factory=set)
    _programs: Programs | None = None

    @property
    def vault(self) -> Vault:
        """Return the vault of what these people say of themselves, who are nobody."""
        digest = hashlib.sha256(self.book_code.encode()).digest()
        return Vault.of_keys(base64.urlsafe_b64encode(digest).decode())

    def live(self, day: date) -> int:
        """Let every application take a step, and every loan its payments; return how many payments came."""
        names = {self._name(place): place for place in range(self.count) if self._applies_on(place) <= day}
        left = [name for name in names if name not in self.over]
        if left:
            standing = self._read(lambda connection: states_by_name(connection, self.book_code, left))
            for name in left:
                number, state = standing.get(name, (0, None))
                self._takes_a_step(name, names[name], number, state, day)
        return sum(loan.live(day) for loan in self.loans)

    def _takes_a_step(self, name: str, place: int, number: int, state: ApplicationState | None, day: date) -> None:
        if state is None:
            self._goes_on(self._applies(name, place, day), day)
            return
        at = self._read(lambda connection: workflow_of(connection, self.book_code, number, now=_noon(day)))
        if at.position.state.phase is not Phase.RUNNING:
            self.over.add(name)
            if state is ApplicationState.FUNDED:
                loan_id = self._read(lambda connection: funding(connection, self.book_code, number)).loan_id
                self.loans.append(NewLoan.of(self.engine, loan_id, name, self.paid))
            return
        steps = at.position.state.steps
        act = _ACTS.get(steps[0]) if steps else None
        if act is not None:
            act(self, number, place, at.position.state, day)
        self._goes_on(number, day)

    # --- What people do ------------------------------------------------------------------------------------

    def _applies(self, name: str, place: int, day: date) -> int:
        person = list(people(self.seed, place + 1))[place]
        form = self._read(lambda connection: form_in_force(connection, PRODUCT))
        data = _asked(form, person, place, self.seed, day)

        def work(uow: UnitOfWork) -> int:
            opening = Opening(product=PRODUCT, channel="web", external_id=name)
            number = open_application(uow, self.vault, self.book_code, opening, data).application_id
            sent = submit_intake(uow, self.vault, self.book_code, number, is_new=True)
            start_routed(uow, self.book_code, sent, Person(CLERK, _noon(day)))
            return number

        return run(self.engine, work, actor=CLERK)

    def _underwrites(self, number: int, place: int, state: State, day: date) -> None:
        if self._read(is_own_underwriter):
            outcome = "decline" if place % IN_DOUBT == 0 else "approve"
            self._completes(number, "underwrite", outcome, UNDERWRITER, state, day, approver=OFFICER)
            return

        def withdraw(uow: UnitOfWork) -> None:
            # The limits of somebody else are in force here, and the demonstration has no underwriter.
            moving.give_up(uow, self.book_code, number, Person(CLERK, _noon(day)), reason="nobody may decide")
            decide_application(uow, self.book_code, number, Action.WITHDRAW, reason="nobody may decide")

        run(self.engine, withdraw, actor=CLERK)

    def _answers(self, number: int, place: int, _state: State, day: date) -> None:
        def work(uow: UnitOfWork) -> None:
            borrower = Person("borrower", _noon(day))
            if place % REFUSES == REFUSES - 1:
                moving.send_signal(uow, self.book_code, number, "refused", borrower, facts={})
                return
            moving.tell_waiting(uow, self.book_code, number, "accepted", borrower)
            accept_offer(uow, self.book_code, number, 1, vault=self.vault)

        run(self.engine, work, actor="borrower")

    def _checks(self, number: int, _place: int, state: State, day: date) -> None:
        self._completes(number, "funding_check", "complete", CLOSER, state, day)

    def _releases(self, number: int, _place: int, state: State, day: date) -> None:
        self._completes(number, "funding_release", "released", FUNDER, state, day)

    def _releases_too(self, number: int, _place: int, state: State, day: date) -> None:
        self._completes(number, "second_release", "released", CONTROLLER, state, day)

    def _completes(
        self, number: int, step: str, outcome: str, who: str, state: State, day: date, approver: str | None = None
    ) -> None:
        """Claim the task of a step and complete it."""
        visit, person = state.at_step(step), Person(who, _noon(day))
        assert visit is not None, state.steps
        given = Completion(outcome, {}, {"notes": ["seen with the papers"]})

        def work(uow: UnitOfWork) -> None:
            if visit.owner is None:
                moving.claim_task(uow, self.book_code, number, visit.number, person)
            moving.complete_task(uow, self.book_code, number, visit.number, person, given)

        run(self.engine, work, actor=who, approver=approver)

    # --- What programs do ----------------------------------------------------------------------------------

    def _goes_on(self, number: int, day: date) -> None:
        if self._programs is None:
            self._programs = self._opened()
        advance(Runner(self.engine, self.book_code, self._programs.find, "workflow", _noon(day)), number)

    def _opened(self) -> Programs:
        """Start the bureau, and let the book be served by it, and by the demonstration's policy."""
        key = secrets.token_urlsafe(24)
        url = self.stack.enter_context(running_bureau(self.seed, key))
        declared = as_toml(url).replace('name = "bureau-', f'books = ["{self.book_code}"]\nname = "demo-bureau-')

        def work(uow: UnitOfWork) -> None:
            for source in read_sources(declared):
                load_source(uow, source)

        run(self.engine, work, actor=FUNDER)
        return Programs(Edge(self.engine, "of the demonstration"), self.book_code, self.vault, {KEY: key})

    def prepare(self) -> None:
        """Route the book's applications to the shipped workflow, decided by the demonstration's policy."""
        source = shipped_source("standard")
        source = source.replace('code = "standard"', f'code = "{POLICY}"').replace(
            "decide:personal", f"decide:{POLICY}"
        )
        routing = parse_routing({"route": [{"queue": "intake", "workflow": POLICY}]})

        def work(uow: UnitOfWork) -> None:
            load_workflow(uow, source, active_from=_noon(self.opening), reason="the demonstration's own")
            load_routing(uow, self.book_code, routing)

        run(self.engine, work, actor=FUNDER)

    def _name(self, place: int) -> str:
        return f"W-{place + 1:04}"

    def _applies_on(self, place: int) -> date:
        return self.opening + FIRST_AFTER + timedelta(days=place // A_DAY)

    def _read(self, work: Callable[[sa.Connection], Any]) -> Any:
        with self.engine.connect() as connection:
            return work(connection)


_ACTS: Mapping[str, Callable[[FrontDoor, int, int, State, date], None]] = {
    "underwrite": FrontDoor._underwrites,
    "acceptance": FrontDoor._answers,
    "funding_check": FrontDoor._checks,
    "funding_release": FrontDoor._releases,
    "second_release": FrontDoor._releases_too,
}


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(17), UTC)


def _asked(form: Form, person: Mapping[str, Any], place: int, seed: int, day: date) -> dict[str, Any]:
    """Return what somebody whom the bureau knows applies with, and consents to."""
    given_at = datetime.combine(day, time(15), UTC).isoformat()
    annual = income(seed, person["ssn"])["income"]["annual"]
    return {
        "application": {
            "amount": 200_000 + 50_000 * (place * 7 % 40),
            "term_months": (24, 36, 48)[place % 3],
            "purpose": "debt_consolidation",
            "state": person["state"],
        },
        "applicant": {name: value for name, value in person.items() if name != "state"} | {"housing": "own"},
        "income": {"annual": Money.parse(annual, form.currency).minor, "source": "salary"},
        "employment": {"status": "retired"},
        "consents": {
            each.kind: {"text_version": each.version, "given_at": given_at, "ip": "192.0.2.7"}
            for each in form.consents
            if each.required
        },
    }
