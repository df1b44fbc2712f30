"""Instructions that go out in a file and come back in one: sent, settled, returned, sent again, stopped, corrected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from typing import TypeVar

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from ledger.commands import books
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.ach_build import BuiltFile, build_file
from servicing.commands.ach_figures import came_back
from servicing.commands.ach_prenotes import live_from
from servicing.commands.ach_returns import Desk, TakenFile, take_file
from servicing.commands.ach_reverse import reverse_entries
from servicing.commands.ach_sequel import Outcome
from servicing.commands.attempts import attempts_on, is_stopped
from servicing.commands.bank_accounts import AccountIn, account_number, add_bank_account
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.instructions import (
    InstructionIn,
    batch_instruction,
    decline_instruction,
    schedule_instruction,
    send_instruction,
    settle_instruction,
)
from servicing.commands.mandates import MandateIn, give_mandate
from servicing.drafts import LoanDraft
from servicing.nacha.errors import AchEntryUnknown, AchNothingToSend, AchReversalRefused
from servicing.nacha.file import Batch
from servicing.nacha.program import Program
from servicing.nacha.reading import read
from servicing.nacha.rules import Held
from servicing.queries import loan_view
from servicing.rail_queries import bank_account, due_to_settle, instruction, instruction_by_trace, instructions, mandate
from servicing.rails.accounts import AccountNumber
from servicing.rails.errors import AttemptsStopped
from servicing.rails.instruction import Direction, Status
from servicing.vault import Vault
from tests.integration.servicing.acts import pay
from tests.integration.servicing.test_ach_returns import held
from tests.support.ach_answers import Answered, answer_file
from tests.support.database import ADMIN, Database
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import TERMS

pytestmark = pytest.mark.twice

T = TypeVar("T")
Book = tuple[str, int, int]
VAULT = Vault.of_keys(Fernet.generate_key().decode())
PROGRAM = Program(
    bank_routing="121042882",
    bank_name="First Bank",
    company_name="Loanbook Lending LLC",
    company_id="1234567890",
    origin="1234567890",
)
NUMBER = "7445678990"
FRIDAY, MONDAY = date(2026, 3, 20), date(2026, 3, 23)


def do(engine: sa.Engine, work: Callable[[UnitOfWork], T]) -> T:
    """Do something in a transaction of its own."""
    return run(engine, work, actor=ACTOR)


def authorize(engine: sa.Engine, loan_id: int, on: date, *, entry_class: str = "WEB", holder: str = "José") -> None:
    """Keep a bank account and a mandate that debits it, both the next of the loan."""
    given = AccountIn(routing="091000019", number=AccountNumber(NUMBER), kind="checking", holder=holder)

    def work(uow: UnitOfWork) -> None:
        account = add_bank_account(uow, VAULT, loan_id, given, request_key=f"account-{on}-{holder}")
        terms = MandateIn(
            method="ach_debit",
            amount_rule="amount_due",
            authorized_on=on,
            text_version="v1",
            authorized_how="on the web page",
            entry_class=entry_class,
            account_no=account.account_no,
        )
        give_mandate(uow, loan_id, terms, request_key=f"mandate-{on}-{holder}")

    do(engine, work)


def schedule(
    engine: sa.Engine,
    loan_id: int,
    minor: int,
    due_on: date,
    *,
    mandate_no: int | None = 1,
    direction: Direction = Direction.DEBIT,
) -> int:
    """Schedule an instruction on the first bank account, and return its number."""
    given = InstructionIn(
        direction=direction,
        method=f"ach_{direction}",
        amount=Money(minor, "USD"),
        due_on=due_on,
        account_no=mandate_no or 1,
        mandate_no=mandate_no,
    )
    key = f"{direction}-{minor}-{due_on}"
    return do(engine, lambda uow: schedule_instruction(uow, loan_id, given, request_key=key)).instruction_no


def build(engine: sa.Engine, code: str, at: time = time(10)) -> BuiltFile:
    """Make the file of what is to be sent today."""
    return do(engine, lambda uow: build_file(uow, VAULT, code, PROGRAM, at=at))


def go_to(engine: sa.Engine, code: str, day: date) -> None:
    """Move to a day, and settle what settles by then."""
    do(engine, lambda uow: books.advance_business_date(uow, code, day))
    with engine.connect() as connection:
        due = due_to_settle(connection, code, day)
    for each in due:
        do(engine, lambda uow, each=each: settle_instruction(uow, each.loan_id, each.instruction_no, request_key="day"))  # type: ignore[misc]


def take(engine: sa.Engine, code: str, *answers: Answered, first: int = 1) -> TakenFile:
    """Take in a file of answers."""
    data = answer_file(answers, first=first)
    return do(engine, lambda uow: take_file(uow, code, data, desk=Desk(vault=VAULT)))


def batches(built: BuiltFile) -> tuple[Batch, ...]:
    """Read a file back by the rules for what is sent."""
    return read(built.data, Held.SENT).batches


def trace_of(built: BuiltFile, loan_id: int) -> str:
    """Return the trace number of a loan's entry."""
    return next(trace for trace, each in built.sent.items() if each.loan_id == loan_id)


