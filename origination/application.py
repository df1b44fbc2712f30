"""An application from intake to funding: its states, who may move it, and what a funding must satisfy.

The transitions are a table. Whoever enters an application decides nothing about it, and a funding takes two
people. Never: the database, or a decision by policy, which stands before the approval.
Next: `origination/commands.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.money import Money
from origination.errors import (
    ApplicationInvalid,
    ApplicationStateRefused,
    DisbursementMismatch,
    FundingApprovalMissing,
    OwnWorkApproved,
)
from servicing.product import Product
from servicing.schedule import proceeds_of
from servicing.terms import Terms, terms_from_json


class ApplicationState(StrEnum):
    """Where an application stands."""

    RECEIVED = "received"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    FUNDED = "funded"
    CANCELED = "canceled"


class Action(StrEnum):
    """What can be done to an application."""

    APPROVE = "approve"
    DECLINE = "decline"
    OVERRIDE = "override"
    """Approve of what the policy declined; by people with the authority to."""
    WITHDRAW = "withdraw"
    FUND = "fund"
    ACCEPT = "accept"
    FUND_CONTRACT = "fund_contract"
    CANCEL = "cancel"

    @property
    def past(self) -> str:
        """Return what an application is once this is done to it."""
        return {
            Action.APPROVE: "approved",
            Action.DECLINE: "declined",
            Action.OVERRIDE: "overridden",
            Action.WITHDRAW: "withdrawn",
            Action.FUND: "funded",
            Action.ACCEPT: "accepted",
            Action.FUND_CONTRACT: "funded by contract",
            Action.CANCEL: "canceled",
        }[self]


@dataclass(frozen=True, slots=True)
class Transition:
    """A row of the table; `second_person`: not by the one who entered the application."""

    source: ApplicationState
    action: Action
    target: ApplicationState
    second_person: bool = False


_S, _A = ApplicationState, Action

TRANSITIONS = (
    Transition(_S.RECEIVED, _A.APPROVE, _S.APPROVED, second_person=True),
    Transition(_S.RECEIVED, _A.DECLINE, _S.DECLINED, second_person=True),
    Transition(_S.DECLINED, _A.OVERRIDE, _S.APPROVED, second_person=True),
    Transition(_S.RECEIVED, _A.WITHDRAW, _S.WITHDRAWN),
    Transition(_S.APPROVED, _A.WITHDRAW, _S.WITHDRAWN),
    # Who enters may ask for the funding; the two people of it are decided in `decide_funding`.
    Transition(_S.APPROVED, _A.FUND, _S.FUNDED),
    # With offers: one is accepted, and its contract is funded once its own rules are met.
    Transition(_S.APPROVED, _A.ACCEPT, _S.ACCEPTED),
    Transition(_S.ACCEPTED, _A.WITHDRAW, _S.WITHDRAWN),
    Transition(_S.ACCEPTED, _A.FUND_CONTRACT, _S.FUNDED),
    Transition(_S.FUNDED, _A.CANCEL, _S.CANCELED),
)

CHANNELS = ("web", "mobile", "point_of_sale", "agent", "partner", "file")
RAILS = ("ach", "wire", "check")
"""How a proceed can be paid out. One that is funded without a contract goes by the first, with the funding itself."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision about an application needs to know of it."""

    application_id: int
    state: ApplicationState
    entered_by: str


