"""The day of collecting: cases open, move and close by the policy, and promises are kept or broken.

A day is one transaction together with the mark of the book, so a run that was killed is taken up by running it again;
days that were skipped are decided one after the other, each as it stood at its close.
Never: what people do (`servicing/commands/collections.py`). Next: `servicing/collecting.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from ledger.unit_of_work import UnitOfWork, run
from servicing import collection_tables as tables
from servicing.aging import OPEN
from servicing.collecting import Policy, Promise, Strategy, judged
from servicing.collection_store import SYSTEM_KEY, PolicyVersion, note, policy_of, promises_to_judge
from servicing.delinquency_queries import DAYS_PAST_DUE, PAST_DUE_NOW
from servicing.flags import COLLECTIONS, HOLDS, flags_on
from servicing.store import load_loans

_MARK = sa.text("SELECT through FROM servicing.collection_mark WHERE book_id = :book_id")
_MOVE_MARK = sa.text(
    "UPDATE servicing.collection_mark SET through = :day WHERE book_id = :book_id AND through = :before"
)
_BEHIND = sa.text(
    f"SELECT l.loan_id, r.status, {DAYS_PAST_DUE} AS dpd, c.case_no, c.queue, c.opened_on"  # noqa: S608 - text of ours
    " FROM (SELECT loan_id FROM servicing.collection_case WHERE book_id = :book_id AND closed_on IS NULL UNION"
    f"  SELECT r.loan_id FROM servicing.delinquency_range r WHERE {PAST_DUE_NOW} AND r.status = 'open'"
    f"   AND {DAYS_PAST_DUE} >= :least) b"
    " JOIN servicing.loan l ON l.loan_id = b.loan_id AND l.book_id = :book_id"
    " LEFT JOIN servicing.delinquency_range r ON r.loan_id = l.loan_id AND r.from_day <= :day"
    "  AND (r.through IS NULL OR r.through >= :day) AND r.superseded_on IS NULL"
    " LEFT JOIN servicing.collection_case c ON c.loan_id = l.loan_id AND c.closed_on IS NULL"
    " WHERE CAST(:loan_id AS bigint) IS NULL OR l.loan_id = :loan_id ORDER BY l.loan_id"
)
_FLAGGED = sa.text("SELECT DISTINCT loan_id FROM servicing.event WHERE loan_id = ANY (:ids) AND kind = 'flagged'")
_LOCK = sa.text("UPDATE servicing.loan SET fees_through = fees_through WHERE loan_id = ANY (:ids)")


def work_cases(engine: sa.Engine, book_id: int, day: date, *, actor: str) -> Mapping[str, int]:
    """Decide cases and promises of a book for every day up to this one that was not; return how many of what.

    A book for which no policy was loaded has no cases.
    """
    done: Counter[str] = Counter()
    while True:
        with engine.connect() as connection:
            through = connection.scalar(_MARK, {"book_id": book_id})
        if through is None or through >= day:
            return dict(done)
        done += run(engine, partial(_work_day, book_id=book_id, before=through), actor=actor)


def work_loan(uow: UnitOfWork, book_id: int, loan_id: int, day: date) -> None:
    """Decide the case and the promises of one loan at the close of a day; the book's mark stays."""
    _decide(uow, book_id, day, loan_id)


def _work_day(uow: UnitOfWork, *, book_id: int, before: date) -> Counter[str]:
    day = before + timedelta(days=1)
    moved = uow.connection.execute(_MOVE_MARK, {"book_id": book_id, "day": day, "before": before}).rowcount
    # Where somebody else has moved it meanwhile, the day is done.
    return _decide(uow, book_id, day, None) if moved else Counter()


def _decide(uow: UnitOfWork, book_id: int, day: date, loan_id: int | None) -> Counter[str]:
    done: Counter[str] = Counter()
    version = policy_of(uow.connection, book_id)
    if version is not None:
        done += _decide_cases(uow, book_id, day, loan_id, version)
    changed = [
        (promise, received, status)
        for promise, received in promises_to_judge(uow.connection, book_id, day, loan_id)
        if (status := judged(promise, received, day)) != promise.status or received != promise.received
    ]
    if changed:
        uow.connection.execute(_LOCK, {"ids": sorted({promise.loan_id for promise, _, _ in changed})})
    for promise, received, status in changed:
        _settle(uow, promise, received, status, day, None if version is None else version.policy)
        done[f"promises_{status}"] += status != promise.status
    return +done