def test_what_is_due_goes_out_in_one_file_and_its_instructions_are_sent(engine: sa.Engine, loan: Book) -> None:
    code, one, two = loan
    authorize(engine, one, FRIDAY)
    authorize(engine, two, FRIDAY, entry_class="PPD", holder="Ann O'Neil")
    schedule(engine, one, 88_849, MONDAY)
    schedule(engine, two, 10_000, MONDAY)
    schedule(engine, two, 20_000, date(2026, 4, 15))

    built = build(engine, code)

    ppd, web = batches(built)
    assert [(batch.header.sec, batch.header.effective_on) for batch in (ppd, web)] == [("PPD", MONDAY), ("WEB", MONDAY)]
    entry = web.entries[0]
    assert (entry.account, entry.amount, entry.name, entry.discretionary) == (NUMBER, 88_849, "JOSE", "R")
    assert entry.individual_id == "A"
    with engine.connect() as connection:
        assert [each.status for each in instructions(connection, two)] == [Status.SENT, Status.SCHEDULED]
        sent = instruction(connection, one, 1)
    assert (sent.trace, sent.settles_on) == (entry.trace, MONDAY)
    with pytest.raises(AchNothingToSend):
        build(engine, code)


def test_after_the_cut_off_it_settles_a_day_later(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)

    (batch,) = batches(build(engine, code, at=time(16, 1)))

    assert batch.header.effective_on == date(2026, 3, 24)


