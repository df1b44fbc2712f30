"""`/v1/loans/{id}/trial-plans`, `/settlements`, `/agreements/end`, `/delinquency/pause` and `/resume`.

Next: `api/agreements.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.agreements import (
    Decided,
    SettlementIn,
    agree_on_settlement,
    agree_on_trial,
    end,
    pause,
    resume,
)
from api.models import Body, Code, CurrencyCode, Day, Minor, ShortText
from api.requests import inputs_of, once_on_loan
from api.routes.modifications import ToldBody
from api.views import Json, minor_units
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.agreements import Trial

routes = Blueprint("agreements", __name__)


class FinalBody(ToldBody):
    """The modification that follows a trial: its kind, and what it is told."""

    kind: Code


class DecidedBody(Body):
    """Why something is agreed, and when it counts."""

    reason: ShortText
    approved_by: ShortText | None = None
    effective_date: Day | None = None

    def decided(self, loan_id: int) -> Decided:
        """Return what was decided about a loan."""
        return Decided(
            loan_id=loan_id, reason=self.reason, approved_by=self.approved_by, effective_date=self.effective_date
        )


class TrialBody(DecidedBody):
    """A trial plan: so many payments of an amount, and the modification that follows if they come."""

    payments: int = Field(ge=1, le=60)
    amount: Minor
    currency: CurrencyCode
    first_due_on: Day | None = None
    frequency: ShortText | None = None
    grace_days: int | None = Field(default=None, ge=0, le=365)
    tolerance: Minor | None = None
    pause: bool = False
    then: FinalBody | None = None

    def trial(self) -> Trial:
        """Return the trial plan."""
        final = {"kind": "reage"} if self.then is None else {"kind": self.then.kind, **self.then.told()}
        return Trial(
            payments=self.payments,
            amount=Money(self.amount, self.currency),
            first_due_on=self.first_due_on,
            frequency=self.frequency,
            grace_days=self.grace_days,
            tolerance=None if self.tolerance is None else Money(self.tolerance, self.currency),
            pause=self.pause,
            then=final,
        )


class SettlementBody(DecidedBody):
    """How much settles a loan, by which day, and what becomes of the rest: charge_off or forgive."""

    amount: Minor
    currency: CurrencyCode
    by: Day
    rest: ShortText = "charge_off"
    grace_days: int = Field(default=0, ge=0, le=365)


class PauseBody(DecidedBody):
    """Why days past due are not counted, and until when."""

    until: Day | None = None


@routes.post("/v1/loans/<int:loan_id>/trial-plans")
def create_trial_plan(loan_id: int) -> Response:
    """Agree on a trial plan."""
    given = http.body(TrialBody)
    by, trial = given.decided(loan_id), given.trial()
    return _once(
        loan_id,
        "begin_trial",
        given,
        lambda uow, key: agree_on_trial(uow, by, trial, request_key=key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/settlements")
def create_settlement(loan_id: int) -> Response:
    """Agree that less than the balance settles a loan."""
    given = http.body(SettlementBody)
    by, amount = given.decided(loan_id), Money(given.amount, given.currency)
    settlement = SettlementIn(amount=amount, by=given.by, rest=given.rest, grace_days=given.grace_days)
    return _once(
        loan_id,
        "settle",
        given,
        lambda uow, key: agree_on_settlement(uow, by, settlement, request_key=key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/agreements/end")
def end_agreement(loan_id: int) -> Response:
    """End the trial plan or settlement that is open."""
    given = http.body(DecidedBody)
    by = given.decided(loan_id)
    return _once(loan_id, "end_agreement", given, lambda uow, key: end(uow, by, request_key=key, money=minor_units))


@routes.post("/v1/loans/<int:loan_id>/delinquency/pause")
def pause_delinquency(loan_id: int) -> Response:
    """Count no more days past due."""
    given = http.body(PauseBody)
    by, until = given.decided(loan_id), given.until
    return _once(
        loan_id,
        "pause_delinquency",
        given,
        lambda uow, key: pause(uow, by, until, request_key=key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/delinquency/resume")
def resume_delinquency(loan_id: int) -> Response:
    """Count days past due again."""
    given = http.body(DecidedBody)
    by = given.decided(loan_id)
    return _once(
        loan_id, "resume_delinquency", given, lambda uow, key: resume(uow, by, request_key=key, money=minor_units)
    )


def _once(loan_id: int, command: str, given: Body, work: Callable[[UnitOfWork, str], Json]) -> Response:
    change = http.change()
    return once_on_loan(change, loan_id, command, inputs_of(given), lambda uow: work(uow, change.key))
