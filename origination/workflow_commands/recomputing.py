"""Standing and task list, compared with what the events come to, and written anew where they differ.

They are written with each event, so they differ only after damage or by a defect. Never: the events.
Next: `origination/workflow_store.py`.
"""

from __future__ import annotations

from ledger.unit_of_work import UnitOfWork
from origination import workflow_store as store
from origination.workflow_queries import applications_in_workflows

CHUNK = 500


def recompute_next(uow: UnitOfWork, book_code: str, *, after: int) -> tuple[int | None, tuple[int, ...]]:
    """Recompute the next applications of a book; return the last of them (None: no more), and those that differed.

    Raises: BookUnknown.
    """
    page = applications_in_workflows(uow.connection, book_code, after=after, limit=CHUNK)
    differed = tuple(each for each in page if _recompute(uow, each))
    return (page[-1] if page else None), differed


def _recompute(uow: UnitOfWork, application_id: int) -> bool:
    running = store.load(uow.connection, application_id, lock=True)
    assert running is not None, application_id
    if store.derived_stored(uow.connection, application_id) == store.derived(running):
        return False
    store.write_derived(uow.connection, running)
    return True
