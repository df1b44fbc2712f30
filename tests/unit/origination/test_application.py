"""An application moves by a table, and never by the hand of the one who entered it."""

from __future__ import annotations

import pytest

from ledger.errors import CurrencyMismatch
from ledger.money import Money
from origination.application import (
    Action,
    ApplicationState,
    Disbursement,
    Standing,
    check_disbursements,
    decide,
    decide_funding,
)
from origination.errors import (
    ApplicationInvalid,
    ApplicationStateRefused,
    DisbursementMismatch,
    FundingApprovalMissing,
    OwnWorkApproved,
)

S, A = ApplicationState, Action


def standing(state: ApplicationState) -> Standing:
    return Standing(7, state, entered_by="ann")


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@pytest.mark.parametrize(
    ("state", "action", "target"),
    [
        (S.RECEIVED, A.APPROVE, S.APPROVED),
        (S.RECEIVED, A.DECLINE, S.DECLINED),
        (S.DECLINED, A.OVERRIDE, S.APPROVED),
        (S.RECEIVED, A.WITHDRAW, S.WITHDRAWN),
        (S.APPROVED, A.WITHDRAW, S.WITHDRAWN),
        (S.APPROVED, A.FUND, S.FUNDED),
        (S.APPROVED, A.ACCEPT, S.ACCEPTED),
        (S.ACCEPTED, A.WITHDRAW, S.WITHDRAWN),
        (S.ACCEPTED, A.FUND_CONTRACT, S.FUNDED),
        (S.FUNDED, A.CANCEL, S.CANCELED),
    ],
)
def test_the_table_allows(state: ApplicationState, action: Action, target: ApplicationState) -> None:
    assert decide(standing(state), action, actor="bob") is target


def test_everything_else_is_refused() -> None:
    allowed = {
        (S.RECEIVED, A.APPROVE),
        (S.RECEIVED, A.DECLINE),
        (S.DECLINED, A.OVERRIDE),
        (S.RECEIVED, A.WITHDRAW),
        (S.APPROVED, A.WITHDRAW),
        (S.APPROVED, A.FUND),
        (S.APPROVED, A.ACCEPT),
        (S.ACCEPTED, A.WITHDRAW),
        (S.ACCEPTED, A.FUND_CONTRACT),
        (S.FUNDED, A.CANCEL),
    }
    for state in S:
        for action in A:
            if (state, action) not in allowed:
                with pytest.raises(ApplicationStateRefused):
                    decide(standing(state), action, actor="bob")


@pytest.mark.parametrize("action", [A.APPROVE, A.DECLINE])
def test_who_entered_an_application_does_not_decide_on_it(action: Action) -> None:
    with pytest.raises(OwnWorkApproved):
        decide(standing(S.RECEIVED), action, actor="ann")


def test_who_entered_an_application_may_withdraw_it() -> None:
    assert decide(standing(S.RECEIVED), A.WITHDRAW, actor="ann") is S.WITHDRAWN


def test_a_funding_takes_two_people_of_whom_the_second_entered_nothing() -> None:
    assert decide_funding(standing(S.APPROVED), actor="bob", approver="cem") is S.FUNDED
    assert decide_funding(standing(S.APPROVED), actor="ann", approver="cem") is S.FUNDED


@pytest.mark.parametrize("approver", [None, "", "bob"])
def test_a_funding_without_a_second_person_is_refused(approver: str | None) -> None:
    with pytest.raises(FundingApprovalMissing):
        decide_funding(standing(S.APPROVED), actor="bob", approver=approver)


def test_who_entered_an_application_does_not_approve_its_funding() -> None:
    with pytest.raises(OwnWorkApproved):
        decide_funding(standing(S.APPROVED), actor="bob", approver="ann")


@pytest.mark.parametrize("state", [S.RECEIVED, S.DECLINED, S.WITHDRAWN, S.FUNDED])
def test_only_an_approved_application_is_funded(state: ApplicationState) -> None:
    with pytest.raises(ApplicationStateRefused) as refusal:
        decide_funding(standing(state), actor="bob", approver="cem")

    assert str(refusal.value) == f"application 7 is {state}: it cannot be funded"


def test_several_payees_share_the_proceeds_to_the_cent() -> None:
    parts = [Disbursement("dealer", "ach", usd("900.00")), Disbursement("borrower", "ach", usd("70.00"))]

    check_disbursements("A-7", parts, proceeds=usd("970.00"))
    with pytest.raises(DisbursementMismatch) as refusal:
        check_disbursements("A-7", parts, proceeds=usd("970.01"))

    assert "sum to 970.00 USD, but the proceeds are 970.01; the difference of -0.01 should be 0.00" in str(
        refusal.value
    )


def test_a_disbursement_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        check_disbursements("A-7", [Disbursement("b", "ach", Money(1, "CAD"))], proceeds=usd("0.01"))


def test_all_that_is_wrong_with_a_disbursement_is_said_at_once() -> None:
    with pytest.raises(ApplicationInvalid) as refusal:
        Disbursement(" ", "pigeon", usd("0"))

    assert len(refusal.value.problems) == 3
