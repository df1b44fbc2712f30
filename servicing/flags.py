"""The flags of a loan, and what each of them holds: a table for a compliance officer to read.

A hold stops what people or the daily cycle would do otherwise; what is owed does not change by it.
Never: when a flag is set (`servicing/commands/flags.py`). Next: `docs/spec/flags.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from servicing.events import UNDOING, Event, Kind

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


def flags_on(events: Sequence[Event], day: date) -> Mapping[str, date]:
    """Return the flags in force at the close of a day, each with the day from which it is."""
    known = sorted((each for each in events if each.effective_date <= day), key=lambda event: event.order)
    undone = {each.of for each in events if each.kind in UNDOING}
    found: dict[str, date] = {}
    for each in known:
        if each.kind is not Kind.FLAGGED or each.no in undone:
            continue
        if each.details.get("lifted"):
            found.pop(each.details["flag"], None)
        else:
            found.setdefault(each.details["flag"], each.effective_date)
    return found


def holds_of(flags: Iterable[str]) -> frozenset[str]:
    """Return everything that flags hold."""
    return frozenset(hold for flag in flags for hold in HOLDS[flag])
