"""The start-up self-check at the doors: a database whose guards are not those of this version is not worked on.

Checked when a server starts, before a seal, and after migrating; never at each request. `loanbook verify` reports the
same beside everything else. Next: `ledger/self_check.py`, which finds the differences; `ledger/manifest.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from api.edge import Edge
from api.errors import GuardsDiffer
from ledger.digests import Finding
from ledger.self_check import self_check

SHOWN = 3


@dataclass(frozen=True, slots=True)
class GuardCheck:
    """When the guards of a database were last looked at, and what differed then."""

    checked_at: datetime
    findings: tuple[Finding, ...]


def require_guards(edge: Edge) -> GuardCheck:
    """Look at the guards of a database and return the check that found nothing.

    Raises: GuardsDiffer with the first differences; DatabaseUnreachable; DatabaseNotMigrated.
    """
    findings = edge.read(self_check)
    refuse_differences(findings, edge.place)
    return GuardCheck(datetime.now(UTC), findings)


def require_guards_on(connection: sa.Connection, place: str) -> None:
    """Do the same on a connection that is open, within its transaction.

    Raises: GuardsDiffer.
    """
    refuse_differences(self_check(connection), place)


def refuse_differences(findings: Sequence[Finding], place: str) -> None:
    """Refuse a database in which anything differs from the manifest.

    Raises: GuardsDiffer with the first three differences and how many there are.
    """
    if findings:
        shown = "; ".join(map(_in_words, findings[:SHOWN]))
        more = f"; and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
        raise GuardsDiffer(where=place, count=len(findings), differences=shown + more)


def _in_words(finding: Finding) -> str:
    """Return a difference with as much of its two definitions as a line bears."""
    return f"{finding.place} should be {_cut(finding.expected)} but is {_cut(finding.found)}"


def _cut(definition: str) -> str:
    return definition if len(definition) <= 60 else f"{definition[:57]}..."
