"""Taking bank statements, and settling what their lines match: cash against the clearing account of the rail.

A match and the entries that it books are one transaction; undoing it reverses them. Never: a match whose two sides
differ. Next: `gl_export/bank/matching.py`; `gl_export/settlement.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gl_export import bank_store as store
from gl_export.bank.kept import KeptMatch, Part
from gl_export.bank.matching import OpenItem, OpenLine, Proposal
from gl_export.bank.statement import BankStatement
from gl_export.errors import (
    BankItemUnknown,
    BankLineChanged,
    BankLineUnknown,
    BankMatchUnequal,
    BankMatchUnknown,
    BankPartMatched,
)
from gl_export.queries.bank import LOOK_BACK_DAYS, lines, open_items, open_line, work_list
from gl_export.queries.settlement import rail_days
from gl_export.settlement import RAIL, RailDay
from ledger.commands.posting import post_entry, reverse_entry
from ledger.journal import EntryDraft
from ledger.money import Money
from ledger.queries.accounts import book, role_map
from ledger.templates import instantiate, narrate
from ledger.unit_of_work import UnitOfWork

BY_HAND = "by hand"
SURE = 70
"""From this score on, a proposal may be confirmed without a person looking at it."""


@dataclass(frozen=True, slots=True)
class TakenStatement:
    """What became of a statement: how many of its lines are new; None as a number if this file gave it before."""

    statement: BankStatement
    statement_no: int | None
    new_lines: int


def take_file(
    uow: UnitOfWork, book_code: str, statements: Sequence[BankStatement], content: bytes
) -> tuple[TakenStatement, ...]:
    """Keep the statements of a file; a line that another file brought already is not kept twice.

    Raises: BookUnknown; BankLineChanged if the bank says something else now of a line that it names.
    """
    book_id = book(uow.connection, book_code).book_id
    store.lock_bank(uow.connection, book_id)
    digest = hashlib.sha256(content).digest()
    return tuple(_take(uow, book_id, each, digest) for each in statements)


def _take(uow: UnitOfWork, book_id: int, statement: BankStatement, digest: bytes) -> TakenStatement:
    known = store.known_lines(uow.connection, book_id, statement)
    for key, line in statement.keyed_lines():
        before = known.get(key)
        if before is not None and before.amount != line.amount:
            raise BankLineChanged(
                file=statement.file,
                place=line.place,
                account=statement.account,
                key=key,
                expected=str(before.amount),
                found=str(line.amount),
            )
    number = store.insert_statement(uow.connection, book_id, statement, sha256=digest, actor=uow.actor)
    if number is None:
        return TakenStatement(statement, None, 0)
    new = [(key, line) for key, line in statement.keyed_lines() if key not in known and line.amount]
    store.insert_lines(uow.connection, book_id, number, statement, new)
    return TakenStatement(statement, number, len(new))


def confirm_sure(uow: UnitOfWork, book_code: str, *, at_least: int = SURE) -> tuple[KeptMatch, ...]:
    """Confirm every proposal of a score or better, and return the matches.

    Raises: BookUnknown; what posting raises.
    """
    store.lock_bank(uow.connection, book(uow.connection, book_code).book_id)
    sure = [each for each in work_list(uow.connection, book_code).proposals if each.score >= at_least]
    return tuple(_settle(uow, book_code, each) for each in sure)


def confirm(uow: UnitOfWork, book_code: str, line_nos: Sequence[int], item_keys: Sequence[str]) -> KeptMatch:
    """Match lines with items as a person says, and settle them.

    Raises: BookUnknown; BankLineUnknown; BankItemUnknown; BankPartMatched; BankMatchUnequal; what posting raises.
    """
    store.lock_bank(uow.connection, book(uow.connection, book_code).book_id)
    chosen = _lines(uow, book_code, line_nos)
    first = min(line.day for line in chosen) - timedelta(days=LOOK_BACK_DAYS)
    found = {item.key: item for item in open_items(uow.connection, book_code, from_date=first, to_date=date.max)}
    for key in item_keys:
        if key not in found:
            raise BankItemUnknown(item=key)
    items = tuple(found[key] for key in dict.fromkeys(item_keys))
    proposed = {each.lines: each for each in work_list(uow.connection, book_code).proposals}
    same = proposed.get(chosen)
    if same is not None and set(same.items) == set(items):
        return _settle(uow, book_code, same)
    return _settle(uow, book_code, Proposal(chosen, items, BY_HAND, 100, f"{uow.actor} says so"))


def _lines(uow: UnitOfWork, book_code: str, line_nos: Sequence[int]) -> tuple[OpenLine, ...]:
    known = {each.line_no: each for each in lines(uow.connection, book_code)}
    chosen = []
    for number in dict.fromkeys(line_nos):
        if number not in known:
            raise BankLineUnknown(book=book_code, line_no=number)
        matched = known[number].match_no
        if matched is not None:
            raise BankPartMatched(part=f"bank line {number}", match_no=matched)
        chosen.append(open_line(known[number]))
    return tuple(chosen)


def _settle(uow: UnitOfWork, book_code: str, proposal: Proposal) -> KeptMatch:
    """Book the settlement of the items of a match, day by day and rail by rail, and keep the match."""
    _refuse_unequal(proposal)
    entries = []
    for role, day in dict.fromkeys((item.role, item.day) for item in proposal.items):
        of_day = [item for item in proposal.items if (item.role, item.day) == (role, day)]
        number = _settle_day(uow, book_code, of_day, proposal)
        entries += [] if number is None else [number]
    parts = (
        *(Part("line", str(line.line_no), line.amount) for line in proposal.lines),
        *(Part("item", item.key, item.amount) for item in proposal.items),
    )
    head = {"rule": proposal.rule, "score": proposal.score, "why": proposal.why, "actor": uow.actor}
    book_id = book(uow.connection, book_code).book_id
    number = store.insert_match(uow.connection, book_id, head, parts, entries)
    return KeptMatch(number, proposal.rule, proposal.score, proposal.why, tuple(entries), uow.actor, parts)


def _refuse_unequal(proposal: Proposal) -> None:
    currency = proposal.lines[0].amount.currency
    of_lines, of_items = ([each.amount for each in proposal.lines], [each.amount for each in proposal.items])
    lines_come_to, items_come_to = (sum(money.minor for money in side) for side in (of_lines, of_items))
    foreign = any(money.currency != currency for money in (*of_lines, *of_items))
    if lines_come_to != items_come_to or foreign:
        difference = lines_come_to - items_come_to
        raise BankMatchUnequal(lines=lines_come_to, items=items_come_to, difference=difference, currency=currency)


def _settle_day(uow: UnitOfWork, book_code: str, items: Sequence[OpenItem], proposal: Proposal) -> int | None:
    """Book what items of one day on one rail come to; nothing where they come to nothing."""
    role, day, currency = items[0].role, items[0].day, items[0].amount.currency
    total = Money.sum((item.amount for item in items), currency)
    if not total:
        return None
    found = book(uow.connection, book_code)
    roles = role_map(uow.connection, book_code, "default")
    times = next(
        (
            each.times
            for each in rail_days(uow.connection, book_code, day)
            if (each.role, each.moved.currency) == (role, currency)
        ),
        0,
    )
    rail = RailDay(role, day, total, Money.zero(currency), times)
    numbers = [line.line_no for line in proposal.lines]
    draft = EntryDraft(
        subledger_id=found.own_subledger_id,
        template=rail.template.name,
        template_version=rail.template.version,
        effective_date=min(max(line.day for line in proposal.lines), found.business_date),
        actor=uow.actor,
        request_key=rail.request_key,
        source_ref=rail.reference,
        narration=narrate(rail.template, rail=role.removesuffix("_CLEARING"), day=day.isoformat()),
        postings=instantiate(rail.template, {"amount": abs(total)}, {**roles, RAIL: roles[role]}),
        details={"bank_lines": numbers},
    )
    return post_entry(uow, draft).entry_no


def undo(uow: UnitOfWork, book_code: str, match_no: int, *, reason: str) -> KeptMatch:
    """Undo a match: its entries are reversed, its lines and items are open again.

    Raises: BookUnknown; BankMatchUnknown; what reversing raises.
    """
    found = book(uow.connection, book_code)
    store.lock_bank(uow.connection, found.book_id)
    standing = {each.match_no: each for each in store.load_matches(uow.connection, found.book_id)}
    if match_no not in standing:
        raise BankMatchUnknown(book=book_code, match_no=match_no)
    match = standing[match_no]
    # Reversed under the same reference, what an entry settled counts as not settled.
    references = store.references_of(uow.connection, int(found.own_subledger_id), match.entries)
    for entry_no in match.entries:
        reverse_entry(
            uow,
            int(found.own_subledger_id),
            entry_no,
            request_key=f"bank match {match_no} undone:{entry_no}",
            narration=f"Bank match {match_no} undone: {reason}",
            source_ref=references[entry_no],
        )
    store.insert_undone(uow.connection, found.book_id, match, reason=reason, actor=uow.actor)
    return match
