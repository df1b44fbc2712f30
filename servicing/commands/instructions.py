"""What moves a payment instruction: scheduled, batched, sent, settled, returned, canceled.

Each move is appended under the lock of the loan, with the loan's event that it makes and the entries of that. A debit
is credited at sending or at settlement, as its rail declares; one that comes back undoes its payment, and the product's
fee is charged. A credit spends the loan's unapplied cash when it is sent, and only what is available.
Never: a file or a network (`servicing/nacha/`, `api/cards.py`). Next: `docs/spec/rails.md`, worked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ledger.errors import RequestKeyReused
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.requests import once
from ledger.unit_of_work import UnitOfWork
from servicing import rail_store
from servicing.commands.attempts import check_attempt
from servicing.commands.disbursements import disburse, take_back_disbursement
from servicing.commands.instruction_checks import check_instruction, check_mandate
from servicing.commands.payments import return_payment, take_payment
from servicing.commands.refunds import refund
from servicing.events import UNDOING
from servicing.rails.errors import (
    InstructionMoveRefused,
    InstructionNotSettled,
    InstructionUnknown,
    TraceTaken,
)
from servicing.rails.instruction import Direction, Instruction, Move, Status, may_follow
from servicing.rails.rail import Credited, Rail, Source, credited_on
from servicing.rails.registry import RAILS
from servicing.store import Loan, load_loan


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionIn:
    """An instruction as it is given. A retry names the returned one that it takes up."""

    direction: Direction
    method: str
    amount: Money
    due_on: date
    account_no: int | None = None
    card_token: str | None = None
    mandate_no: int | None = None
    retry_of: int | None = None
    payee: str | None = None


COMPARED = (
    "direction",
    "method",
    "amount",
    "currency",
    "due_on",
    "account_no",
    "card_token",
    "mandate_no",
    "retry_of",
    "payee",
)


def schedule_instruction(uow: UnitOfWork, loan_id: int, given: InstructionIn, *, request_key: str) -> Instruction:
    """Keep what is to be taken from the borrower, or sent to one, on a day.

    Raises: LoanUnknown; InstructionInvalid; PaymentNotPositive; CurrencyMismatch; BankAccountUnknown; MandateUnknown;
    MandateEnded; InstructionUnknown; InstructionMoveRefused if what is retried was not returned; RequestKeyReused.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    known = rail_store.instructions_of(uow.connection, [loan_id])
    drafted = _drafted(uow, loan, known, given, request_key)
    before = next((each for each in known if each.request_key == request_key), None)
    if before is not None:
        for name in COMPARED:
            stored, now = getattr(before, name), getattr(drafted, name)
            if stored != now:
                raise RequestKeyReused(request_key=request_key, field=name, stored=str(stored), given=str(now))
        return before
    check_instruction(uow, loan, drafted, known)
    rail_store.append_instruction(uow.connection, drafted)
    return drafted


def batch_instruction(
    uow: UnitOfWork, loan_id: int, instruction_no: int, *, request_key: str, reason: str = ""
) -> Instruction:
    """Put an instruction into a batch that is about to go out; from then on nobody else sends it.

    Raises: LoanUnknown; InstructionUnknown; InstructionMoveRefused; MandateEnded.
    """

    def work(_loan: Loan, batched: Instruction, move: Move) -> Move:
        check_mandate(uow, batched)
        check_attempt(uow.connection, batched)
        return move

    return _move(uow, loan_id, instruction_no, Status.BATCHED, request_key, work, reason)


def cancel_instruction(
    uow: UnitOfWork, loan_id: int, instruction_no: int, *, reason: str, request_key: str
) -> Instruction:
    """Give up an instruction that was not sent yet; not one whose processor may have been asked already.

    Raises: LoanUnknown; InstructionUnknown; InstructionMoveRefused.
    """

    def work(_loan: Loan, canceled: Instruction, move: Move) -> Move:
        if canceled.status is Status.BATCHED and RAILS[canceled.method].source is Source.CARD:
            raise _refused(canceled, Status.CANCELED)
        return move

    return _move(uow, loan_id, instruction_no, Status.CANCELED, request_key, work, reason)