@dataclass(frozen=True, slots=True)
class Disbursement:
    """An instruction to pay a part of the proceeds to a payee over a rail.

    Raises: ApplicationInvalid.
    """

    payee: str
    rail: str
    amount: Money

    def __post_init__(self) -> None:
        problems = []
        if not self.payee.strip():
            problems.append("a disbursement has no payee")
        if self.rail not in RAILS:
            problems.append(f"rail {self.rail} is none of {', '.join(RAILS)}")
        if self.amount.minor <= 0:
            problems.append(f"a disbursement of {self.amount} pays nothing")
        if problems:
            raise ApplicationInvalid(problems=tuple(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRequest:
    """An application as it comes in: from where, for whom, and on which terms.

    `applicant` is a reference, never a name. Without disbursements, the applicant gets the proceeds by ACH.

    Raises: ApplicationInvalid with everything that is wrong; DisbursementMismatch.
    """

    external_id: str
    channel: str
    applicant: str
    terms: Terms
    disbursements: tuple[Disbursement, ...] = ()

    def __post_init__(self) -> None:
        texts = {"external_id": self.external_id, "applicant": self.applicant}
        problems = [f"{name} is empty" for name, text in texts.items() if not text.strip()]
        if self.channel not in CHANNELS:
            problems.append(f"channel {self.channel} is none of {', '.join(CHANNELS)}")
        if problems:
            raise ApplicationInvalid(problems=tuple(problems))
        if not self.disbursements:
            whole = Disbursement(self.applicant, RAILS[0], self.proceeds)
            object.__setattr__(self, "disbursements", (whole,))
        check_disbursements(self.external_id, self.disbursements, proceeds=self.proceeds)

    @property
    def proceeds(self) -> Money:
        """Return what is paid out: the principal less what is withheld from it."""
        return proceeds_of(self.terms)

    def as_json(self) -> dict[str, Any]:
        """Return terms, product and disbursements as JSON values."""
        return {
            "terms": self.terms.as_json(),
            "product": self.terms.product.as_json(),
            "disbursements": [
                {"payee": each.payee, "rail": each.rail, "amount": each.amount.format()} for each in self.disbursements
            ],
        }


def request_from_json(external_id: str, channel: str, applicant: str, stored: Mapping[str, Any]) -> LoanRequest:
    """Return the request that `LoanRequest.as_json` wrote."""
    terms = terms_from_json(Product.model_validate(stored["product"]), stored["terms"])
    return LoanRequest(
        external_id=external_id,
        channel=channel,
        applicant=applicant,
        terms=terms,
        disbursements=tuple(
            Disbursement(each["payee"], each["rail"], Money.parse(each["amount"], terms.currency))
            for each in stored["disbursements"]
        ),
    )


def decide(standing: Standing, action: Action, *, actor: str) -> ApplicationState:
    """Return the state that an action leads to.

    Raises: ApplicationStateRefused; OwnWorkApproved if the actor entered the application and decides on it.
    """
    for row in TRANSITIONS:
        if (row.source, row.action) == (standing.state, action):
            if row.second_person and actor == standing.entered_by:
                raise OwnWorkApproved(application_id=standing.application_id, actor=actor)
            return row.target
    raise ApplicationStateRefused(application_id=standing.application_id, state=str(standing.state), wanted=action.past)


def decide_funding(standing: Standing, *, actor: str, approver: str | None) -> ApplicationState:
    """Return the state after a funding that one person asks for and another, who entered nothing, approves.

    Raises: ApplicationStateRefused; FundingApprovalMissing; OwnWorkApproved.
    """
    target = decide(standing, Action.FUND, actor=actor)
    if approver in (None, "", actor):
        raise FundingApprovalMissing(application_id=standing.application_id, actor=actor, approver=approver)
    if approver == standing.entered_by:
        raise OwnWorkApproved(application_id=standing.application_id, actor=approver)
    return target


def check_disbursements(external_id: str, disbursements: Iterable[Disbursement], *, proceeds: Money) -> None:
    """Refuse disbursements that do not pay out the proceeds, no more and no less.

    Raises: DisbursementMismatch with both sums and the difference; CurrencyMismatch.
    """
    disbursed = Money.sum((each.amount for each in disbursements), proceeds.currency)
    if disbursed != proceeds:
        raise DisbursementMismatch(
            external_id=external_id,
            disbursed=disbursed.minor,
            proceeds=proceeds.minor,
            difference=(disbursed - proceeds).minor,
            currency=proceeds.currency,
        )
