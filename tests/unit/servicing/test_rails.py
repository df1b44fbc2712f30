"""Rails as pure values: routing numbers, masked numbers, days of settlement, mandates, the table of moves."""

from __future__ import annotations

import copy
import pickle
from datetime import date
from itertools import pairwise

import pytest
from cryptography.fernet import Fernet

from servicing.events import CLEARING_ROLES
from servicing.rails.accounts import AccountNumber, check_routing
from servicing.rails.errors import AccountNumberInvalid, RoutingNumberInvalid, VaultKeyInvalid, VaultKeyMissing
from servicing.rails.instruction import MOVES, Direction, Status, may_follow
from servicing.rails.mandates import Mandate, amount_to_debit, debit_days
from servicing.rails.rail import banking_days_after, banking_days_before, clearing_role, credited_on
from servicing.rails.registry import RAILS
from servicing.vault import Vault

NUMBER = "9876543210"


@pytest.mark.parametrize(
    "routing",
    # Published by the banks themselves: JPMorgan Chase NY, Bank of America CA, the Federal Reserve Bank of Boston.
    ["021000021", "121000358", "011000015"],
)
def test_a_routing_number_has_a_check_digit(routing: str) -> None:
    assert check_routing(routing) == routing
    for place, digit in enumerate(routing):
        # Every weight is prime to ten, so no single wrong digit passes.
        wrong = routing[:place] + str((int(digit) + 1) % 10) + routing[place + 1 :]
        with pytest.raises(RoutingNumberInvalid):
            check_routing(wrong)


@pytest.mark.parametrize("routing", ["02100002", "0210000211", "02100002x", "", "990000001", "٠٢١٠٠٠٠٢١"])
def test_what_is_no_routing_number_is_refused(routing: str) -> None:
    with pytest.raises(RoutingNumberInvalid):
        check_routing(routing)


def test_a_number_shows_four_characters_however_it_is_written() -> None:
    number = AccountNumber("98765-432 10")

    for text in (str(number), repr(number), f"{number}", f"{number!r}", f"{[number]}", "%s" % number):  # noqa: UP031
        assert "3210" in text
        assert "76543" not in text
    assert (number.reveal(), number.last_four, AccountNumber("1234").last_four) == (NUMBER, "3210", "34")
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(number)


@pytest.mark.parametrize("number", ["", "123", "1" * 18, "12;34567", "12345\n"])
def test_a_refused_number_is_not_in_the_refusal(number: str) -> None:
    with pytest.raises(AccountNumberInvalid) as refused:
        AccountNumber(number)
    assert refused.value.json_figures() == {"length": len(number)}


def test_a_vault_opens_what_an_older_key_closed() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Vault.of_keys(old).seal(AccountNumber(NUMBER))

    both = Vault.of_keys(f"{new}, {old}")

    assert both.open(sealed.token) == AccountNumber(NUMBER)
    assert Vault.of_keys(new).open(sealed.token) is None
    assert NUMBER not in sealed.token
    assert both.seal(AccountNumber(NUMBER)).key_id == Vault.of_keys(new).key_id != sealed.key_id
    assert new not in repr(both)


def test_a_vault_without_a_key_or_with_a_bad_one_is_refused_without_showing_it() -> None:
    with pytest.raises(VaultKeyMissing):
        Vault.of_keys(" , ")
    with pytest.raises(VaultKeyInvalid) as refused:
        Vault.of_keys(f"{Fernet.generate_key().decode()},my-password")
    assert (refused.value.place, "password" in refused.value.message) == (2, False)


def test_every_status_is_reached_and_the_ends_are_ends() -> None:
    reached = {status for following in MOVES.values() for status in following}

    assert reached == set(Status)
    assert {status for status in Status if not MOVES[status]} == {Status.RETURNED, Status.CANCELED}
    for path in (
        ("scheduled", "batched", "sent", "settled", "returned"),
        ("scheduled", "sent", "returned"),
        ("scheduled", "batched", "canceled"),
    ):
        assert all(may_follow(Status(one), Status(next_)) for one, next_ in pairwise(path))
    assert not may_follow(Status.SENT, Status.CANCELED)


