"""Applications from their submission to their end on the shipped workflow: sources, policy, people, offers, funding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.applications import take, withdraw
from api.automatic_tasks import programs
from api.edge import Edge
from ledger.unit_of_work import UnitOfWork
from origination.application import ApplicationState
from origination.decision_queries import decisions_of
from origination.errors import AuthorityMissing, DecisionMissing
from origination.funding_queries import funding, offers
from origination.intake_commands import Opening
from origination.offer_commands import accept_offer
from origination.policies.authority import read_authority
from origination.policies.document import shipped_text
from origination.policies.engine import read_policy
from origination.policy_commands import activate_policy, load_authority, load_policy
from origination.queries import application
from origination.verification.source import read_sources
from origination.verification_commands import load_source
from origination.workflow.acts import Completion, Person
from origination.workflow.state import Phase
from origination.workflow_commands import moving
from origination.workflow_commands.running import Runner, advance
from origination.workflow_queries import workflow_of
from servicing.queries import loan_view
from servicing.rail_queries import instructions
from tests.integration.origination.conftest import BOOK
from tests.support.applications import vault
from tests.support.known_people import asked_by, write_sources

pytestmark = pytest.mark.twice

NOTED = {"notes": ["seen"]}


class Lender:
    """The people and programs of a lender at work, at a moment that the test moves."""

    def __init__(self, edge: Edge) -> None:
        self.edge, self.now = edge, datetime.now(UTC) + timedelta(minutes=5)

    def applies(self, name: str, **changes: Any) -> int:
        opening = Opening(product="personal", channel="web", external_id=f"W-{name}")
        data = asked_by(name, **changes)
        taken = self.edge.change(lambda uow: take(uow, vault(), BOOK, opening, data, submit=True), actor="clerk")
        assert taken["submission"]["workflow_started"]
        number: int = taken["application_id"]
        self.goes_on(number)
        return number

    def goes_on(self, number: int) -> None:
        runner = Runner(self.edge.engine, BOOK, programs(self.edge, BOOK, vault()).find, "workflow", self.now)
        advance(runner, number)

    def does(self, number: int, step: str, outcome: str, who: str, **given: Any) -> None:
        """Claim a task and complete it, with a note as evidence; the application goes on."""
        visit = self.view(number).position.state.at_step(step)
        assert visit is not None, self.at(number)
        completion = Completion(outcome, {}, NOTED, given.pop("reason", None))

        def claim(uow: UnitOfWork, person: Person) -> None:
            moving.claim_task(uow, BOOK, number, visit.number, person)

        def complete(uow: UnitOfWork, person: Person) -> None:
            moving.complete_task(uow, BOOK, number, visit.number, person, completion)

        for act in (claim, complete):
            self.edge.change(partial(act, person=Person(who, self.now)), actor=who, **given)
        self.goes_on(number)

    def accepts(self, number: int, offer_no: int = 1) -> None:
        """Accept an offer, as the door does that tells the workflow."""

        def work(uow: UnitOfWork) -> None:
            moving.tell_waiting(uow, BOOK, number, "accepted", Person("borrower", self.now))
            accept_offer(uow, BOOK, number, offer_no, vault=vault())

        self.edge.change(work, actor="borrower")
        self.goes_on(number)

    def signals(self, number: int, name: str) -> None:
        person = Person("borrower", self.now)
        self.edge.change(lambda uow: moving.send_signal(uow, BOOK, number, name, person, facts={}), actor="borrower")
        self.goes_on(number)

    def waits(self, number: int, **span: int) -> None:
        self.now += timedelta(**span)
        self.goes_on(number)

    def view(self, number: int) -> Any:
        return self.edge.read(lambda connection: workflow_of(connection, BOOK, number, now=self.now))

    def at(self, number: int) -> tuple[str, ...]:
        """Return the steps at which an application stands; at its end, what came of it."""
        state = self.view(number).position.state
        return state.steps if state.phase is Phase.RUNNING else (state.result,)

    def state(self, number: int) -> ApplicationState:
        return self.edge.read(lambda connection: application(connection, number)).state


@pytest.fixture
def lender(edge: Edge, tmp_path: Path) -> Lender:
    """Return a lender with sources, the shipped policy and limits of authority in force."""
    policy = read_policy(shipped_text("personal.toml"))
    declared = read_sources(write_sources(tmp_path).read_text(encoding="utf-8"))

    def load(uow: UnitOfWork) -> None:
        for source in declared:
            load_source(uow, source)
        load_policy(uow, policy)
        load_authority(uow, read_authority(shipped_text("authority.toml")))

    def activate(uow: UnitOfWork) -> None:
        activate_policy(uow, BOOK, policy.content_hash, reason="first")

    edge.change(load, actor="ops", approver="chief")
    edge.change(activate, actor="ops", approver="chief")
    return Lender(edge)


def test_an_approved_application_comes_to_a_loan_that_is_what_was_accepted(lender: Lender) -> None:
    number = lender.applies("ann", bank__routing="021000021", bank__account_number="12345678", bank__kind="checking")

    # Verified, decided and offered with nobody's hand: 36 months as asked, and the other terms of the policy.
    assert lender.at(number) == ("acceptance",)
    found = lender.edge.read(lambda connection: offers(connection, BOOK, number))
    assert [each.offer.terms.installments for each in found] == [36, 24, 48, 60]
    assert {str(each.offer.terms.rate) for each in found} == {"7.99"}

    lender.accepts(number, 2)
    assert lender.at(number) == ("funding_check",)
    lender.does(number, "funding_check", "complete", "carl")
    lender.does(number, "funding_release", "released", "fay")

    assert (lender.at(number), lender.state(number)) == (("funded",), ApplicationState.FUNDED)
    view = lender.edge.read(lambda connection: funding(connection, BOOK, number))
    assert [each.actor for each in view.approvals] == ["fay"]
    assert {decided.actor for _, decided in view.conditions if decided is not None} == {"carl"}
    assert view.loan_id is not None
    loan = lender.edge.read(lambda connection: loan_view(connection, view.loan_id or 0)).loan
    assert loan.terms == found[1].offer.terms
    # 12,000.00 less the fee of the grid, 1 percent, to the account that the applicant gave, typed once.
    (sent,) = lender.edge.read(lambda connection: instructions(connection, view.loan_id or 0))
    assert (sent.amount, sent.method) == (1_188_000, "ach_credit")


def test_what_the_policy_refers_an_underwriter_decides_by_the_task(lender: Lender) -> None:
    number = lender.applies("ben")
    assert lender.at(number) == ("underwrite",)

    with pytest.raises(AuthorityMissing):
        lender.does(number, "underwrite", "approve", "nobody")
    # Nothing of the refused completion is kept but the claim.
    assert (lender.at(number), lender.state(number)) == (("underwrite",), ApplicationState.RECEIVED)
    visit = lender.view(number).position.state.at_step("underwrite")
    person = Person("nobody", lender.now)
    lender.edge.change(
        lambda uow: moving.release_task(uow, BOOK, number, visit.number, person, reason="no authority"), actor="nobody"
    )
    lender.does(number, "underwrite", "approve", "sue", reason="The judgment was paid in 2019")

    assert (lender.at(number), lender.state(number)) == (("acceptance",), ApplicationState.APPROVED)
    (decision,) = lender.edge.read(lambda connection: decisions_of(connection, number))
    assert decision.outcome == "refer"


def test_what_the_policy_declines_ends_there(lender: Lender) -> None:
    number = lender.applies("cara")

    assert (lender.at(number), lender.state(number)) == (("declined",), ApplicationState.DECLINED)


def test_an_underwriter_declines_with_the_reasons_of_the_referral(lender: Lender) -> None:
    number = lender.applies("ben")
    lender.does(number, "underwrite", "decline", "uma")

    assert (lender.at(number), lender.state(number)) == (("declined",), ApplicationState.DECLINED)
    events = lender.edge.read(lambda connection: application(connection, number)).events
    assert (events[-1].actor, events[-1].reason) == ("uma", "C1-18 Collection action or judgment")


def test_offers_that_are_refused_or_expire_leave_the_application_withdrawn(lender: Lender) -> None:
    refused, expired = lender.applies("ann"), lender.applies("ben")
    lender.does(expired, "underwrite", "approve", "sue", reason="paid")

    lender.signals(refused, "refused")
    lender.waits(expired, days=30)

    assert (lender.at(refused), lender.state(refused)) == (("withdrawn",), ApplicationState.WITHDRAWN)
    assert (lender.at(expired), lender.state(expired)) == (("expired",), ApplicationState.WITHDRAWN)


def test_what_is_withdrawn_by_hand_leaves_no_task_behind(lender: Lender) -> None:
    number = lender.applies("ben")

    lender.edge.change(lambda uow: withdraw(uow, BOOK, number, reason="found another"), actor="clerk")

    assert lender.view(number).position.state.phase is Phase.CANCELED
    assert lender.state(number) is ApplicationState.WITHDRAWN


def test_a_large_loan_is_released_by_two(lender: Lender) -> None:
    number = lender.applies("ann", application__amount=2_600_000, income__source="salary")
    lender.accepts(number)
    lender.does(number, "funding_check", "complete", "carl")
    lender.does(number, "funding_release", "released", "fay")
    assert lender.at(number) == ("second_release",)

    lender.does(number, "second_release", "released", "gus")

    assert (lender.at(number), lender.state(number)) == (("funded",), ApplicationState.FUNDED)


def test_a_signal_without_a_choice_freezes_the_one_offer_there_is(lender: Lender) -> None:
    number = lender.applies("ben")
    lender.does(number, "underwrite", "approve", "sue", reason="paid")

    # Who was referred has one offer: what was decided, and no other term.
    lender.signals(number, "accepted")

    assert (lender.at(number), lender.state(number)) == (("funding_check",), ApplicationState.ACCEPTED)


def test_a_policy_that_is_not_active_leaves_it_to_people_and_they_need_a_decision(edge: Edge, tmp_path: Path) -> None:
    lender = Lender(edge)

    def load(uow: UnitOfWork) -> None:
        for source in read_sources(write_sources(tmp_path).read_text(encoding="utf-8")):
            load_source(uow, source)

    edge.change(load, actor="ops")
    number = lender.applies("ann")
    assert lender.at(number) == ("decide",)
    # Tried three times in as many hours, then it is an underwriter's.
    lender.waits(number, hours=1)
    lender.waits(number, hours=2)

    assert lender.at(number) == ("underwrite",)
    with pytest.raises(DecisionMissing):
        lender.does(number, "underwrite", "approve", "sue")
