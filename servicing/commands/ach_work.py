"""The list of work that received files leave: what could not be settled by itself, and how a person settles it.

Three ways: the item is matched to a payment after all; its money came back by the rail; or it is noted, for it moved
no money, or a journal by hand moved it on. Each item is settled once. Next: `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa

from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.commands.ach_returns import Item, item_of, post_exception
from servicing.commands.ach_sequel import Outcome
from servicing.commands.returned import take_back_payment
from servicing.events import Kind
from servicing.nacha.answers import AnswerKind
from servicing.nacha.errors import AchItemMismatch, AchItemSettled, AchItemUnknown
from servicing.nacha.transaction_codes import Side
from servicing.rail_exceptions import GIVEN_SETTLED, TAKEN_SETTLED
from servicing.store import load_loan


class How(StrEnum):
    """How a person settled an item."""

    MATCHED = "matched"
    RECOVERED = "recovered"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class WorkItem:
    """An item of a received file that a person has to see, and for how many days it has waited."""

    file_no: int
    item: Item
    taken_on: date
    days: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """An item that was settled: the event that undid a payment, and the entry that cleared the exceptions account."""

    file_no: int
    item_no: int
    how: How
    loan_id: int | None
    event_no: int | None
    entry_no: int | None


_OPEN = sa.text(
    "SELECT i.*, r.taken_on FROM servicing.ach_item i"
    " JOIN servicing.ach_received r ON r.book_id = i.book_id AND r.file_no = i.file_no"
    " LEFT JOIN servicing.ach_resolution s"
    "   ON s.book_id = i.book_id AND s.file_no = i.file_no AND s.item_no = i.item_no"
    " WHERE i.book_id = :book_id AND i.outcome = ANY (:outcomes) AND s.item_no IS NULL"
    " ORDER BY i.file_no, i.item_no"
)
_ONE = sa.text(
    "SELECT i.*, s.how FROM servicing.ach_item i LEFT JOIN servicing.ach_resolution s"
    "   ON s.book_id = i.book_id AND s.file_no = i.file_no AND s.item_no = i.item_no"
    " WHERE i.book_id = :book_id AND i.file_no = :file_no AND i.item_no = :item_no"
)
WAITING = (Outcome.UNMATCHED.value, Outcome.REVIEW.value)


def open_work(connection: sa.Connection, book_code: str) -> Iterator[WorkItem]:
    """Yield what waits for a person, the oldest first.

    Raises: BookUnknown.
    """
    found = book(connection, book_code)
    for row in connection.execute(_OPEN, {"book_id": found.book_id, "outcomes": list(WAITING)}):
        yield WorkItem(row.file_no, item_of(row), row.taken_on, (found.business_date - row.taken_on).days)


def resolve_item(
    uow: UnitOfWork,
    book_code: str,
    file_no: int,
    item_no: int,
    *,
    how: How,
    note: str = "",
    payment: tuple[int, int] | None = None,
) -> Resolved:
    """Settle an item of the list of work.

    Matched to a `payment`, a loan and the number of its payment, it returns that by the code of the item.

    Raises: BookUnknown; AchItemUnknown; AchItemSettled; AchItemMismatch; LoanUnknown; PaymentUnknown; PaymentUndone;
    PaymentChargedBack; what posting raises.
    """
    found = book(uow.connection, book_code)
    item = _waiting(uow.connection, found.book_id, file_no, item_no)
    assert (payment is not None) is (how is How.MATCHED), "a match names a payment, and nothing else does"
    loan_id = event_no = entry_no = None
    if payment is not None:
        loan_id, payment_id = payment
        _check_match(uow.connection, book_code, file_no, item, loan_id, payment_id)
        key = f"ach-resolve:{file_no}:{item_no}"
        event_no = take_back_payment(uow, loan_id, payment_id, item.answer.code, key).event_no
    if how is not How.NOTED and item.entry_no is not None:
        template = TAKEN_SETTLED if item.answer.money_leaves else GIVEN_SETTLED
        key, day = f"ach-resolve:{file_no}:{item_no}", found.business_date
        entry_no = post_exception(uow, book_code, template, item.answer, key=key, effective_date=day)
    row = {
        "book_id": found.book_id,
        "file_no": file_no,
        "item_no": item_no,
        "how": how.value,
        "note": note,
        "resolved_on": found.business_date,
        "loan_id": loan_id,
        "event_no": event_no,
        "entry_no": entry_no,
        "actor": uow.actor,
    }
    uow.connection.execute(sa.insert(tables.ach_resolution), [row])
    return Resolved(file_no, item_no, how, loan_id, event_no, entry_no)


def _waiting(connection: sa.Connection, book_id: int, file_no: int, item_no: int) -> Item:
    values = {"book_id": book_id, "file_no": file_no, "item_no": item_no}
    row = connection.execute(_ONE, values).one_or_none()
    if row is None:
        raise AchItemUnknown(file_no=file_no, item_no=item_no)
    if row.how is not None or row.outcome not in WAITING:
        raise AchItemSettled(file_no=file_no, item_no=item_no, how=row.how or row.outcome)
    return item_of(row)


def _check_match(
    connection: sa.Connection, book_code: str, file_no: int, item: Item, loan_id: int, payment_id: int
) -> None:
    """Refuse a payment that the item cannot be the return of."""
    loan = load_loan(connection, loan_id, lock=False)
    payment = next((each for each in loan.events if each.no == payment_id and each.kind is Kind.PAYMENT), None)
    answer, reason = item.answer, ""
    if loan.book_code != book_code:
        reason = f"loan {loan_id} is of another book"
    elif answer.kind is not AnswerKind.RETURN or answer.side is not Side.DEBIT:
        reason = f"it is a {answer.kind} of a {answer.side}"
    elif payment is not None and payment.amount != answer.amount:
        reason = f"the payment brought {payment.amount} cents, {answer.amount} came back"
    if reason:
        raise AchItemMismatch(file_no=file_no, item_no=item.item_no, payment_id=payment_id, reason=reason)
