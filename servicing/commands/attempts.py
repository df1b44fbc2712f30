"""Attempts to take a payment of a loan, by whatever rail, and whether more may be made.

After two in a row that failed for want of funds none may, until the borrower authorizes it anew. Never: which reason is
one of funds beyond the two of the clearing house and that of a card. Source: 12 CFR 1041.8(b).
Next: `servicing/nacha/representment.py`; `docs/spec/nacha.md`, worked.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from servicing.nacha.reason_codes import RETURN_CODES
from servicing.nacha.representment import Attempt, attempts_stopped
from servicing.rail_queries import instructions, mandates
from servicing.rails.errors import AttemptsStopped
from servicing.rails.instruction import Direction, Instruction, Status
from servicing.rails.rail import Source
from servicing.rails.registry import RAILS
from servicing.store import load_loan

LACKING = frozenset({code for code, each in RETURN_CODES.items() if each.lacks_funds} | {"insufficient_funds"})
"""What says, of an attempt by any channel, that it failed for want of funds."""


def attempts_on(connection: sa.Connection, loan_id: int) -> tuple[Attempt, ...]:
    """Return the debits that were sent for a loan by any channel, in the order in which they were, and how each ended.

    Raises: LoanUnknown.
    """
    sent = [
        (moves[0].moved_on, each)
        for each in instructions(connection, loan_id)
        if _is_attempt(each) and (moves := [m for m in each.moves if m.status is Status.SENT])
    ]
    return tuple(_attempt(on, each) for on, each in sorted(sent, key=lambda pair: (pair[0], pair[1].instruction_no)))


def is_stopped(connection: sa.Connection, loan_id: int) -> bool:
    """Tell whether two attempts in a row failed on a loan, with no mandate given since the second.

    Where the product says that attempts go on, none are stopped. Raises: LoanUnknown.
    """
    if load_loan(connection, loan_id, lock=False).terms.product.failed_attempts == "continue":
        return False
    given = [each.authorized_on for each in mandates(connection, loan_id) if each.ended_on is None]
    return attempts_stopped(attempts_on(connection, loan_id), authorized_on=max(given, default=None))


def _attempt(on: date, of: Instruction) -> Attempt:
    back = next((move.reason for move in of.moves if move.status is Status.RETURNED), None)
    return Attempt(on, failed_for_funds=back in LACKING, came_back=back is not None)


def _is_attempt(of: Instruction) -> bool:
    """Tell whether an instruction takes from the borrower's account or card; what is handed over is no attempt."""
    return of.direction is Direction.DEBIT and RAILS[of.method].source is not Source.NOTHING


def check_attempt(connection: sa.Connection, of: Instruction) -> None:
    """Refuse to try once more where two attempts in a row have failed.

    Raises: LoanUnknown; AttemptsStopped.
    """
    if _is_attempt(of) and is_stopped(connection, of.loan_id):
        raise AttemptsStopped(loan_id=of.loan_id)
