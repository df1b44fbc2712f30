"""Keeping where loans stand and where their next folds begin: shortcuts that are made anew with every change of a loan.

What a standing says of the books is read from the balances in the statement that writes it. Never: decisions.
Next: `servicing/standing.py`, `servicing/checkpoint.py`; `servicing/commands/cycle.py`, which lives on them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from math import lcm
from typing import Any

import sqlalchemy as sa

from servicing import tables
from servicing.commands.delinquency import begin_ranges
from servicing.engine import FOLD_VERSION
from servicing.events import Event, Kind
from servicing.posting_rules import Roles
from servicing.standing import Standing, standing_of
from servicing.state import LoanState
from servicing.store import ENTRIES_FROM, Loan
from servicing.terms import Terms

PRINCIPAL, RECEIVABLE, MEMO = "LOAN_PRINCIPAL", "INTEREST_RECEIVABLE", "NON_ACCRUAL_INTEREST"

_COLUMNS = tuple(column.name for column in tables.standing.columns if not column.primary_key)
_RECORD = sa.text(
    f"INSERT INTO servicing.standing (loan_id, {', '.join(_COLUMNS)})"  # noqa: S608 - column names of ours
    " SELECT :loan_id, :booked, coalesce(b.balance, 0), :balance, :through, :holds_through, :next_step_on,"
    " :unpaid_since, :matures_on, r.account_id, p.account_id, :is_open, :is_daily, :rounding, :earned, :nightly,"
    " :denominator, :fee_income"
    " FROM servicing.loan l"
    " JOIN ledger.account r ON r.book_id = l.book_id AND r.code = :receivable"
    " JOIN ledger.account p ON p.book_id = l.book_id AND p.code = :principal"
    " LEFT JOIN ledger.account_balance b ON b.subledger_id = l.loan_id AND b.account_id = r.account_id"
    "  AND b.currency = l.currency"
    " WHERE l.loan_id = :loan_id"
    " ON CONFLICT (loan_id) DO UPDATE SET " + ", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS)
)
_RECORD_BOTH = sa.text(
    "WITH kept AS (INSERT INTO servicing.checkpoint (loan_id, day, terms_version, fold_version, figures)"  # noqa: S608 - text of ours
    "  VALUES (:loan_id, :day, :terms_version, :fold_version, CAST(:figures AS jsonb))"
    "  ON CONFLICT (loan_id) DO UPDATE SET day = EXCLUDED.day, terms_version = EXCLUDED.terms_version,"
    f"  fold_version = EXCLUDED.fold_version, figures = EXCLUDED.figures) {_RECORD.text}"
)


def record_standing(
    connection: sa.Connection,
    loan: Loan,
    state: LoanState,
    closed_through: date | None,
    roles: Roles,
    *,
    entries_from: int,
) -> None:
    """Write where a loan stands now that its books are what the fold says, and the checkpoint that the fold made.

    No entry with a lower number than `entries_from` is effective on the checkpoint's day or later.
    """
    standing = standing_of(state, loan.terms, closed_through)
    row = _row(loan.loan_id, loan.terms, standing, roles)
    if state.checkpoint is None:
        connection.execute(_RECORD, row)
    else:
        checkpoint = {
            "day": state.checkpoint.day,
            "terms_version": loan.terms_version,
            "fold_version": FOLD_VERSION,
            "figures": json.dumps({**state.checkpoint.figures, ENTRIES_FROM: entries_from}),
        }
        connection.execute(_RECORD_BOTH, row | checkpoint)


def record_standings(connection: sa.Connection, loans: Sequence[tuple[Loan, LoanState]], roles: Roles) -> None:
    """Write where loans stand whose days were never closed, each with its fold."""
    rows = [_row(loan.loan_id, loan.terms, standing_of(state, loan.terms, None), roles) for loan, state in loans]
    if rows:
        connection.execute(_RECORD, rows)
        begin_ranges(connection, loans)


def next_checkpoint_day(
    loan: Loan, events: Sequence[Event], last_event_on: date, through: date, closed_through: date | None
) -> date | None:
    """Return the day at whose beginning a fold should make a checkpoint, if at all.

    What happens next mostly happens after what happened last. Nothing may be left to do on a day before: closes are
    evaluated up to the mark alone.
    """
    day = max(last_event_on, through - timedelta(days=LONGEST_WAY))
    product = loan.terms.product
    judged = product.thresholds or any(event.kind in JUDGED for event in events)
    if product.late_fee.is_charged or product.small_balance.automatic or judged:
        day = min(day, (closed_through or loan.terms.funded_on - timedelta(days=1)) + timedelta(days=1))
    return day if day > loan.terms.funded_on else None


JUDGED = frozenset({Kind.TRIAL_PLAN, Kind.SETTLED})
"""The kinds of events whose outcome the closes of days decide."""

LONGEST_WAY = 30
"""How many days a fold goes back at most to its checkpoint if nothing happened in them."""


def _row(loan_id: int, terms: Terms, standing: Standing, roles: Roles) -> dict[str, Any]:
    outlook = standing.outlook
    denominator = lcm(outlook.earned.denominator, outlook.nightly.denominator)
    # Where the role has moved, older accounts hold a part of the principal.
    is_read = outlook.is_on_principal and len(roles.ever[PRINCIPAL]) == 1
    return {
        "loan_id": loan_id,
        "booked": outlook.booked,
        "balance": None if is_read else outlook.balance,
        "through": outlook.through,
        "holds_through": outlook.holds_through,
        "next_step_on": standing.next_step_on,
        "unpaid_since": standing.unpaid_since,
        "matures_on": standing.matures_on,
        "receivable": roles.now[MEMO if standing.is_non_accrual else RECEIVABLE],
        "principal": roles.now[PRINCIPAL],
        "is_open": standing.is_open,
        "is_daily": terms.product.accrual == "daily",
        "rounding": terms.product.rounding.value,
        "earned": outlook.earned.numerator * (denominator // outlook.earned.denominator),
        "nightly": outlook.nightly.numerator * (denominator // outlook.nightly.denominator),
        "denominator": denominator,
        "fee_income": list(standing.fee_income) or None,
    }
