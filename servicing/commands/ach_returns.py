"""Taking in a file of returns and changes: each return finds its payment by trace number and undoes it.

A file is taken whole or not at all, once by its hash; a return that comes in another file again changes nothing. What
finds no payment is not dropped: it stands in the list of work, and its money in the account of unmatched returns.
Never: the rules of a return (`servicing/nacha/`). Next: `docs/spec/ach_returns.md`; `servicing/commands/ach_work.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date

import sqlalchemy as sa

from ledger.commands.posting import post_entry
from ledger.domain_error import DomainError
from ledger.journal import EntryDraft
from ledger.money import Money
from ledger.queries.accounts import book, role_map
from ledger.templates import Template, instantiate, narrate
from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.commands.ach_prenotes import account_of
from servicing.commands.ach_sequel import (
    Outcome,
    Unsettled,
    correct_details,
    end_what_debits,
    follow_up,
    shown_correction,
)
from servicing.commands.instructions import return_instruction
from servicing.commands.payments import return_payment
from servicing.errors import PaymentChargedBack, PaymentUndone, PaymentUnknown
from servicing.events import Kind
from servicing.nacha.answers import Answer, AnswerKind, answers_of
from servicing.nacha.building import Purpose
from servicing.nacha.reading import read
from servicing.nacha.representment import RetryPolicy
from servicing.nacha.statements import CURRENCY
from servicing.nacha.totals import file_control
from servicing.nacha.transaction_codes import Side
from servicing.rail_exceptions import GIVEN, RAIL, TAKEN
from servicing.rail_queries import instructions
from servicing.rails.errors import InstructionMoveRefused
from servicing.rails.instruction import Instruction
from servicing.store import load_loan
from servicing.vault import Vault

METHOD = "ach"
CLEARING = "ACH_CLEARING"


@dataclass(frozen=True, slots=True)
class Sent:
    """An entry that was sent, as far as a return asks for it."""

    loan_id: int
    trace: str
    effective_on: date
    side: Side
    amount: int
    payment_ref: str | None
    first_trace: str
    purpose: Purpose
    instruction: Instruction | None = None

    @property
    def account_no(self) -> int | None:
        """Return the bank account that it went to, if it is kept."""
        if self.purpose is Purpose.PRENOTE:
            return account_of(self.payment_ref)
        return None if self.instruction is None else self.instruction.account_no


@dataclass(frozen=True, slots=True)
class Desk:
    """What a file is taken in with: the lender's rules for retries, and the keys of account numbers, if there are any.

    Without keys a notification of change waits for a person.
    """

    retries: RetryPolicy = field(default_factory=RetryPolicy)
    vault: Vault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What became of one answer: loan and event where it undid a payment, the entry where it is an exception."""

    item_no: int
    answer: Answer
    outcome: Outcome
    reason: str = ""
    loan_id: int | None = None
    event_no: int | None = None
    entry_no: int | None = None


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file that was taken, now or before, and what became of its answers."""

    file_no: int
    items: tuple[Item, ...]
    replayed: bool


_KNOWN_FILE = sa.text("SELECT file_no FROM servicing.ach_received WHERE book_id = :book_id AND sha256 = :sha256")
_LAST_FILE = sa.text("SELECT coalesce(max(file_no), 0) FROM servicing.ach_received WHERE book_id = :book_id")
_ITEMS = sa.text("SELECT * FROM servicing.ach_item WHERE book_id = :book_id AND file_no = :file_no ORDER BY item_no")
_SENT = sa.text(
    "SELECT DISTINCT ON (e.trace) e.* FROM servicing.ach_entry e JOIN servicing.loan l ON l.loan_id = e.loan_id"
    " WHERE e.trace = ANY (:traces) AND l.book_id = :book_id ORDER BY e.trace, e.file_no DESC"
)
_TAKEN_AS = sa.text("SELECT count(*) FROM servicing.ach_item WHERE loan_id = :loan_id AND event_no = :event_no")
_BEFORE = sa.text(
    "SELECT original_trace, trace, code, loan_id FROM servicing.ach_item"
    " WHERE original_trace = ANY (:traces) AND book_id = :book_id"
)


def take_file(uow: UnitOfWork, book_code: str, data: bytes, *, name: str = "", desk: Desk | None = None) -> TakenFile:
    """Take in a file of returns and changes, and return what became of each.

    Raises: BookUnknown; AchForwardEntry; every refusal of a file that is not whole; what posting raises.
    """
    file = read(data)
    answers = answers_of(file)
    found = book(uow.connection, book_code)
    own = {"book_id": found.book_id, "sha256": hashlib.sha256(data).hexdigest()}
    known = uow.connection.scalar(_KNOWN_FILE, own)
    if known is not None:
        return TakenFile(known, _stored_items(uow.connection, found.book_id, known), replayed=True)
    control = file_control(file)
    file_no = int(uow.connection.scalar(_LAST_FILE, own) or 0) + 1
    row = {
        **own,
        "file_no": file_no,
        "name": name,
        "taken_on": found.business_date,
        "item_count": len(answers),
        "debits": control.debit_total,
        "credits": control.credit_total,
        "actor": uow.actor,
    }
    # Whoever takes another file meanwhile takes the same number; the later one begins again.
    uow.connection.execute(sa.insert(tables.ach_received), [row])
    items = _take(uow, book_code, file_no, answers, desk or Desk())
    uow.connection.execute(sa.insert(tables.ach_item), [_item_row(found.book_id, file_no, item) for item in items])
    return TakenFile(file_no, items, replayed=False)


def sent_entries(connection: sa.Connection, book_code: str, traces: Sequence[str]) -> Mapping[str, Sent]:
    """Return the entries of trace numbers, the latest of each: a sequence begins again after ten million."""
    values = {"book_id": book(connection, book_code).book_id, "traces": list(traces)}
    return {
        row.trace: Sent(
            row.loan_id,
            row.trace,
            row.effective_on,
            Side(row.side),
            row.amount,
            row.payment_ref,
            row.first_trace,
            Purpose(row.purpose),
            _instruction(connection, row.loan_id, row.trace),
        )
        for row in connection.execute(_SENT, values).all()
    }


def _instruction(connection: sa.Connection, loan_id: int, trace: str) -> Instruction | None:
    return next((each for each in instructions(connection, loan_id) if each.trace == trace), None)


def payment_of(connection: sa.Connection, sent: Sent) -> int | None:
    """Return the number of the payment that an entry brought, if it has come to its loan."""
    events = load_loan(connection, sent.loan_id, lock=False).events
    known = (event for event in events if event.kind is Kind.PAYMENT)
    return next((each.no for each in known if each.details.get("external_id") == sent.payment_ref), None)


def post_exception(
    uow: UnitOfWork, book_code: str, template: Template, answer: Answer, *, key: str, effective_date: date
) -> int:
    """Book what the rail took or gave against the account of unmatched returns, or back; return the entry's number."""
    found, roles = book(uow.connection, book_code), role_map(uow.connection, book_code, "default")
    draft = EntryDraft(
        subledger_id=found.own_subledger_id,
        template=template.name,
        template_version=template.version,
        effective_date=effective_date,
        actor=uow.actor,
        request_key=key,
        source_ref=f"ach:{answer.original_trace}",
        narration=narrate(template, code=answer.code, trace=answer.original_trace),
        postings=instantiate(template, {"amount": Money(answer.amount, CURRENCY)}, {**roles, RAIL: roles[CLEARING]}),
    )
    return post_entry(uow, draft).entry_no