def send_instruction(
    uow: UnitOfWork,
    loan_id: int,
    instruction_no: int,
    *,
    request_key: str,
    trace: str | None = None,
    settles_on: date | None = None,
) -> Instruction:
    """Say that an instruction has gone out on the business date, and book what its rail books then.

    `settles_on` is known where a file says so; else the rail's days say it. What settles the same day, and waits for
    nobody's word, is settled at once. Raises: LoanUnknown; InstructionUnknown; InstructionMoveRefused; TraceTaken;
    MandateEnded; FundsHeld; what `take_payment` and `refund` raise.
    """

    def work(loan: Loan, sent: Instruction, move: Move) -> Move:
        rail = RAILS[sent.method]
        if sent.status is Status.SCHEDULED:
            check_mandate(uow, sent)
            check_attempt(uow.connection, sent)
        if trace is not None:
            _take_trace(uow, loan, sent, trace)
        day = settles_on or rail.settles_on(loan.business_date, sent.due_on)
        move = replace(move, trace=trace, settles_on=day)
        if sent.direction is Direction.CREDIT:
            return _pay_out(uow, loan, sent, rail, move)
        if rail.credited is Credited.AT_SENDING:
            move = replace(move, available_on=rail.available_on(day))
            return _credit(uow, loan, sent, rail, move, loan.business_date)
        return move

    sent = _move(uow, loan_id, instruction_no, Status.SENT, request_key, work)
    today = load_loan(uow.connection, loan_id, lock=False).business_date
    at_once = sent.settles_on is not None and sent.settles_on <= today and not RAILS[sent.method].confirmed
    if sent.status is Status.SENT and at_once:
        return settle_instruction(uow, loan_id, instruction_no, request_key=request_key)
    return sent


def rehearse_sending(uow: UnitOfWork, loan_id: int, instruction_no: int, *, request_key: str) -> None:
    """Lock the loan, and refuse what could not be sent, before anybody outside is asked; nothing is kept.

    Raises: what `send_instruction` raises.
    """
    # The lock comes before the savepoint, for what is locked after one is let go with it.
    load_loan(uow.connection, loan_id, lock=True)
    rehearsal = uow.connection.begin_nested()
    try:
        send_instruction(uow, loan_id, instruction_no, request_key=request_key)
    finally:
        rehearsal.rollback()


def settle_instruction(
    uow: UnitOfWork, loan_id: int, instruction_no: int, *, request_key: str, reason: str = ""
) -> Instruction:
    """Say that an instruction has settled: on its day, or, where somebody confirms it, on the business date.

    Raises: LoanUnknown; InstructionUnknown; InstructionMoveRefused; InstructionNotSettled before its day; what
    `take_payment` raises.
    """

    def work(loan: Loan, settled: Instruction, move: Move) -> Move:
        rail = RAILS[settled.method]
        planned = settled.settles_on
        assert planned is not None, "what is sent has a day of settlement"
        if not rail.confirmed and loan.business_date < planned:
            raise InstructionNotSettled(
                loan_id=loan_id, instruction_no=instruction_no, settles_on=planned, on=loan.business_date
            )
        day = loan.business_date if rail.confirmed else planned
        move = replace(move, settles_on=day, available_on=rail.available_on(day))
        if settled.direction is Direction.DEBIT and settled.event_no is None:
            return _credit(uow, loan, settled, rail, move, credited_on(settled.due_on, day))
        return move

    return _move(uow, loan_id, instruction_no, Status.SETTLED, request_key, work, reason)


