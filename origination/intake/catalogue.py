"""The fields that every product may ask for, by section: what each is, and whose business it is.

A field has a path: its section and its name. Personal fields are kept encrypted, shown masked and erased on request;
`group` says which roles may see one. A product adds fields of its own by declaring their kind.
Next: `origination/intake/form.py`; `docs/spec/intake.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from origination.intake.values import KINDS, Kind


@dataclass(frozen=True, slots=True)
class FieldDef:
    """A field: its kind by name; a personal one belongs to a group."""

    kind: str
    group: str | None = None

    @property
    def is_personal(self) -> bool:
        """Tell whether it is kept encrypted."""
        return self.group is not None

    @property
    def of(self) -> Kind:
        """Return its kind."""
        return KINDS[self.kind]


CONTACT, IDENTITY, NUMBER, BANK, ORIGIN = "contact", "identity", "taxpayer_number", "bank_account", "origin"

FIELDS: Mapping[str, FieldDef] = {
    "application.amount": FieldDef("amount"),
    "application.term_months": FieldDef("whole"),
    "application.purpose": FieldDef("text"),
    "application.state": FieldDef("state"),
    "applicant.first_name": FieldDef("name", IDENTITY),
    "applicant.last_name": FieldDef("name", IDENTITY),
    "applicant.date_of_birth": FieldDef("day", IDENTITY),
    "applicant.ssn": FieldDef("taxpayer_number", NUMBER),
    "applicant.street": FieldDef("text", CONTACT),
    "applicant.city": FieldDef("text", CONTACT),
    "applicant.zip": FieldDef("zip", CONTACT),
    "applicant.email": FieldDef("email", CONTACT),
    "applicant.phone": FieldDef("phone", CONTACT),
    "applicant.housing": FieldDef("text"),
    "applicant.housing_monthly": FieldDef("amount"),
    "applicant.months_at_address": FieldDef("whole"),
    "applicant.existing_customer": FieldDef("flag"),
    "income.annual": FieldDef("amount"),
    "income.source": FieldDef("text"),
    "income.other_annual": FieldDef("amount"),
    "employment.status": FieldDef("text"),
    "employment.employer": FieldDef("text", CONTACT),
    "employment.months": FieldDef("whole"),
    "bank.routing": FieldDef("routing", BANK),
    "bank.account_number": FieldDef("account_number", BANK),
    "bank.kind": FieldDef("text"),
}

CONSENT_FIELDS: Mapping[str, FieldDef] = {
    "text_version": FieldDef("text"),
    "text_hash": FieldDef("digest"),
    "given_at": FieldDef("moment"),
    "agent": FieldDef("text"),
    "ip": FieldDef("ip", ORIGIN),
    "device": FieldDef("text", ORIGIN),
}
"""What is kept of each consent, under `consents.<its kind>`."""

CONSENT_NEEDS = ("text_version", "given_at")
ORIGINS = ("ip", "device", "agent")

ROLES: Mapping[str, frozenset[str]] = {
    "underwriter": frozenset({IDENTITY, CONTACT}),
    "funder": frozenset({IDENTITY, CONTACT, BANK}),
    "fraud": frozenset({IDENTITY, CONTACT, NUMBER, BANK, ORIGIN}),
    "privacy": frozenset({IDENTITY, CONTACT, NUMBER, BANK, ORIGIN}),
}
"""Which groups of personal fields a role may see as they are; everybody else sees all of them masked."""
