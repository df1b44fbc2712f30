"""Rows of servicing to values and back, and the entries of loans as a replay needs them.

Everything here reads or writes many loans in one round trip. Never: decisions.
Next: `servicing/commands.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from ledger.chart import AccountCode
from ledger.journal import Posting
from ledger.money import Money
from ledger.queries.accounts import learn_books
from servicing import tables
from servicing.checkpoint import Checkpoint
from servicing.drafts import LoanDraft
from servicing.engine import FOLD_VERSION
from servicing.errors import LoanUnknown
from servicing.events import Event, Kind
from servicing.posting_rules import Roles
from servicing.product import Product, stored_product
from servicing.replay import Booked
from servicing.terms import Terms, terms_from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """A loan with the terms that it was boarded with, its events, and the book that it belongs to."""

    loan_id: int
    book_code: str
    business_date: date
    external_id: str
    fees_through: date | None
    terms: Terms
    terms_version: int
    last_entry_no: int
    events: tuple[Event, ...]
    request_keys: Mapping[str, int]
    checkpoint: Checkpoint | None
    """Where the next fold may begin; None if there is no place but the funding."""

    @property
    def cut_over_on(self) -> date | None:
        """Return the day on which the loan was taken over in mid-life; None of one that was funded here."""
        taken_over = self.events and self.events[0].kind is Kind.BOARDED
        return self.events[0].effective_date if taken_over else None


ENTRIES_FROM = "entries_from"
"""What a stored checkpoint keeps beside the figures of the fold."""


class _Statements:
    """A statement over many loans, and the same over one.

    The plan over one is made once and kept. Over an array the server plans each time anew, since it knows better then
    how many there are; for one loan that costs more than what it asks for.
    """

    def __init__(self, key: str, text: str) -> None:
        self._one = sa.text(text.format(of_loans=f"{key} = :loan_id"))
        self._many = sa.text(text.format(of_loans=f"{key} = ANY (:ids)"))

    def rows(self, connection: sa.Connection, loan_ids: Sequence[int], **values: Any) -> sa.CursorResult[Any]:
        """Return the rows of these loans."""
        if len(loan_ids) == 1:
            return connection.execute(self._one, {"loan_id": loan_ids[0], **values})
        return connection.execute(self._many, {"ids": sorted(loan_ids), **values})


_LOANS = (
    "SELECT l.loan_id, l.book_id, l.external_id, l.fees_through, b.code AS book_code,"
    " b.business_date, t.terms, t.version AS terms_version, t.product_hash, p.rules, s.last_entry_no,"
    " k.day AS checkpoint_day, k.figures AS checkpoint_figures"
    " FROM servicing.loan l JOIN ledger.book b ON b.book_id = l.book_id"
    " JOIN ledger.subledger s ON s.subledger_id = l.loan_id"
    " JOIN servicing.terms_version t ON t.loan_id = l.loan_id AND t.version = 1"
    " JOIN servicing.product_version p ON p.content_hash = t.product_hash"
    " LEFT JOIN servicing.checkpoint k ON k.loan_id = l.loan_id AND k.terms_version = t.version"
    "  AND k.fold_version = :fold_version"
    " WHERE {of_loans} ORDER BY l.loan_id"
)
_READ = _Statements("l.loan_id", _LOANS)
_LOCK_ONE = sa.text("SELECT l.loan_id FROM servicing.loan l WHERE l.loan_id = :loan_id FOR UPDATE")
# Several loans are locked by an update that changes nothing: a select may lock one only on a distributed engine.
_LOCK_MANY = sa.text("UPDATE servicing.loan SET fees_through = fees_through WHERE loan_id = ANY (:ids)")
_EVENTS = _Statements(
    "loan_id",
    "SELECT loan_id, event_no, kind, effective_date, entered_on, payload, request_key FROM servicing.event"
    " WHERE {of_loans} ORDER BY loan_id, event_no",
)
_PRODUCTS: dict[str, Product] = {}


def load_loans(connection: sa.Connection, loan_ids: Sequence[int], *, lock: bool) -> tuple[Loan, ...]:
    """Return loans by id, their rows locked if asked; those that do not exist are left out.

    They are locked first and then read: what is read is never older than the lock.
    """
    if lock and len(loan_ids) == 1:
        connection.execute(_LOCK_ONE, {"loan_id": loan_ids[0]})
    elif lock:
        connection.execute(_LOCK_MANY, {"ids": sorted(loan_ids)})
    rows = _READ.rows(connection, loan_ids, fold_version=FOLD_VERSION).all()
    learn_books(connection, {row.loan_id: row.book_id for row in rows})
    events: dict[int, list[Any]] = {}
    for row in _EVENTS.rows(connection, loan_ids):
        events.setdefault(row.loan_id, []).append(row)
    return tuple(_loan(row, events.get(row.loan_id, [])) for row in rows)


def load_loan(connection: sa.Connection, loan_id: int, *, lock: bool) -> Loan:
    """Return one loan.

    Raises: LoanUnknown.
    """
    found = load_loans(connection, [loan_id], lock=lock)
    if not found:
        raise LoanUnknown(loan_id=loan_id)
    return found[0]


def _loan(row: Any, events: Iterable[Any]) -> Loan:
    events = list(events)
    if row.product_hash not in _PRODUCTS:
        _PRODUCTS[row.product_hash] = stored_product(row.rules)
    return Loan(
        loan_id=row.loan_id,
        book_code=row.book_code,
        business_date=row.business_date,
        external_id=row.external_id,
        fees_through=row.fees_through,
        terms=terms_from_json(_PRODUCTS[row.product_hash], row.terms),
        terms_version=row.terms_version,
        last_entry_no=row.last_entry_no,
        events=tuple(_event(item) for item in events),
        request_keys={item.request_key: item.event_no for item in events},
        checkpoint=None if row.checkpoint_day is None else _checkpoint(row),
    )


def _checkpoint(row: Any) -> Checkpoint:
    figures = dict(row.checkpoint_figures)
    return Checkpoint(row.checkpoint_day, figures, figures.pop(ENTRIES_FROM, 0))


def _event(row: Any) -> Event:
    payload = dict(row.payload)
    return Event(
        no=row.event_no,
        kind=Kind(row.kind),
        effective_date=row.effective_date,
        entered_on=row.entered_on,
        amount=payload.pop("amount", 0),
        method=payload.pop("method", "cash"),
        of=payload.pop("of", None),
        details=payload,
    )


def payload_of(event: Event) -> dict[str, Any]:
    """Return the part of an event that is stored as JSON; amounts are minor units."""
    own = {"amount": event.amount, "method": event.method} if event.amount else {}
    undoes = {} if event.of is None else {"of": event.of}
    return {**own, **undoes, **event.details}


def append_event(connection: sa.Connection, loan_id: int, event: Event, actor: str, request_key: str) -> None:
    """Write an event of a loan whose row is locked."""
    connection.execute(sa.insert(tables.event), [event_row(loan_id, event, actor, request_key)])


def event_row(loan_id: int, event: Event, actor: str, request_key: str) -> dict[str, Any]:
    """Return an event as a row."""
    return {
        "loan_id": loan_id,
        "event_no": event.no,
        "kind": event.kind.value,
        "effective_date": event.effective_date,
        "entered_on": event.entered_on,
        "payload": payload_of(event),
        "actor": actor,
        "request_key": request_key,
    }


_BOOKED = _Statements(
    "e.subledger_id",
    "SELECT e.subledger_id, e.entry_no, e.source_ref, e.template, e.template_version, e.effective_date,"
    " array_agg(d.code ORDER BY p.seq) AS debits, array_agg(c.code ORDER BY p.seq) AS credits,"
    " array_agg(p.amount ORDER BY p.seq) AS amounts, array_agg(p.currency ORDER BY p.seq) AS currencies"
    " FROM ledger.journal_entry e"
    " JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no"
    " JOIN ledger.account d ON d.account_id = p.debit_account"
    " JOIN ledger.account c ON c.account_id = p.credit_account"
    " WHERE {of_loans} AND e.entry_no >= :from_no AND p.entry_no >= :from_no"
    " AND e.reverses_no IS NULL AND e.source_ref IS NOT NULL"
    " AND e.template = ANY (:templates) AND e.effective_date >= :since"
    " AND NOT EXISTS (SELECT FROM ledger.journal_entry r"
    "   WHERE r.subledger_id = e.subledger_id AND r.reverses_no = e.entry_no)"
    " GROUP BY e.subledger_id, e.entry_no ORDER BY e.subledger_id, e.entry_no",
)


def load_booked(
    connection: sa.Connection,
    loan_ids: Sequence[int],
    templates: Iterable[str],
    since: date = date.min,
    entries_from: int = 0,
) -> Mapping[int, tuple[Booked, ...]]:
    """Return the entries in force of each loan that servicing has booked, effective since a day, by entry number.

    Whoever knows that no entry before some number is effective then, says so: it spares the reading of a long history.
    """
    found: dict[int, list[Booked]] = {loan_id: [] for loan_id in loan_ids}
    for row in _BOOKED.rows(connection, loan_ids, templates=list(templates), since=since, from_no=entries_from):
        found[row.subledger_id].append(_booked(row))
    return {loan_id: tuple(entries) for loan_id, entries in found.items()}


def _booked(row: Any) -> Booked:
    return Booked(
        entry_no=row.entry_no,
        key=row.source_ref,
        template=row.template,
        template_version=row.template_version,
        effective_date=row.effective_date,
        postings=tuple(
            Posting(AccountCode(debit), AccountCode(credit), Money(amount, currency))
            for debit, credit, amount, currency in zip(
                row.debits, row.credits, row.amounts, row.currencies, strict=True
            )
        ),
    )


_ROLES = sa.text(
    "SELECT r.role, a.code FROM ledger.role_map r"
    " JOIN ledger.book b ON b.book_id = r.book_id AND b.code = :book"
    " JOIN ledger.account a ON a.account_id = r.account_id"
    " WHERE r.map_name = 'default' ORDER BY r.role, r.effective_from"
)


def load_roles(connection: sa.Connection, book_code: str) -> Roles:
    """Return the accounts of each role by the default map: today's, and all that ever had it."""
    ever: dict[str, list[AccountCode]] = {}
    for role, code in connection.execute(_ROLES, {"book": book_code}):
        ever.setdefault(role, []).append(AccountCode(code))
    now = {role: codes[-1] for role, codes in ever.items()}
    return Roles(now, {role: frozenset(codes) for role, codes in ever.items()})


