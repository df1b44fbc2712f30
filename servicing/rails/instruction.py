"""A payment instruction and the statuses that it moves through: one table says which moves there are.

Amounts are minor units. Never: what a move books (`servicing/commands/instructions.py`).
Next: `docs/spec/rails.md`; `servicing/rails/rail.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType


class Direction(StrEnum):
    """Which way the money goes, seen from the borrower's account: it is debited, or credited."""

    DEBIT = "debit"
    CREDIT = "credit"


class Status(StrEnum):
    """How far an instruction has come."""

    SCHEDULED = "scheduled"
    BATCHED = "batched"
    SENT = "sent"
    SETTLED = "settled"
    RETURNED = "returned"
    CANCELED = "canceled"


MOVES: Mapping[Status | None, frozenset[Status]] = MappingProxyType(
    {
        None: frozenset({Status.SCHEDULED}),
        Status.SCHEDULED: frozenset({Status.BATCHED, Status.SENT, Status.CANCELED}),
        Status.BATCHED: frozenset({Status.SENT, Status.CANCELED}),
        Status.SENT: frozenset({Status.SETTLED, Status.RETURNED}),
        Status.SETTLED: frozenset({Status.RETURNED}),
        Status.RETURNED: frozenset(),
        Status.CANCELED: frozenset(),
    }
)
"""The statuses that may follow each one. What was sent is not canceled: it settles, or it comes back."""


def may_follow(status: Status | None, next_status: Status) -> bool:
    """Tell whether one status may follow another."""
    return next_status in MOVES[status]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move: when, what it names, the event of the loan that it made and the numbers of the entries it booked.

    `settles_on` is set when it is sent, `available_on` when its cash is first credited to the loan or settles.
    """

    move_no: int
    status: Status
    moved_on: date
    settles_on: date | None = None
    available_on: date | None = None
    trace: str | None = None
    reason: str = ""
    event_no: int | None = None
    entries: tuple[int, ...] = ()
    actor: str = ""
    request_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """An instruction with its moves, the latest last. `attempt` counts from 1 along its retries.

    One with a payee sends a part of the proceeds of the loan; any other credit sends its unapplied cash.
    """

    loan_id: int
    instruction_no: int
    direction: Direction
    method: str
    amount: int
    currency: str
    due_on: date
    account_no: int | None = None
    card_token: str | None = None
    mandate_no: int | None = None
    retry_of: int | None = None
    payee: str | None = None
    attempt: int = 1
    actor: str = ""
    request_key: str = ""
    moves: tuple[Move, ...] = ()

    @property
    def status(self) -> Status:
        """Return how far it has come."""
        return self.moves[-1].status

    @property
    def payment_ref(self) -> str:
        """Return the external id of the payment that it makes of itself."""
        return f"instruction:{self.instruction_no}"

    @property
    def settles_on(self) -> date | None:
        """Return the day on which it settles, or is meant to; None before it is sent."""
        return next((move.settles_on for move in reversed(self.moves) if move.settles_on), None)

    @property
    def available_on(self) -> date | None:
        """Return the first day on which its cash may be spent; None before there is any."""
        return next((move.available_on for move in reversed(self.moves) if move.available_on), None)

    @property
    def event_no(self) -> int | None:
        """Return the loan's event by which it was booked: a payment, or a refund; None before."""
        booked = (move for move in self.moves if move.status is not Status.RETURNED)
        return next((move.event_no for move in booked if move.event_no is not None), None)

    @property
    def trace(self) -> str | None:
        """Return the trace number under which it was sent."""
        return next((move.trace for move in self.moves if move.trace), None)

    def move_by(self, request_key: str, status: Status) -> Move | None:
        """Return the move that a request made, if it has."""
        made = (move for move in self.moves if move.request_key == request_key and move.status is status)
        return next(made, None)
