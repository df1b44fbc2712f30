"""Keeping the versions of a contract: each modification that takes effect, or no longer does, appends the next one.

The first version is what a loan is folded from; later ones say what the contract has come to be, and why. Never edited.
Never: figures (`servicing/effects/modifications.py`). Next: `docs/spec/modifications.md`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from ledger.money import Money
from servicing.events import Event, Kind
from servicing.state import LoanState
from servicing.store import Loan
from servicing.terms import Terms

_LATEST = sa.text(
    "SELECT version, terms FROM servicing.terms_version WHERE loan_id = :loan_id ORDER BY version DESC LIMIT 1"
)
_APPEND = sa.text(
    "INSERT INTO servicing.terms_version (loan_id, version, effective_date, product_hash, terms, reason)"
    " SELECT loan_id, :version, :effective_date, product_hash, CAST(:terms AS jsonb), :reason"
    " FROM servicing.terms_version WHERE loan_id = :loan_id AND version = 1"
)
MODIFYING = frozenset({Kind.MODIFICATION, Kind.TRIAL_PLAN})
"""The kinds of events that may change the contract as a whole."""


def keep_terms_versions(
    connection: sa.Connection, loan: Loan, events: Sequence[Event], state: LoanState, because: Event | None
) -> None:
    """Append a version if the contract in force is not the one that was kept last."""
    if not any(event.kind in MODIFYING for event in events):
        return
    latest = connection.execute(_LATEST, {"loan_id": loan.loan_id}).one()
    terms, effective, reason = _in_force(loan.terms, events, state)
    if latest.terms == terms:
        return
    values = {
        "loan_id": loan.loan_id,
        "version": latest.version + 1,
        "effective_date": effective,
        "terms": json.dumps(terms),
        "reason": f"{reason} (replayed because of event {because.no})" if _is_replay(because) and because else reason,
    }
    connection.execute(_APPEND, values)


def _in_force(terms: Terms, events: Sequence[Event], state: LoanState) -> tuple[Mapping[str, Any], date, str]:
    """Return the contract in force, since when, and why: what the last modification made of it."""
    if not state.modified:
        return terms.as_json(), terms.funded_on, "every modification was undone"
    last = state.modified[-1]
    event = next(each for each in events if each.no == last.event_no)
    after = {
        "rate": last.after.rate,
        "installments": last.after.installments,
        "installment": Money(last.after.installment, terms.currency).format(),
        "next_due_on": last.after.next_due_on,
        "matures_on": last.after.matures_on,
        "frequency": last.after.frequency,
        "principal_owed": Money(last.after.principal, terms.currency).format(),
    }
    modified = {"event_no": last.event_no, "kind": last.kind, **after}
    reason = str(event.details.get("reason") or last.kind)
    return {**terms.as_json(), "modified": modified}, date.fromisoformat(last.on), f"{last.kind}: {reason}"


def _is_replay(because: Event | None) -> bool:
    return because is not None and because.kind not in MODIFYING
