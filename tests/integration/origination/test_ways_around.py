"""No way around those who decide: not by hand where a policy has spoken."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from origination.application import Action, ApplicationState
from origination.errors import ApplicationStateRefused, AuthorityMissing
from origination.policies.authority import Verdict
from tests.integration.origination.test_decisions import (
    DECLINED,
    engine,
    judged,
    referral,
    sources,
)
from tests.integration.origination.test_funding import decide

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
