"""Applications as people look at them: one with its history, or a page of them.

Next: `servicing/queries.py` for the loan that an application became.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from ledger.money import Money
from ledger.queries.accounts import book
from origination import store, tables
from origination.application import ApplicationState, Disbursement, LoanRequest
from origination.errors import ApplicationUnknown


@dataclass(frozen=True, slots=True)
class ApplicationEvent:
    """A step of an application's life: what was done, what it led to, when, by whom, approved by whom."""

    event_no: int
    action: str
    state: ApplicationState
    business_date: date
    actor: str
    approver: str | None
    reason: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationView:
    """An application with its history; once it is funded, with its loan and the instructions to pay out."""

    application_id: int
    state: ApplicationState
    request: LoanRequest
    entered_by: str
    entered_on: date
    loan_id: int | None
    events: tuple[ApplicationEvent, ...]
    disbursements: tuple[Disbursement, ...]


def application(connection: sa.Connection, application_id: int) -> ApplicationView:
    """Return one application.

    Raises: ApplicationUnknown.
    """
    stored = store.load_applications(connection, (application_id,)).get(application_id)
    if stored is None:
        raise ApplicationUnknown(application_id=application_id)
    return ApplicationView(
        application_id=application_id,
        state=stored.standing.state,
        request=stored.request,
        entered_by=stored.standing.entered_by,
        entered_on=stored.entered_on,
        loan_id=stored.loan_id,
        events=_events(connection, application_id),
        disbursements=_disbursements(connection, application_id),
    )


def application_ids(
    connection: sa.Connection,
    book_code: str,
    *,
    state: ApplicationState | None = None,
    after: int = 0,
    limit: int = 100,
) -> tuple[int, ...]:
    """Return the ids of a book's applications above `after`, in order; with a state, of those that are in it.

    Raises: BookUnknown.
    """
    entered, event = tables.application, tables.application_event
    latest = (
        sa.select(event.c.state)
        .where(event.c.application_id == entered.c.application_id)
        .order_by(event.c.event_no.desc())
        .limit(1)
        .scalar_subquery()
    )
    wanted = [entered.c.book_id == book(connection, book_code).book_id, entered.c.application_id > after]
    if state is not None:
        wanted.append(latest == str(state))
    statement = sa.select(entered.c.application_id).where(*wanted)
    return tuple(connection.scalars(statement.order_by(entered.c.application_id).limit(limit)))


def states_by_name(
    connection: sa.Connection, book_code: str, names: Sequence[str]
) -> dict[str, tuple[int, ApplicationState]]:
    """Return the id and the state of those of these applications that a book has, by their external ids.

    Raises: BookUnknown.
    """
    known = store.known_applications(connection, book(connection, book_code).book_id, names)
    found = store.load_applications(connection, tuple(known.values()))
    return {name: (number, found[number].standing.state) for name, number in known.items()}


_FUNNEL = sa.text(
    "SELECT count(*) AS entered, count(*) FILTER (WHERE e.state = 'declined') AS declined,"
    " count(*) FILTER (WHERE e.state = 'withdrawn') AS withdrawn,"
    " count(*) FILTER (WHERE e.state = 'canceled') AS canceled,"
    " count(*) FILTER (WHERE e.state = 'funded') AS funded,"
    " count(*) FILTER (WHERE d.outcome IN ('refer', 'counter_offer')) AS referred"
    " FROM origination.application a"
    " CROSS JOIN LATERAL (SELECT v.state FROM origination.application_event v"
    "   WHERE v.application_id = a.application_id ORDER BY v.event_no DESC LIMIT 1) e"
    " LEFT JOIN LATERAL (SELECT l.outcome FROM origination.decision l WHERE l.application_id = a.application_id"
    "   AND l.role <> 'shadow' ORDER BY l.decision_no DESC LIMIT 1) d ON true"
    " WHERE a.book_id = :book_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many applications were entered, what became of them, and how many of all the policy referred to people."""

    entered: int
    referred: int
    declined: int
    withdrawn: int
    canceled: int
    funded: int

    @property
    def open(self) -> int:
        """Return how many are on their way."""
        return self.entered - self.declined - self.withdrawn - self.canceled - self.funded


def funnel(connection: sa.Connection, book_code: str) -> Funnel:
    """Return what became of all applications of a book. Raises: BookUnknown."""
    row = connection.execute(_FUNNEL, {"book_id": book(connection, book_code).book_id}).one()
    return Funnel(**row._mapping)


def _events(connection: sa.Connection, application_id: int) -> tuple[ApplicationEvent, ...]:
    event = tables.application_event
    rows = connection.execute(
        sa.select(event).where(event.c.application_id == application_id).order_by(event.c.event_no)
    )
    return tuple(
        ApplicationEvent(
            row.event_no,
            row.action,
            ApplicationState(row.state),
            row.business_date,
            row.actor,
            row.approver,
            row.reason,
            row.recorded_at,
        )
        for row in rows
    )


def _disbursements(connection: sa.Connection, application_id: int) -> tuple[Disbursement, ...]:
    table = tables.disbursement
    rows = connection.execute(
        sa.select(table).where(table.c.application_id == application_id).order_by(table.c.disbursement_no)
    )
    return tuple(Disbursement(row.payee, row.rail, Money(row.amount, row.currency)) for row in rows)
