"""Files of the clearing house as both doors take them in and show them: what became of each return, what is left to do.

Never: account numbers. Next: `servicing/commands/ach_returns.py`; `api/cli/ach.py`, `api/routes/ach.py`.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from api.views import Json, MoneyForm
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from servicing.commands.ach_figures import CameBack, came_back, rates_of
from servicing.commands.ach_returns import Item, TakenFile, take_file
from servicing.commands.ach_work import How, Resolved, WorkItem, open_work, resolve_item
from servicing.nacha.reason_codes import name_of
from servicing.nacha.representment import RETRY_DAYS
from servicing.nacha.return_rates import Rate
from servicing.nacha.statements import CURRENCY


def taken_json(uow: UnitOfWork, book_code: str, data: bytes, name: str, *, money: MoneyForm) -> Json:
    """Take in a file. Raises: what `take_file` raises."""
    return _taken(take_file(uow, book_code, data, name=name), money)


def work_json(connection: sa.Connection, book_code: str, *, money: MoneyForm) -> Json:
    """Return the list of work. Raises: BookUnknown."""
    return {"items": [_work_item(each, money) for each in open_work(connection, book_code)]}


def resolved_json(
    uow: UnitOfWork,
    book_code: str,
    file_no: int,
    item_no: int,
    *,
    how: How,
    note: str,
    payment: tuple[int, int] | None,
) -> Json:
    """Settle an item of the list of work. Raises: what `resolve_item` raises."""
    return _resolved(resolve_item(uow, book_code, file_no, item_no, how=how, note=note, payment=payment))


def came_back_json(connection: sa.Connection, book_code: str, since: date | None, *, money: MoneyForm) -> Json:
    """Return the debits that came back since a day and were not sent again. Raises: BookUnknown."""
    first = since or book(connection, book_code).business_date - timedelta(days=RETRY_DAYS)
    found = came_back(connection, book_code, since=first)
    return {"since": first.isoformat(), "debits": [_came_back(each, money) for each in found]}


def rates_json(connection: sa.Connection, book_code: str, as_of: date | None) -> Json:
    """Return the return rates as of a day. Raises: BookUnknown."""
    day = as_of or book(connection, book_code).business_date
    return {"as_of": day.isoformat(), "rates": [_rate(each) for each in rates_of(connection, book_code, day)]}


def _taken(taken: TakenFile, money: MoneyForm) -> Json:
    return {
        "file_no": taken.file_no,
        "replayed": taken.replayed,
        "items": [_item(item, money) for item in taken.items],
    }


def _item(item: Item, money: MoneyForm) -> Json:
    answer = item.answer
    return {
        "item_no": item.item_no,
        "line": answer.line,
        "kind": answer.kind.value,
        "code": answer.code,
        "meaning": name_of(answer.code),
        "original_trace": answer.original_trace,
        "trace": answer.trace,
        "side": answer.side.value,
        "amount": money(Money(answer.amount, CURRENCY)),
        "outcome": item.outcome.value,
        "reason": item.reason,
        "loan_id": item.loan_id,
        "event_no": item.event_no,
        "entry_no": item.entry_no,
    }


def _work_item(work: WorkItem, money: MoneyForm) -> Json:
    return {
        "file_no": work.file_no,
        "taken_on": work.taken_on.isoformat(),
        "days": work.days,
        **_item(work.item, money),
    }


def _resolved(done: Resolved) -> Json:
    return {
        "file_no": done.file_no,
        "item_no": done.item_no,
        "how": done.how.value,
        "loan_id": done.loan_id,
        "event_no": done.event_no,
        "entry_no": done.entry_no,
    }


def _came_back(each: CameBack, money: MoneyForm) -> Json:
    return {
        "loan_id": each.loan_id,
        "trace": each.trace,
        "first_trace": each.first_trace,
        "amount": money(Money(each.amount, CURRENCY)),
        "code": each.code,
        "meaning": name_of(each.code),
        "returned_on": each.returned_on.isoformat(),
        "presented": each.presented,
        "retry_on": None if each.retry.on is None else each.retry.on.isoformat(),
        "refusal": None if each.retry.refusal is None else each.retry.refusal.value,
        "stopped": each.stopped,
    }


def _rate(rate: Rate) -> Json:
    return {
        "rate": rate.name,
        "returned": rate.returned,
        "originated": rate.originated,
        "percent": None if rate.share is None else _percent(rate.share),
        "limit": _percent(rate.limit),
        "exceeded": rate.exceeded,
    }


def _percent(share: Fraction) -> str:
    return f"{Decimal(share.numerator) * 100 / Decimal(share.denominator):.2f}"
