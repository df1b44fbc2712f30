"""Rows of the public LendingClub sample as applications: what an applicant and a credit report said, in sources.

Nothing that the lender decided (grade, rate) or that came later is among them; how each loan ended stands beside.
Next: `tests/unit/origination/test_funnel.py`; `docs/how-to/decisions.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tests.support.public_data import public_rows

Sources = dict[str, dict[str, Any]]


def applications() -> Iterator[tuple[Sources, bool]]:
    """Yield each row as the sources of an application, and whether its loan was paid in full."""
    for row in public_rows("lc_sample_dev.csv"):
        yield sources_of(row), row["loan_status"].endswith("Fully Paid")


def sources_of(row: Mapping[str, str]) -> Sources:
    """Return a row as the shipped policy wants it."""
    return {
        "application": {
            "amount": _cents(row["loan_amnt"]),
            "term": int(row["term"]),
            "purpose": row["purpose"],
            "received_on": row["issue_d"],
        },
        "applicant": {"state": row["addr_state"], "home_ownership": row["home_ownership"]},
        "income": {
            "annual": _cents(row["annual_inc"]),
            "verification": row["verification_status"],
            "employment_years": _years(row["emp_length"]),
        },
        "credit_report": {
            "dti": row["dti"],
            "delinquencies_2y": row["delinq_2yrs"],
            "inquiries_6m": row["inq_last_6mths"],
            "open_accounts": row["open_acc"],
            "total_accounts": row["total_acc"],
            "public_records": row["pub_rec"],
            "revolving_balance": _cents(row["revol_bal"]),
        },
    }


def _cents(text: str) -> int | None:
    return int(Decimal(text) * 100) if text else None


def _years(text: str) -> int | None:
    if not text[:1].isdigit():
        return 0 if text.startswith("<") else None
    return int(text.split(maxsplit=1)[0].rstrip("+"))
