"""What the outcome of a task does to its application: decided, withdrawn or approved by the person who completes it.

It happens in the transaction of the completion, so that a task and what it stands for cannot differ; what that person
has done already, by another door, is not done twice. Next: `origination/workflow/catalogue.py`, which names these acts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from ledger.unit_of_work import UnitOfWork
from origination import funding_store
from origination.application import Action, ApplicationState
from origination.commands import decide_application, load_applications
from origination.decision_commands import underwrite
from origination.decision_queries import last_with_effect
from origination.errors import ContractUnknown, DecisionMissing
from origination.funding.policy import policy_of
from origination.funding_commands import approve_funding, decide_condition
from origination.policies.authority import Verdict
from origination.workflow.acts import Completion

Act = Callable[[UnitOfWork, str, int, Completion], None]


def _decide(
    verdict: Verdict, done: ApplicationState, uow: UnitOfWork, book_code: str, application_id: int, given: Completion
) -> None:
    if _state(uow, book_code, application_id) is done:
        return
    decision = last_with_effect(uow.connection, application_id)
    if decision is None:
        raise DecisionMissing(application_id=application_id)
    underwrite(uow, book_code, decision, verdict, reason=given.words or None)


def _withdraw(uow: UnitOfWork, book_code: str, application_id: int, given: Completion) -> None:
    if _state(uow, book_code, application_id) is not ApplicationState.WITHDRAWN:
        decide_application(uow, book_code, application_id, Action.WITHDRAW, reason=given.words or None)


def _meet_conditions(uow: UnitOfWork, book_code: str, application_id: int, given: Completion) -> None:
    contract = funding_store.contract_of(uow.connection, application_id)
    if contract is None:
        raise ContractUnknown(application_id=application_id)
    decided = {each.condition for each in funding_store.conditions_of(uow.connection, application_id)}
    for condition in policy_of(contract.funding_rules).conditions:
        if condition.name not in decided:
            decide_condition(uow, book_code, application_id, condition.name, evidence=given.words)


def _approve_funding(uow: UnitOfWork, book_code: str, application_id: int, _given: Completion) -> None:
    if uow.actor not in {each.actor for each in funding_store.approvals_of(uow.connection, application_id)}:
        approve_funding(uow, book_code, application_id)


def _state(uow: UnitOfWork, book_code: str, application_id: int) -> ApplicationState:
    (stored,) = load_applications(uow.connection, book_code, (application_id,))
    return stored.standing.state


ACTING: Mapping[str, Act] = MappingProxyType(
    {
        "approve": partial(_decide, "approve", ApplicationState.APPROVED),
        "decline": partial(_decide, "decline", ApplicationState.DECLINED),
        "withdraw": _withdraw,
        "meet_conditions": _meet_conditions,
        "approve_funding": _approve_funding,
    }
)
"""Each act by its name. Raises: what the commands raise; DecisionMissing before the policy has decided."""