def return_instruction(
    uow: UnitOfWork, loan_id: int, instruction_no: int, *, code: str, request_key: str
) -> Instruction:
    """Undo what came back: a debit's payment is returned and its fee charged, a credit's cash is the loan's again.

    A debit that came back before it was credited is credited and undone at once, so that the journal shows both and
    the fee is charged. Raises: LoanUnknown; InstructionUnknown; InstructionMoveRefused; what payment commands raise.
    """

    def work(loan: Loan, returned: Instruction, move: Move) -> Move:
        rail = RAILS[returned.method]
        if returned.direction is Direction.CREDIT:
            return _take_back(uow, loan, returned, rail, move)
        payment_no = returned.event_no
        entries: tuple[int, ...] = ()
        if payment_no is None:
            credit = _credit(
                uow, loan, returned, rail, move, min(loan.business_date, returned.settles_on or loan.business_date)
            )
            payment_no, entries = credit.event_no, credit.entries
        assert payment_no is not None
        undone = next((each for each in loan.events if each.kind in UNDOING and each.of == payment_no), None)
        if undone is not None:
            return replace(move, event_no=undone.no)
        done = return_payment(uow, loan_id, payment_no, code, f"{returned.payment_ref}/returned")
        return replace(move, event_no=done.event_no, entries=(*entries, *done.entries))

    return _move(uow, loan_id, instruction_no, Status.RETURNED, request_key, work, code)


def decline_instruction(
    uow: UnitOfWork, loan_id: int, instruction_no: int, *, code: str, request_key: str
) -> Instruction:
    """Say that a processor was asked and said no: it was sent, and comes back, and nothing was ever booked.

    Raises: LoanUnknown; InstructionUnknown; InstructionMoveRefused.
    """

    def asked(loan: Loan, _declined: Instruction, move: Move) -> Move:
        return replace(move, settles_on=loan.business_date)

    sent = _move(uow, loan_id, instruction_no, Status.SENT, request_key, asked, "declined")
    if sent.status is Status.RETURNED:
        return sent
    return _move(uow, loan_id, instruction_no, Status.RETURNED, request_key, lambda _loan, _of, move: move, code)


# --- One move ---------------------------------------------------------------------------------------------

Work = Callable[[Loan, Instruction, Move], Move]
"""Does what a move brings about, and returns the move with what came of it."""


def _move(
    uow: UnitOfWork,
    loan_id: int,
    instruction_no: int,
    status: Status,
    request_key: str,
    work: Work,
    reason: str = "",
) -> Instruction:
    """Move an instruction, unless the request has moved it there before; return it as it stands."""
    loan = load_loan(uow.connection, loan_id, lock=True)
    found = _found(uow, loan_id, instruction_no)
    before = found.move_by(request_key, status)
    if before is not None:
        if before.reason != reason:
            raise RequestKeyReused(request_key=request_key, field="reason", stored=before.reason, given=reason)
        return found
    if not may_follow(found.status, status):
        raise _refused(found, status)
    plain = Move(
        move_no=len(found.moves) + 1,
        status=status,
        moved_on=loan.business_date,
        reason=reason,
        actor=uow.actor,
        request_key=request_key,
    )
    done = work(loan, found, plain)
    rail_store.append_move(uow.connection, found, done)
    return replace(found, moves=(*found.moves, done))


def _refused(found: Instruction, status: Status) -> InstructionMoveRefused:
    return InstructionMoveRefused(
        loan_id=found.loan_id, instruction_no=found.instruction_no, status=str(found.status), wanted=str(status)
    )


def _found(uow: UnitOfWork, loan_id: int, instruction_no: int) -> Instruction:
    for each in rail_store.instructions_of(uow.connection, [loan_id]):
        if each.instruction_no == instruction_no:
            return each
    raise InstructionUnknown(loan_id=loan_id, instruction_no=instruction_no)


