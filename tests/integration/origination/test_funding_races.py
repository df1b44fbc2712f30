"""People who act on one funding at the same instant, each in a transaction of its own; and those who go past Python."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.domain_error import DomainError
from ledger.unit_of_work import UnitOfWork, run
from origination.application import Action
from origination.commands import decide_application, fund_application
from origination.errors import (
    ApplicationStateRefused,
    FundingApproved,
    FundingNotReady,
    OfferLapsed,
    OfferNotAccepted,
)
from origination.funding.payout import PayoutIn
from origination.funding_commands import approve_funding, cancel_funding, decide_condition, fund_contract
from origination.offer_commands import accept_offer, make_offers
from servicing.commands.disbursements import unwind_funding
from servicing.commands.instructions import return_instruction, send_instruction
from servicing.errors import FundingNotUnwound
from servicing.rails.errors import InstructionMoveRefused
from tests.integration.origination.test_contracts import (
    BOOK,
    TODAY,
    accepted,
    approved,
    by,
    engine,
    offered,
    option,
    race,
    ready,
    usd,
)
from tests.integration.origination.test_funding import PRODUCT, count, request, submit
from tests.support.database import OWNER, Database

pytestmark = pytest.mark.twice

__all__ = ["approved", "engine"]


def in_book(engine: sa.Engine, actor: str, command: Any, *given: Any, **more: Any) -> Any:
    """Do what asks for no book."""
    return run(engine, lambda uow: command(uow, *given, **more), actor=actor)


def rows(engine: sa.Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def split(found: list[Any]) -> tuple[list[Any], list[DomainError]]:
    """Return what was done, and what was refused."""
    return (
        [each for each in found if not isinstance(each, DomainError)],
        [each for each in found if isinstance(each, DomainError)],
    )


def test_of_two_funders_at_one_instant_one_makes_the_loan_and_its_entry(engine: sa.Engine, approved: int) -> None:
    ready(engine, approved)

    done, refused = split(race(*(lambda who=who: by(engine, who, fund_contract, approved) for who in ("fred", "fay"))))

    assert (len(done), [each.code for each in refused]) in (
        (1, ["application-state-refused"]),
        (1, ["loan-exists"]),
    )
    assert rows(engine, "SELECT loan_id, event_no FROM origination.application_event WHERE loan_id IS NOT NULL") == [
        (done[0].loan_id, 4)
    ]
    # 10,000.00 less a fee of 3 percent.
    assert rows(engine, "SELECT loan_id, amount FROM origination.disbursement") == [(done[0].loan_id, 970_000)]
    assert rows(engine, "SELECT subledger_id FROM ledger.journal_entry WHERE template = 'loan_funded'") == [
        (done[0].loan_id,)
    ]


def test_of_two_approvers_at_one_instant_where_one_is_needed_both_count_and_it_is_funded_once(
    engine: sa.Engine, approved: int
) -> None:
    accepted(engine, approved)
    by(engine, "clerk", decide_condition, approved, "signed", evidence="note 77")
    by(engine, "olga", decide_condition, approved, "insured", evidence="policy 4711")
    by(engine, "omar", approve_funding, approved)

    found = race(
        lambda: by(engine, "cleo", approve_funding, approved),
        lambda: by(engine, "cleo", approve_funding, approved),
        lambda: by(engine, "dora", approve_funding, approved),
        lambda: by(engine, "fred", fund_contract, approved),
    )

    # The funding found enough of them, or not yet; the approvals came before it, or too late.
    assert sum(isinstance(each, FundingApproved) for each in found[:2]) <= 1
    assert all(isinstance(each, FundingApproved | ApplicationStateRefused) for each in split(found[:3])[1])
    if isinstance(found[3], DomainError):
        assert isinstance(found[3], FundingNotReady)
        by(engine, "fred", fund_contract, approved)
    assert count(engine, "servicing.loan") == 1
    approvals = {who for (who,) in rows(engine, "SELECT actor FROM origination.funding_approval")}
    assert {"omar"} < approvals <= {"omar", "cleo", "dora"}


def test_what_is_accepted_while_new_offers_are_made_is_of_the_latest_set(engine: sa.Engine, approved: int) -> None:
    offered(engine, approved)

    offers, contract = race(
        lambda: by(engine, "ben", make_offers, approved, [option("6000.00")], expires_on=TODAY),
        lambda: by(engine, "web", accept_offer, approved, 1),
    )

    if isinstance(contract, OfferLapsed):
        assert len(offers) == 1
        assert by(engine, "web", accept_offer, approved, 3).terms.principal == usd("6000.00")
    else:
        assert isinstance(offers, ApplicationStateRefused)
        assert contract.terms.principal == usd("10000.00")
    assert count(engine, "origination.contract") == 1


def test_offers_are_waited_for_by_who_funds_directly(engine: sa.Engine) -> None:
    without_rules = PRODUCT.model_copy(update={"name": "plain"})
    asked = replace(request("W-1"), terms=replace(request().terms, product=without_rules))
    application_id = submit(engine, asked)
    by(engine, "ben", decide_application, application_id, Action.APPROVE)

    def offers_first(uow: UnitOfWork) -> tuple[threading.Thread, list[object]]:
        make_offers(uow, BOOK, application_id, [option()], expires_on=TODAY)
        return funding_begun(engine, application_id)

    thread, outcome = run(engine, offers_first, actor="ben")
    thread.join()

    assert isinstance(outcome[0], OfferNotAccepted)
    assert count(engine, "servicing.loan") == 0


def funding_begun(engine: sa.Engine, application_id: int) -> tuple[threading.Thread, list[object]]:
    """Begin to fund in a thread of its own, and return when it waits for a lock: the thread, and what comes of it."""
    outcome: list[object] = []

    def work() -> None:
        try:
            outcome.append(
                run(engine, lambda uow: fund_application(uow, BOOK, application_id), actor="ben", approver="cem")
            )
        except DomainError as refusal:
            outcome.append(refusal)

    thread = threading.Thread(target=work)
    thread.start()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while thread.is_alive() and rows(engine, waits) == [(0,)]:
        thread.join(0.01)
    return thread, outcome


def test_of_a_cancellation_and_a_sending_at_one_instant_one_is_refused(engine: sa.Engine, approved: int) -> None:
    loan_id = by(engine, "fred", fund_contract, ready(engine, approved)).loan_id

    canceled, sent = race(
        lambda: by(engine, "fred", cancel_funding, approved, reason="rescinded"),
        lambda: in_book(engine, "fay", send_instruction, loan_id, 1, request_key="s"),
    )

    if isinstance(canceled, DomainError):
        assert isinstance(canceled, FundingNotUnwound | InstructionMoveRefused)
        assert not isinstance(sent, DomainError)
        in_book(engine, "fay", return_instruction, loan_id, 1, code="lost", request_key="r")
        by(engine, "fred", cancel_funding, approved, reason="rescinded")
    else:
        assert isinstance(sent, InstructionMoveRefused)
    left = rows(
        engine,
        f"SELECT sum(balance) FILTER (WHERE balance <> 0) FROM ledger.account_balance WHERE subledger_id = {loan_id}",
    )
    assert left == [(None,)]


def test_of_two_cancellations_at_one_instant_one_is_refused(engine: sa.Engine, approved: int) -> None:
    by(engine, "fred", fund_contract, ready(engine, approved))

    found = race(*(lambda who=who: by(engine, who, cancel_funding, approved, reason="x") for who in ("fred", "fay")))

    done, refused = split(found)
    assert (len(done), len(refused)) == (1, 1), found
    assert count(engine, "servicing.event") == 2


def test_a_funding_is_not_unwound_while_a_part_of_it_waits_to_be_sent(engine: sa.Engine, approved: int) -> None:
    loan_id = by(engine, "fred", fund_contract, ready(engine, approved)).loan_id

    with pytest.raises(FundingNotUnwound, match="instruction 1 waits to be sent"):
        in_book(engine, "fred", unwind_funding, loan_id, reason="x", request_key="u")


# --- The database, when nothing else asks -----------------------------------------------------------------

EVENT = (
    "INSERT INTO origination.application_event (application_id, event_no, action, state, business_date, actor,"
    " approver, loan_id, contract_sha256) VALUES ({}, {}, '{}', 'funded', '2026-11-02', 'fay', {}, {}, {})"
)


def attempt(database: Database, statement: str, refusal: type[psycopg.Error], constraint: str) -> None:
    with database.connect(autocommit=True) as app, pytest.raises(refusal) as found:
        app.execute(statement)
    assert found.value.diag.constraint_name == constraint


def test_the_database_keeps_an_application_from_a_second_loan(
    engine: sa.Engine, database: Database, approved: int
) -> None:
    by(engine, "fred", fund_contract, ready(engine, approved))

    second = EVENT.format(approved, 5, "fund", "'omar'", 77, "NULL")
    attempt(database, second, psycopg.errors.UniqueViolation, "application_event_funded_once")
    second = (
        "INSERT INTO origination.disbursement (application_id, disbursement_no, loan_id, payee, rail, amount, currency,"
        f" due_on) VALUES ({approved}, 1, 77, 'x', 'wire', 1, 'USD', '2026-11-02')"
    )
    attempt(database, second, psycopg.errors.UniqueViolation, "disbursement_pkey")


def test_the_database_wants_an_approval_of_this_very_contract(
    engine: sa.Engine, database: Database, approved: int
) -> None:
    contract = by(engine, "web", accept_offer, offered(engine, approved), 1)
    by(engine, "omar", approve_funding, approved)
    named, fkey = f"'{contract.sha256}'", psycopg.errors.ForeignKeyViolation
    approval = "application_event_approval_fkey"

    attempt(database, EVENT.format(approved, 4, "fund_contract", "'cleo'", 7, named), fkey, approval)
    attempt(database, EVENT.format(approved, 4, "fund_contract", "'omar'", 7, "'another'"), fkey, approval)
    check = psycopg.errors.CheckViolation
    unnamed = EVENT.format(approved, 4, "fund_contract", "'omar'", 7, "NULL")
    attempt(database, unnamed, check, "application_event_contract_named")
    alone = EVENT.format(approved, 4, "fund_contract", "'fay'", 7, named)
    attempt(database, alone, check, "application_event_second_person")
    other = (
        "INSERT INTO origination.funding_approval (application_id, actor, contract_sha256, approved_on)"
        f" VALUES ({approved}, 'cleo', 'another', '2026-11-02')"
    )
    attempt(database, other, fkey, "funding_approval_contract_fkey")


def test_the_database_takes_one_contract_of_an_offer_that_was_made(
    engine: sa.Engine, database: Database, approved: int
) -> None:
    offered(engine, approved)
    insert = (
        "INSERT INTO origination.contract (application_id, offer_no, canonical, sha256, funding_rules, accepted_on,"
        " actor) VALUES ({}, {}, '{{}}', {}, '{{}}', '2026-11-02', 'web')"
    )
    sound = "encode(sha256('{}'), 'hex')"

    attempt(database, insert.format(approved, 9, sound), psycopg.errors.ForeignKeyViolation, "contract_offer_fkey")
    attempt(database, insert.format(approved, 1, "'x'"), psycopg.errors.CheckViolation, "contract_hash_sound")
    by(engine, "web", accept_offer, approved, 1)
    attempt(database, insert.format(approved, 2, sound), psycopg.errors.UniqueViolation, "contract_pkey")


TABLES = (
    *("application_event", "offer", "contract", "payout", "funding_policy"),
    *("funding_condition", "funding_approval", "disbursement"),
)


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET recorded_at = recorded_at", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_what_led_to_a_funding_is_never_changed(
    engine: sa.Engine, database: Database, approved: int, statement: str
) -> None:
    payouts = (PayoutIn(payee="Dealer", rail="wire", amount=usd("9700.00")),)
    by(engine, "fred", fund_contract, ready(engine, approved, *payouts))

    for table in TABLES:
        wanted = statement.format(f"origination.{table}")
        assert count(engine, f"origination.{table}")
        with database.connect(OWNER, autocommit=True) as owner, pytest.raises(psycopg.Error) as refusal:
            owner.execute(wanted)
        assert refusal.value.sqlstate == "LB021", table
        with database.connect(autocommit=True) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(wanted)
