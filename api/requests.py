"""A changing call on one loan: done once for its key, answered alike ever after.

What a later release lets a body say is left out of what is compared while it says nothing, so that a request that was
sent before may come again. Next: `ledger/requests.py`; `api/http.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response

from api import http
from api.models import Body
from api.views import Json
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork

ADDED = frozenset({"excess", "overpayment"})
"""Fields of bodies that came with a later release."""


def inputs_of(body: Body) -> dict[str, Any]:
    """Return what a body says, as it is compared with a later request of the same key."""
    said = body.model_dump(mode="json")
    return {name: value for name, value in said.items() if name not in ADDED or value is not None}


def once_on_loan(
    change: http.Change,
    loan_id: int,
    command: str,
    inputs: Mapping[str, Any],
    work: Callable[[UnitOfWork], Json],
) -> Response:
    """Do the work of a changing call on a loan, unless its key has come before; reply with its outcome."""

    def answer(uow: UnitOfWork) -> Outcome:
        return once(uow, subledger_id=loan_id, key=change.key, command=command, inputs=inputs, work=lambda: work(uow))

    outcome = http.edge().answer(answer, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
