"""What origination refuses: one class per fact, with its figures as fields.

Amounts called `Minor` are minor units of the field `currency`. Never here: HTTP statuses or exit codes.
Next: `ledger/domain_error.py` for what these classes inherit.
"""

from __future__ import annotations

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
