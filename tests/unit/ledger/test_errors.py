"""Every refusal says its figures, keeps its code, and survives being stored or sent by the database."""

from __future__ import annotations

import copy
import json
from datetime import date

import pytest

from ledger import errors
from ledger.domain_error import DomainError
from ledger.money import Money

ALL = DomainError.__subclasses__()
LEDGER_ERRORS = [cls for cls in ALL if cls.__module__ == "ledger.errors"]

CODES = """
    account-closed account-definition-invalid account-exists account-is-header account-of-other-book
    account-unknown allocation-impossible amount-name-missing amount-name-unknown amount-not-positive
    amount-out-of-range approval-missing balance-sheet-unequal balance-would-go-contra batch-mismatch
    book-unknown booking-before-book-opened booking-date-refused chart-invalid control-account-refuses-manual
    currency-mismatch currency-not-taken currency-unknown date-range-backwards entry-already-reversed
    entry-empty entry-incomplete entry-too-long entry-unbalanced entry-unknown fractional-minor-unit
    immutable-row isolation-level-refused malformed-row manual-journal-state money-malformed month-malformed
    narration-word-missing period-closed period-transition-refused period-unknown request-key-reused
    reversal-of-reversal role-map-unknown role-unmapped same-account-both-sides seal-broken subledger-exists
    subledger-frozen subledger-unknown template-amount-negative template-invalid template-row-unresolved
    template-unknown text-refused trial-balance-unequal
"""


def test_codes_that_programs_have_come_to_rely_on_stay_and_are_one_each() -> None:
    assert set(CODES.split()) <= {cls.code for cls in LEDGER_ERRORS}
    assert len({cls.code for cls in ALL}) == len(ALL)


def test_sqlstates_run_without_gap_and_name_one_class_each() -> None:
    states = [cls.sqlstate for cls in LEDGER_ERRORS if cls.sqlstate is not None]

    assert sorted(states) == [f"LB{number:03}" for number in range(1, len(states) + 1)]
    assert dict(errors.BY_SQLSTATE) == {cls.sqlstate: cls for cls in LEDGER_ERRORS if cls.sqlstate}


@pytest.mark.parametrize("cls", LEDGER_ERRORS, ids=lambda cls: cls.code)
def test_every_error_has_a_sentence_even_when_no_figure_is_known(cls: type[DomainError]) -> None:
    error = cls.from_detail({})

    assert not (cls.__doc__ or cls.__name__).startswith(cls.__name__)
    assert error.message
    assert "{" not in error.message
    assert json.loads(json.dumps(error.to_dict()))["code"] == cls.code


@pytest.mark.parametrize("cls", LEDGER_ERRORS, ids=lambda cls: cls.code)
def test_no_figure_takes_the_name_of_something_every_error_has(cls: type[DomainError]) -> None:
    assert not {"code", "title", "message", "sqlstate", "args"} & set(cls.from_detail({}).figures)


def test_unbalanced_entry_says_the_sum_that_is_wrong() -> None:
    error = errors.EntryUnbalanced(currency="USD", debits=10_001, credits=10_000, difference=1)

    assert str(error) == "debits - credits should be 0.00 USD but is 0.01: debits 100.01, credits 100.00"
    assert error.title == "Entry unbalanced"


def test_amounts_are_shown_with_the_decimals_of_their_currency() -> None:
    error = errors.BalanceWouldGoContra(subledger_id=7, account="1210", balance=1500, change=-2000, currency="JPY")

    assert "holds 1500 JPY" in str(error)
    assert error.to_dict()["change"] == "-2000"


def test_detail_of_the_database_becomes_figures_with_their_types() -> None:
    cls = errors.BY_SQLSTATE["LB007"]

    error = cls.from_detail({"book": "MAIN", "booking_date": "2026-03-15", "closed_through": "2026-03-31"})

    assert error.figures == {
        "book": "MAIN",
        "booking_date": date(2026, 3, 15),
        "closed_through": date(2026, 3, 31),
    }
    assert str(error) == "book MAIN is closed through 2026-03-31; booking date 2026-03-15 is refused"


def test_every_kind_of_figure_becomes_a_json_value() -> None:
    class Curious(DomainError, code="curious"):
        """{table}, {names}, {money}, {flag}, {nothing}"""

        table: dict[str, date]
        names: tuple[str, ...]
        money: Money
        flag: bool
        nothing: tuple[str, ...]

    error = Curious({"on": date(2026, 3, 15)}, ("a", "b"), Money(150, "USD"), True, ())

    assert json.loads(json.dumps(error.json_figures())) == {
        "table": {"on": "2026-03-15"},
        "names": ["a", "b"],
        "money": "1.50 USD",
        "flag": True,
        "nothing": [],
    }
    assert str(error) == "{'on': '2026-03-15'}, a, b, 1.50 USD, True, (none)"


def test_an_error_without_its_docstring_still_tells_its_figures() -> None:
    class Bare(DomainError, code="bare-fact"):
        account: str
        amount: int

    assert str(Bare("1210", 5)) == "Bare fact: account 1210, amount 5"


def test_missing_and_odd_details_are_kept_as_they_are() -> None:
    error = errors.EntryAlreadyReversed.from_detail({"subledger_id": "12", "entry_no": "x", "other": 1})

    assert error.figures == {"subledger_id": 12, "entry_no": "x", "reversed_by": None}
    assert "by entry (none)" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.EntryUnbalanced(currency="USD", debits=10_001, credits=10_000, difference=1),
        errors.EntryUnbalanced(currency="JPY", debits=10_001, credits=10_000, difference=1),
        errors.PeriodIsClosed(book="MAIN", booking_date=date(2026, 3, 15), closed_through=date(2026, 3, 31)),
        errors.AmountNameUnknown(template="t", name="x", expected=("a", "b")),
        errors.ApprovalMissing(action="reopening", actor="olga", approver=None),
        errors.EntryEmpty(),
    ],
    ids=lambda error: error.code,
)
def test_stored_refusal_is_replayed_as_the_same_error(error: DomainError) -> None:
    stored = json.loads(json.dumps(error.to_dict()))

    replayed = errors.from_dict(stored)

    assert (type(replayed), replayed.figures) == (type(error), error.figures)
    assert str(copy.copy(error)) == str(error)


def test_stored_refusal_of_no_known_class_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="never-declared"):
        errors.from_dict({"code": "never-declared"})


def test_an_amount_without_a_point_is_in_minor_units_as_the_database_sends_it() -> None:
    from_number = errors.BalanceWouldGoContra.from_detail({"balance": 2000, "currency": "USD"})
    from_text = errors.BalanceWouldGoContra.from_detail({"balance": "2000", "currency": "USD"})
    from_decimal = errors.BalanceWouldGoContra.from_detail({"balance": "20.00", "currency": "USD"})

    assert from_number.figures == from_text.figures == from_decimal.figures
