"""Pages of the list of tasks: each holds where the next one begins, whatever was done meanwhile.

Next: `api/pagination.py`; `origination/workflow_queries.py`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from api.errors import CursorInvalid
from api.pagination import decode, encode
from api.views import Json
from api.workflows import now, task_json
from origination.workflow_queries import Place, TaskFilter, tasks


def page_of(connection: sa.Connection, book_code: str, wanted: TaskFilter, *, cursor: str | None, limit: int) -> Json:
    """Return a page of open tasks in the order of their due times, and where the next begins (None: nowhere).

    Raises: BookUnknown; CursorInvalid.
    """
    question = {**asdict(wanted), "book": book_code}
    after = None if cursor is None else _place(cursor, question)
    found = tasks(connection, book_code, wanted, after=after, limit=limit + 1)
    page, at = found[:limit], now()
    following = None
    if len(found) > limit:
        due_at, application_id, task_no = page[-1].place
        following = encode((due_at.isoformat(), application_id, task_no), question)
    return {"tasks": [task_json(each, at=at) for each in page], "next": following}


def _place(cursor: str, question: Json) -> Place:
    match decode(cursor, question):
        case [str() as due_at, int() as application_id, int() as task_no]:
            try:
                return datetime.fromisoformat(due_at), application_id, task_no
            except ValueError:
                pass
    raise CursorInvalid(reason="it does not hold the place of a task")
