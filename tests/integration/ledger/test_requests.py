"""One request, one effect: the outcome of the first time comes back, a refusal included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.commands.posting import post_entry
from ledger.errors import BalanceWouldGoContra, BookUnknown, DomainError, RequestKeyReused, TextRefused
from ledger.requests import Outcome, once, settle
from ledger.unit_of_work import UnitOfWork
from tests.support.ledger_setup import FUNDING, PAYMENT, Ledger, Move, contents

INPUTS = {"amount": Decimal("1000.00"), "memo": "First", "on": date(2026, 1, 15)}

Work = Callable[[UnitOfWork], Mapping[str, Any]]


def ask(
    book: Ledger,
    work: Work,
    *,
    key: str = "k",
    command: str = "fund",
    inputs: Mapping[str, Any] = INPUTS,
    dry_run: bool = False,
    subledger_id: int | None = None,
) -> Outcome:
    """Send a request."""

    def answer(uow: UnitOfWork) -> Outcome:
        target = subledger_id or book.loan
        return once(uow, subledger_id=target, key=key, command=command, inputs=inputs, work=lambda: work(uow))

    return book.run(answer, dry_run=dry_run)


def posting(book: Ledger, move: Move = FUNDING) -> Work:
    """Return work that books an entry under a key of its own."""

    def work(uow: UnitOfWork) -> Mapping[str, Any]:
        posted = post_entry(uow, book.draft(book.loan, move))
        return {"entry_no": posted.entry_no, "booking_date": posted.booking_date.isoformat()}

    return work


def failing(error: Exception) -> Work:
    """Return work that raises."""

    def work(_: UnitOfWork) -> Mapping[str, Any]:
        raise error

    return work


def test_a_request_is_worked_once_and_its_outcome_comes_back(book: Ledger) -> None:
    first = ask(book, posting(book))
    before = contents(book.database)

    again = ask(book, posting(book))

    assert first == Outcome({"entry_no": 1, "booking_date": "2026-01-15"}, replayed=False)
    assert settle(again) == replace(first, replayed=True)
    assert contents(book.database) == before


def test_the_order_of_fields_and_trailing_zeros_make_no_other_request(book: Ledger) -> None:
    ask(book, posting(book))

    inputs = {"on": "2026-01-15", "memo": "First", "amount": Decimal("1E+3")}

    assert ask(book, posting(book), inputs=inputs).replayed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": Decimal("1000.01")}, "amount"),
        ({"amount": "1000.00"}, "amount"),
        ({"memo": "Second"}, "memo"),
        ({"memo": None}, "memo"),
        ({"new": 1}, "new"),
        ({"zzz": 1, "memo": "Second"}, "memo"),
    ],
    ids=str,
)
def test_the_same_key_with_another_input_is_refused_naming_the_field(
    book: Ledger, change: dict[str, Any], field: str
) -> None:
    ask(book, posting(book))
    before = contents(book.database)

    with pytest.raises(RequestKeyReused) as refused:
        ask(book, posting(book), inputs={**INPUTS, **change})

    assert (refused.value.request_key, refused.value.field) == ("k", field)
    assert contents(book.database) == before


def test_an_input_that_is_gone_is_named_too(book: Ledger) -> None:
    ask(book, posting(book))

    with pytest.raises(RequestKeyReused) as refused:
        ask(book, posting(book), inputs={"amount": INPUTS["amount"], "on": INPUTS["on"]})

    assert (refused.value.field, refused.value.given) == ("memo", "(none)")


def test_the_same_key_for_another_command_is_refused(book: Ledger) -> None:
    ask(book, posting(book))

    with pytest.raises(RequestKeyReused) as refused:
        ask(book, posting(book), command="waive")

    assert (refused.value.field, refused.value.given) == ("command", "waive")


def test_keys_of_two_subledgers_have_nothing_to_do_with_each_other(book: Ledger) -> None:
    first = ask(book, posting(book))

    other = ask(book, posting(book), subledger_id=book.loans[1], inputs={"different": True})

    assert (first.replayed, other.replayed) == (False, False)


@pytest.mark.parametrize("by", ["database", "python"])
def test_a_refusal_is_kept_and_comes_back_with_its_figures(book: Ledger, by: str) -> None:
    work = posting(book, PAYMENT) if by == "database" else failing(BookUnknown(book="NONE"))
    kind: type[DomainError] = BalanceWouldGoContra if by == "database" else BookUnknown
    first = ask(book, work)
    before = contents(book.database)

    again = ask(book, posting(book))

    assert (first.replayed, again.replayed) == (False, True)
    with pytest.raises(kind) as now:
        settle(first)
    with pytest.raises(kind) as later:
        settle(again)
    assert now.value.to_dict() == later.value.to_dict()
    assert book.entries(book.loan) == ()
    assert contents(book.database) == before


def test_what_was_written_before_a_refusal_is_undone(book: Ledger) -> None:
    def work(uow: UnitOfWork) -> Mapping[str, Any]:
        post_entry(uow, book.draft(book.loan, FUNDING))
        post_entry(uow, book.draft(book.loan, ("CASH", "LOAN_PRINCIPAL", 100_001)))
        raise AssertionError("the second entry was booked")

    with pytest.raises(BalanceWouldGoContra):
        settle(ask(book, work))

    assert book.entries(book.loan) == ()


def test_a_breakdown_leaves_the_key_free(book: Ledger) -> None:
    before = contents(book.database)
    with pytest.raises(ZeroDivisionError):
        ask(book, failing(ZeroDivisionError()))
    with pytest.raises(sa.exc.ProgrammingError):
        ask(book, lambda uow: {"nonsense": uow.connection.scalar(sa.text("SELECT nonsense"))})
    assert contents(book.database) == before

    assert not ask(book, posting(book)).replayed


def test_a_dry_run_leaves_the_key_free(book: Ledger) -> None:
    before = contents(book.database)

    assert ask(book, posting(book), dry_run=True).result["entry_no"] == 1

    assert contents(book.database) == before


def test_inputs_are_kept_as_digests_only(book: Ledger) -> None:
    ask(book, posting(book), inputs={"ssn": "123-45-6789"})

    with book.engine.connect() as connection:
        kept = str(connection.scalar(sa.text("SELECT inputs::text FROM ledger.request")))

    assert "ssn" in kept
    assert "6789" not in kept


def test_an_input_without_an_exact_form_is_refused_before_anything_happens(book: Ledger) -> None:
    before = contents(book.database)

    with pytest.raises(TextRefused):
        ask(book, posting(book), inputs={"amount": 0.1 + 0.2})

    assert contents(book.database) == before


def test_figures_in_an_outcome_come_back_exactly(book: Ledger) -> None:
    result = {"rate": Decimal("0.07250"), "list": [1, "two", None, True], "nested": {"z": Decimal("1E-9")}}
    ask(book, lambda _: result)

    again = ask(book, lambda _: {})

    assert again.result == result