def _take(uow: UnitOfWork, book_code: str, file_no: int, answers: Sequence[Answer], desk: Desk) -> tuple[Item, ...]:
    """Let every answer have its effect; loans are taken in the order of their ids."""
    found = book(uow.connection, book_code)
    traces = sorted({answer.original_trace for answer in answers})
    sent = sent_entries(uow.connection, book_code, traces)
    rows = uow.connection.execute(_BEFORE, {"book_id": found.book_id, "traces": traces})
    # With the loan: where sequences began again, the same numbers are those of another entry.
    before = {(row.original_trace, row.trace, row.code, row.loan_id) for row in rows}
    decided = []
    for number, answer in enumerate(answers, start=1):
        of = sent.get(answer.original_trace)
        mark = (answer.original_trace, answer.trace, answer.code)
        whose = None if of is None else of.loan_id
        decided.append(_decide(number, answer, of, repeated=not {(*mark, None), (*mark, whose)}.isdisjoint(before)))
        before.add((*mark, whose))
    done: dict[int, Item] = {}
    claimed: set[tuple[int | None, int]] = set()
    for item in sorted(decided, key=_loan_first):
        acted = _act(uow, item, sent, desk, claimed)
        if acted.event_no is not None:
            claimed.add((acted.loan_id, acted.event_no))
        # What a change corrects is not handed on: it may be an account number.
        done[item.item_no] = replace(acted, answer=replace(acted.answer, corrected=""))
    return tuple(_keep_money(uow, book_code, file_no, done[number], found.business_date) for number in sorted(done))


