"""From application to boarded loan in one transaction, by two people, once."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from importlib.resources import files

import psycopg
import pytest
import sqlalchemy as sa

from ledger.chart_file import parse_chart
from ledger.commands.books import create_book, load_chart
from ledger.domain_error import DomainError
from ledger.errors import BookUnknown
from ledger.money import Money
from ledger.queries.accounts import balances
from ledger.queries.entries import entries
from ledger.unit_of_work import UnitOfWork, run
from origination.application import Action, ApplicationState, Disbursement, LoanRequest
from origination.commands import (
    decide_application,
    fund_application,
    fund_applications,
    originate,
    submit_application,
    submit_applications,
)
from origination.errors import (
    ApplicationExists,
    ApplicationInvalid,
    ApplicationStateRefused,
    ApplicationUnknown,
    DisbursementMismatch,
    FundingApprovalMissing,
    OwnWorkApproved,
)
from origination.queries import application, application_ids
from servicing.errors import EffectiveDateAhead, LoanExists
from servicing.product import Product, parse_product
from servicing.terms import Terms
from tests.support.database import OWNER, Database

BOOK = "MAIN"
TODAY = date(2026, 11, 2)
PRODUCT: Product = parse_product({"origination_fee": {"percent": "3.0"}})


@pytest.fixture
def engine(database: Database) -> sa.Engine:
    """Return the application's engine on a fresh database with one book."""
    engine = database.engine()
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

    def work(uow: UnitOfWork) -> None:
        create_book(uow, code=BOOK, name="Main", base_currency="USD", opened_on=TODAY)
        load_chart(uow, BOOK, chart)

    run(engine, work, actor="setup")
    return engine


def request(
    external_id: str = "A-1",
    *,
    principal: str = "10000.00",
    funded_on: date = TODAY,
    disbursements: tuple[Disbursement, ...] = (),
) -> LoanRequest:
    terms = Terms(
        product=PRODUCT,
        principal=Money.parse(principal, "USD"),
        rate=Decimal("12.00"),
        installments=12,
        frequency="monthly",
        funded_on=funded_on,
        first_due_on=date(2026, 12, 15),
    )
    return LoanRequest(
        external_id=external_id, channel="web", applicant="P-77", terms=terms, disbursements=disbursements
    )


def submit(engine: sa.Engine, wanted: LoanRequest | None = None, actor: str = "ann") -> int:
    return run(engine, lambda uow: submit_application(uow, BOOK, wanted or request()), actor=actor)


def decide(engine: sa.Engine, application_id: int, action: Action, actor: str = "bob") -> ApplicationState:
    return run(
        engine,
        lambda uow: decide_application(uow, BOOK, application_id, action, reason="policy"),
        actor=actor,
    )


def fund(engine: sa.Engine, application_id: int, actor: str = "bob", approver: str | None = "cem") -> int:
    funded = run(
        engine,
        lambda uow: fund_application(uow, BOOK, application_id),
        actor=actor,
        approver=approver,
    )
    return funded.loan_id


def count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        found = connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
    assert isinstance(found, int)
    return found


def test_an_approved_application_becomes_a_loan_with_its_entries_and_its_disbursement(
    engine: sa.Engine,
) -> None:
    application_id = submit(engine)
    decide(engine, application_id, Action.APPROVE)

    loan_id = fund(engine, application_id)

    with engine.connect() as connection:
        view = application(connection, application_id)
        held = balances(connection, loan_id)
        templates = [found.entry.draft.template for found in entries(connection, loan_id)]
    assert view.state is ApplicationState.FUNDED
    assert view.loan_id == loan_id
    assert [(each.payee, each.amount.format()) for each in view.disbursements] == [("P-77", "9700.00")]
    assert {code: money.format() for code, money in held.items()} == {
        "1210": "10000.00",
        "1310": "300.00",
        "2030": "0.00",
    }
    assert templates == ["loan_funded", "disbursement_sent"]
    assert [(event.action, event.actor, event.approver) for event in view.events] == [
        ("enter", "ann", None),
        ("approve", "bob", None),
        ("fund", "bob", "cem"),
    ]


