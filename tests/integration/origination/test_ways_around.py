"""No way around those who decide: neither by hand where a policy has spoken, nor by a funding without its rules."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ledger.unit_of_work import run
from origination.application import Action, ApplicationState
from origination.errors import ApplicationStateRefused, AuthorityMissing, FundingNotReady
from origination.funding.policy import standard_policy
from origination.funding_commands import load_policy
from origination.policies.authority import Verdict
from tests.integration.origination.test_decisions import (
    DECLINED,
    engine,
    judged,
    referral,
    sources,
)
from tests.integration.origination.test_funding import BOOK, count, decide, fund, request, submit

__all__ = ["engine"]


def test_what_was_declined_is_overridden_by_underwriters_alone(engine: sa.Engine) -> None:
    declined = referral(engine, DECLINED)

    with pytest.raises(ApplicationStateRefused, match="is declined: it cannot be overridden"):
        decide(engine, declined.application_id, Action.OVERRIDE, actor="cleo")


@pytest.mark.parametrize(
    ("given", "verdict"),
    [(sources(inquiries=5), "approve"), (sources(amount=1500000, annual=4500000), "override")],
)
def test_what_is_referred_or_countered_is_decided_within_limits_and_not_by_hand(
    engine: sa.Engine, given: dict[str, dict[str, object]], verdict: Verdict
) -> None:
    waiting = referral(engine, given)

    for action in (Action.APPROVE, Action.DECLINE):
        with pytest.raises(AuthorityMissing, match="the underwriters"):
            decide(engine, waiting.application_id, action, actor="cleo")
    view = judged(engine, waiting.decision_id, verdict, "sue", reason="Salary seen")
    assert view.position.standing.state is ApplicationState.APPROVED


def test_what_is_referred_can_be_withdrawn(engine: sa.Engine) -> None:
    waiting = referral(engine)

    assert decide(engine, waiting.application_id, Action.WITHDRAW, actor="ann") is ApplicationState.WITHDRAWN


def test_what_has_rules_for_its_fundings_is_not_funded_without_them(engine: sa.Engine) -> None:
    bound = submit(engine, request("B-1"))
    decide(engine, bound, Action.APPROVE)
    product = request().terms.product.name
    run(engine, lambda uow: load_policy(uow, BOOK, standard_policy("another")), actor="setup", approver="chief")
    assert fund(engine, _approved(engine, "B-2"))

    run(engine, lambda uow: load_policy(uow, BOOK, standard_policy(product)), actor="setup", approver="chief")

    with pytest.raises(FundingNotReady, match=f"the rules of {product} ask for"):
        fund(engine, bound)
    assert count(engine, "servicing.loan") == 1


def _approved(engine: sa.Engine, name: str) -> int:
    application_id = submit(engine, request(name))
    decide(engine, application_id, Action.APPROVE)
    return application_id