def test_every_rail_has_a_clearing_account_and_a_file_of_its_name() -> None:
    assert set(RAILS) == {
        "ach_debit", "ach_credit", "debit_card", "credit_card", "wire", "check", "cash", "internal",
    }  # fmt: skip
    for rail in RAILS.values():
        assert clearing_role(rail) in CLEARING_ROLES.values()
    assert [name for name, rail in RAILS.items() if rail.directions == {Direction.DEBIT}] == ["ach_debit"]


def test_days_are_counted_over_weekends_and_holidays_of_the_federal_reserve() -> None:
    # Friday 22 May 2026; Monday the 25th is Memorial Day.
    friday = date(2026, 5, 22)
    assert RAILS["ach_debit"].settles_on(friday, friday) == date(2026, 5, 26)
    assert RAILS["ach_debit"].settles_on(friday, date(2026, 6, 6)) == date(2026, 6, 8)  # a Saturday: the Monday
    assert RAILS["ach_debit"].available_on(date(2026, 5, 26)) == date(2026, 5, 28)
    saturday = date(2026, 5, 23)
    assert RAILS["cash"].settles_on(saturday, saturday) == saturday
    assert RAILS["wire"].settles_on(saturday, saturday) == date(2026, 5, 26)
    assert banking_days_before(date(2026, 5, 26), 1) == friday
    assert banking_days_after(friday, 1) == date(2026, 5, 26)


def test_a_due_date_on_a_closed_day_costs_the_borrower_nothing() -> None:
    saturday, monday, tuesday = date(2026, 6, 6), date(2026, 6, 8), date(2026, 6, 9)
    assert credited_on(saturday, monday) == saturday
    assert credited_on(saturday, tuesday) == tuesday
    assert credited_on(monday, tuesday) == tuesday
    assert credited_on(date(2026, 6, 30), monday) == monday


def mandate(**more: object) -> Mandate:
    values = {
        "loan_id": 1,
        "mandate_no": 1,
        "method": "ach_debit",
        "amount_rule": "amount_due",
        "amount": 0,
        "currency": "USD",
        "starts_on": date(2026, 1, 1),
        "authorized_on": date(2026, 1, 1),
        "text_version": "1",
        "authorized_how": "web",
        **more,
    }
    return Mandate(**values)  # type: ignore[arg-type]


def test_a_mandate_debits_on_due_dates_or_on_a_day_that_every_month_has() -> None:
    dues = [date(2026, 1, 15), date(2026, 2, 15), date(2026, 3, 15)]
    first, last = date(2026, 2, 1), date(2026, 3, 31)
    assert debit_days(mandate(), dues, first=first, last=last) == (date(2026, 2, 15), date(2026, 3, 15))
    at_the_end = mandate(day_of_month=31)
    assert debit_days(at_the_end, dues, first=first, last=last) == (date(2026, 2, 28), date(2026, 3, 31))
    assert debit_days(mandate(starts_on=date(2026, 3, 1)), dues, first=first, last=last) == (date(2026, 3, 15),)


@pytest.mark.parametrize(
    ("rule", "amount", "due", "payoff", "asked"),
    [
        ("amount_due", 0, 88_849, 1_000_000, 88_849),
        ("amount_due", 0, 0, 1_000_000, 0),
        ("fixed", 100_000, 88_849, 1_000_000, 100_000),
        ("fixed", 100_000, 0, 1_000_000, 100_000),
        ("fixed", 100_000, 50_000, 60_000, 60_000),
        ("amount_due_plus", 5_000, 88_849, 1_000_000, 93_849),
        ("amount_due_plus", 5_000, 0, 1_000_000, 0),
        ("amount_due_plus", 5_000, 88_849, 90_000, 90_000),
    ],
)
def test_what_a_mandate_debits(rule: str, amount: int, due: int, payoff: int, asked: int) -> None:
    assert amount_to_debit(mandate(amount_rule=rule, amount=amount), due=due, payoff=payoff) == asked