def test_the_loan_has_the_terms_of_the_application(engine: sa.Engine) -> None:
    application_id = submit(engine)
    decide(engine, application_id, Action.APPROVE)
    fund(engine, application_id)

    with engine.connect() as connection:
        view = application(connection, application_id)
        terms, rules = connection.execute(
            sa.text(
                "SELECT t.terms, p.rules FROM servicing.terms_version t"
                " JOIN servicing.product_version p ON p.content_hash = t.product_hash"
            )
        ).one()

    assert view.request == request()
    assert terms == view.request.terms.as_json()
    assert rules == PRODUCT.as_json()


def test_proceeds_go_to_several_payees_to_the_cent(engine: sa.Engine) -> None:
    parts = (
        Disbursement("dealer", "ach", Money.parse("9000.00", "USD")),
        Disbursement("P-77", "ach", Money.parse("700.00", "USD")),
    )
    application_id = submit(engine, request(disbursements=parts))
    decide(engine, application_id, Action.APPROVE)
    fund(engine, application_id)

    with engine.connect() as connection:
        assert application(connection, application_id).disbursements == parts
    with pytest.raises(DisbursementMismatch):
        request(disbursements=parts[:1])


@pytest.mark.parametrize(
    ("approver", "refusal"),
    [(None, FundingApprovalMissing), ("bob", FundingApprovalMissing), ("ann", OwnWorkApproved)],
)
def test_a_funding_without_a_second_person_leaves_nothing(
    engine: sa.Engine, approver: str | None, refusal: type[DomainError]
) -> None:
    application_id = submit(engine)
    decide(engine, application_id, Action.APPROVE)

    with pytest.raises(refusal):
        fund(engine, application_id, approver=approver)

    assert count(engine, "servicing.loan") == count(engine, "ledger.journal_entry") == 0
    assert count(engine, "origination.application_event") == 2


def test_who_entered_does_not_approve(engine: sa.Engine) -> None:
    application_id = submit(engine)

    with pytest.raises(OwnWorkApproved):
        decide(engine, application_id, Action.APPROVE, actor="ann")


def test_an_application_is_funded_once(engine: sa.Engine) -> None:
    application_id = submit(engine)
    decide(engine, application_id, Action.APPROVE)
    fund(engine, application_id)

    with pytest.raises(ApplicationStateRefused) as refusal:
        fund(engine, application_id)

    assert str(refusal.value) == f"application {application_id} is funded: it cannot be funded"


@pytest.mark.parametrize("action", [Action.DECLINE, Action.WITHDRAW])
def test_a_declined_or_withdrawn_application_is_not_funded(engine: sa.Engine, action: Action) -> None:
    application_id = submit(engine)
    decide(engine, application_id, action)

    with pytest.raises(ApplicationStateRefused):
        fund(engine, application_id)


def test_funders_at_the_same_instant_make_one_loan(engine: sa.Engine) -> None:
    application_id = submit(engine)
    decide(engine, application_id, Action.APPROVE)
    gate = threading.Barrier(4)
    outcomes: list[int | str] = []

    def work() -> None:
        gate.wait()
        try:
            outcomes.append(fund(engine, application_id))
        except (ApplicationStateRefused, LoanExists) as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert count(engine, "servicing.loan") == count(engine, "origination.disbursement") == 1