def mark_fees_through(connection: sa.Connection, loan_ids: Sequence[int], day: date) -> None:
    """Move the mark of evaluated days forward."""
    connection.execute(
        sa.text(
            "UPDATE servicing.loan SET fees_through = :day"
            " WHERE loan_id = ANY (:ids) AND (fees_through IS NULL OR fees_through < :day)"
        ),
        {"day": day, "ids": list(loan_ids)},
    )


def loan_ids_of(connection: sa.Connection, book_code: str, after: int = 0, limit: int = 1000) -> list[int]:
    """Return the next ids of the loans of a book, in order."""
    statement = sa.text(
        "SELECT l.loan_id FROM servicing.loan l JOIN ledger.book b ON b.book_id = l.book_id AND b.code = :book"
        " WHERE l.loan_id > :after ORDER BY l.loan_id LIMIT :limit"
    )
    return list(connection.scalars(statement, {"book": book_code, "after": after, "limit": limit}))


_NAME = sa.text(
    "SELECT n.external_id, r.o_state FROM unnest(CAST(:names AS text[])) n (external_id),"
    " LATERAL ledger.begin_request(:own, 'loan:' || n.external_id, 'board_loan', '{}', :actor) r"
)
_NAMED = sa.text(
    "SELECT ledger.answer_request(:own, 'loan:' || n.external_id, jsonb_build_object('loan_id', n.loan_id), false)"
    " FROM unnest(CAST(:names AS text[]), CAST(:ids AS bigint[])) n (external_id, loan_id)"
)


