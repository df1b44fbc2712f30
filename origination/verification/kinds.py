"""The words of verification: what can be found out, how an attempt ends, and what a verification comes to.

Next: `origination/verification/source.py`.
"""

from __future__ import annotations

KINDS = ("identity", "credit_report", "bank_data", "income", "fraud")
"""What can be found out about an applicant."""

ANSWERED, TIMEOUT, UNREACHABLE, REFUSED, MALFORMED, CIRCUIT_OPEN = (
    "answered",
    "timeout",
    "unreachable",
    "refused",
    "malformed",
    "circuit_open",
)
ATTEMPT_STATUSES = (ANSWERED, TIMEOUT, UNREACHABLE, REFUSED, MALFORMED, CIRCUIT_OPEN)
"""How an attempt ends. `refused` is an answer that says no, such as 403 or 503; `circuit_open` is one that was not
made, since the source has failed so often lately."""

COMPLETED, NO_RECORD, MANUAL_REVIEW = "completed", "no_record", "manual_review"
OUTCOMES = (COMPLETED, NO_RECORD, MANUAL_REVIEW)
"""What a verification comes to: facts; the source knows no such person; or people must look."""

FACT_SECTIONS = {kind: kind for kind in KINDS} | {"income": "verified_income"}
"""The section of the facts of each kind; what applicants say of their income stands in `income`."""
