"""Card payments: an instruction is claimed, the processor asked, its answer booked; and its messages are taken in.

The processor is asked between two transactions, under a key that is the instruction's own. Whoever is killed between
them, or asks at the same time, asks under that same key: the card is charged once, and the loan credited once.
Next: `servicing/rails/cards.py`; `servicing/commands/instructions.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from api.edge import Edge
from api.views import Json
from ledger.domain_error import DomainError
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from servicing.commands.autopay import RailFailure, RailReport
from servicing.commands.chargebacks import charge_back
from servicing.commands.instructions import (
    batch_instruction,
    decline_instruction,
    rehearse_sending,
    send_instruction,
)
from servicing.queries import loan_view
from servicing.rail_queries import due_to_send, instruction, instruction_by_trace, instructions
from servicing.rails.cards import Authorization, CardEvent, CardProcessor, Charge
from servicing.rails.errors import CardPaymentUnknown, InstructionInvalid, ProcessorFailed, TraceUnknown
from servicing.rails.instruction import Direction, Instruction, Status
from servicing.rails.rail import Source
from servicing.rails.registry import RAILS

CARD_RAILS = tuple(name for name, rail in RAILS.items() if rail.source is Source.CARD)


def charge_instruction(
    edge: Edge, processor: CardProcessor | None, loan_id: int, instruction_no: int, *, actor: str
) -> Instruction:
    """Have the processor carry out an instruction of a card, and book what came of it; again, it changes nothing.

    Raises: LoanUnknown; InstructionUnknown; InstructionInvalid if it is no card's; InstructionMoveRefused;
    MandateEnded; ProcessorFailed: it is left batched then, and may be asked for again; what sending raises.
    """
    key = f"charge:{instruction_no}"

    def claim(uow: UnitOfWork) -> Instruction:
        found = instruction(uow.connection, loan_id, instruction_no)
        if found.method not in CARD_RAILS:
            raise InstructionInvalid(field="method", reason=f"a processor carries {', '.join(CARD_RAILS)}")
        if any(move.status is Status.SENT and move.request_key == key for move in found.moves):
            return found
        if found.status is Status.BATCHED:
            return found
        return batch_instruction(uow, loan_id, instruction_no, request_key=key)

    claimed = edge.change(claim, actor=actor)
    if claimed.status is not Status.BATCHED:
        return claimed
    if processor is None:
        raise ProcessorFailed(reason="no processor is set; set LOANBOOK_CARD_PROCESSOR_URL and its key")
    code = edge.read(lambda connection: loan_view(connection, loan_id).loan.book_code)
    name = f"{code}:{loan_id}:{instruction_no}"
    # A token is the processor's own, so that the books of a test and those of a lender never share a key.
    once = f"{name}:{claimed.card_token}"
    if claimed.direction is Direction.CREDIT:
        return _give_back(edge, processor, claimed, f"{once}:refund", key, actor)
    answer = processor.authorize(_charge(claimed, name), key=f"{once}:authorize")
    if answer.decline_code is not None:
        return _book_declined(edge, claimed, answer, key, actor)
    done = processor.capture(answer.authorization_id, claimed.amount, key=f"{once}:capture")
    return _book_sent(edge, claimed, done, key, actor)


def charge_due(
    edge: Edge,
    processor: CardProcessor | None,
    book_code: str,
    day: date | None = None,
    *,
    actor: str,
    dry_run: bool = False,
) -> RailReport:
    """Have the processor carry out what is due by a day (None: the business date); one that fails stops nobody.

    A dry run says what is due, and asks nobody.

    Raises: BookUnknown.
    """
    on = day or edge.read(lambda connection: book(connection, book_code).business_date)
    due = edge.read(lambda connection: due_to_send(connection, book_code, CARD_RAILS, on))
    moved: list[Instruction] = []
    failures: list[RailFailure] = []
    for each in due:
        if dry_run:
            moved.append(each)
            continue
        try:
            moved.append(charge_instruction(edge, processor, each.loan_id, each.instruction_no, actor=actor))
        except DomainError as error:
            failures.append(RailFailure(each.loan_id, error.code, error.message))
    return RailReport(day=on, looked_at=len(due), moved=tuple(moved), failures=tuple(failures))


def take_card_event(uow: UnitOfWork, book_code: str, event: CardEvent) -> Json:
    """Take in a message of the processor, once by its id: a chargeback takes back as much of the payment.

    Raises: CardPaymentUnknown; what `charge_back` raises.
    """
    if event.kind != "chargeback":
        return {"event_id": event.event_id, "outcome": "ignored"}
    try:
        paid = instruction_by_trace(uow.connection, book_code, event.capture_id)
    except TraceUnknown:
        raise CardPaymentUnknown(reference=event.capture_id) from None
    if paid.event_no is None:
        raise CardPaymentUnknown(reference=event.capture_id)
    key, loan = f"card-event:{event.event_id}", loan_view(uow.connection, paid.loan_id).loan
    event_no = loan.request_keys.get(key)
    if event_no is None:
        event_no = charge_back(
            uow,
            paid.loan_id,
            paid.event_no,
            amount=Money(event.amount, event.currency),
            effective_date=loan.business_date,
            request_key=key,
            reason=event.reason,
        ).event_no
    return {
        "event_id": event.event_id,
        "outcome": "charged_back",
        "loan_id": paid.loan_id,
        "instruction_no": paid.instruction_no,
        "event_no": event_no,
    }


def _charge(claimed: Instruction, name: str) -> Charge:
    assert claimed.card_token is not None, "the instruction of a card has its token"
    return Charge(token=claimed.card_token, amount=claimed.amount, currency=claimed.currency, reference=name)


def _give_back(
    edge: Edge, processor: CardProcessor, claimed: Instruction, once: str, key: str, actor: str
) -> Instruction:
    """Have the processor give back what the loan has to spare.

    The loan stays locked while it is asked: nobody else spends the cash meanwhile.
    """

    def work(uow: UnitOfWork) -> Instruction:
        loan_id, no = claimed.loan_id, claimed.instruction_no
        rehearse_sending(uow, loan_id, no, request_key=key)
        now = instruction(uow.connection, loan_id, no)
        if now.status is not Status.BATCHED:
            return now
        capture_id = _to_refund(instructions(uow.connection, loan_id), claimed)
        done = processor.refund(capture_id, claimed.amount, key=once)
        return send_instruction(uow, loan_id, no, request_key=key, trace=done)

    return edge.change(work, actor=actor)


def _to_refund(known: Sequence[Instruction], claimed: Instruction) -> str:
    """Return the latest capture of the same card before it that was for as much: the same one, whenever it is asked."""
    for each in reversed(known[: claimed.instruction_no - 1]):
        taken = each.direction is Direction.DEBIT and each.status in (Status.SENT, Status.SETTLED)
        if taken and each.card_token == claimed.card_token and each.amount >= claimed.amount and each.trace:
            return each.trace
    raise InstructionInvalid(field="card_token", reason="the card has paid nothing of that much to give back")


def _book_sent(edge: Edge, claimed: Instruction, trace: str, key: str, actor: str) -> Instruction:
    return edge.change(
        lambda uow: send_instruction(uow, claimed.loan_id, claimed.instruction_no, request_key=key, trace=trace),
        actor=actor,
    )


def _book_declined(edge: Edge, claimed: Instruction, answer: Authorization, key: str, actor: str) -> Instruction:
    code = str(answer.decline_code)
    return edge.change(
        lambda uow: decline_instruction(uow, claimed.loan_id, claimed.instruction_no, code=code, request_key=key),
        actor=actor,
    )
