"""Collecting from borrowers as both doors show it: the work list, and everything about one loan.

Next: `servicing/collection_queries.py`; `api/routes/collections.py`, `api/cli/collections.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from api.errors import CursorInvalid
from api.pagination import decode, encode
from api.views import Json, MoneyForm
from ledger.money import Money
from servicing.collecting import Promise
from servicing.collection_queries import CaseLine, Collecting, work_list


def read_work(
    connection: sa.Connection,
    book_code: str,
    *,
    queue: str | None,
    owner: str | None,
    cursor: str | None,
    limit: int,
    money: MoneyForm,
) -> Json:
    """Return a page of the work list, and the cursor of the next.

    Raises: CursorInvalid; BookUnknown.
    """
    question = {"book": book_code, "queue": queue, "owner": owner}
    after = None if cursor is None else _place(decode(cursor, question))
    lines = work_list(connection, book_code, queue=queue, owner=owner, after=after, limit=limit + 1)
    page = lines[:limit]
    more = len(lines) > limit
    following = encode((page[-1].priority, page[-1].next_action_on, page[-1].loan_id), question) if more else None
    return {"cases": [_line_json(line, money) for line in page], "next_cursor": following}


def _place(parts: Sequence[Any]) -> tuple[int, date, int]:
    match parts:
        case [int() as priority, str() as day, int() as loan_id]:
            try:
                return priority, date.fromisoformat(day), loan_id
            except ValueError:
                pass
    raise CursorInvalid(reason="it does not hold the place of a case")


def collecting_json(found: Collecting, money: MoneyForm) -> Json:
    """Return cases, promises, flags and the log of a loan."""
    return {
        "loan_id": found.loan_id,
        "cases": [_plain(case) for case in found.cases],
        "promises": [promise_json(each, found.currency, money) for each in found.promises],
        "flags": [_plain(flag) for flag in found.flags],
        "log": [_plain(note) for note in found.notes],
    }


def promise_json(each: Promise, currency: str, money: MoneyForm) -> Json:
    """Return a promise and what came of it."""
    return {
        "promise_no": each.promise_no,
        "plan_no": each.plan_no,
        "promised_on": each.promised_on.isoformat(),
        "by": each.due_on.isoformat(),
        "amount": money(Money(each.amount, currency)),
        "received": money(Money(each.received, currency)),
        "status": each.status,
        "decided_on": None if each.decided_on is None else each.decided_on.isoformat(),
    }


def _line_json(line: CaseLine, money: MoneyForm) -> Json:
    return {
        "loan_id": line.loan_id,
        "case_no": line.case_no,
        "queue": line.queue,
        "owner": line.owner,
        "priority": line.priority,
        "next_action": line.next_action,
        "next_action_on": line.next_action_on.isoformat(),
        "opened_on": line.opened_on.isoformat(),
        "dpd": line.dpd,
        "past_due": money(Money(line.past_due, line.currency)),
    }


def _plain(values: Mapping[str, Any]) -> Json:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
