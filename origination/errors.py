"""What origination refuses: one class per fact, with its figures as fields.

Amounts called `Minor` are minor units of the field `currency`. Never here: HTTP statuses or exit codes.
Next: `ledger/domain_error.py` for what these classes inherit.
"""

from __future__ import annotations

from datetime import date

from ledger.domain_error import DomainError, Minor


class ApplicationUnknown(DomainError, code="application-unknown"):
    """there is no application {application_id}"""

    application_id: int


class ApplicationExists(DomainError, code="application-exists"):
    """{external_id} was entered already, as application {application_id}"""

    external_id: str
    application_id: int


class ApplicationInvalid(DomainError, code="application-invalid"):
    """the application cannot be taken: {problems}"""

    problems: tuple[str, ...]


class ApplicationStateRefused(DomainError, code="application-state-refused"):
    """application {application_id} is {state}: it cannot be {wanted}"""

    application_id: int
    state: str
    wanted: str


class OwnWorkApproved(DomainError, code="own-work-approved"):
    """application {application_id} was entered by {actor}, who cannot approve it or its funding"""

    application_id: int
    actor: str


class FundingApprovalMissing(DomainError, code="funding-approval-missing"):
    """funding of application {application_id} needs two people: {actor} asks, and {approver} approves"""

    application_id: int
    actor: str
    approver: str | None


class DisbursementMismatch(DomainError, code="disbursement-mismatch"):
    """application {external_id}: disbursements sum to {disbursed} {currency}, but the proceeds are
    {proceeds}; the difference of {difference} should be {zero}"""

    external_id: str
    disbursed: Minor
    proceeds: Minor
    difference: Minor
    currency: str


class FactsInvalid(DomainError, code="facts-invalid"):
    """the facts of the application cannot be read: {problems}"""

    problems: tuple[str, ...]


class PolicyInvalid(DomainError, code="policy-invalid"):
    """the policy cannot be taken: {problems}"""

    problems: tuple[str, ...]


class PolicyUnknown(DomainError, code="policy-unknown"):
    """there is no policy {name}, and no one version of a policy whose hash begins with it"""

    name: str


class PolicyNotActive(DomainError, code="policy-not-active"):
    """no version of the policy {name} is active on {day}"""

    name: str
    day: date


class ActivationRefused(DomainError, code="activation-refused"):
    """the policy {name} cannot be activated: {reason}"""

    name: str
    reason: str


class PolicyApprovalMissing(DomainError, code="policy-approval-missing"):
    """{what} takes two people: {actor} asks, and {approver} approves"""

    what: str
    actor: str
    approver: str | None


class DecisionUnknown(DomainError, code="decision-unknown"):
    """there is no decision {decision_id}"""

    decision_id: int


class DecisionDiffers(DomainError, code="decision-differs"):
    """decision {decision_id}, computed again, differs in: {places}"""

    decision_id: int
    places: tuple[str, ...]


class ReferralNotOpen(DomainError, code="referral-not-open"):
    """decision {decision_id} waits for no underwriter: {reason}"""

    decision_id: int
    reason: str


class AuthorityInvalid(DomainError, code="authority-invalid"):
    """the limits of authority cannot be taken: {problems}"""

    problems: tuple[str, ...]


class AuthorityMissing(DomainError, code="authority-missing"):
    """{person} has no authority for this: {reason}"""

    person: str
    reason: str


class OverrideRefused(DomainError, code="override-refused"):
    """the decision on application {application_id} cannot be overridden: {reason}"""

    application_id: int
    reason: str