def _decide_cases(
    uow: UnitOfWork, book_id: int, day: date, loan_id: int | None, version: PolicyVersion
) -> Counter[str]:
    done: Counter[str] = Counter()
    least = version.policy.strategies[0].from_dpd
    values = {"book_id": book_id, "day": day, "loan_id": loan_id, "least": least}
    todo: list[tuple[Callable[..., str], Any, Strategy | None]] = []
    rows = uow.connection.execute(_BEHIND, values).all()
    held = _held(uow.connection, [row.loan_id for row in rows], day)
    for row in rows:
        strategy = None if row.loan_id in held else version.policy.strategy(row.dpd)
        ended = row.dpd == 0 or row.status != OPEN or row.loan_id in held
        if row.case_no is not None and ended:
            todo.append((_close, row, strategy))
        elif strategy is not None and row.case_no is None:
            todo.append((_open, row, strategy))
        elif strategy is not None and strategy.queue != row.queue:
            todo.append((_move, row, strategy))
    if todo:
        uow.connection.execute(_LOCK, {"ids": [row.loan_id for _, row, _ in todo]})
    for decide, row, strategy in todo:
        why = held.get(row.loan_id, "cured" if row.status in (None, OPEN) else row.status)
        done[decide(uow, book_id, day, row, strategy, version.version, why)] += 1
    return done


def _held(connection: sa.Connection, loan_ids: Sequence[int], day: date) -> Mapping[int, str]:
    """Return which of the loans have a flag that holds collections at the close of a day, and which flag that is."""
    flagged = connection.scalars(_FLAGGED, {"ids": list(loan_ids)}).all() if loan_ids else ()
    found: dict[int, str] = {}
    for loan in load_loans(connection, flagged, lock=False) if flagged else ():
        for flag in flags_on(loan.events, day):
            if COLLECTIONS in HOLDS[flag]:
                found.setdefault(loan.loan_id, flag)
    return found


def _open(uow: UnitOfWork, book_id: int, day: date, row: Any, strategy: Strategy, version: int, _why: str) -> str:
    cases = tables.collection_case
    last = sa.select(sa.func.coalesce(sa.func.max(cases.c.case_no), 0)).where(cases.c.loan_id == row.loan_id)
    number = int(uow.connection.scalar(last) or 0) + 1
    values = {"loan_id": row.loan_id, "case_no": number, "book_id": book_id, "opened_on": day}
    uow.connection.execute(sa.insert(cases), [{**values, **_work(row.loan_id, strategy, day, version)}])
    details = {"case_no": number, "queue": strategy.queue, "dpd": row.dpd}
    note(uow, row.loan_id, day, "case_opened", details, f"{SYSTEM_KEY}:{day}:opened:{number}")
    return "cases_opened"


def _move(uow: UnitOfWork, _book_id: int, day: date, row: Any, strategy: Strategy, version: int, _why: str) -> str:
    cases = tables.collection_case
    changed = sa.update(cases).values(**_work(row.loan_id, strategy, day, version))
    uow.connection.execute(changed.where(cases.c.loan_id == row.loan_id, cases.c.case_no == row.case_no))
    details = {"case_no": row.case_no, "from": row.queue, "queue": strategy.queue, "dpd": row.dpd}
    note(uow, row.loan_id, day, "case_moved", details, f"{SYSTEM_KEY}:{day}:moved:{row.case_no}:{strategy.queue}")
    return "cases_moved"


def _close(
    uow: UnitOfWork, _book_id: int, day: date, row: Any, _strategy: Strategy | None, version: int, why: str
) -> str:
    cases = tables.collection_case
    changed = sa.update(cases).values(closed_on=max(day, row.opened_on), policy_version=version)
    uow.connection.execute(changed.where(cases.c.loan_id == row.loan_id, cases.c.case_no == row.case_no))
    details = {"case_no": row.case_no, "why": why}
    note(uow, row.loan_id, day, "case_closed", details, f"{SYSTEM_KEY}:{day}:closed:{row.case_no}")
    return "cases_closed"


def _work(loan_id: int, strategy: Strategy, day: date, version: int) -> dict[str, Any]:
    """Return what a strategy makes of a case."""
    return {
        "queue": strategy.queue,
        "owner": strategy.owner_of(loan_id),
        "priority": strategy.priority,
        "next_action": strategy.next_action,
        "next_action_on": day + timedelta(days=strategy.within_days),
        "policy_version": version,
    }


def _settle(uow: UnitOfWork, promise: Promise, received: int, status: str, day: date, policy: Policy | None) -> None:
    rows, decided_on = tables.promise, promise.decided_on
    if status != promise.status:
        decided_on = None if status == "open" else day
        details = {"promise_no": promise.promise_no, "status": status, "received": received}
        key = f"{SYSTEM_KEY}:{day}:promise:{promise.promise_no}:{status}"
        note(uow, promise.loan_id, day, f"promise_{status}", details, key)
    changed = sa.update(rows).values(status=status, received=received, decided_on=decided_on)
    uow.connection.execute(changed.where(rows.c.loan_id == promise.loan_id, rows.c.promise_no == promise.promise_no))
    if status == "broken" != promise.status and policy is not None:
        cases = tables.collection_case
        again = sa.update(cases).values(next_action=policy.promises.when_broken, next_action_on=day)
        uow.connection.execute(again.where(cases.c.loan_id == promise.loan_id, cases.c.closed_on.is_(None)))
