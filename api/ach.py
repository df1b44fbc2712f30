"""Files of the clearing house as both doors take them in and show them: what became of each return, what is left to do.

Never: account numbers. Next: `servicing/commands/ach_returns.py`; `api/cli/ach.py`, `api/routes/ach.py`.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api.cli.files import read_text
from api.settings import Settings
from api.views import Json, MoneyForm, day
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from servicing.commands.ach_build import BuiltFile
from servicing.commands.ach_figures import CameBack, came_back, rates_of
from servicing.commands.ach_register import RegisteredFile, SentEntry, entries_of_file, registered_files
from servicing.commands.ach_returns import Desk, Item, TakenFile, take_file
from servicing.commands.ach_work import How, Resolved, WorkItem, open_work, resolve_item
from servicing.nacha.program import Program, read_program
from servicing.nacha.reason_codes import name_of
from servicing.nacha.representment import RETRY_DAYS
from servicing.nacha.return_rates import Rate
from servicing.nacha.statements import CURRENCY
from servicing.vault import Vault


def program_of(settings: Settings, file: Path | None = None) -> Program | None:
    """Return the lender's program: of a file, else of the setting; None where there is neither.

    Raises: FileUnusable; AchProgramInvalid; AchTextRefused.
    """
    path = file or settings.ach_program
    return None if path is None else read_program(read_text(path))


def desk_of(program: Program | None, keys: str | None) -> Desk:
    """Return what a file is taken in with: the program's rules or the shipped ones, and the keys if there are any.

    Raises: VaultKeyInvalid.
    """
    vault = None if keys is None else Vault.of_keys(keys)
    if program is None:
        return Desk(vault=vault)
    return Desk(program.retry_policy, vault)


def eastern_hour(now: datetime, business_date: date) -> time:
    """Return the hour at which a file goes to the bank: the clock's, or nine where the books are not of today."""
    there = now.astimezone(ZoneInfo("America/New_York"))
    return there.time().replace(second=0, microsecond=0) if there.date() == business_date else time(9)


def built_json(built: BuiltFile, *, money: MoneyForm) -> Json:
    """Return what a file that was made holds, without its account numbers."""
    return {
        "file_no": built.file_no,
        "sha256": built.sha256,
        "sent": [
            {
                "trace": trace,
                "loan_id": each.loan_id,
                "instruction_no": each.instruction_no,
                "direction": each.direction.value,
                "amount": money(Money(each.amount, each.currency)),
                "settles_on": day(each.settles_on),
                "attempt": each.attempt,
            }
            for trace, each in built.sent.items()
        ],
        "prenotes": list(built.prenotes),
        "left_behind": [
            {"loan_id": each.loan_id, "instruction_no": each.instruction_no, "reason": each.reason}
            for each in built.left_behind
        ],
    }


def taken_json(uow: UnitOfWork, book_code: str, data: bytes, name: str, desk: Desk, *, money: MoneyForm) -> Json:
    """Take in a file. Raises: what `take_file` raises."""
    return _taken(take_file(uow, book_code, data, name=name, desk=desk), money)


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


def files_json(connection: sa.Connection, book_code: str, *, money: MoneyForm) -> Json:
    """Return the register of files. Raises: BookUnknown."""
    return {"files": [_file(each, money) for each in registered_files(connection, book_code)]}


def file_json(connection: sa.Connection, book_code: str, file_no: int, *, money: MoneyForm) -> Json:
    """Return the entries of a file that was sent. Raises: BookUnknown; AchFileUnknown."""
    entries = entries_of_file(connection, book_code, file_no)
    return {"file_no": file_no, "entries": [_sent_entry(each, money) for each in entries]}


def rates_json(connection: sa.Connection, book_code: str, as_of: date | None) -> Json:
    """Return the return rates as of a day. Raises: BookUnknown."""
    last = as_of or book(connection, book_code).business_date
    return {"as_of": last.isoformat(), "rates": [_rate(each) for each in rates_of(connection, book_code, last)]}


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


def _file(each: RegisteredFile, money: MoneyForm) -> Json:
    return {
        "way": each.way,
        "file_no": each.file_no,
        "on": each.on.isoformat(),
        "entries": each.entries,
        "debits": money(Money(each.debits, CURRENCY)),
        "credits": money(Money(each.credits, CURRENCY)),
        "sha256": each.sha256,
        "actor": each.actor,
    }


def _sent_entry(each: SentEntry, money: MoneyForm) -> Json:
    return {
        "trace": each.trace,
        "loan_id": each.loan_id,
        "side": each.side.value,
        "amount": money(Money(each.amount, CURRENCY)),
        "entry_class": each.entry_class,
        "purpose": each.purpose,
        "settles_on": each.settles_on.isoformat(),
        "returnable_until": each.returnable.ordinary.isoformat(),
        "unauthorized_until": each.returnable.unauthorized.isoformat(),
        "code": each.code,
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
