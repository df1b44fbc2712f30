"""Posting an entry and reversing one: what everything that moves money calls in the end.

One round trip to `ledger.post_entry`. A request key that comes back with the same input returns the entry of its first
coming; with another input it is refused, naming the field. Never: which accounts an event moves; the caller's template
says so. Next: `ledger/sql/post_entry.sql`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ledger.errors import EntryUnknown
from ledger.fingerprint import key_reused
from ledger.journal import EntryDraft, SubledgerId, reversal_of
from ledger.store import call_post_entries, call_post_entry, load_entries
from ledger.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """Where an entry stands in the journal; `replayed` if its request key had booked it before."""

    subledger_id: SubledgerId
    entry_no: int
    booking_date: date
    replayed: bool


def post_entry(uow: UnitOfWork, draft: EntryDraft) -> PostedEntry:
    """Book an entry and return its place.

    Raises: every refusal of `ledger.post_entry`, once the unit of work ends; RequestKeyReused; AccountUnknown;
    SubledgerUnknown.
    """
    entry_no, booking_date, outcome = call_post_entry(uow.connection, draft)
    if outcome == "differs":
        (stored,) = load_entries(
            uow.connection,
            "e.subledger_id = :subledger_id AND e.request_key = :request_key",
            {"subledger_id": draft.subledger_id, "request_key": draft.request_key},
        )
        raise key_reused(stored.draft, draft)
    return PostedEntry(draft.subledger_id, entry_no, booking_date, replayed=outcome == "replayed")


def post_entries(uow: UnitOfWork, drafts: Sequence[EntryDraft]) -> tuple[PostedEntry, ...]:
    """Book entries of one subledger in their order and in one round trip, all of them or none, on the business date.

    Balances are held against what all of them together come to. A key that booked an entry before is refused, not
    replayed: whoever books many knows by a request of their own that they came before.

    Raises: every refusal of `ledger.post_entries`; AccountUnknown; SubledgerUnknown.
    """
    if not drafts:
        return ()
    assert len({(draft.subledger_id, draft.actor) for draft in drafts}) == 1, "one subledger, one actor"
    assert not any(draft.booking_date or draft.group_id or draft.approved_by for draft in drafts), "ordinary entries"
    first, booking_date = call_post_entries(uow.connection, drafts)
    return tuple(
        PostedEntry(draft.subledger_id, number, booking_date, replayed=False)
        for number, draft in enumerate(drafts, start=first)
    )


def reverse_entry(
    uow: UnitOfWork,
    subledger_id: int,
    entry_no: int,
    *,
    request_key: str,
    narration: str | None = None,
    effective_date: date | None = None,
    booking_date: date | None = None,
    source_ref: str | None = None,
    approved_by: str | None = None,
    group_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> PostedEntry:
    """Book the equal and opposite entry, at the original's effective date unless another is given.

    Raises: EntryUnknown; ReversalOfReversal; EntryAlreadyReversed; what `post_entry` raises.
    """
    values = {"subledger_id": subledger_id, "entry_no": entry_no}
    found = load_entries(uow.connection, "e.subledger_id = :subledger_id AND e.entry_no = :entry_no", values)
    if not found:
        raise EntryUnknown(subledger_id=subledger_id, entry_no=entry_no)
    draft = reversal_of(
        found[0],
        actor=uow.actor,
        request_key=request_key,
        approved_by=approved_by,
        booking_date=booking_date,
        narration=narration,
        source_ref=source_ref,
        group_id=group_id,
        details=details,
    )
    return post_entry(uow, replace(draft, effective_date=effective_date or draft.effective_date))