def _credit(uow: UnitOfWork, loan: Loan, of: Instruction, rail: Rail, move: Move, on: date) -> Move:
    """Credit a debit to the loan as a payment.

    Money that is there is not refused for being too much, and none of it is sent back before it may be spent.
    """
    product = loan.terms.product
    taken = take_payment(
        uow,
        of.loan_id,
        amount=Money(of.amount, of.currency),
        effective_date=max(on, loan.terms.funded_on),
        method=rail.method,
        external_id=of.payment_ref,
        request_key=f"{of.payment_ref}/credited",
        excess="hold" if product.excess == "refund" else None,
        overpayment=None if product.overpayment == "hold" else "hold",
    )
    return replace(move, event_no=taken.payment_id, entries=taken.entries)


def _pay_out(uow: UnitOfWork, loan: Loan, of: Instruction, rail: Rail, move: Move) -> Move:
    if of.payee is not None:
        sent = disburse(uow, of, method=rail.method)
        return replace(move, event_no=sent.event.no, entries=sent.entries)
    done = refund(
        uow,
        of.loan_id,
        amount=Money(of.amount, of.currency),
        effective_date=loan.business_date,
        method=rail.method,
        request_key=f"{of.payment_ref}/sent",
        reason=f"payment instruction {of.instruction_no}",
    )
    return replace(move, event_no=done.event_no, entries=done.entries)


def _take_back(uow: UnitOfWork, loan: Loan, of: Instruction, rail: Rail, move: Move) -> Move:
    """Take what a credit could not deliver: what was sent comes back as a payment, or as proceeds still to be sent."""
    if of.payee is not None:
        back = take_back_disbursement(uow, of, method=rail.method, code=move.reason)
        return replace(move, event_no=back.event.no, entries=back.entries)
    taken = take_payment(
        uow,
        of.loan_id,
        amount=Money(of.amount, of.currency),
        effective_date=loan.business_date,
        method=rail.method,
        external_id=f"{of.payment_ref}/returned",
        request_key=f"{of.payment_ref}/returned",
        excess="hold",
        overpayment="hold",
    )
    return replace(move, event_no=taken.payment_id, entries=taken.entries)


def _take_trace(uow: UnitOfWork, loan: Loan, of: Instruction, trace: str) -> None:
    """Give a trace number to an instruction.

    A loan never has the same one twice. Another loan of the book has it only when the rail counts again from one, and
    nothing under it can come back any more. Of two who take it at once, one is refused: each use is a request that is
    made once. Raises: TraceTaken.
    """
    uses = rail_store.uses_of_trace(uow.connection, loan.book_code, trace)
    days = RAILS[of.method].trace_days
    for use in uses:
        free_on = None if days is None else use.settles_on + timedelta(days=days)
        if use.loan_id == of.loan_id or free_on is None or loan.business_date < free_on:
            raise TraceTaken(trace=trace)
    own = book(uow.connection, loan.book_code).own_subledger_id
    inputs = {"loan_id": of.loan_id, "instruction_no": of.instruction_no}
    key = f"trace:{trace}:{len(uses)}" if uses else f"trace:{trace}"
    try:
        once(uow, subledger_id=own, key=key, command="give_trace", inputs=inputs, work=lambda: inputs)
    except RequestKeyReused:
        raise TraceTaken(trace=trace) from None


def _drafted(
    uow: UnitOfWork, loan: Loan, known: tuple[Instruction, ...], given: InstructionIn, request_key: str
) -> Instruction:
    retried = next((each for each in known if each.instruction_no == given.retry_of), None)
    first = Move(
        move_no=1, status=Status.SCHEDULED, moved_on=loan.business_date, actor=uow.actor, request_key=request_key
    )
    return Instruction(
        loan_id=loan.loan_id,
        instruction_no=len(known) + 1,
        direction=given.direction,
        method=given.method,
        amount=given.amount.minor,
        currency=given.amount.currency,
        due_on=given.due_on,
        account_no=given.account_no,
        card_token=given.card_token,
        mandate_no=given.mandate_no,
        retry_of=given.retry_of,
        payee=given.payee if retried is None else retried.payee,
        attempt=1 if retried is None else retried.attempt + 1,
        actor=uow.actor,
        request_key=request_key,
        moves=(first,),
    )
