"""What intake refuses: one class per fact, with its figures as fields; none of them bears a value of an applicant.

Next: `origination/intake/checking.py`; `origination/intake_commands.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ledger.domain_error import DomainError


class FormInvalid(DomainError, code="form-invalid"):
    """{place}: {reason}"""

    place: str
    reason: str


class FormUnknown(DomainError, code="form-unknown"):
    """no product {product} takes applications; known are {known}"""

    product: str
    known: tuple[str, ...]


class ApplicationFieldsInvalid(DomainError, code="application-fields-invalid"):
    """{count} wrong or missing: {problems}"""

    count: int
    problems: tuple[str, ...]
    fields: tuple[Mapping[str, str], ...]


class ChannelUnknown(DomainError, code="channel-unknown"):
    """{channel} is no channel; there are {known}"""

    channel: str
    known: tuple[str, ...]


class DraftMoved(DomainError, code="draft-moved"):
    """application {application_id} was saved by somebody else meanwhile: version {version_no} is taken"""

    application_id: int
    version_no: int


class DraftSubmitted(DomainError, code="draft-submitted"):
    """application {application_id} was submitted on {submitted_on}: its data can no longer be changed"""

    application_id: int
    submitted_on: date


class DuplicateApplication(DomainError, code="duplicate-application"):
    """the same person has applied for {product} within {window_days} days: application {duplicate_of}"""

    product: str
    window_days: int
    duplicate_of: tuple[int, ...]


class RoutingInvalid(DomainError, code="routing-invalid"):
    """the routing table cannot be used: {problems}"""

    problems: tuple[str, ...]


class RouteMissing(DomainError, code="route-missing"):
    """no row of the routing table takes product {product}, channel {channel}, state {state}, amount {amount}"""

    product: str
    channel: str
    state: str
    amount: int


class RoleUnknown(DomainError, code="role-unknown"):
    """{role} is no role that sees personal data; there are {known}"""

    role: str
    known: tuple[str, ...]


class ReasonMissing(DomainError, code="reason-missing"):
    """{act} needs a reason"""

    act: str


class PersonalDataErased(DomainError, code="personal-data-erased"):
    """the personal data of application {application_id} were erased on {erased_on}"""

    application_id: int
    erased_on: date


class PersonalDataKeyUnknown(DomainError, code="personal-data-key-unknown"):
    """the personal data of application {application_id} are under key {key_id}, which is none of those that are set"""

    application_id: int
    key_id: str


class ErasureRefused(DomainError, code="erasure-refused"):
    """application {application_id} is {state}: its personal data are needed; withdraw it first"""

    application_id: int
    state: str


class ErasureTooEarly(DomainError, code="erasure-too-early"):
    """the data of application {application_id} must be kept until {keep_until}; erasing them before needs the approval
    of a second person"""

    application_id: int
    keep_until: date