def name_loans(connection: sa.Connection, own_subledger_id: int, names: Mapping[str, int], actor: str) -> list[str]:
    """Give loans their names in a book; return those names that other loans have.

    A name is a request of the book that is made once: whoever boards the same one meanwhile waits here.
    """
    ordered = sorted(names)
    rows = connection.execute(_NAME, {"own": own_subledger_id, "names": ordered, "actor": actor})
    taken = [row.external_id for row in rows if row.o_state != "new"]
    if not taken:
        values = {"own": own_subledger_id, "names": ordered, "ids": [names[name] for name in ordered]}
        connection.execute(_NAMED, values)
    return taken


_LATEST_ALLOCATIONS = sa.text(
    "SELECT DISTINCT ON (event_no) event_no, version, allocation FROM servicing.allocation_version"
    " WHERE loan_id = :loan_id ORDER BY event_no, version DESC"
)
_ALLOCATIONS = sa.text(
    "SELECT event_no, version, because_event_no, allocation FROM servicing.allocation_version"
    " WHERE loan_id = :loan_id ORDER BY event_no, version"
)


def latest_allocations(connection: sa.Connection, loan_id: int) -> dict[int, tuple[int, dict[str, int]]]:
    """Return version and parts of the allocation in force of each payment."""
    rows = connection.execute(_LATEST_ALLOCATIONS, {"loan_id": loan_id})
    return {row.event_no: (row.version, row.allocation) for row in rows}


