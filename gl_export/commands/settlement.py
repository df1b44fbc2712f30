"""Booking that the bank settled what went over the rails on a day: one entry per rail, on the book's own subledger.

Run again, it books only what has come to that day since. Next: `gl_export/settlement.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from gl_export.queries.settlement import rail_days
from gl_export.settlement import RAIL, RailDay
from ledger.chart import AccountCode
from ledger.commands.posting import PostedEntry, post_entry
from ledger.journal import EntryDraft
from ledger.queries.accounts import book, role_map
from ledger.templates import instantiate, narrate
from ledger.unit_of_work import UnitOfWork


def settle_rails(
    uow: UnitOfWork, book_code: str, day: date, *, bank_reference: str | None = None
) -> tuple[PostedEntry, ...]:
    """Settle in full, on the business date, what went over each rail on a day, and return the entries.

    Raises: BookUnknown; what posting raises.
    """
    roles = role_map(uow.connection, book_code, "default")
    waiting = [each for each in rail_days(uow.connection, book_code, day) if each.open]
    return tuple(post_entry(uow, _draft(uow, book_code, each, roles, bank_reference)) for each in waiting)


def _draft(
    uow: UnitOfWork, book_code: str, each: RailDay, roles: Mapping[str, AccountCode], bank_reference: str | None
) -> EntryDraft:
    found = book(uow.connection, book_code)
    rail = each.role.removesuffix("_CLEARING")
    return EntryDraft(
        subledger_id=found.own_subledger_id,
        template=each.template.name,
        template_version=each.template.version,
        effective_date=found.business_date,
        actor=uow.actor,
        request_key=each.request_key,
        source_ref=each.reference,
        narration=narrate(each.template, rail=rail, day=each.day.isoformat()),
        postings=instantiate(each.template, {"amount": abs(each.open)}, {**roles, RAIL: roles[each.role]}),
        details=None if bank_reference is None else {"bank_reference": bank_reference},
    )