def _loan_first(item: Item) -> tuple[int, int]:
    return item.loan_id or 0, item.item_no


def _decide(number: int, answer: Answer, sent: Sent | None, *, repeated: bool) -> Item:
    """Return what is to become of an answer, from what is known of the entry that was sent."""
    loan_id = None if sent is None else sent.loan_id
    outcome, reason = Outcome.RETURNED, ""
    if repeated:
        outcome, reason = Outcome.REPEATED, "it was taken before"
    elif sent is None:
        outcome, reason = Outcome.UNMATCHED, "no entry of this trace number was sent"
    elif answer.kind is AnswerKind.CHANGE:
        outcome, reason = Outcome.CORRECTED, shown_correction(answer)
    elif answer.kind is not AnswerKind.RETURN:
        outcome, reason = Outcome.REVIEW, f"a {answer.kind} is for a person to see"
    elif (answer.side, answer.amount) != (sent.side, sent.amount):
        outcome, reason = Outcome.UNMATCHED, f"a {sent.side} of {Money(sent.amount, CURRENCY)} was sent"
    elif (
        sent.purpose is not Purpose.PRENOTE
        and sent.instruction is None
        and (sent.payment_ref is None or sent.side is Side.CREDIT)
    ):
        outcome, reason = Outcome.REVIEW, "the entry brought no payment"
    return Item(item_no=number, answer=answer, outcome=outcome, reason=reason, loan_id=loan_id)


def _act(
    uow: UnitOfWork, item: Item, sent: Mapping[str, Sent], desk: Desk, claimed: Set[tuple[int | None, int]]
) -> Item:
    """Let an item have the effect that was decided; what refuses it leaves it to a person.

    `claimed` are the events that other items of the file have made, or have been found to be the bank's word of.
    """
    if item.outcome not in {Outcome.RETURNED, Outcome.CORRECTED}:
        return item
    entry = sent[item.answer.original_trace]
    key = f"ach-{item.answer.kind}:{item.answer.original_trace}:{item.answer.trace}"
    savepoint = uow.connection.begin_nested()
    try:
        if item.outcome is Outcome.CORRECTED:
            given = entry.loan_id, entry.account_no, item.answer
            done = replace(item, reason=correct_details(uow, desk.vault, *given, request_key=key))
        elif entry.purpose is Purpose.PRENOTE:
            done = _return_prenote(uow, item, entry, key)
        elif entry.instruction is None:
            done = _return_payment(uow, item, entry, key)
        else:
            done = _return_instruction(uow, item, entry.instruction, desk, key)
    except Unsettled as refusal:
        savepoint.rollback()
        return replace(item, outcome=refusal.outcome, reason=str(refusal))
    except (PaymentUnknown, PaymentUndone, PaymentChargedBack, InstructionMoveRefused) as refusal:
        savepoint.rollback()
        return _refused(uow.connection, item, entry, refusal, claimed)
    savepoint.commit()
    return done


def _return_prenote(uow: UnitOfWork, item: Item, entry: Sent, key: str) -> Item:
    """End what would debit an account that a prenote has tried out in vain."""
    if entry.account_no is None:
        raise Unsettled("the prenote names no bank account", Outcome.REVIEW)
    told = end_what_debits(uow, entry.loan_id, entry.account_no, item.answer.code, request_key=key)
    return replace(item, reason=f"prenote: {told}" if told else "prenote")


