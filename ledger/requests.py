"""One request, one effect: a key that comes back gets the outcome of its first coming, a refusal included.

The row of the key is written in the transaction of the work itself, so that neither can be kept without the other; a
twin that comes meanwhile waits for it. What is kept of the input is a digest by field: enough to name the field that
differs, too little to leak it. Never: the work.
Next: `ledger/sql/requests.sql`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from ledger.db import dump_json, translate
from ledger.errors import DomainError, RequestKeyReused, from_dict
from ledger.fingerprint import canonical_text
from ledger.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request came to, and whether it came before."""

    result: Mapping[str, Any]
    replayed: bool


_BEGIN = sa.text(
    "SELECT o_state, o_outcome, o_refused, o_field"
    " FROM ledger.begin_request(:subledger_id, :key, :command, :inputs, :actor)"
)
_ANSWER = sa.text("SELECT ledger.answer_request(:subledger_id, :key, :outcome, :refused)")


def once(
    uow: UnitOfWork,
    *,
    subledger_id: int,
    key: str,
    command: str,
    inputs: Mapping[str, Any],
    work: Callable[[], Mapping[str, Any]],
    keep_refusals: bool = True,
) -> Outcome:
    """Do the work of a request unless its key has come before in this subledger; return its outcome.

    A refusal is kept too: the work is undone to a savepoint, the refusal is written, and `settle` raises it after the
    commit. Without `keep_refusals` it is raised at once, so that the key may come again when its cause is gone. The
    result must consist of JSON values.

    Raises: RequestKeyReused naming the field that differs.
    """
    digests = {name: _digest(value) for name, value in inputs.items()}
    row = uow.connection.execute(
        _BEGIN,
        {
            "subledger_id": subledger_id,
            "key": key,
            "command": command,
            "inputs": Jsonb(digests),
            "actor": uow.actor,
        },
    ).one()
    if row.o_state == "differs":
        raise RequestKeyReused(
            request_key=key,
            field=row.o_field,
            stored="another value",
            given=_shown(command if row.o_field == "command" else inputs.get(row.o_field)),
        )
    if row.o_state == "done":
        return Outcome(result=row.o_outcome, replayed=True)
    result, refused = _attempt(uow, work) if keep_refusals else (work(), False)
    values = {"subledger_id": subledger_id, "key": key, "refused": refused}
    uow.connection.execute(_ANSWER, {**values, "outcome": Jsonb(dict(result), dumps=dump_json)})
    return Outcome(result=result, replayed=False)


def settle(outcome: Outcome) -> Outcome:
    """Return an outcome, or raise the refusal that it is: call it once the transaction is committed.

    Raises: the DomainError that the work was refused with, now or the first time.
    """
    if "refusal" in outcome.result:
        raise from_dict(outcome.result["refusal"])
    return outcome


def _attempt(uow: UnitOfWork, work: Callable[[], Mapping[str, Any]]) -> tuple[Mapping[str, Any], bool]:
    savepoint = uow.connection.begin_nested()
    try:
        result = work()
    except (DomainError, sa.exc.DBAPIError) as error:
        refusal = error if isinstance(error, DomainError) else translate(error)
        if refusal is None:
            raise
        savepoint.rollback()
        return {"refusal": refusal.to_dict()}, True
    savepoint.commit()
    return result, False


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_text(value).encode()).hexdigest()[:32]


def _shown(value: Any) -> str:
    return "(none)" if value is None else str(value)
