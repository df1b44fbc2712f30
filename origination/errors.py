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


class DecisionMissing(DomainError, code="decision-missing"):
    """no policy has decided on application {application_id}: decide on it first, then underwrite"""

    application_id: int


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


class OfferInvalid(DomainError, code="offer-invalid"):
    """the offers cannot be made: {reason}"""

    reason: str


class OfferUnknown(DomainError, code="offer-unknown"):
    """application {application_id} has no offer {offer_no}"""

    application_id: int
    offer_no: int


class OfferLapsed(DomainError, code="offer-lapsed"):
    """offer {offer_no} of application {application_id} cannot be accepted: {reason}"""

    application_id: int
    offer_no: int
    reason: str


class OfferNotAccepted(DomainError, code="offer-not-accepted"):
    """application {application_id} has offers, of which one is accepted before it is funded"""

    application_id: int


class ContractUnknown(DomainError, code="contract-unknown"):
    """application {application_id} has no contract: no offer of it was accepted"""

    application_id: int


class ContractBroken(DomainError, code="contract-broken"):
    """the contract of application {application_id} is not what was accepted: {part} differs"""

    application_id: int
    part: str


class FundingPolicyInvalid(DomainError, code="funding-policy-invalid"):
    """the funding policy cannot be used: {problems}"""

    problems: tuple[str, ...]


class FundingApproved(DomainError, code="funding-approved"):
    """{actor} has approved the funding of application {application_id} before; somebody else is wanted"""

    application_id: int
    actor: str


class ApproverRefused(DomainError, code="approver-refused"):
    """{actor} cannot approve the funding of application {application_id}: {reason}"""

    application_id: int
    actor: str
    reason: str


class ConditionUnknown(DomainError, code="condition-unknown"):
    """the funding of application {application_id} has no condition {condition}"""

    application_id: int
    condition: str


class ConditionRefused(DomainError, code="condition-refused"):
    """condition {condition} of application {application_id}: {reason}"""

    application_id: int
    condition: str
    reason: str


class FundingNotReady(DomainError, code="funding-not-ready"):
    """application {application_id} cannot be funded yet; missing: {missing}"""

    application_id: int
    missing: tuple[str, ...]


class CancellationRefused(DomainError, code="cancellation-refused"):
    """application {application_id} cannot be canceled: {reason}"""

    application_id: int
    reason: str


class DocumentRefused(DomainError, code="document-refused"):
    """document {kind} of application {application_id}: {reason}"""

    application_id: int
    kind: str
    reason: str
