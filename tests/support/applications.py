"""Applicants of tests: invented people whose taxpayer numbers are ITINs, which nobody has as a social security number.

Next: `tests/unit/origination/intake/`, `tests/integration/origination/test_intake.py`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from cryptography.fernet import Fernet

from servicing.vault import Vault

KEY, NEXT_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SSN = "912-70-1234"
CONSENT = {"text_version": "2026-01", "given_at": "2026-01-05T10:15:00Z", "ip": "192.0.2.7"}

BY_HAND = """\
[[route]]
queue = "closing"
workflow = "by_hand"
"""
"""A routing to a workflow that is not there: no program does anything with what is submitted."""

WHOLE: dict[str, Any] = {
    "application": {"amount": 1_200_000, "term_months": 36, "purpose": "car", "state": "CA"},
    "applicant": {
        "first_name": "Ada",
        "last_name": "O'Neil",
        "date_of_birth": "1990-02-28",
        "ssn": SSN,
        "street": "1 Main Street",
        "city": "Fresno",
        "zip": "93701",
        "email": "ada@example.com",
        "phone": "(559) 555-0142",
        "housing": "rent",
        "housing_monthly": 140_000,
    },
    "income": {"annual": 6_000_000},
    "employment": {"status": "employed", "employer": "Fig Packers", "months": 40},
    "consents": {"electronic_records": dict(CONSENT), "credit_report": dict(CONSENT)},
}
"""An application for 12,000.00 over 36 months that is right in every field."""


def vault(keys: str = KEY) -> Vault:
    """Return a vault."""
    return Vault.of_keys(keys)


def whole(**changes: Any) -> dict[str, Any]:
    """Return a whole application; a change is named by its path with two underscores for the dot, None removes."""
    data = deepcopy(WHOLE)
    for name, value in changes.items():
        section, _, field = name.partition("__")
        if value is None:
            data[section].pop(field, None)
        else:
            data.setdefault(section, {})[field] = value
    return data
