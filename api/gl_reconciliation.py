"""GL statements, breaks and proofs as both doors show them.

Next: `gl_export/queries/gl_reconciliation.py`; `api/cli/gl.py`, `api/routes/gl_reconciliation.py`.
"""

from __future__ import annotations

from datetime import date

from api.views import Json, MoneyForm
from gl_export.breaks import GLBreak, Proof, Standing
from gl_export.commands.gl_reconciliation import Taken
from gl_export.gl_file import GLStatement
from gl_export.queries.gl_reconciliation import Reconciliation


def statement_json(of: GLStatement) -> Json:
    """Return a statement."""
    return {
        "statement": of.statement_no,
        "kind": str(of.kind),
        "from_date": None if of.from_date is None else of.from_date.isoformat(),
        "as_of": of.as_of.isoformat(),
        "file": of.file_name,
        "sha256": of.sha256.hex(),
        "rows": of.row_count,
        "actor": of.actor,
    }


def taken_json(taken: Taken) -> Json:
    """Return a statement that was taken and what it did to the breaks."""
    counts = {"is_new": taken.is_new, "new": taken.new, "again": taken.again, "cleared": taken.cleared}
    return {**statement_json(taken.statement), "breaks": counts}


def break_json(each: GLBreak, money: MoneyForm, *, on: date) -> Json:
    """Return a break with its age on a day."""
    of = each.difference
    return {
        "break": each.break_no,
        "state": str(each.state),
        "kind": str(of.kind),
        "gl_account": of.gl_account,
        "currency": of.sent.currency,
        "sent": money(of.sent),
        "found": money(of.found),
        "difference": money(of.amount),
        "posting_date": None if of.posting_date is None else of.posting_date.isoformat(),
        "reference": of.reference,
        "detail": of.detail,
        "opened_on": each.opened_on.isoformat(),
        "age_days": each.age_days(on),
        "owner": each.owner,
        "resolved_by": None if each.resolution is None else each.resolution.reference,
        "note": None if each.resolution is None else each.resolution.note,
        "cleared_by": each.cleared_by,
    }


def reconciliation_json(found: Reconciliation, money: MoneyForm, *, on: date) -> Json:
    """Return the proof to zero of a statement."""
    return {
        **statement_json(found.statement),
        "proved": found.is_proved,
        "accounts": [_proof_json(proof, money) for proof in found.proofs],
        "breaks": [break_json(each, money, on=on) for each in found.breaks],
        "sign_off": None if found.standing is None else _standing_json(found.standing, money),
    }


def _proof_json(proof: Proof, money: MoneyForm) -> Json:
    return {
        "gl_account": proof.gl_account,
        "currency": proof.sent.currency,
        "sent": money(proof.sent),
        "found": money(proof.found),
        "difference": money(proof.difference),
        "timing": money(proof.timing),
        "resolved": money(proof.resolved),
        "unexplained": money(proof.unexplained),
    }


def _standing_json(standing: Standing, money: MoneyForm) -> Json:
    return {
        "holds": standing.holds,
        "prepared_by": standing.sign_off.prepared_by,
        "approved_by": standing.sign_off.approved_by,
        "superseded_by": standing.superseded_by,
        "moved": [
            {"account": account, "currency": currency, "by": money(change)}
            for (account, currency), change in standing.moved
        ],
    }