def allocation_versions(connection: sa.Connection, loan_id: int) -> list[tuple[int, int | None, dict[str, int]]]:
    """Return payment, the event that made the version (None: the daily cycle), and the parts, version by version."""
    rows = connection.execute(_ALLOCATIONS, {"loan_id": loan_id})
    return [(row.event_no, row.because_event_no, row.allocation) for row in rows]


_NAMESAKES = sa.text(
    "SELECT l.loan_id FROM servicing.loan l JOIN ledger.book b ON b.book_id = l.book_id AND b.code = :book"
    " WHERE l.external_id = ANY (:names)"
)
_STANDING = sa.text(
    "SELECT l.external_id, l.loan_id, t.terms, p.name AS product, e.kind, e.effective_date, e.payload"
    " FROM servicing.loan l JOIN servicing.terms_version t ON t.loan_id = l.loan_id AND t.version = 1"
    " JOIN servicing.product_version p ON p.content_hash = t.product_hash"
    " JOIN servicing.event e ON e.loan_id = l.loan_id AND e.event_no = 1"
    " WHERE l.loan_id = ANY (:ids)"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A loan as it was put on the book."""

    loan_id: int
    facts: Mapping[str, object]

    def difference_to(self, draft: LoanDraft) -> str | None:
        """Say what a draft of the same name has otherwise, if anything; a later release of its product is no matter."""
        given = _facts(draft)
        for name in (*given, *self.facts):
            # Terms of older releases lack what asks for nothing.
            if (self.facts.get(name) or None) != (given.get(name) or None):
                return f"its {name} is {self.facts.get(name)}, not {given.get(name)}"
        return None


def standing_loans(connection: sa.Connection, book_code: str, names: Sequence[str]) -> dict[str, Standing]:
    """Return those of the named loans that are on the book, by name."""
    ids = list(connection.scalars(_NAMESAKES, {"book": book_code, "names": list(names)}))
    rows = connection.execute(_STANDING, {"ids": ids}) if ids else ()
    return {row.external_id: Standing(row.loan_id, _standing_facts(row)) for row in rows}


def _standing_facts(row: Any) -> dict[str, object]:
    started = {"began as": row.kind, "first day": row.effective_date, **row.payload}
    return {**row.terms, "product": row.product, **started}


def _facts(draft: LoanDraft) -> dict[str, object]:
    event = draft.first_event(draft.begins_on)
    started = {"began as": event.kind.value, "first day": event.effective_date, **payload_of(event)}
    return {**draft.terms.as_json(), "product": draft.terms.product.name, **started}


_CLEARED = sa.text(
    "SELECT coalesce(sum(CASE WHEN c.code = ANY (:clearing) THEN p.amount ELSE -p.amount END), 0)"
    " FROM ledger.journal_entry e"
    " JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no"
    " JOIN ledger.account d ON d.account_id = p.debit_account"
    " JOIN ledger.account c ON c.account_id = p.credit_account"
    " WHERE e.subledger_id = ANY (:ids) AND e.template = 'loan_boarded'"
    " AND (c.code = ANY (:clearing) OR d.code = ANY (:clearing))"
)


def cleared(connection: sa.Connection, book_code: str, loan_ids: Sequence[int]) -> int:
    """Return what the journal credits the conversion clearing account with for these loans, in minor units."""
    clearing = sorted(load_roles(connection, book_code).ever.get("CONVERSION_CLEARING", ()))
    return int(connection.scalar(_CLEARED, {"ids": list(loan_ids), "clearing": clearing}) or 0)
