"""Files of returns on a real database: payments undone once, what matches nothing kept in sight, retries and rates."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, time
from fractions import Fraction

import pytest
import sqlalchemy as sa

from ledger.queries.accounts import book
from ledger.queries.entries import entries
from ledger.queries.trial_balance import trial_balance
from ledger.unit_of_work import run
from servicing.commands.ach_figures import rates_of
from servicing.commands.ach_returns import TakenFile, take_file
from servicing.commands.ach_sent import NextNumbers, Owner, keep_sent, next_numbers
from servicing.commands.ach_sequel import Outcome
from servicing.commands.ach_work import How, Resolved, open_work, resolve_item
from servicing.commands.payments import return_payment
from servicing.nacha.banking_days import Effective
from servicing.nacha.building import Made, Originator, Payment, Purpose, build
from servicing.nacha.errors import AchForwardEntry, AchHashDiffers, AchItemMismatch, AchItemSettled, AchItemUnknown
from servicing.nacha.rendering import render
from servicing.nacha.transaction_codes import AccountKind, Side
from servicing.queries import loan_view
from tests.integration.servicing.acts import pay
from tests.support.ach_answers import Answered, answer_file
from tests.support.loan_lives import ACTOR

ORIGINATOR = Originator("121042882", "First Bank", "Loanbook Lending LLC", "1234567890", "1234567890")
DAY = date(2026, 3, 16)
Book = tuple[str, int, int]


def send(
    engine: sa.Engine,
    code: str,
    owners: list[tuple[Owner, int]],
    *,
    on: date = DAY,
    purpose: Purpose = Purpose.PAYMENT,
    side: Side = Side.DEBIT,
) -> list[str]:
    """Send a file of entries that settle on a day, and return their trace numbers."""
    with engine.connect() as connection:
        numbers = next_numbers(connection, code, "12104288", on, len(owners))
    made = Made(on, time(9), Effective(on), numbers.first_sequence, numbers.modifier)
    payments = [
        Payment("PPD", side, AccountKind.CHECKING, "091000019", "744-5678-99", amount, "ANN", purpose=purpose)
        for _, amount in owners
    ]
    file = build(ORIGINATOR, payments, made)
    traces = [entry.trace for batch in file.batches for entry in batch.entries]
    named = {trace: owner for trace, (owner, _) in zip(traces, owners, strict=True)}
    run(engine, lambda uow: keep_sent(uow, code, file, render(file), named), actor=ACTOR)
    return traces


def debit(engine: sa.Engine, code: str, loan_id: int, name: str, *, on: date = DAY, minor: int = 88_849) -> str:
    """Take a payment by ACH, and send its entry."""
    pay(engine, loan_id, f"{minor / 100:.2f}", on, name)
    return send(engine, code, [(Owner(loan_id, name), minor)], on=on)[0]


def take(engine: sa.Engine, code: str, *answers: Answered, first: int = 1) -> TakenFile:
    """Take in a file of answers."""
    data = answer_file(answers, first=first)
    return run(engine, lambda uow: take_file(uow, code, data, name="returns.ach"), actor=ACTOR)


def held(engine: sa.Engine, code: str, account: str) -> int:
    """Return what an account of a book holds, debits positive."""
    with engine.connect() as connection:
        rows = trial_balance(connection, code, as_of=date(2026, 12, 31)).balance.rows
        return sum((row.debits - row.credits).minor for row in rows if row.account.code == account)


def cleared(engine: sa.Engine, code: str) -> int:
    """Return what the clearing account holds beside the two loans of 10,000.00 that went out by it."""
    return held(engine, code, "1120") + 2_000_000


def outcomes(taken: TakenFile) -> list[Outcome]:
    """Return what became of each answer."""
    return [item.outcome for item in taken.items]


def test_a_return_finds_its_payment_and_charges_the_fee(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    trace = debit(engine, code, one, "p1")

    taken = take(engine, code, Answered("R01", trace, 88_849))

    with engine.connect() as connection:
        view = loan_view(connection, one)
        templates = [each.entry.draft.template for each in entries(connection, one)]
    assert outcomes(taken) == [Outcome.RETURNED]
    assert taken.items[0].loan_id == one
    # The product's fee for a returned payment: 25.00.
    assert view.state.returned_payment_fees == 2_500
    assert "returned_payment_fee_assessed" in templates
    assert cleared(engine, code) == 0
    assert held(engine, code, "1440") == 0


def test_a_file_taken_twice_changes_nothing(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    trace = debit(engine, code, one, "p1")
    unmatched = Answered("R03", "121042880000999", 5_000)

    first = take(engine, code, Answered("R01", trace, 88_849), unmatched)
    with engine.connect() as connection:
        before = [loan_view(connection, one).loan.last_entry_no, held(engine, code, "1440")]
    again = take(engine, code, Answered("R01", trace, 88_849), unmatched)

    assert (again.file_no, again.items, again.replayed) == (first.file_no, first.items, True)
    with engine.connect() as connection:
        assert [loan_view(connection, one).loan.last_entry_no, held(engine, code, "1440")] == before


def test_the_same_return_in_another_file_changes_nothing(engine: sa.Engine, loan: Book) -> None:
    code, one, two = loan
    traces = [debit(engine, code, one, "p1"), debit(engine, code, two, "p2")]
    take(engine, code, Answered("R01", traces[0], 88_849))

    taken = take(engine, code, Answered("R01", traces[0], 88_849), Answered("R09", traces[1], 88_849))

    assert outcomes(taken) == [Outcome.REPEATED, Outcome.RETURNED]
    assert held(engine, code, "1440") == 0


def test_a_second_return_of_one_entry_is_money_that_the_bank_took_twice(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    trace = debit(engine, code, one, "p1")
    take(engine, code, Answered("R01", trace, 88_849))

    taken = take(engine, code, Answered("R01", trace, 88_849), first=77)

    assert outcomes(taken) == [Outcome.UNMATCHED]
    assert held(engine, code, "1440") == 88_849
    assert cleared(engine, code) == -88_849


def test_a_return_that_a_person_entered_first_is_recognized(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    trace = debit(engine, code, one, "p1")
    with engine.connect() as connection:
        number = loan_view(connection, one).loan.events[-1].no
    undone = run(engine, lambda uow: return_payment(uow, one, number, "R01", "by hand"), actor=ACTOR)

    taken = take(engine, code, Answered("R01", trace, 88_849))

    assert (outcomes(taken), taken.items[0].event_no) == ([Outcome.RETURNED], undone.event_no)
    assert held(engine, code, "1440") == 0


def test_what_matches_nothing_lands_in_the_list_of_work_and_in_the_exceptions_account(
    engine: sa.Engine, loan: Book
) -> None:
    code, one, _ = loan
    trace = debit(engine, code, one, "p1")

    taken = take(
        engine,
        code,
        Answered("R01", "121042889999999", 12_345),
        Answered("R01", trace, 88_848),
        Answered("R73", trace, 100),
        Answered("R20", "121042889999998", 40_000, side="credit"),
        Answered("C01", trace, corrected="918171614"),
    )

    assert outcomes(taken) == [Outcome.UNMATCHED] * 2 + [Outcome.REVIEW, Outcome.UNMATCHED, Outcome.REVIEW]
    assert taken.items[1].reason == "a debit of 888.49 USD was sent"
    assert taken.items[4].reason == "account *****1614"
    # 123.45 + 888.48 + 1.00 that the bank took, 400.00 that it gave back.
    assert held(engine, code, "1440") == 12_345 + 88_848 + 100 - 40_000
    with engine.connect() as connection:
        work = list(open_work(connection, code))
        assert [(each.file_no, each.item.item_no, each.days) for each in work] == [(1, n, 0) for n in range(1, 6)]
        own = book(connection, code).own_subledger_id
        booked = [each.entry.draft.template for each in entries(connection, own)]
    assert booked == ["unmatched_return_taken"] * 3 + ["unmatched_return_given"]


def resolve(engine: sa.Engine, code: str, item_no: int, how: How, payment: tuple[int, int] | None = None) -> Resolved:
    """Settle an item of the first file."""
    return run(engine, lambda uow: resolve_item(uow, code, 1, item_no, how=how, payment=payment), actor=ACTOR)


def test_an_unmatched_return_is_matched_by_hand_and_clears_the_exceptions_account(
    engine: sa.Engine, loan: Book
) -> None:
    code, one, two = loan
    payment = pay(engine, one, "888.49", DAY, "p1")
    other = pay(engine, two, "500.00", DAY, "p2")
    take(engine, code, Answered("R01", "121042889999999", 88_849))

    with pytest.raises(AchItemMismatch, match="50000 cents, 88849 came back"):
        resolve(engine, code, 1, How.MATCHED, (two, other))
    done = resolve(engine, code, 1, How.MATCHED, (one, payment))

    assert done.event_no is not None
    assert (held(engine, code, "1440"), cleared(engine, code)) == (0, 50_000)
    with engine.connect() as connection:
        assert list(open_work(connection, code)) == []
    with pytest.raises(AchItemSettled, match="matched"):
        resolve(engine, code, 1, How.NOTED)
    with pytest.raises(AchItemUnknown):
        resolve(engine, code, 2, How.NOTED)


def test_money_that_came_back_clears_the_exceptions_account(engine: sa.Engine, loan: Book) -> None:
    code = loan[0]
    take(engine, code, Answered("R01", "121042889999999", 5_000), Answered("R20", "121042889999998", 700, "credit"))

    resolve(engine, code, 1, How.RECOVERED)
    resolve(engine, code, 2, How.RECOVERED)

    assert (held(engine, code, "1440"), cleared(engine, code)) == (0, 0)


def test_a_broken_file_and_one_that_was_sent_are_refused_whole(engine: sa.Engine, loan: Book) -> None:
    code, one, _ = loan
    trace = debit(engine, code, one, "p1")
    data = answer_file([Answered("R01", trace, 88_849)])
    broken = data.replace(b"820000000200121042880", b"820000000200121042890")
    made = Made(DAY, time(9), Effective(DAY))
    payment = Payment("PPD", Side.DEBIT, AccountKind.CHECKING, "091000019", "7", 100, "ANN")
    forward = render(build(ORIGINATOR, [payment], made))

    assert broken != data
    with pytest.raises(AchHashDiffers):
        run(engine, lambda uow: take_file(uow, code, broken), actor=ACTOR)
    with pytest.raises(AchForwardEntry):
        run(engine, lambda uow: take_file(uow, code, forward), actor=ACTOR)
    with engine.connect() as connection:
        assert loan_view(connection, one).loan.events[-1].kind == "payment"


def test_a_file_that_two_take_at_once_is_taken_once(engine: sa.Engine, loan: Book) -> None:
    code, one, two = loan
    traces = [debit(engine, code, one, "p1"), debit(engine, code, two, "p2")]
    answers = [Answered("R01", trace, 88_849) for trace in (*traces, "121042889999999")]

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: take(engine, code, *answers), range(4)))

    assert sorted(each.replayed for each in taken) == [False, True, True, True]
    assert held(engine, code, "1440") == 88_849
    assert cleared(engine, code) == -88_849


def test_trace_numbers_go_on_from_file_to_file_and_begin_again_after_seven_digits(
    engine: sa.Engine, loan: Book
) -> None:
    code, one, _ = loan
    first = debit(engine, code, one, "p1")
    second = debit(engine, code, one, "p2", minor=100)

    assert (first, second) == ("121042880000001", "121042880000002")
    with engine.connect() as connection:
        assert next_numbers(connection, code, "12104288", DAY, 3) == NextNumbers(3, 3, "C")
        assert next_numbers(connection, code, "12104288", DAY, 9_999_998).first_sequence == 1
        assert next_numbers(connection, code, "09100001", date(2026, 3, 17), 3) == NextNumbers(3, 1, "A")


def test_return_rates_count_debits_of_the_last_sixty_days(engine: sa.Engine, loan: Book) -> None:
    code, one, two = loan
    names = [f"p{number}" for number in range(4)]
    traces = [debit(engine, code, one, name, minor=1_000 + place) for place, name in enumerate(names)]
    debit(engine, code, two, "old", on=date(2026, 1, 16))
    take(engine, code, Answered("R10", traces[0], 1_000), Answered("R01", traces[1], 1_001))

    with engine.connect() as connection:
        unauthorized, administrative, overall = rates_of(connection, code)
        later = rates_of(connection, code, date(2026, 5, 20))

    # On 20 March the look-back begins on 20 January, so the debit of the 16th is out of it.
    assert (unauthorized.returned, unauthorized.originated) == (1, 4)
    assert (administrative.returned, overall.share) == (0, Fraction(2, 4))
    assert (unauthorized.exceeded, administrative.exceeded, overall.exceeded) == (True, False, True)
    assert [(rate.returned, rate.originated) for rate in later] == [(0, 0)] * 3
