"""A version run over past applications: what it would decide, what changes against the live one, and why.

Never: where the facts come from (`origination/decision_queries.py`, or a CSV file). Next: `api/cli/policies.py`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from origination.errors import FactsInvalid
from origination.policies.document import SEVERITY
from origination.policies.engine import Policy, decide

NO_FACTS = "unreadable"
"""The outcome of an application whose facts a version cannot read, for they are of other types."""

ADVERSE = frozenset({"decline", "counter_offer"})
"""Outcomes whose reasons are sent, and counted."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a version decides on past applications: outcomes, changes from the live version, reasons, rules fired."""

    applications: int
    outcomes: Mapping[str, int]
    live_outcomes: Mapping[str, int] | None
    changes: Mapping[tuple[str, str], int]
    reasons: Mapping[str, int]
    fired: Mapping[str, int]
    by_group: Mapping[str, Mapping[str, int]]

    def rate_of(self, outcome: str) -> int:
        """Return the share of an outcome in hundredths of a percent, rounded down."""
        return self.outcomes.get(outcome, 0) * 10_000 // self.applications if self.applications else 0

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "applications": self.applications,
            "approval_rate_bp": self.rate_of("approve"),
            "outcomes": dict(self.outcomes),
            "live_outcomes": None if self.live_outcomes is None else dict(self.live_outcomes),
            "changes": [{"live": live, "now": now, "count": count} for (live, now), count in self.changes.items()],
            "reasons": dict(self.reasons),
            "fired": dict(self.fired),
            "groups": {name: dict(counts) for name, counts in self.by_group.items()},
        }


def backtest(
    policy: Policy, cases: Iterable[Mapping[str, Any]], *, live: Policy | None = None, group_by: str | None = None
) -> Backtest:
    """Return what a version decides on facts by name; keys that it does not declare are left alone.

    `group_by` is a key by which outcomes are counted as well, such as how a loan ended.
    """
    outcomes: Counter[str] = Counter()
    before: Counter[str] = Counter()
    changes: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    fired: Counter[str] = Counter()
    groups: dict[str, Counter[str]] = {}
    for case in cases:
        outcome, why, rules = _tried(policy, case)
        outcomes[outcome] += 1
        reasons.update(why)
        fired.update(rules)
        if group_by is not None:
            groups.setdefault(outcome, Counter())[str(case.get(group_by))] += 1
        if live is not None:
            was = _tried(live, case)[0]
            before[was] += 1
            if was != outcome:
                changes[was, outcome] += 1
    return Backtest(
        sum(outcomes.values()),
        _by_severity(outcomes),
        None if live is None else _by_severity(before),
        dict(changes.most_common()),
        dict(reasons.most_common()),
        dict(fired.most_common()),
        {name: dict(sorted(groups[name].items())) for name in _by_severity(outcomes) if name in groups},
    )


def rows_of_csv(text: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file with names of facts in its first line."""
    yield from csv.DictReader(text.splitlines())


def _tried(policy: Policy, case: Mapping[str, Any]) -> tuple[str, list[str], tuple[str, ...]]:
    known = {name: case[name] for name in policy.document.facts if name in case}
    try:
        decision = decide(policy, policy.facts_from_json(known))
    except FactsInvalid:
        return NO_FACTS, [], ()
    reasons = decision.reasons if decision.outcome in ADVERSE else ()
    return decision.outcome, [each.name for each in reasons], decision.fired


def _by_severity(counts: Mapping[str, int]) -> dict[str, int]:
    names = [name for name in (*SEVERITY, NO_FACTS) if name in counts]
    return {name: counts[name] for name in names}
