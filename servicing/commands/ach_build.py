"""Making the file of what is due: instructions of the clearing house become entries, and are sent.

An instruction that cannot go out (its mandate ended, its funds held, its account unreadable, its loan stopped) is left
where it is and named; the rest go. File, entries and the moves of the instructions are one transaction.
Never: a network. Next: `servicing/nacha/building.py`; `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time

import sqlalchemy as sa

from ledger.domain_error import DomainError
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from servicing.commands.ach_prenotes import account_ref, live_from, prenotes_due
from servicing.commands.ach_sent import Owner, keep_sent, next_numbers
from servicing.commands.attempts import check_attempt
from servicing.commands.bank_accounts import account_number
from servicing.commands.instructions import send_instruction
from servicing.nacha.banking_days import Effective, banking_day_from, effective_date
from servicing.nacha.building import Made, Payment, Purpose, build, by_trace
from servicing.nacha.entry_classes import DEFAULT_CLASS, ENTRY_CLASSES
from servicing.nacha.errors import AchNothingToSend, AchTextRefused
from servicing.nacha.program import Program
from servicing.nacha.rendering import render
from servicing.nacha.text import ach_text
from servicing.nacha.transaction_codes import AccountKind, Side
from servicing.rail_queries import bank_account, due_to_send, instructions, mandate
from servicing.rails.errors import AttemptsStopped
from servicing.rails.instruction import Direction, Instruction
from servicing.store import load_loan
from servicing.vault import Vault

METHODS = ("ach_debit", "ach_credit")


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """An instruction that could not be sent, and why."""

    loan_id: int
    instruction_no: int
    reason: str


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file to hand to the bank: its bytes, its number, what went into it by trace number, what could not.

    `prenotes` are the trace numbers of entries that try out an account.
    """

    file_no: int
    data: bytes
    sent: Mapping[str, Instruction]
    left_behind: tuple[LeftBehind, ...]
    prenotes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Return the hash by which the file is known."""
        return hashlib.sha256(self.data).hexdigest()


def build_file(
    uow: UnitOfWork, vault: Vault, book_code: str, program: Program, *, at: time, through: date | None = None
) -> BuiltFile:
    """Make the file of the instructions that are to be sent by a day (None: the business date), and send them.

    `at` is the hour in the eastern zone at which the file goes to the bank on the business date.

    Raises: BookUnknown; AchNothingToSend; VaultKeyUnknown; every refusal of `servicing/nacha/errors.py`.
    """
    today = book(uow.connection, book_code).business_date
    on = through or today
    earliest = effective_date(today, at, same_day=program.same_day, cut_off=program.cut_off)
    waiting: list[tuple[Instruction, Payment]] = []
    left: list[LeftBehind] = []
    for each in due_to_send(uow.connection, book_code, METHODS, on):
        try:
            waiting.append((each, _payment(uow.connection, vault, program, each, earliest)))
        except (AchTextRefused, AttemptsStopped, _Untried) as refusal:
            left.append(LeftBehind(each.loan_id, each.instruction_no, str(refusal)))
    made = Made(today, at, earliest)
    trials = prenotes_due(uow.connection, vault, book_code, earliest) if program.prenotes else []
    while waiting or trials:
        savepoint = uow.connection.begin_nested()
        try:
            built = _send(uow, book_code, program, made, [*trials, *(payment for _, payment in waiting)])
        except _Refused as refused:
            savepoint.rollback()
            left.append(LeftBehind(*refused.key, str(refused.reason)))
            waiting = [(each, payment) for each, payment in waiting if payment.key != refused.key]
            continue
        savepoint.commit()
        return replace(built, left_behind=tuple(left))
    raise AchNothingToSend(book=book_code, on=on, skipped=len(left))


class _Refused(Exception):
    def __init__(self, key: tuple[int, int], reason: DomainError) -> None:
        super().__init__(key, reason)
        self.key, self.reason = key, reason


class _Untried(Exception):
    pass


def _send(uow: UnitOfWork, book_code: str, program: Program, made: Made, payments: Sequence[Payment]) -> BuiltFile:
    """Write the file of payments and send their instructions; loans are taken in the order of their ids."""
    originator = program.originator
    numbers = next_numbers(uow.connection, book_code, originator.bank_routing[:8], made.on, len(payments))
    made = replace(made, first_trace=numbers.first_sequence, modifier=numbers.modifier)
    file = build(originator, payments, made)
    data = render(file)
    traces = by_trace(originator, payments, made)
    owners = {trace: _owner(uow.connection, payment) for trace, payment in traces.items()}
    file_no = keep_sent(uow, book_code, file, data, owners)
    sent = {}
    live = {trace: payment for trace, payment in traces.items() if payment.purpose is not Purpose.PRENOTE}
    for trace, payment in sorted(live.items(), key=lambda each: each[1].key):
        loan_id, instruction_no = payment.key
        day = (payment.effective or made.effective).on
        try:
            sent[trace] = send_instruction(
                uow, loan_id, instruction_no, request_key=f"ach-file:{file_no}", trace=trace, settles_on=day
            )
        except DomainError as refusal:
            raise _Refused((loan_id, instruction_no), refusal) from refusal
    return BuiltFile(file_no, data, dict(sorted(sent.items())), (), tuple(sorted(traces.keys() - live.keys())))


def _payment(
    connection: sa.Connection, vault: Vault, program: Program, of: Instruction, earliest: Effective
) -> Payment:
    """Return the entry that an instruction asks for, unless its loan is stopped, or its account is not tried out.

    Raises: AchTextRefused; VaultKeyUnknown; BankAccountUnknown; AttemptsStopped.
    """
    debit = of.direction is Direction.DEBIT
    check_attempt(connection, of)
    payment = entry_of(connection, vault, of, earliest)
    if debit and program.prenotes and of.account_no is not None:
        live_on = live_from(connection, of.loan_id, of.account_no)
        settles_on = (payment.effective or earliest).on
        if live_on is None or settles_on < live_on:
            raise _Untried(f"its prenote comes first; it may settle from {live_on or 'three banking days after'} on")
    return payment


def entry_of(connection: sa.Connection, vault: Vault, of: Instruction, earliest: Effective) -> Payment:
    """Return an instruction as an entry, to its bank account as that is known now.

    Raises: AchTextRefused; VaultKeyUnknown; BankAccountUnknown.
    """
    debit = of.direction is Direction.DEBIT
    assert of.account_no is not None, "what goes by the clearing house names a bank account"
    account = bank_account(connection, of.loan_id, of.account_no)
    given = None if of.mandate_no is None else mandate(connection, of.loan_id, of.mandate_no)
    entry_class = DEFAULT_CLASS if given is None or not debit else given.entry_class or DEFAULT_CLASS
    due = banking_day_from(of.due_on)
    recurring = "S" if given is None else "R"
    return Payment(
        sec=entry_class,
        side=Side.DEBIT if debit else Side.CREDIT,
        kind=AccountKind(account.kind),
        routing=account.routing,
        account=account_number(connection, vault, account).reveal().upper(),
        amount=of.amount,
        name=ach_text(account.holder, 22),
        individual_id=ach_text(load_loan(connection, of.loan_id, lock=False).external_id, 15),
        payment_type=recurring if ENTRY_CLASSES[entry_class].typed else "",
        purpose=Purpose.PAYMENT if of.retry_of is None else Purpose.RETRY,
        effective=earliest if due <= earliest.on else Effective(due),
        key=(of.loan_id, of.instruction_no),
    )


def _owner(connection: sa.Connection, payment: Payment) -> Owner:
    """Return whose entry it is, with the first entry of a retry."""
    if payment.purpose is Purpose.PRENOTE:
        loan_id, account_no, version = payment.key
        return Owner(loan_id, account_ref(account_no, version))
    loan_id, instruction_no = payment.key
    known = {each.instruction_no: each for each in instructions(connection, loan_id)}
    of = first = known[instruction_no]
    while first.retry_of is not None:
        first = known[first.retry_of]
    brings = of.payment_ref if of.direction is Direction.DEBIT else None
    return Owner(loan_id, brings, first.trace)
