"""What verification refuses: one class per fact, with its figures as fields; none bears a value of an applicant.

Next: `origination/verification_commands.py`.
"""

from __future__ import annotations

from ledger.domain_error import DomainError


class SourceInvalid(DomainError, code="source-invalid"):
    """{place}: {reason}"""

    place: str
    reason: str


class VerificationKindUnknown(DomainError, code="verification-kind-unknown"):
    """{kind} is nothing that is verified; there are {known}"""

    kind: str
    known: tuple[str, ...]


class NotSubmitted(DomainError, code="not-submitted"):
    """application {application_id} is a draft: it is verified once it is submitted"""

    application_id: int


class FactInvalid(DomainError, code="fact-invalid"):
    """{name}: {reason}"""

    name: str
    reason: str
