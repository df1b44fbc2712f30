"""Who does which automatic task of a workflow: the one place where names and programs meet.

Each task is done once, however often it is asked for: what it would do and finds done, it leaves. A failure says why,
and the workflow tries again, or gives it to a person.
Next: `origination/workflow/catalogue.py`, which names them; `origination/workflow_commands/running.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from api.edge import Edge
from api.errors import TaskFailed
from api.verification import verify
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from origination.application import Action, ApplicationState
from origination.commands import decide_application as move_application
from origination.decision_commands import decide_application
from origination.funding_commands import fund_contract
from origination.funding_queries import OfferView, offers
from origination.offer_commands import accept_offer, make_decided_offers
from origination.queries import application
from origination.verification.kinds import MANUAL_REVIEW
from origination.verification.records import Verification
from origination.verification_queries import sources_of, verifications
from origination.workflow.catalogue import DECIDE, GENERIC, VERIFY, AutomaticTask, Context
from servicing.vault import Vault

BY_ITSELF = "workflow"
"""Under which name tasks are done that nobody does by hand."""

OFFERED_DAYS = 14
"""For how many days an offer holds, unless the step says `with = { days = ... }`."""

T = TypeVar("T")
Known = Mapping[str, Any]
_DECIDED: Mapping[ApplicationState, str] = {
    ApplicationState.APPROVED: "approve",
    ApplicationState.ACCEPTED: "approve",
    ApplicationState.FUNDED: "approve",
    ApplicationState.DECLINED: "decline",
}


@dataclass(frozen=True, slots=True)
class Programs:
    """What does the automatic tasks of a book, under which keys and with which settings of the environment."""

    edge: Edge
    book_code: str
    vault: Vault | None
    environment: Mapping[str, str]

    def find(self, name: str) -> AutomaticTask | None:
        """Return what does a task; None for one that nobody here does."""
        if name.startswith(VERIFY):
            return partial(self._verify, name.removeprefix(VERIFY))
        if name.startswith(DECIDE):
            return partial(self._decide, name.removeprefix(DECIDE))
        own: Mapping[str, AutomaticTask] = {
            "offer": self._offer,
            "contract": self._contract,
            "fund": self._fund,
            "withdraw": self._withdraw,
        }
        return own.get(name) or GENERIC.get(name)

    def _verify(self, kind: str, application_id: int, context: Context) -> Known:
        """Ask a source; the outcome becomes the fact of the kind's name, where the workflow declares it."""
        done = self._verified(kind, application_id)
        if len(done) >= context.attempt:
            result = done[-1]
        else:
            (result,) = verify(
                self.edge,
                self.vault or Vault.of_keys(None),
                self.book_code,
                application_id,
                actor=BY_ITSELF,
                environment=self.environment,
                kinds=(kind,),
                again=bool(done),
            )
        if result.outcome == MANUAL_REVIEW:
            reason = None if result.result is None else result.result.reason
            raise TaskFailed(task=f"{VERIFY}{kind}", reason=reason or "no source has answered")
        return {kind: result.outcome}

    def _verified(self, kind: str, application_id: int) -> list[Verification]:
        known = self.edge.read(lambda connection: verifications(connection, self.book_code, application_id))
        return [each for each in known if each.kind == kind and each.result is not None]

    def _decide(self, policy: str, application_id: int, _context: Context) -> Known:
        """Decide by a policy on what was entered and verified; what is decided already stays so."""

        def work(uow: UnitOfWork) -> str:
            state = application(uow.connection, application_id).state
            if state is not ApplicationState.RECEIVED:
                if state not in _DECIDED:
                    raise TaskFailed(task=f"{DECIDE}{policy}", reason=f"the application is {state}")
                return _DECIDED[state]
            sources = sources_of(uow.connection, application_id)
            return decide_application(uow, self.book_code, application_id, policy, sources).decision.outcome

        return {"decision": self._change(work)}

    def _offer(self, application_id: int, context: Context) -> Known:
        """Offer what was decided, unless an offer is open."""
        days = int(context.settings.get("days", OFFERED_DAYS))

        def work(uow: UnitOfWork) -> str:
            found = _open(uow, self.book_code, application_id)
            if not found:
                expires_on = book(uow.connection, self.book_code).business_date + timedelta(days=days)
                made = make_decided_offers(uow, self.book_code, application_id, expires_on=expires_on)
                return ",".join(str(each.offer_no) for each in made)
            return ",".join(str(each.offer.offer_no) for each in found)

        return {"offer": self._change(work)}

    def _contract(self, application_id: int, _context: Context) -> Known:
        """Freeze the contract of the one offer that is open, unless the applicant has accepted one already."""

        def work(uow: UnitOfWork) -> None:
            if application(uow.connection, application_id).state is ApplicationState.ACCEPTED:
                return
            found = [each.offer.offer_no for each in _open(uow, self.book_code, application_id)]
            if len(found) != 1:
                raise TaskFailed(task="contract", reason=f"one of {len(found)} open offers is to be accepted first")
            accept_offer(uow, self.book_code, application_id, found[0], vault=self.vault)

        self._change(work)
        return {}

    def _fund(self, application_id: int, _context: Context) -> Known:
        """Fund the contract, unless it is funded."""

        def work(uow: UnitOfWork) -> None:
            if application(uow.connection, application_id).state is not ApplicationState.FUNDED:
                fund_contract(uow, self.book_code, application_id, vault=self.vault)

        self._change(work)
        return {}

    def _withdraw(self, application_id: int, context: Context) -> Known:
        """Withdraw the application, for the `reason` that the step gives, unless nothing is left to withdraw."""
        over = (ApplicationState.WITHDRAWN, ApplicationState.DECLINED, ApplicationState.CANCELED)

        def work(uow: UnitOfWork) -> None:
            if application(uow.connection, application_id).state not in over:
                reason = context.settings.get("reason")
                move_application(uow, self.book_code, application_id, Action.WITHDRAW, reason=reason)

        self._change(work)
        return {}

    def _change(self, work: Callable[[UnitOfWork], T]) -> T:
        return self.edge.change(work, actor=BY_ITSELF)


def programs(edge: Edge, book_code: str, vault: Vault | None) -> Programs:
    """Return what does the automatic tasks of a book in this process."""
    return Programs(edge, book_code, vault, os.environ)


def _open(uow: UnitOfWork, book_code: str, application_id: int) -> list[OfferView]:
    return [each for each in offers(uow.connection, book_code, application_id) if each.status == "open"]