def test_what_cannot_go_out_is_left_behind_and_named(engine: sa.Engine, loan: Book) -> None:
    code, one, two = loan
    authorize(engine, one, FRIDAY, holder="李明")
    authorize(engine, two, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    schedule(engine, two, 10_000, MONDAY)
    # Nothing is there to be paid out.
    schedule(engine, two, 700, MONDAY, mandate_no=None, direction=Direction.CREDIT)

    built = build(engine, code)

    assert [each.amount for each in built.sent.values()] == [10_000]
    assert [(each.loan_id, each.instruction_no) for each in built.left_behind] == [(one, 1), (two, 2)]
    assert "no spelling" in built.left_behind[0].reason
    with engine.connect() as connection:
        assert instruction(connection, one, 1).status is Status.SCHEDULED


def test_a_return_before_and_after_settlement_undoes_the_payment_with_its_fee(engine: sa.Engine, loan: Book) -> None:
    code, one, two = loan
    for each in (one, two):
        authorize(engine, each, FRIDAY)
        schedule(engine, each, 88_849, MONDAY)
    built = build(engine, code)
    early = take(engine, code, Answered("R02", trace_of(built, one), 88_849))
    go_to(engine, code, MONDAY)
    late = take(engine, code, Answered("R01", trace_of(built, two), 88_849), first=9)

    for loan_id, taken in ((one, early), (two, late)):
        with engine.connect() as connection:
            view = loan_view(connection, loan_id)
            returned = instruction(connection, loan_id, 1)
        assert [item.outcome for item in taken.items] == [Outcome.RETURNED]
        assert (returned.status, view.state.returned_payment_fees) == (Status.RETURNED, 2_500)
        assert taken.items[0].event_no == returned.moves[-1].event_no


def test_a_debit_without_funds_is_sent_again_until_two_in_a_row_failed(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    schedule(engine, one, 50_000, date(2026, 4, 15))
    first = trace_of(build(engine, code), one)
    go_to(engine, code, date(2026, 3, 25))

    once = take(engine, code, Answered("R01", first, 88_849))

    # Taken on Wednesday 25 March; three banking days on is Monday the 30th, so it goes out on Friday the 27th.
    assert once.items[0].reason == "sent again on 2026-03-30 as instruction 3"
    with engine.connect() as connection:
        assert next(iter(came_back(connection, code, since=FRIDAY))).stopped is False
    go_to(engine, code, date(2026, 3, 27))
    again = build(engine, code)
    (batch,) = batches(again)
    assert (batch.header.description, batch.header.effective_on) == ("RETRY PYMT", date(2026, 3, 30))
    assert (batch.header.company_id, batch.entries[0].amount) == ("1234567890", 88_849)
    go_to(engine, code, date(2026, 4, 1))

    twice = take(engine, code, Answered("R09", trace_of(again, one), 88_849), first=5)

    assert twice.items[0].reason.startswith("two attempts in a row failed")
    assert "instruction 2 canceled" in twice.items[0].reason
    with engine.connect() as connection:
        assert [(each.on, each.failed_for_funds) for each in attempts_on(connection, one)] == [
            (FRIDAY, True),
            (date(2026, 3, 27), True),
        ]
        assert is_stopped(connection, one)
        listed = [(each.presented, each.stopped) for each in came_back(connection, code, since=FRIDAY)]
        assert listed == [(2, True)]

    # Nothing of the loan goes out before it is authorized anew.
    schedule(engine, one, 60_000, date(2026, 4, 2))
    with pytest.raises(AchNothingToSend, match="1 payments that are due cannot be"):
        build(engine, code)
    authorize(engine, one, date(2026, 4, 1), holder="Jose again")
    with engine.connect() as connection:
        assert not is_stopped(connection, one)
    assert [each.amount for each in build(engine, code).sent.values()] == [60_000]


def test_a_retry_that_holds_is_the_end_of_it(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    first = trace_of(build(engine, code), one)
    go_to(engine, code, MONDAY)
    take(engine, code, Answered("R01", first, 88_849))
    go_to(engine, code, date(2026, 3, 25))
    build(engine, code)
    go_to(engine, code, date(2026, 3, 30))

    with engine.connect() as connection:
        retried = instruction(connection, one, 2)
        assert (retried.status, retried.retry_of, retried.attempt) == (Status.SETTLED, 1, 2)
        assert not is_stopped(connection, one)
        assert list(came_back(connection, code, since=FRIDAY)) == []
        view = loan_view(connection, one)
    # The payment of the retry counts, the first one does not.
    paid = [each for each in view.loan.events if each.kind == "payment"]
    assert [each.details["external_id"] for each in paid] == ["instruction:1", "instruction:2"]


@pytest.mark.parametrize("code_of_return", ["R02", "R07", "R10"])
def test_a_reason_that_ends_the_mandate_cancels_what_waits_under_it(
    engine: sa.Engine, loan: Book, code_of_return: str
) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    schedule(engine, one, 50_000, date(2026, 4, 15))
    built = build(engine, code)

    taken = take(engine, code, Answered(code_of_return, trace_of(built, one), 88_849))

    assert "mandate 1 ended" in taken.items[0].reason
    assert "not sent again" in taken.items[0].reason
    with engine.connect() as connection:
        found = mandate(connection, one, 1)
        assert (found.end_cause, found.end_reason) == ("invalidated", code_of_return)
        assert [each.status for each in instructions(connection, one)] == [Status.RETURNED, Status.CANCELED]


def test_an_entry_that_one_file_returns_twice_is_returned_once(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    trace = trace_of(build(engine, code), one)

    taken = take(engine, code, Answered("R01", trace, 88_849), Answered("R01", trace, 88_849))

    assert [item.outcome for item in taken.items] == [Outcome.RETURNED, Outcome.UNMATCHED]
    assert held(engine, code, "1440") == 88_849


def test_a_notification_of_change_corrects_the_account_and_the_payment_stands(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    trace = trace_of(build(engine, code), one)
    go_to(engine, code, MONDAY)

    answers = (
        Answered("C03", trace, corrected="021000021   918171614"),
        Answered("C05", trace, corrected="37"),
        Answered("C02", trace, corrected="091000018"),
        Answered("C09", trace, corrected="L-7"),
    )
    taken = take(engine, code, *answers)
    again = take(engine, code, *answers)

    corrected = [Outcome.CORRECTED] * 2 + [Outcome.REVIEW] * 2
    assert [item.outcome for item in taken.items] == corrected
    assert taken.items[0].reason == "routing 021000021, account *****1614, of bank account 1"
    assert again.replayed
    with engine.connect() as connection:
        account = bank_account(connection, one, 1)
        assert (account.version, account.routing, account.kind, account.reason) == (3, "021000021", "savings", "C05")
        assert account_number(connection, VAULT, account).reveal() == "918171614"
        assert instruction(connection, one, 1).status is Status.SETTLED


def test_without_keys_a_notification_waits_for_a_person(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    trace = trace_of(build(engine, code), one)
    data = answer_file([Answered("C01", trace, corrected="918171614")])

    taken = do(engine, lambda uow: take_file(uow, code, data))

    assert [(item.outcome, item.reason) for item in taken.items] == [(Outcome.REVIEW, "account *****1614")]


def test_a_credit_that_comes_back_is_the_borrowers_cash_again(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    # 10000.00 x 12% x 64/365 = 210.41 on 20 March: 89.59 of 10300.00 are the borrower's.
    pay(engine, one, "10300.00", FRIDAY, "all", method="wire")
    schedule(engine, one, 8_000, MONDAY, mandate_no=None, direction=Direction.CREDIT)
    built = build(engine, code)
    (batch,) = batches(built)
    assert (batch.header.service_class, batch.entries[0].transaction_code) == ("220", "22")

    taken = take(engine, code, Answered("R03", trace_of(built, one), 8_000, side="credit"))

    assert [item.outcome for item in taken.items] == [Outcome.RETURNED]
    with engine.connect() as connection:
        assert loan_view(connection, one).state.unapplied == 8_959


def reverse(engine: sa.Engine, code: str, *traces: str) -> BuiltFile:
    """Take back entries."""
    return do(engine, lambda uow: reverse_entries(uow, VAULT, code, PROGRAM, traces, reason="sent twice", at=time(10)))


def test_an_entry_that_should_not_have_been_sent_is_taken_back_once(engine: sa.Engine, loan: Book) -> None:
    code, one, two = loan
    for each in (one, two):
        authorize(engine, each, FRIDAY)
        schedule(engine, each, 88_849, MONDAY)
    built = build(engine, code)
    traces = [trace_of(built, one), trace_of(built, two)]
    with pytest.raises(AchReversalRefused, match="only what has settled"):
        reverse(engine, code, traces[0])
    go_to(engine, code, MONDAY)

    back = reverse(engine, code, *traces)

    (batch,) = batches(back)
    assert (batch.header.description, batch.header.service_class, batch.header.effective_on) == (
        "REVERSAL",
        "220",
        date(2026, 3, 24),
    )
    assert [(entry.transaction_code, entry.amount, entry.account) for entry in batch.entries] == [
        ("22", 88_849, NUMBER)
    ] * 2
    with engine.connect() as connection:
        state = loan_view(connection, one).state
    assert (state.returned_payment_fees, state.principal) == (0, 1_000_000)
    with pytest.raises(AchReversalRefused, match="reversed before"):
        reverse(engine, code, traces[0])
    with pytest.raises(AchEntryUnknown):
        reverse(engine, code, "121042889999999")


def test_five_banking_days_after_settlement_it_is_too_late(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    trace = trace_of(build(engine, code), one)
    # Settled on Monday 23 March: five banking days on is Monday the 30th. Sent that day, it settles on the 31st.
    go_to(engine, code, date(2026, 3, 30))

    with pytest.raises(AchReversalRefused, match="settle on 2026-03-31, after 2026-03-30"):
        reverse(engine, code, trace)


WITH_PRENOTES = PROGRAM.model_copy(update={"prenotes": True})


def build_tried(engine: sa.Engine, code: str) -> BuiltFile:
    """Make the file of a lender who tries accounts out."""
    return do(engine, lambda uow: build_file(uow, VAULT, code, WITH_PRENOTES, at=time(10)))


def test_an_account_is_tried_out_before_the_first_debit(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)

    built = build_tried(engine, code)

    (batch,) = batches(built)
    assert [(entry.transaction_code, entry.amount, entry.account) for entry in batch.entries] == [("28", 0, NUMBER)]
    assert (built.sent, built.prenotes) == ({}, (batch.entries[0].trace,))
    assert "its prenote comes first" in built.left_behind[0].reason
    with pytest.raises(AchNothingToSend):
        build_tried(engine, code)

    # Settled on Monday 23 March: three banking days on is Thursday the 26th, so it goes out on Wednesday.
    go_to(engine, code, date(2026, 3, 24))
    with pytest.raises(AchNothingToSend):
        build_tried(engine, code)
    go_to(engine, code, date(2026, 3, 25))
    (live,) = batches(build_tried(engine, code))
    assert (live.header.effective_on, live.entries[0].amount) == (date(2026, 3, 26), 88_849)


def test_a_prenote_that_comes_back_ends_the_mandate(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, date(2026, 4, 15))
    (trace,) = build_tried(engine, code).prenotes

    taken = take(engine, code, Answered("R03", trace))

    assert [(item.outcome, item.reason) for item in taken.items] == [(Outcome.RETURNED, "prenote: mandate 1 ended")]
    with engine.connect() as connection:
        assert instruction(connection, one, 1).status is Status.CANCELED
        assert loan_view(connection, one).state.returned_payment_fees == 0


def test_a_change_of_a_prenote_corrects_the_account_which_stays_tried_out(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    (trace,) = build_tried(engine, code).prenotes

    taken = take(engine, code, Answered("C01", trace, corrected="918171614"))

    assert [item.outcome for item in taken.items] == [Outcome.CORRECTED]
    with engine.connect() as connection:
        assert bank_account(connection, one, 1).version == 2
        assert live_from(connection, one, 1) == date(2026, 3, 26)


def test_failures_count_by_whatever_channel_they_came(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    trace = trace_of(build(engine, code), one)
    card = InstructionIn(
        direction=Direction.DEBIT,
        method="debit_card",
        amount=Money(5_000, "USD"),
        due_on=FRIDAY,
        card_token="tok_visa",
    )
    by_card = do(engine, lambda uow: schedule_instruction(uow, one, card, request_key="card")).instruction_no
    do(engine, lambda uow: decline_instruction(uow, one, by_card, code="insufficient_funds", request_key="declined"))

    taken = take(engine, code, Answered("R01", trace, 88_849))

    assert taken.items[0].reason.startswith("two attempts in a row failed")
    with engine.connect() as connection:
        assert [each.failed_for_funds for each in attempts_on(connection, one)] == [True, True]
    again = do(engine, lambda uow: schedule_instruction(uow, one, card, request_key="again")).instruction_no
    for attempt in (batch_instruction, send_instruction):
        with pytest.raises(AttemptsStopped):
            do(engine, lambda uow, attempt=attempt: attempt(uow, one, again, request_key="try"))  # type: ignore[misc]
    # What the borrower brings is no attempt.
    brought = InstructionIn(direction=Direction.DEBIT, method="cash", amount=Money(5_000, "USD"), due_on=FRIDAY)
    cash = do(engine, lambda uow: schedule_instruction(uow, one, brought, request_key="cash")).instruction_no
    assert do(engine, lambda uow: send_instruction(uow, one, cash, request_key="cash")).status is Status.SETTLED


def test_a_product_may_say_that_attempts_go_on(engine: sa.Engine) -> None:
    code = "GOESON"
    open_book(engine, code, date(2026, 1, 1))
    do(engine, lambda uow: books.advance_business_date(uow, code, date(2026, 1, 15)))
    product = TERMS.product.model_copy(update={"failed_attempts": "continue"})
    draft = LoanDraft("A", replace(TERMS, product=product))
    (one,) = do(engine, lambda uow: board_and_fund_loans(uow, code, [draft]))
    do(engine, lambda uow: books.advance_business_date(uow, code, FRIDAY))
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 1_000, MONDAY)
    schedule(engine, one, 2_000, MONDAY)
    built = build(engine, code)

    taken = take(engine, code, *(Answered("R01", trace, each.amount) for trace, each in built.sent.items()))

    assert [item.reason for item in taken.items] == [
        "sent again on 2026-03-25 as instruction 3",
        "sent again on 2026-03-25 as instruction 4",
    ]


def wrap(engine: sa.Engine) -> None:
    """Let the files so far have used up the seven digits of a sequence."""
    owner = sa.text("UPDATE servicing.ach_sent SET first_sequence = 9999999, last_sequence = 9999999")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE servicing.ach_sent DISABLE TRIGGER ach_sent_append_only"))
        connection.execute(owner)
        connection.execute(sa.text("ALTER TABLE servicing.ach_sent ENABLE TRIGGER ach_sent_append_only"))


@pytest.mark.parametrize(("day", "sent"), [(date(2026, 6, 20), False), (date(2026, 6, 21), True)])
def test_a_trace_number_is_given_again_when_nothing_can_come_back_under_it(
    engine: sa.Engine, module_database: Database, loan: Book, day: date, sent: bool
) -> None:
    code, one, two = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    first = trace_of(build(engine, code), one)
    go_to(engine, code, MONDAY)
    wrap(module_database.engine(ADMIN))
    # Settled on Monday 23 March 2026; 90 days on is Sunday 21 June.
    go_to(engine, code, day)
    authorize(engine, two, day)
    schedule(engine, two, 10_000, day)

    if not sent:
        with pytest.raises(AchNothingToSend, match="1 payments that are due cannot be"):
            build(engine, code)
        return
    again = build(engine, code)
    go_to(engine, code, date(2026, 6, 24))
    taken = take(engine, code, Answered("R01", first, 10_000), Answered("R01", first, 88_849))

    # The return is that of the later entry; what has the amount of the earlier one is left to a person.
    assert trace_of(again, two) == first
    assert [(item.outcome, item.loan_id) for item in taken.items] == [
        (Outcome.RETURNED, two),
        (Outcome.UNMATCHED, two),
    ]
    with engine.connect() as connection:
        assert instruction(connection, one, 1).status is Status.SETTLED
        assert instruction_by_trace(connection, code, first).loan_id == two


def test_a_return_of_the_same_numbers_is_repeated_only_for_the_same_loan(
    engine: sa.Engine, module_database: Database, loan: Book
) -> None:
    code, one, two = loan
    authorize(engine, one, FRIDAY)
    schedule(engine, one, 88_849, MONDAY)
    first = trace_of(build(engine, code), one)
    go_to(engine, code, MONDAY)
    take(engine, code, Answered("R02", first, 88_849))
    wrap(module_database.engine(ADMIN))
    go_to(engine, code, date(2026, 6, 22))
    authorize(engine, two, date(2026, 6, 22))
    schedule(engine, two, 88_849, date(2026, 6, 22))
    build(engine, code)

    # The bank's own trace numbers begin again too: the same code, amount and numbers, three months later.
    june = take(engine, code, Answered("R02", first, 88_849), Answered("R02", first, 88_849))

    assert (june.items[0].outcome, june.items[0].loan_id) == (Outcome.RETURNED, two)
