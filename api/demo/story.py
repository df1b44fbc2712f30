"""The story of the demonstration: board a portfolio, live its days, close its months.

Everything goes through the commands that the doors use, each day in its order, every act with a request key made from
the portfolio; so a demonstration that was killed goes on where it stopped, and a second one finds everything done.
Next: `servicing/portfolio.py`, which makes the portfolio; `api/demo/summary.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from api.demo.applicants import applicants
from api.demo.counter import CONTROLLER as APPROVER
from api.demo.counter import FUNDER as ACTOR
from api.demo.counter import Desk, open_counter
from api.demo.digests import publish_month_end
from api.demo.front_door import FrontDoor
from api.demo.hardship import RETRY, Day, Decision, with_hardship
from gl_export.commands.close import close_month
from gl_export.commands.settlement import settle_rails
from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.dates import Month
from ledger.queries.accounts import books
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.agreements import Trial, begin_trial
from servicing.commands.charge_offs import charge_off, take_recovery
from servicing.commands.modifications import modify
from servicing.commands.payments import return_payment, reverse_payment, take_payment
from servicing.drafts import LoanDraft
from servicing.events import Kind
from servicing.portfolio import Action, PaymentAction, script_life
from servicing.queries import boarded_loans, payment_numbers

T = TypeVar("T")

MONTHS = 3
SETTLEMENT = timedelta(days=2)
BOARDING_CHUNK = 500


class Advance(Protocol):
    """Called with the steps done, the steps there are, and what is being done."""

    def __call__(self, done: int, total: int, doing: str | None = None, /) -> None:
        """Show it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which books the demonstration lives in, from when, and with which loans; `left_out` of a tape are not lived.

    Beside them so many people come by the front door, one by one.
    """

    book_code: str
    opening: date
    currency: str
    drafts: tuple[LoanDraft, ...]
    seed: int
    left_out: int = 0
    front_door: int = 0

    @property
    def months(self) -> tuple[Month, ...]:
        """Return the months that are lived."""
        return tuple(Month.of(self.opening).plus(n) for n in range(MONTHS))


@dataclass(slots=True)
class Lived:
    """What a run did itself, and what it found done by an earlier one."""

    loans_boarded: int = 0
    loans_found: int = 0
    acts_done: Counter[str] = field(default_factory=Counter)
    acts_found: int = 0
    months_closed: int = 0
    months_found: int = 0


def live(engine: sa.Engine, plan: Plan, *, out_dir: Path, advance: Advance) -> Lived:
    """Live the plan from wherever an earlier run left it."""
    lived = Lived()
    business_date = _open_book(engine, plan)
    open_counter(engine, plan.book_code, plan.opening)
    days = with_hardship(script_life(plan.seed, plan.drafts, plan.opening, MONTHS), plan.drafts)
    total = sum(len(day.boarded) + len(day.actions) for day in days) + MONTHS * len(plan.drafts)
    with ExitStack() as stack:
        teller = _Teller(engine, plan, lived, partial(_report, advance, total), stack)
        for month in plan.months:
            for day in (day for day in days if month.contains(day.day)):
                teller.live(day, passed=day.day < business_date)
            _close(engine, plan, month, business_date, out_dir, lived)
            publish_month_end(engine, plan.book_code, month, out_dir)
            teller.step(len(plan.drafts), f"closed {month}")
    return lived


def _report(advance: Advance, total: int, done: int, doing: str) -> None:
    advance(done, total, doing)


def _open_book(engine: sa.Engine, plan: Plan) -> date:
    """Return the business date of the demonstration's book, opened now if it was not."""

    def work(uow: UnitOfWork) -> date:
        for book in books(uow.connection):
            if book.code == plan.book_code:
                return book.business_date
        name = "Demonstration lender"
        create_book(uow, code=plan.book_code, name=name, base_currency=plan.currency, opened_on=plan.opening)
        chart = (files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8")
        load_chart(uow, plan.book_code, parse_chart(chart, file="us_lender.toml"))
        return plan.opening

    return run(engine, work, actor=ACTOR)


def _close(engine: sa.Engine, plan: Plan, month: Month, business_date: date, out_dir: Path, lived: Lived) -> None:
    close_month(engine, plan.book_code, month, actor=ACTOR, approver=APPROVER, out_dir=out_dir)
    if business_date > month.last_day:
        lived.months_found += 1
    else:
        lived.months_closed += 1


def _kind(action: Action | Decision, entered: date) -> str:
    """Return what an act is called in the summary."""
    if isinstance(action, Decision):
        return action.what
    if isinstance(action, PaymentAction):
        if action.external_id.endswith(RETRY):
            return "retries"
        return "back-dated payments" if action.effective_date < entered else "payments"
    return "returns" if action.kind is Kind.RETURNED else "reversals"


class _Teller:
    """Lives one day after the other, and keeps count."""

    def __init__(
        self, engine: sa.Engine, plan: Plan, lived: Lived, report: Callable[[int, str], None], stack: ExitStack
    ) -> None:
        self.engine, self.plan, self.lived, self.report = engine, plan, lived, report
        self.desk = Desk(engine, plan.book_code)
        self.done = 0
        self.settled_through = plan.opening - SETTLEMENT
        with engine.connect() as connection:
            by_name = boarded_loans(connection, plan.book_code)
            self.payments = payment_numbers(connection, plan.book_code)
        self.door = FrontDoor(engine, plan.book_code, plan.opening, plan.seed, plan.front_door, self.payments, stack)
        if plan.front_door:
            self.door.prepare()
        self.loan_ids = {
            place: by_name[draft.external_id] for place, draft in enumerate(plan.drafts) if draft.external_id in by_name
        }

    def live(self, day: Day, *, passed: bool) -> None:
        """Live one business date; of one that has passed, only count what it held."""
        if passed:
            self.lived.loans_found += len(day.boarded)
            self.lived.acts_found += len(day.actions)
            self.step(len(day.boarded) + len(day.actions), f"found {day.day}")
            return
        self._change(lambda uow: advance_business_date(uow, self.plan.book_code, day.day))
        self._settle(day.day)
        self._board(day)
        self.lived.acts_done["payments"] += self.door.live(day.day)
        for action in day.actions:
            self._change(partial(self._act, action=action, on=day.day))
            self.lived.acts_done[_kind(action, day.day)] += 1
            self.step(1, str(day.day))

    def step(self, steps: int, doing: str) -> None:
        """Count steps, and say what was done."""
        self.done += steps
        self.report(self.done, doing)

    def _board(self, day: Day) -> None:
        new = [place for place in day.boarded if place not in self.loan_ids]
        self.lived.loans_found += len(day.boarded) - len(new)
        for start in range(0, len(new), BOARDING_CHUNK):
            chunk = new[start : start + BOARDING_CHUNK]
            people = [each for place in chunk for each in applicants(self.plan.seed, self.plan.drafts, place)]
            funded = self.desk.serve(people)
            self.loan_ids.update(funded)
            self.lived.loans_boarded += len(funded)
            self.step(len(chunk), f"{day.day}: boarding")

    def _act(self, uow: UnitOfWork, *, action: Action | Decision, on: date) -> None:
        loan_id = self.loan_ids[action.loan]
        if isinstance(action, Decision):
            _DECISIONS[action.what](uow, loan_id, action, on)
        elif isinstance(action, PaymentAction):
            taken = take_payment(
                uow,
                loan_id,
                amount=action.amount,
                effective_date=action.effective_date,
                method=action.method,
                external_id=action.external_id,
                request_key=f"demo:take:{action.external_id}",
            )
            self.payments[action.external_id] = taken.payment_id
        else:
            undo = return_payment if action.kind is Kind.RETURNED else reverse_payment
            undo(uow, loan_id, self.payments[action.external_id], action.why, f"demo:undo:{action.external_id}")

    def _change(self, work: Callable[[UnitOfWork], T]) -> T:
        return run(self.engine, work, actor=ACTOR, approver=APPROVER)

    def _settle(self, today: date) -> None:
        """Settle at the bank what went over the rails up to two days ago."""
        while self.settled_through < today - SETTLEMENT:
            self.settled_through += timedelta(days=1)
            self._change(partial(settle_rails, book_code=self.plan.book_code, day=self.settled_through))


# --- Decisions --------------------------------------------------------------------------------------------


def _modify(uow: UnitOfWork, loan_id: int, decision: Decision, on: date) -> None:
    modify(uow, loan_id, kind=decision.told["kind"], told=decision.told["told"], **_decided(decision, on))


def _try_out(uow: UnitOfWork, loan_id: int, decision: Decision, on: date) -> None:
    begin_trial(uow, loan_id, Trial(frequency="weekly", **decision.told), **_decided(decision, on))


def _charge_off(uow: UnitOfWork, loan_id: int, decision: Decision, on: date) -> None:
    charge_off(uow, loan_id, **_decided(decision, on))


def _recover(uow: UnitOfWork, loan_id: int, decision: Decision, on: date) -> None:
    take_recovery(
        uow,
        loan_id,
        amount=decision.told["amount"],
        effective_date=on,
        method="check",
        external_id=decision.external_id,
        request_key=f"demo:{decision.external_id}",
        agency="Example Recovery LLC",
    )


_DECISIONS: Mapping[str, Callable[[UnitOfWork, int, Decision, date], None]] = {
    "modifications": _modify,
    "trial plans": _try_out,
    "charge-offs": _charge_off,
    "recoveries": _recover,
}


def _decided(decision: Decision, on: date) -> dict[str, Any]:
    """Return why something was decided, by whom, and when."""
    key = f"demo:{decision.external_id}"
    return {"reason": "hardship", "approved_by": APPROVER, "effective_date": on, "request_key": key}