def _return_payment(uow: UnitOfWork, item: Item, entry: Sent, key: str) -> Item:
    """Undo the payment that an entry brought without an instruction."""
    payment_id = payment_of(uow.connection, entry)
    if payment_id is None:
        raise Unsettled(f"no payment {entry.payment_ref} has come to the loan", Outcome.UNMATCHED)
    undone = return_payment(uow, entry.loan_id, payment_id, item.answer.code, key)
    return replace(item, event_no=undone.event_no)


def _return_instruction(uow: UnitOfWork, item: Item, of: Instruction, desk: Desk, key: str) -> Item:
    """Return an instruction, and do what its reason asks for."""
    back = return_instruction(uow, of.loan_id, of.instruction_no, code=item.answer.code, request_key=key)
    told = follow_up(uow, back, item.answer.code, policy=desk.retries)
    return replace(item, event_no=back.moves[-1].event_no, reason=told)


def _refused(
    connection: sa.Connection,
    item: Item,
    entry: Sent,
    refusal: DomainError,
    claimed: Set[tuple[int | None, int]],
) -> Item:
    """Return an item whose payment is undone already: by a person, of whose return this is the bank's word, or not."""
    event_no = _returned_by(connection, entry)
    key = {"loan_id": entry.loan_id, "event_no": event_no}
    is_new = event_no is not None and (entry.loan_id, event_no) not in claimed
    if is_new and not connection.scalar(_TAKEN_AS, key):
        return replace(item, event_no=event_no, reason="it was returned by hand before")
    return replace(item, outcome=Outcome.UNMATCHED, reason=refusal.message)


def _returned_by(connection: sa.Connection, entry: Sent) -> int | None:
    """Return the number of the event by which an entry's payment came back, if it did."""
    payment_id = payment_of(connection, entry)
    events = load_loan(connection, entry.loan_id, lock=False).events
    back = (each for each in events if each.kind is Kind.RETURNED and each.of == payment_id)
    return next((each.no for each in back), None)


def _keep_money(uow: UnitOfWork, book_code: str, file_no: int, item: Item, day: date) -> Item:
    """Book the money of an item that no payment accounts for."""
    if item.outcome not in {Outcome.UNMATCHED, Outcome.REVIEW} or not item.answer.amount:
        return item
    template = TAKEN if item.answer.money_leaves else GIVEN
    key = f"ach-item:{file_no}:{item.item_no}"
    return replace(item, entry_no=post_exception(uow, book_code, template, item.answer, key=key, effective_date=day))


def _item_row(book_id: int, file_no: int, item: Item) -> dict[str, object]:
    answer = item.answer
    return {
        "book_id": book_id,
        "file_no": file_no,
        "item_no": item.item_no,
        "line": answer.line,
        "kind": answer.kind.value,
        "code": answer.code,
        "original_trace": answer.original_trace,
        "trace": answer.trace,
        "side": answer.side.value,
        "amount": answer.amount,
        "outcome": item.outcome.value,
        "reason": item.reason,
        "loan_id": item.loan_id,
        "event_no": item.event_no,
        "entry_no": item.entry_no,
    }


def item_of(row: sa.Row[tuple[object, ...]]) -> Item:
    """Return the item of a stored row. The data of a change are not kept here: they hold account numbers."""
    return Item(
        item_no=row.item_no,
        answer=Answer(
            row.line,
            AnswerKind(row.kind),
            row.code,
            row.original_trace,
            row.trace,
            Side(row.side),
            row.amount,
        ),
        outcome=Outcome(row.outcome),
        reason=row.reason,
        loan_id=row.loan_id,
        event_no=row.event_no,
        entry_no=row.entry_no,
    )


def _stored_items(connection: sa.Connection, book_id: int, file_no: int) -> tuple[Item, ...]:
    rows = connection.execute(_ITEMS, {"book_id": book_id, "file_no": file_no})
    return tuple(item_of(row) for row in rows)
