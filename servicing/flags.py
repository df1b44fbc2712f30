"""The flags of a loan, and what each of them holds: a table for a compliance officer to read.

A hold stops what people or the daily cycle would do otherwise; what is owed does not change by it.
Never: when a flag is set (`servicing/commands/flags.py`). Next: `docs/spec/flags.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

LATE_FEES, COLLECTIONS, AUTOPAY, CREDIT_REPORTING = "late_fees", "collections", "autopay", "credit_reporting"

HOLDS: Mapping[str, frozenset[str]] = {
    "bankruptcy": frozenset({LATE_FEES, COLLECTIONS, AUTOPAY, CREDIT_REPORTING}),
    "deceased": frozenset({LATE_FEES, COLLECTIONS, AUTOPAY}),
    "disaster": frozenset({LATE_FEES, COLLECTIONS}),
    "dispute": frozenset({COLLECTIONS, CREDIT_REPORTING}),
    "litigation": frozenset({COLLECTIONS}),
}
"""What each flag holds. Sources: the automatic stay, 11 USC 362(a); debts of the deceased, 12 CFR 1006.6(a)(4);
disputed debts, 15 USC 1681s-2(a)(3) and 12 CFR 1006.38(d)."""


def holds_of(flags: Iterable[str]) -> frozenset[str]:
    """Return everything that flags hold."""
    return frozenset(hold for flag in flags for hold in HOLDS[flag])
