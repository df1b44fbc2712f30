"""Bank accounts and mandates on a database: encrypted, corrected by versions, ended once."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from ledger.errors import RequestKeyReused
from ledger.money import Money
from ledger.unit_of_work import run
from servicing.commands.bank_accounts import (
    AccountIn,
    account_number,
    add_bank_account,
    correct_bank_account,
    rotate_keys,
)
from servicing.commands.instructions import InstructionIn, schedule_instruction, send_instruction
from servicing.commands.mandates import MandateIn, end_mandate, give_mandate
from servicing.rail_queries import bank_account, bank_accounts, instruction
from servicing.rails.accounts import AccountNumber, BankAccount
from servicing.rails.errors import (
    BankAccountInvalid,
    BankAccountUnknown,
    InstructionInvalid,
    MandateEnded,
    MandateInvalid,
    MandateUnknown,
    RoutingNumberInvalid,
    VaultKeyUnknown,
)
from servicing.rails.instruction import Direction
from servicing.rails.mandates import Mandate
from servicing.vault import Vault
from tests.support.database import APP, OWNER, READER, Database
from tests.support.loan_lives import ACTOR

Loan = tuple[str, int, int]
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
VAULT = Vault.of_keys(OLD)
NUMBER = "4417123456"
TODAY = date(2026, 3, 20)


def add(engine: sa.Engine, loan_id: int, key: str = "a1", vault: Vault = VAULT, **more: Any) -> BankAccount:
    values = {
        "routing": "021000021",
        "number": AccountNumber(NUMBER),
        "kind": "checking",
        "holder": "Ada Borrower",
        **more,
    }
    given = AccountIn(**values)
    return run(engine, lambda uow: add_bank_account(uow, vault, loan_id, given, request_key=key), actor=ACTOR)


def correct(engine: sa.Engine, of: BankAccount, key: str, **more: Any) -> BankAccount:
    return run(
        engine,
        lambda uow: correct_bank_account(
            uow, VAULT, of.loan_id, of.account_no, reason=more.pop("reason", "C01"), request_key=key, **more
        ),
        actor=ACTOR,
    )


def test_a_number_is_nowhere_in_the_database(module_database: Database, engine: sa.Engine, loan: Loan) -> None:
    add(engine, loan[1])

    with module_database.connect(APP) as app:
        tables = app.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('servicing', 'ledger')"
        ).fetchall()
        for (table,) in tables:
            try:
                rows = app.execute(f"SELECT t::text FROM {table} t").fetchall()
            except psycopg.errors.InsufficientPrivilege:
                app.rollback()
                continue
            assert not any(NUMBER in row for (row,) in rows), table
    with module_database.connect(READER) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT token FROM servicing.bank_account_secret")


@pytest.mark.parametrize(
    ("statement", "owner"),
    [
        ("DELETE FROM servicing.bank_account_secret", "LB021"),
        ("TRUNCATE servicing.bank_account_secret", "LB021"),
    ],
)
def test_an_encrypted_number_is_written_anew_and_never_removed(
    module_database: Database, engine: sa.Engine, loan: Loan, statement: str, owner: str
) -> None:
    add(engine, loan[1])
    for role, code in ((OWNER, owner), (APP, "42501")):
        with module_database.connect(role) as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(statement)
        assert refused.value.sqlstate == code
    with module_database.connect(APP) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("UPDATE servicing.bank_account_secret SET loan_id = loan_id")


def test_a_correction_is_a_version_and_what_was_stays(engine: sa.Engine, loan: Loan) -> None:
    first = add(engine, loan[1])

    second = correct(engine, first, "c1", number=AccountNumber("5500998877"))
    third = correct(engine, first, "c2", routing="011000015", reason="C02")

    with engine.connect() as connection:
        versions = bank_accounts(connection, loan[1])
        numbers = [account_number(connection, VAULT, each).reveal() for each in versions]
        assert bank_account(connection, loan[1], 1) == third
    assert versions == (first, second, third)
    assert numbers == [NUMBER, "5500998877", "5500998877"]
    assert [(each.version, each.reason, each.shown, each.routing) for each in versions] == [
        (1, "opened", "****3456", "021000021"),
        (2, "C01", "****8877", "021000021"),
        (3, "C02", "****8877", "011000015"),
    ]


def test_a_key_adds_one_account_and_one_version(engine: sa.Engine, loan: Loan) -> None:
    first = add(engine, loan[1])
    second = add(engine, loan[1], "a2", number=AccountNumber("777766"))
    corrected = correct(engine, first, "c1", kind="savings")

    assert (add(engine, loan[1]), add(engine, loan[1], "a2", number=AccountNumber("777766"))) == (first, second)
    assert correct(engine, first, "c1", kind="savings") == corrected
    for more, field in (({"number": AccountNumber("4417123457")}, "number"), ({"kind": "savings"}, "kind")):
        with pytest.raises(RequestKeyReused) as refused:
            add(engine, loan[1], **more)
        assert refused.value.field == field
        assert "4417123" not in refused.value.message


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"routing": "021000022"}, RoutingNumberInvalid),
        ({"kind": "brokerage"}, BankAccountInvalid),
        ({"holder": ""}, BankAccountInvalid),
    ],
)
def test_what_is_no_bank_account_is_refused(engine: sa.Engine, loan: Loan, more: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        add(engine, loan[1], **more)
    with engine.connect() as connection, pytest.raises(BankAccountUnknown):
        bank_account(connection, loan[1], 1)


def test_a_new_key_takes_over_and_the_old_one_can_go(engine: sa.Engine, loan: Loan) -> None:
    _, one, two = loan
    rotate_keys(engine, VAULT, actor=ACTOR)
    first, second = add(engine, one), add(engine, two)
    correct(engine, first, "c1", number=AccountNumber("5500998877"))
    both, only_new = Vault.of_keys(f"{NEW},{OLD}"), Vault.of_keys(NEW)
    with engine.connect() as connection, pytest.raises(VaultKeyUnknown):
        account_number(connection, only_new, second)
    with pytest.raises(VaultKeyUnknown):
        rotate_keys(engine, only_new, actor=ACTOR)

    tried = rotate_keys(engine, both, actor=ACTOR, dry_run=True)
    count = rotate_keys(engine, both, actor=ACTOR)

    assert tried == count >= 3
    assert rotate_keys(engine, both, actor=ACTOR) == 0
    with engine.connect() as connection:
        assert account_number(connection, only_new, second).reveal() == NUMBER
        assert [account_number(connection, only_new, each).reveal() for each in bank_accounts(connection, one)] == [
            NUMBER,
            "5500998877",
        ]
    rotate_keys(engine, Vault.of_keys(f"{OLD},{NEW}"), actor=ACTOR)


def give(engine: sa.Engine, loan_id: int, key: str = "m1", **more: Any) -> Mandate:
    values = {
        "method": "ach_debit",
        "amount_rule": "amount_due",
        "authorized_on": TODAY,
        "text_version": "autopay-3",
        "authorized_how": "signed on the portal",
        "entry_class": "WEB",
        "account_no": 1,
        **more,
    }
    return run(engine, lambda uow: give_mandate(uow, loan_id, MandateIn(**values), request_key=key), actor=ACTOR)


def test_a_mandate_ends_once_and_takes_what_waits_under_it_along(engine: sa.Engine, loan: Loan) -> None:
    _, loan_id, _ = loan
    add(engine, loan_id)
    made = give(engine, loan_id)
    assert give(engine, loan_id) == made

    def schedule(key: str) -> int:
        given = InstructionIn(
            direction=Direction.DEBIT,
            method="ach_debit",
            amount=Money.parse("10.00", "USD"),
            due_on=TODAY,
            account_no=1,
            mandate_no=made.mandate_no,
        )
        done = run(engine, lambda uow: schedule_instruction(uow, loan_id, given, request_key=key), actor=ACTOR)
        return done.instruction_no

    out, waits = schedule("one"), schedule("two")
    run(engine, lambda uow: send_instruction(uow, loan_id, out, request_key="s"), actor=ACTOR)

    def end(cause: str, reason: str, key: str) -> Mandate:
        return run(
            engine,
            lambda uow: end_mandate(uow, loan_id, made.mandate_no, cause=cause, reason=reason, request_key=key),
            actor=ACTOR,
        )

    ended = end("revoked", "by telephone", "e1")

    assert (ended.ended_on, ended.end_cause, ended.is_active(TODAY)) == (TODAY, "revoked", False)
    assert end("revoked", "by telephone", "e1") == ended
    with pytest.raises(MandateEnded):
        end("invalidated", "R07", "e2")
    with engine.connect() as connection:
        assert instruction(connection, loan_id, out).status == "sent"
        assert instruction(connection, loan_id, waits).status == "canceled"
    with pytest.raises(MandateEnded):
        schedule("three")


@pytest.mark.parametrize(
    ("more", "error", "field"),
    [
        ({"method": "check", "account_no": None}, MandateInvalid, "method"),
        ({"account_no": None}, InstructionInvalid, "account_no"),
        ({"entry_class": "IAT"}, MandateInvalid, "entry_class"),
        ({"entry_class": None}, MandateInvalid, "entry_class"),
        ({"amount_rule": "fixed"}, MandateInvalid, "amount"),
        ({"amount": Money(100, "USD")}, MandateInvalid, "amount"),
        ({"amount_rule": "some"}, MandateInvalid, "amount_rule"),
        ({"day_of_month": 32}, MandateInvalid, "day_of_month"),
        ({"authorized_on": date(2026, 3, 21)}, MandateInvalid, "authorized_on"),
        ({"text_version": ""}, MandateInvalid, "text_version"),
    ],
)
def test_a_mandate_that_cannot_be_is_refused(
    engine: sa.Engine, loan: Loan, more: Any, error: type[Exception], field: str
) -> None:
    add(engine, loan[1])
    with pytest.raises(error) as refused:
        give(engine, loan[1], **more)
    assert getattr(refused.value, "field", None) == field
    with pytest.raises(MandateUnknown):
        run(
            engine,
            lambda uow: end_mandate(uow, loan[1], 1, cause="revoked", reason="x", request_key="e"),
            actor=ACTOR,
        )
