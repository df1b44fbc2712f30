"""The steps of applications, legal and illegal, by anybody at any time; and how one goes on as it should.

Next: `application_reference.py`, which says what must come of each; `application_attempts.py` for what people try.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from ledger.commands.books import advance_business_date
from origination.application import Action
from origination.commands import decide_application as decide_by_hand
from origination.commands import fund_applications, submit_application
from origination.decision_commands import decide_application as decide_by_policy
from origination.decision_commands import underwrite
from origination.funding.payout import PayeeAccount, PayoutIn
from origination.funding_commands import approve_funding, cancel_funding, decide_condition, fund_contract
from origination.offer_commands import accept_offer, make_offers
from origination.offers.offer import PricedOption
from servicing.commands.business_day import run_business_day
from servicing.commands.instructions import (
    InstructionIn,
    cancel_instruction,
    return_instruction,
    schedule_instruction,
    send_instruction,
    settle_instruction,
)
from servicing.rails.accounts import AccountNumber
from servicing.rails.instruction import Direction
from tests.integration.origination.test_decisions import sources
from tests.property.origination.application_laws import ApplicationLaws
from tests.property.origination.application_reference import KINDS, Case, Paying
from tests.property.origination.application_sides import FIRST_DAY, PRODUCTS, parts, usd

PEOPLE = st.sampled_from(["ann", "eve", "ben", "olga", "omar", "cleo", "fred", "uma", "sue"])
WHO_ENTERS = st.sampled_from(["ann", "eve", "olga", "sue"])
SECOND_PERSON = st.one_of(st.none(), PEOPLE)
WHICH = st.integers(0, 7)
NTH = st.integers(0, 3)
SOURCES = {
    "good": sources(),
    "refer": sources(inquiries=5),
    "refer_big": sources(inquiries=5, amount=1500001),
    "decline": sources(dti="41"),
    "counter": sources(amount=1500000, annual=4500000),
}
AMOUNTS = st.sampled_from([400_000, 500_000, 1_000_000, 2_000_000, 2_400_000, 3_000_000])
OPTIONS = st.lists(st.tuples(AMOUNTS, st.sampled_from([None, None, 0, 15_000, 3_000_000])), max_size=3)
PAYOUTS = st.sampled_from(["whole", "whole", "parts", "parts", "short", "no account", "an account too many"])
CONDITIONS = st.sampled_from(["signed", "insured", "contract-signed", "disclosures-given", "prayed"])
ACCOUNT = PayeeAccount(routing="021000021", number=AccountNumber("123456789"))
LAST_DAY = FIRST_DAY + timedelta(days=30)
STARTS = (1_000_000, 400_000, 3_000_000)
USUALLY = ("good", "refer", "good", "decline", "counter", "refer_big")
HAS_CASES = precondition(lambda self: self.reference.cases)


class ApplicationSteps(ApplicationLaws):
    """Takes any step at any time."""

    @initialize(ages=st.lists(st.integers(0, 8), min_size=3, max_size=3), second=st.booleans(), at_once=st.booleans())
    def enter_some(self, ages: list[int], second: bool, at_once: bool) -> None:
        """Begin with some that have rules of their own and one that has not, each gone on for so many steps."""
        self.open_book()
        self.use_rules(second)
        self.at_once = at_once
        for age, product, amount in zip(ages, ("installment", "plain", "installment"), STARTS, strict=True):
            self.enter("ann", product, amount, ("ach",), 0)
            self.further(self.reference.cases[-1], age)

    # --- Entering, deciding -------------------------------------------------------------------------------

    @rule(
        actor=WHO_ENTERS,
        product=st.sampled_from(sorted(PRODUCTS)),
        amount=AMOUNTS,
        rails=st.sampled_from([("ach",), ("ach",), ("ach", "ach"), ("ach", "wire"), ("check",)]),
        ahead=st.sampled_from([0, 0, 0, 1, 3]),
    )
    def enter(self, actor: str, product: str, amount: int, rails: tuple[str, ...], ahead: int) -> None:
        """Enter an application."""
        name = self.key()
        given = self.request(name, product, amount, rails, ahead)
        done = self.take(lambda: None, lambda uow: submit_application(uow, self.code, given), actor=actor)
        assert done is not None
        case = Case(done[1], name, actor, product, amount, rails, given.terms.funded_on)
        case.history.append(("enter", "received", actor))
        self.reference.cases.append(case)

    @HAS_CASES
    @rule(which=WHICH, kind=st.sampled_from(sorted(KINDS)))
    def ask_policy(self, which: int, kind: str) -> None:
        """Let the policy decide."""
        case = self.case(which, "received")
        done = self.take(
            lambda: self.reference.decide_by_policy(case, kind),
            lambda uow: decide_by_policy(uow, self.code, case.number, "small", SOURCES[kind]),
            actor="bot",
        )
        if done is not None:
            assert done[1].decision.outcome == KINDS[kind][0]
            self.reference.decided(case, kind, done[1].decision_id)

    @HAS_CASES
    @rule(which=WHICH, action=st.sampled_from(list(Action)), actor=PEOPLE)
    def decide(self, which: int, action: Action, actor: str) -> None:
        """Approve, decline or withdraw by hand, or try what takes more than that."""
        case = self.case(which, "received")
        done = self.take(
            lambda: self.reference.decide_by_hand(case, str(action), actor),
            lambda uow: decide_by_hand(uow, self.code, case.number, action),
            actor=actor,
        )
        if done is not None:
            case.move(str(action), actor)

    @precondition(lambda self: any(case.decisions for case in self.reference.cases))
    @rule(
        which=WHICH,
        nth=NTH,
        verdict=st.sampled_from(["approve", "approve", "decline", "override"]),
        actor=st.sampled_from(["uma", "sue", "olga", "ann", "ben"]),
        approver=st.sampled_from([None, "uma", "sue", "olga", "ben"]),
        reason=st.sampled_from(["seen the salary", " "]),
    )
    def judge(self, which: int, nth: int, verdict: Any, actor: str, approver: str | None, reason: str) -> None:
        """Decide as an underwriter."""
        decided = [case for case in self.reference.cases if case.decisions]
        if which % 2 == 0:
            decided = [case for case in decided if case.state in ("received", "declined")] or decided
        case = decided[-1 - which // 2 % len(decided)]
        decision = case.decisions[-1 - nth % len(case.decisions)]
        reasons = ("inquiries",) if verdict == "decline" else ()
        done = self.take(
            lambda: self.reference.underwrite(case, decision, verdict, actor, approver, reason),
            lambda uow: underwrite(uow, self.code, decision.decision_id, verdict, reason=reason, reasons=reasons),
            actor=actor,
            approver=approver,
        )
        if done is not None:
            decision.underwritten = True
            case.move(done[0], actor)

    # --- Offers and contracts -----------------------------------------------------------------------------

    @HAS_CASES
    @rule(which=WHICH, options=OPTIONS, days=st.integers(-1, 6), is_counter=st.booleans())
    def offer(self, which: int, options: list[tuple[int, int | None]], days: int, is_counter: bool) -> None:
        """Make a set of offers."""
        case, until = self.case(which, "approved"), self.reference.today + timedelta(days=days)
        priced = [
            PricedOption(amount=usd(amount), installments=12, rate=Decimal(11), fee=None if fee is None else usd(fee))
            for amount, fee in options
        ]
        done = self.take(
            lambda: self.reference.make_offers(case, options, until),
            lambda uow: make_offers(uow, self.code, case.number, priced, expires_on=until, is_counter=is_counter),
            actor="ben",
        )
        if done is not None:
            case.offers.extend(done[0])

    @HAS_CASES
    @rule(which=WHICH, nth=st.integers(0, 4), how=PAYOUTS, actor=st.sampled_from(["web", "ann", "eve"]))
    def accept(self, which: int, nth: int, how: str, actor: str) -> None:
        """Accept an offer: one of the latest, an old one, or one that nobody made."""
        case = self.case(which, "approved")
        offer_no = len(case.offers) + 1 - nth
        offered = next((each.proceeds for each in case.offers if each.offer_no == offer_no), 30_000)
        given = [
            PayoutIn(payee=f"{rail} payee", rail=rail, amount=usd(amount), account=ACCOUNT if has_account else None)
            for rail, amount, has_account in parts(how, offered)
        ]
        done = self.take(
            lambda: self.reference.accept(case, offer_no, lambda proceeds: parts(how, proceeds)),
            lambda uow: accept_offer(uow, self.code, case.number, offer_no, given, vault=self.vault),
            actor=actor,
        )
        if done is not None:
            case.contract = done[0]
            case.move("accept", actor)

    # --- Fundings -----------------------------------------------------------------------------------------

    @rule(is_second=st.booleans())
    def change_rules(self, is_second: bool) -> None:
        """Load other rules for contracts to come."""
        self.use_rules(is_second)

    @HAS_CASES
    @rule(which=WHICH, actor=PEOPLE)
    def approve(self, which: int, actor: str) -> None:
        """Approve a funding."""
        case = self.case(which, "accepted")
        done = self.take(
            lambda: self.reference.approve(case, actor),
            lambda uow: approve_funding(uow, self.code, case.number),
            actor=actor,
        )
        if done is not None:
            case.approvals.add(actor)

    @HAS_CASES
    @rule(which=WHICH, name=CONDITIONS, actor=PEOPLE, evidence=st.sampled_from(["note 77", " "]), waive=st.booleans())
    def settle_condition(self, which: int, name: str, actor: str, evidence: str, waive: bool) -> None:
        """Satisfy a condition, or waive it."""
        case = self.case(which, "accepted")
        done = self.take(
            lambda: self.reference.decide_condition(case, name, actor, evidence, waive),
            lambda uow: decide_condition(uow, self.code, case.number, name, evidence=evidence, waive=waive),
            actor=actor,
        )
        if done is not None:
            case.conditions.add(name)

    @HAS_CASES
    @rule(which=WHICH, actor=PEOPLE)
    def fund(self, which: int, actor: str) -> None:
        """Fund a contract."""
        case = self.case(which, "accepted")
        done = self.take(
            lambda: self.reference.fund_contract(case, actor),
            lambda uow: fund_contract(uow, self.code, case.number, vault=self.vault),
            actor=actor,
        )
        if done is not None:
            case.payings, case.loan_id = done[0], done[1].loan_id
            case.move("fund_contract", actor)
            assert done[1].due_on == case.payings[0].due_on
            assert case.contract is not None
            assert done[1].cancel_until == case.contract.cancel_until

    @HAS_CASES
    @rule(which=st.lists(WHICH, min_size=1, max_size=2), actor=PEOPLE, approver=SECOND_PERSON)
    def fund_directly(self, which: Sequence[int], actor: str, approver: str | None) -> None:
        """Fund applications without a contract, all or none."""
        cases = list({case.number: case for case in (self.case(each, "approved") for each in which)}.values())
        numbers = [case.number for case in cases]
        done = self.take(
            lambda: self.reference.fund_directly(cases, actor, approver),
            lambda uow: fund_applications(uow, self.code, numbers),
            actor=actor,
            approver=approver,
        )
        for case, funded in zip(cases, () if done is None else done[1], strict=done is not None):
            case.loan_id = funded.loan_id
            case.move("fund", actor)

    @HAS_CASES
    @rule(which=WHICH, actor=PEOPLE)
    def cancel(self, which: int, actor: str) -> None:
        """Cancel a funding."""
        case = self.case(which, "funded")
        done = self.take(
            lambda: self.reference.cancel(case),
            lambda uow: cancel_funding(uow, self.code, case.number, reason="rescinded"),
            actor=actor,
        )
        if done is not None:
            for each in case.payings:
                each.status = "canceled" if each.status == "scheduled" else each.status
            case.move("cancel", actor)

    # --- What pays the proceeds out -----------------------------------------------------------------------

    @precondition(lambda self: any(case.payings for case in self.reference.cases))
    @rule(which=WHICH, nth=NTH, status=st.sampled_from(["sent", "sent", "settled", "returned", "canceled"]))
    def move_paying(self, which: int, nth: int, status: str) -> None:
        """Send a part of the proceeds, settle it, take it back, or give it up."""
        paid = [case for case in self.reference.cases if case.payings]
        case = paid[-1 - which % len(paid)]
        place = nth % len(case.payings)
        self._move_paying(case, place, status)

    def _move_paying(self, case: Case, place: int, status: str) -> None:
        paying, key, loan_id = case.payings[place], self.key(), case.loan_id or 0
        work: dict[str, Callable[[Any], Any]] = {
            "sent": lambda uow: send_instruction(uow, loan_id, place + 1, request_key=key),
            "settled": lambda uow: settle_instruction(uow, loan_id, place + 1, request_key=key),
            "returned": lambda uow: return_instruction(uow, loan_id, place + 1, code="lost", request_key=key),
            "canceled": lambda uow: cancel_instruction(uow, loan_id, place + 1, reason="x", request_key=key),
        }
        done = self.take(lambda: self.reference.move_paying(paying, status), work[status], actor="fred")
        if done is not None:
            self.reference.moved_paying(paying, status)
            assert done[1].settles_on == paying.settles_on or status != "sent"

    @precondition(lambda self: any(case.loan_id for case in self.reference.cases))
    @rule(which=WHICH, hundredths=st.sampled_from([1, 50, 100, 101]))
    def pay_again(self, which: int, hundredths: int) -> None:
        """Schedule what is unsent once more, or more than that."""
        paid = [case for case in self.reference.cases if case.loan_id is not None]
        case, key = paid[-1 - which % len(paid)], self.key()
        amount = max(case.unsent(), 100) * hundredths // 100
        given = InstructionIn(
            direction=Direction.CREDIT,
            method="check",
            amount=usd(amount),
            due_on=self.reference.today,
            payee="once more",
        )
        done = self.take(
            lambda: self.reference.pay_again(case, amount),
            lambda uow: schedule_instruction(uow, case.loan_id or 0, given, request_key=key),
            actor="fred",
        )
        if done is not None:
            case.payings.append(Paying(amount, "check", self.reference.today))

    # --- Time, and what is legal --------------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 1, 2, 4]))
    def advance(self, days: int) -> None:
        """Go on by days, but not until installments are due."""
        self.advance_some(days)

    def advance_some(self, days: int) -> None:
        """Go on by days and run the day, unless the month is over."""
        if self.reference.today + timedelta(days=days) > LAST_DAY:
            return
        day = self.reference.today + timedelta(days=days)
        self.take(lambda: None, lambda uow: advance_business_date(uow, self.code, day), actor="clock")
        report = run_business_day(self.engine, self.code, day, actor="clock")
        assert not report.failed, report
        self.reference.advance(day)

    @HAS_CASES
    @rule(which=WHICH, steps=st.integers(1, 6))
    def go_on(self, which: int, steps: int) -> None:
        """Take an application further, as those would who know what is wanted."""
        self.further(self.case(which, "received", "approved", "accepted", "funded"), steps)

    def further(self, case: Case, steps: int) -> None:
        """Take so many legal steps."""
        which = self.number_of(case)
        for _ in range(steps):
            self._next(case, which)

    def number_of(self, case: Case) -> int:
        """Return the number by which `case` finds this one, whatever its state."""
        return 2 * (len(self.reference.cases) - 1 - self.reference.cases.index(case)) + 1

    def _next(self, case: Case, which: int) -> None:
        place = which // 2 + len(case.history)
        if case.state == "received" and not case.decisions:
            self.ask_policy(which, USUALLY[place % len(USUALLY)])
        elif case.state == "received":
            self.judge_last(case, "approve" if KINDS[case.decisions[-1].kind][0] == "refer" else "override")
        elif case.state == "declined" and case.decisions and not case.decisions[-1].underwritten:
            self.judge_last(case, "override")
        elif case.state == "approved" and case.product not in self.reference.rules and not case.offers and self.at_once:
            self.fund_directly([which], "fred", "cleo")
        elif case.state == "approved" and not any(each.expires_on >= self.reference.today for each in case.offers[-1:]):
            self.offer(which, [(case.amount, None)], 5, is_counter=False)
        elif case.state == "approved":
            self.accept(which, 1, "parts" if place % 2 else "whole", "web")
        elif case.state == "accepted":
            self._prepare(case, which)
        elif case.state == "funded" and case.payings:
            for place, each in enumerate(case.payings):
                if each.status == "scheduled":
                    self._move_paying(case, place, "sent")
                elif each.status == "sent" and (
                    each.rail == "wire" or (each.settles_on or FIRST_DAY) <= self.reference.today
                ):
                    self._move_paying(case, place, "settled")

    def _prepare(self, case: Case, which: int) -> None:
        assert case.contract is not None
        for name in sorted(set(case.contract.rules["conditions"]) - case.conditions):
            self.settle_condition(which, name, "omar", "note 77", waive=False)
        for person in ("omar", "olga", "ann", "cleo"):
            if person not in case.approvals:
                self.approve(which, person)
        self.fund(which, "fred")

    def judge_last(self, case: Case, verdict: str) -> None:
        """Decide on the last word of the policy, as somebody who may."""
        decided = [each for each in self.reference.cases if each.decisions]
        actor = "sue" if case.entered_by != "sue" else "olga"
        self.judge(2 * (len(decided) - 1 - decided.index(case)) + 1, 0, verdict, actor, None, "seen the salary")

    @invariant()
    def both_say_the_same(self) -> None:
        """Compare where everything stands."""
        if hasattr(self, "reference"):
            self.compare()