def test_two_who_decide_differently_at_the_same_instant_cannot_both_succeed(engine: sa.Engine) -> None:
    application_id = submit(engine)
    gate = threading.Barrier(2)
    outcomes: list[str] = []

    def work(action: Action, actor: str) -> None:
        gate.wait()
        try:
            outcomes.append(str(decide(engine, application_id, action, actor=actor)))
        except ApplicationStateRefused as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=work, args=each) for each in ((Action.APPROVE, "bob"), (Action.DECLINE, "cem"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("application-state-refused") == 1
    assert count(engine, "origination.application_event") == 2


def test_an_application_is_entered_once(engine: sa.Engine) -> None:
    application_id = submit(engine)

    with pytest.raises(ApplicationExists) as refusal:
        submit(engine)
    assert refusal.value.application_id == application_id

    with pytest.raises(ApplicationExists):
        run(
            engine,
            lambda uow: submit_applications(uow, BOOK, [request("B"), request("B")]),
            actor="ann",
        )
    assert count(engine, "origination.application") == 1


def test_a_day_of_fundings_is_all_or_nothing(engine: sa.Engine) -> None:
    good = [submit(engine, request(f"A-{n}")) for n in range(3)]
    ahead = submit(engine, request("A-9", funded_on=date(2026, 11, 5)))
    for application_id in (*good, ahead):
        decide(engine, application_id, Action.APPROVE)

    with pytest.raises(EffectiveDateAhead):
        run(
            engine,
            lambda uow: fund_applications(uow, BOOK, (*good, ahead)),
            actor="bob",
            approver="cem",
        )
    assert count(engine, "servicing.loan") == 0

    funded = run(engine, lambda uow: fund_applications(uow, BOOK, good), actor="bob", approver="cem")
    assert [each.application_id for each in funded] == good
    assert count(engine, "servicing.loan") == 3


def test_many_are_originated_in_one_transaction_by_two_people(engine: sa.Engine) -> None:
    requests = [request(f"A-{n}", principal=f"{1000 + n}.00") for n in range(50)]

    funded = run(engine, lambda uow: originate(uow, BOOK, requests), actor="ann", approver="cem")

    with engine.connect() as connection:
        for each, wanted in zip(funded, requests, strict=True):
            held = balances(connection, each.loan_id)
            assert {code: money for code, money in held.items() if code == "1210"} == {"1210": wanted.terms.principal}
        assert application_ids(connection, BOOK, state=ApplicationState.FUNDED, limit=3) == tuple(
            each.application_id for each in funded[:3]
        )
        assert application_ids(connection, BOOK, state=ApplicationState.APPROVED) == ()
        events = application(connection, funded[0].application_id).events
    assert [(event.action, event.actor) for event in events] == [
        ("enter", "ann"),
        ("approve", "cem"),
        ("fund", "ann"),
    ]


def test_nothing_is_originated_without_a_second_person(engine: sa.Engine) -> None:
    with pytest.raises(OwnWorkApproved):
        run(engine, lambda uow: originate(uow, BOOK, [request()]), actor="ann")

    assert count(engine, "origination.application") == 0
    assert run(engine, lambda uow: originate(uow, BOOK, []), actor="ann") == ()


def test_a_dry_run_keeps_nothing(engine: sa.Engine) -> None:
    run(engine, lambda uow: originate(uow, BOOK, [request()]), actor="ann", approver="cem", dry_run=True)

    assert count(engine, "origination.application") == count(engine, "servicing.loan") == 0


def test_what_does_not_exist_is_refused_by_name(engine: sa.Engine) -> None:
    with pytest.raises(ApplicationUnknown):
        fund(engine, 999)
    with pytest.raises(BookUnknown):
        run(engine, lambda uow: submit_application(uow, "NONE", request()), actor="ann")
    with engine.connect() as connection, pytest.raises(ApplicationUnknown):
        application(connection, 999)


def test_all_that_is_wrong_with_a_request_is_said_at_once() -> None:
    with pytest.raises(ApplicationInvalid) as refusal:
        LoanRequest(external_id=" ", channel="pigeon", applicant="", terms=request().terms)

    assert len(refusal.value.problems) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE origination.application SET applicant = 'x'",
        "DELETE FROM origination.application_event",
        "TRUNCATE origination.disbursement",
    ],
)
def test_history_is_never_changed(engine: sa.Engine, database: Database, statement: str) -> None:
    with database.connect(OWNER, autocommit=True) as owner, pytest.raises(psycopg.Error) as refusal:
        owner.execute(statement)
    assert refusal.value.sqlstate == "LB021"

    with database.connect(autocommit=True) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)


@pytest.mark.parametrize(
    ("state", "approver", "loan_id"),
    [("funded", None, 5), ("funded", "cem", None), ("approved", None, 5), ("funded", "ann", 5)],
)
def test_the_database_refuses_a_funding_without_two_people_or_without_a_loan(
    engine: sa.Engine, database: Database, state: str, approver: str | None, loan_id: int | None
) -> None:
    application_id = submit(engine)

    with database.connect(autocommit=True) as app, pytest.raises(psycopg.errors.CheckViolation):
        app.execute(
            "INSERT INTO origination.application_event (application_id, event_no, action, state, business_date,"
            " actor, approver, loan_id) VALUES (%s, 2, 'x', %s, '2026-11-02', 'ann', %s, %s)",
            [application_id, state, approver, loan_id],
        )
