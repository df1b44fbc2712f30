"""A year of daily cycles, with debits that come back at random: each night every bucket is what the journal holds.

Some are debited by mandates, in files that a bank reads and answers; some are paid by check, late or not, now and then
reversed; some stop paying, are charged off and recovered from; some are modified on the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.dates import Month
from ledger.money import Money
from ledger.queries.accounts import role_map
from servicing.buckets import buckets
from servicing.commands.ach_build import build_file
from servicing.commands.ach_returns import Desk, take_file
from servicing.commands.attempts import is_stopped
from servicing.commands.autopay import run_autopay, run_settlements
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.charge_offs import take_recovery
from servicing.commands.cycle import run_cycle
from servicing.commands.modifications import modify
from servicing.commands.payments import reverse_payment, take_payment
from servicing.drafts import LoanDraft
from servicing.errors import ModificationRefused
from servicing.nacha.errors import AchNothingToSend
from servicing.posting_rules import BALANCE_ROLES
from servicing.queries import LoanView, loan_view
from servicing.rail_queries import instructions
from servicing.rails.instruction import Status
from servicing.state import CLOSED
from tests.integration.servicing.test_ach_files import PROGRAM, VAULT, authorize, do
from tests.integration.servicing.test_ach_months import Bank
from tests.integration.servicing.test_run_cycle import portfolio
from tests.support.ach_answers import answer_file
from tests.support.loan_lives import ACTOR, open_book

pytestmark = pytest.mark.once

OPENING, NIGHTS = date(2026, 1, 15), 365
DEBITED, PAYING, FAILING = "debited", "paying", "failing"
GIVES_UP_AFTER = timedelta(days=100)
CLAIM = "CHARGED_OFF_CLAIM"


@dataclass
class Year:
    """A lender, its bank, and what happens to its loans; the same of one seed."""

    engine: sa.Engine
    code: str
    chance: Random
    bank: Bank
    loans: tuple[int, ...] = ()
    paid: list[tuple[int, int]] = field(default_factory=list)
    answered: int = 1
    done: Counter[str] = field(default_factory=Counter)

    def open(self) -> None:
        """Board the loans; a third of them has a mandate."""
        drafts = [replace(each, external_id=f"Y-{n}") for n, each in enumerate(portfolio()[::3])]
        # Of two loans that fail, one is charged off by its days past due.
        drafts = [_failing(each, n) if _role(n) == FAILING else each for n, each in enumerate(drafts)]
        open_book(self.engine, self.code, OPENING)
        self.loans = tuple(do(self.engine, lambda uow: board_and_fund_loans(uow, self.code, drafts)))
        for place, loan_id in enumerate(self.loans):
            if _role(place) == DEBITED:
                authorize(self.engine, loan_id, OPENING)

    def live(self, day: date) -> None:
        """Live a day as the lender does: what comes in first, what goes out then, the daily cycle last."""
        do(self.engine, lambda uow: books.advance_business_date(uow, self.code, day))
        run_settlements(self.engine, self.code, day, actor=ACTOR)
        if day.weekday() < 5:
            self._take_answers(day)
        for place, loan_id in enumerate(self.loans):
            self._happen(place, loan_id, day)
        run_autopay(self.engine, self.code, day, actor=ACTOR)
        with suppress(AchNothingToSend):
            self.bank.receive(do(self.engine, lambda uow: build_file(uow, VAULT, self.code, PROGRAM, at=time(10))).data)
        report = run_cycle(self.engine, self.code, day, actor=ACTOR)
        assert report.failures == ()

    def _take_answers(self, day: date) -> None:
        answers = self.bank.answers()
        if answers:
            data = answer_file(answers, made_on=day, first=self.answered)
            self.answered += len(answers)
            do(self.engine, lambda uow: take_file(uow, self.code, data, desk=Desk(vault=VAULT)))

    def _happen(self, place: int, loan_id: int, day: date) -> None:
        role, chance = _role(place), self.chance.random()
        if role == FAILING and day > OPENING + GIVES_UP_AFTER:
            if chance < 0.02 and self._view(loan_id).state.status == "charged_off":
                self._do("recoveries", take_recovery, loan_id, day, agency="Example Recovery")
        elif role != DEBITED and chance < 0.05:
            self._do("payments", take_payment, loan_id, day)
        elif role == PAYING and chance < 0.06 and self.paid:
            paid_by, number = self.paid.pop(self.chance.randrange(len(self.paid)))
            self._run(
                "reversals", lambda uow: reverse_payment(uow, paid_by, number, "misapplied", f"undo:{day}:{place}")
            )
        elif role == PAYING and chance > 0.995:
            self._modify(loan_id, day)

    def _do(self, what: str, command: Any, loan_id: int, day: date, **told: Any) -> None:
        name = f"{what}:{day}"
        back = 0 if what == "recoveries" else self.chance.choice((0, 0, 0, 1, 7))
        given = {
            "amount": Money(self.chance.choice((88_849, 104_000, 25_000, 90_000)), "USD"),
            "effective_date": max(OPENING, day - timedelta(days=back)),
            "method": "check",
            "external_id": name,
            "request_key": name,
        }
        made = self._run(what, lambda uow: command(uow, loan_id, **given, **told))
        if what == "payments":
            self.paid.append((loan_id, made.payment_id))

    def _modify(self, loan_id: int, day: date) -> None:
        extend = partial(modify, kind="extend", told={"installments": "3"}, reason="hardship", approved_by="second")
        with suppress(ModificationRefused):
            self._run("modifications", lambda uow: extend(uow, loan_id, effective_date=day, request_key=f"ext:{day}"))

    def _run(self, what: str, work: Any) -> Any:
        made = do(self.engine, work)
        self.done[what] += 1
        return made

    def _view(self, loan_id: int) -> LoanView:
        with self.engine.connect() as connection:
            return loan_view(connection, loan_id)


def _role(place: int) -> str:
    return (DEBITED, PAYING, FAILING)[place % 3]


def _failing(draft: LoanDraft, place: int) -> LoanDraft:
    rules = {"charge_off_dpd": 90} if place % 2 else {"non_accrual_dpd": 60, "charge_off_dpd": 150}
    return replace(draft, terms=replace(draft.terms, product=draft.terms.product.model_copy(update=rules)))


_HELD = sa.text(
    "SELECT b.subledger_id, a.code, b.balance FROM ledger.account_balance b"
    " JOIN ledger.account a ON a.account_id = b.account_id WHERE b.subledger_id = ANY (:ids)"
)


def differences(year: Year) -> Iterator[str]:
    """Yield where a bucket, or a claim, is not what the journal holds; one query reads it for all loans."""
    with year.engine.connect() as connection:
        roles = role_map(connection, year.code, "default")
        held: dict[int, dict[str, int]] = {}
        for loan_id, code, balance in connection.execute(_HELD, {"ids": list(year.loans)}):
            held.setdefault(loan_id, {})[code] = balance
        for loan_id in year.loans:
            yield from _differences(loan_view(connection, loan_id), held[loan_id], roles)


def _differences(view: LoanView, held: dict[str, int], roles: Any) -> Iterator[str]:
    booked = {name: sum(held.get(roles[role], 0) for role in of) for name, of in BALANCE_ROLES.items()}
    found = {name: bucket.total for name, bucket in buckets(view.state).items()} | {"unapplied": view.state.unapplied}
    if view.state.charged_off_on is not None:
        found = {"unapplied": view.state.unapplied, "claim": view.state.payoff}
        booked = {"unapplied": booked["unapplied"], "claim": held.get(roles[CLAIM], 0)}
    if view.loan.terms.product.accrual == "monthly" and view.on != Month.of(view.on).last_day:
        # Interest is booked at the month's end, and when something happens.
        found.pop("interest", None)
    for name, minor in found.items():
        if booked[name] != minor:
            yield f"{view.on}, loan {view.loan.loan_id}: {name} is {minor} of the loan, {booked[name]} of the journal"


@pytest.mark.parametrize("seed", [4, pytest.param(5, marks=pytest.mark.deep)])
def test_each_night_of_a_year_every_bucket_is_what_the_journal_holds(engine: sa.Engine, seed: int) -> None:
    year = Year(engine, f"Y{seed}", Random(seed), Bank(Random(seed), answers_of=0.4))
    year.open()

    for night in range(1, NIGHTS + 1):
        year.live(OPENING + timedelta(days=night))
        assert list(differences(year)) == []

    with engine.connect() as connection:
        statuses = Counter(loan_view(connection, loan_id).state.status for loan_id in year.loans)
        moved = Counter(each.status for loan_id in year.loans for each in instructions(connection, loan_id))
        stopped = [loan_id for loan_id in year.loans if is_stopped(connection, loan_id)]
    # What the year has shown: all of it happened.
    assert {"active", "paid_off", "charged_off"} <= set(statuses)
    assert {Status.SETTLED, Status.RETURNED} <= set(moved)
    assert {"payments", "reversals", "recoveries", "modifications"} <= set(year.done)
    assert year.bank.sent["RETRY PYMT"] >= 1
    assert stopped
    assert set(statuses) - {"active", "non_accrual"} <= CLOSED
