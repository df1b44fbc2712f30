"""From offers to a funded contract, by several people, once; and back to zero.

Offers are of 10,000.00 for 12 months at 12 percent. A level installment of it is 888.49; with a fee of 300.00 withheld,
9,700.00 are paid out.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.domain_error import DomainError
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from origination.application import Action, ApplicationState, LoanRequest
from origination.commands import decide_application, fund_application, submit_application
from origination.errors import (
    ApplicationInvalid,
    ApplicationStateRefused,
    ApproverRefused,
    CancellationRefused,
    ConditionRefused,
    ContractBroken,
    DisbursementMismatch,
    FundingApproved,
    FundingNotReady,
    OfferLapsed,
    OfferNotAccepted,
    OwnWorkApproved,
    PolicyApprovalMissing,
)
from origination.funding.payout import PayeeAccount, PayoutIn
from origination.funding.policy import policy_of
from origination.funding_commands import (
    approve_funding,
    cancel_funding,
    decide_condition,
    fund_contract,
    load_policy,
)
from origination.funding_queries import funding, offers, verified_contract
from origination.offer_commands import accept_offer, make_offers
from origination.offers.offer import PricedOption
from origination.queries import application
from servicing.commands.instructions import return_instruction, send_instruction
from servicing.product import Product, parse_product
from servicing.queries import final_view, loan_view
from servicing.rail_queries import instructions
from servicing.rails.accounts import AccountNumber
from servicing.terms import Terms
from servicing.vault import Vault
from tests.support.database import ADMIN, OWNER, Database

BOOK = "MAIN"
TODAY = date(2026, 11, 2)
PRODUCT: Product = parse_product({"name": "installment", "day_count": "30/360", "origination_fee": {"percent": "3.0"}})
POLICY = policy_of(
    {
        "product": "installment",
        "groups": {"officers": ["olga", "omar", "ann"]},
        "approvals": [
            {"up_to": "5000.00", "needs": [{"count": 1}]},
            {"needs": [{"group": "officers", "count": 1}, {"count": 1}]},
        ],
        "conditions": [
            {"name": "signed", "title": "The note is signed", "waived_by": "officers"},
            {"name": "insured", "title": "The car is insured", "group": "officers"},
        ],
        "rescission": {"days": 3},
    }
)


@pytest.fixture
def engine(database: Database) -> sa.Engine:
    """Return the application's engine on a fresh database with one book and the rules of its fundings."""
    engine = database.engine()
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

    def work(uow: UnitOfWork) -> None:
        create_book(uow, code=BOOK, name="Main", base_currency="USD", opened_on=TODAY)
        load_chart(uow, BOOK, chart)
        load_policy(uow, BOOK, POLICY)

    run(engine, work, actor="setup", approver="chief")
    return engine


@pytest.fixture
def vault() -> Vault:
    return Vault.of_keys(Fernet.generate_key().decode())


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def by(engine: sa.Engine, actor: str, command: Callable[..., Any], *given: Any, **more: Any) -> Any:
    return run(engine, lambda uow: command(uow, BOOK, *given, **more), actor=actor)


def option(amount: str = "10000.00", rate: str = "12", fee: str | None = None) -> PricedOption:
    return PricedOption(amount=usd(amount), installments=12, rate=Decimal(rate), fee=None if fee is None else usd(fee))


@pytest.fixture
def approved(engine: sa.Engine) -> int:
    terms = Terms(
        product=PRODUCT,
        principal=usd("10000.00"),
        rate=Decimal("12"),
        installments=12,
        frequency="monthly",
        funded_on=TODAY,
        first_due_on=date(2026, 12, 2),
    )
    request = LoanRequest(external_id="A-1", channel="web", applicant="borrower-1", terms=terms)
    application_id = by(engine, "ann", submit_application, request)
    by(engine, "ben", decide_application, application_id, Action.APPROVE)
    return int(application_id)


def offered(engine: sa.Engine, approved: int, *options: PricedOption, days: int = 7) -> int:
    expires = date(2026, 11, 2 + days)
    by(engine, "ben", make_offers, approved, options or (option(), option("8000.00")), expires_on=expires)
    return approved


def accepted(engine: sa.Engine, approved: int, *payouts: PayoutIn, vault: Vault | None = None) -> int:
    by(engine, "web", accept_offer, offered(engine, approved), 1, payouts, vault=vault)
    return approved


def ready(engine: sa.Engine, approved: int, *payouts: PayoutIn, vault: Vault | None = None) -> int:
    accepted(engine, approved, *payouts, vault=vault)
    by(engine, "clerk", decide_condition, approved, "signed", evidence="note 77")
    by(engine, "olga", decide_condition, approved, "insured", evidence="policy 4711")
    by(engine, "omar", approve_funding, approved)
    by(engine, "cleo", approve_funding, approved)
    return approved


def test_offers_show_what_each_costs_and_of_the_accepted_one_there_is_a_contract(
    engine: sa.Engine, approved: int
) -> None:
    offered(engine, approved, option(), option(fee="150.00"))
    with engine.connect() as connection:
        first, second = offers(connection, BOOK, approved)
    box = first.offer.disclosure
    # 10,000 x 0.01 / (1 - 1.01^-12) = 888.4879, so 11 of 888.49. Each pays 0.0021 too much, which at 1 percent a month
    # comes to 0.0021 x ((1.01^12 - 1) / 0.01 - 1) = 0.0245 until the last, which is 888.46. In all 10,661.85.
    assert (box["amount_financed"], box["total_of_payments"]) == ("9700.00", "10661.85")
    assert box["finance_charge"] == "961.85"
    assert [(each["count"], each["amount"]) for each in box["payments"]] == [(11, "888.49"), (1, "888.46")]
    assert second.offer.disclosure["amount_financed"] == "9850.00"

    contract = by(engine, "web", accept_offer, approved, 2)
    with engine.connect() as connection:
        assert verified_contract(connection, BOOK, approved) == contract
        assert [each.status for each in offers(connection, BOOK, approved)] == ["lapsed", "accepted"]
    assert hashlib.sha256(contract.canonical).hexdigest() == contract.sha256
    assert contract.terms.origination_fee == usd("150.00")


def test_an_offer_is_accepted_on_its_last_day_and_not_after(engine: sa.Engine, approved: int) -> None:
    offered(engine, approved, days=2)
    run(engine, lambda uow: advance_business_date(uow, BOOK, date(2026, 11, 5)), actor="ann")
    with pytest.raises(OfferLapsed, match="expired on 2026-11-04"):
        by(engine, "web", accept_offer, approved, 1)


def test_a_later_set_takes_the_place_of_an_earlier_one(engine: sa.Engine, approved: int) -> None:
    offered(engine, approved)
    by(engine, "ben", make_offers, approved, [option("6000.00")], expires_on=TODAY, is_counter=True)
    with pytest.raises(OfferLapsed, match="later offers"):
        by(engine, "web", accept_offer, approved, 1)
    with engine.connect() as connection:
        shown = [(each.status, each.offer.is_counter) for each in offers(connection, BOOK, approved)]
    assert shown == [("superseded", False), ("superseded", False), ("open", True)]


def test_what_has_offers_is_not_funded_without_a_contract(engine: sa.Engine, approved: int) -> None:
    offered(engine, approved)
    with pytest.raises(OfferNotAccepted):
        run(engine, lambda uow: fund_application(uow, BOOK, approved), actor="ben", approver="cleo")


def test_payouts_sum_to_the_proceeds_and_ach_needs_an_account(engine: sa.Engine, approved: int) -> None:
    offered(engine, approved)
    with pytest.raises(DisbursementMismatch):
        by(engine, "web", accept_offer, approved, 1, [PayoutIn(payee="Dealer", rail="wire", amount=usd("9699.99"))])
    with pytest.raises(ApplicationInvalid, match="needs a bank account"):
        by(engine, "web", accept_offer, approved, 1, [PayoutIn(payee="Ann", rail="ach", amount=usd("9700.00"))])


def test_a_funding_lists_all_that_is_missing(engine: sa.Engine, approved: int) -> None:
    accepted(engine, approved)
    with pytest.raises(FundingNotReady) as refused:
        by(engine, "fred", fund_contract, approved)
    assert refused.value.missing == (
        "condition signed (The note is signed)",
        "condition insured (The car is insured)",
        "an approval by a further person of officers",
        "an approval by a further person",
    )


def test_approvals_are_of_different_people_never_of_who_entered_or_funds(engine: sa.Engine, approved: int) -> None:
    accepted(engine, approved)
    with pytest.raises(OwnWorkApproved):
        by(engine, "ann", approve_funding, approved)
    by(engine, "omar", approve_funding, approved)
    with pytest.raises(FundingApproved):
        by(engine, "omar", approve_funding, approved)
    by(engine, "olga", approve_funding, approved)
    by(engine, "olga", decide_condition, approved, "signed", evidence="the branch saw it", waive=True)
    with pytest.raises(ConditionRefused, match="not in officers"):
        by(engine, "clerk", decide_condition, approved, "insured", evidence="policy 4711")
    by(engine, "olga", decide_condition, approved, "insured", evidence="policy 4711")
    with pytest.raises(ConditionRefused, match="decided before"):
        by(engine, "omar", decide_condition, approved, "insured", evidence="again")
    # Olga approved, but funds herself: one place stays empty.
    with pytest.raises(FundingNotReady, match="an approval by a further person"):
        by(engine, "olga", fund_contract, approved)
    assert by(engine, "fred", fund_contract, approved).loan_id


def test_nobody_outside_the_groups_of_an_amount_approves_it(engine: sa.Engine, approved: int) -> None:
    strict = POLICY.model_copy(
        update={
            "approvals": policy_of(
                {**POLICY.as_json(), "approvals": [{"needs": [{"group": "officers", "count": 2}]}]}
            ).approvals
        }
    )
    with pytest.raises(PolicyApprovalMissing):
        by(engine, "setup", load_policy, strict)
    run(engine, lambda uow: load_policy(uow, BOOK, strict), actor="setup", approver="chief")
    accepted(engine, approved)
    with pytest.raises(ApproverRefused):
        by(engine, "cleo", approve_funding, approved)


def test_a_funded_contract_is_one_loan_of_its_terms_paid_out_to_several_payees(
    engine: sa.Engine, approved: int, vault: Vault
) -> None:
    payouts = (
        PayoutIn(payee="Other Lender", rail="wire", amount=usd("6000.00")),
        PayoutIn(payee="Dealer", rail="check", amount=usd("500.00")),
        PayoutIn(
            payee="Ann Borrower",
            rail="ach",
            amount=usd("3200.00"),
            account=PayeeAccount(routing="021000021", number=AccountNumber("123456789")),
        ),
    )
    ready(engine, approved, *payouts, vault=vault)
    done = by(engine, "fred", fund_contract, approved, vault=vault)

    with engine.connect() as connection:
        view, sent = loan_view(connection, done.loan_id), instructions(connection, done.loan_id)
        contract = verified_contract(connection, BOOK, approved)
        accounts = {each.account.slug: each.balance for each in final_view(connection, done.loan_id).account.accounts}
        shown = application(connection, approved)
    assert view.loan.terms == contract.terms
    assert [(each.payee, each.method, each.amount) for each in sent] == [
        ("Other Lender", "wire", 600_000),
        ("Dealer", "check", 50_000),
        ("Ann Borrower", "ach_credit", 320_000),
    ]
    assert accounts["loan_principal"] == accounts["disbursements_payable"] + accounts["deferred_origination_fees"]
    assert accounts["disbursements_payable"] == sum(each.amount for each in sent) == 970_000
    assert (shown.state, shown.loan_id) == (ApplicationState.FUNDED, done.loan_id)
    with pytest.raises(ApplicationStateRefused):
        by(engine, "fred", fund_contract, approved, vault=vault)


def test_a_contract_that_was_tampered_with_is_not_funded(engine: sa.Engine, approved: int, database: Database) -> None:
    ready(engine, approved)
    with database.connect(OWNER) as owner:
        owner.execute("ALTER TABLE origination.contract DISABLE TRIGGER USER")
        owner.execute("ALTER TABLE origination.contract DROP CONSTRAINT contract_hash_sound")
        owner.execute(
            "UPDATE origination.contract SET canonical ="
            " convert_to(replace(convert_from(canonical, 'UTF8'), '\"rate\":\"12\"', '\"rate\":\"13\"'), 'UTF8')"
        )
        owner.commit()
    with pytest.raises(ContractBroken, match="hash"):
        by(engine, "fred", fund_contract, approved)


def test_a_funding_is_canceled_to_zero_within_the_days_of_rescission(engine: sa.Engine, approved: int) -> None:
    ready(engine, approved)
    done = by(engine, "fred", fund_contract, approved)
    # Monday 2 November 2026: Tuesday, Wednesday, Thursday.
    assert done.cancel_until == date(2026, 11, 5)
    assert by(engine, "fred", cancel_funding, approved, reason="rescinded") == done.loan_id
    with engine.connect() as connection:
        final, shown = final_view(connection, done.loan_id), application(connection, approved)
    assert final.account.is_done
    assert not any(each.balance for each in final.account.results)
    assert (shown.state, shown.loan_id) == (ApplicationState.CANCELED, done.loan_id)


def test_after_the_days_of_rescission_only_what_came_back_is_canceled(engine: sa.Engine, approved: int) -> None:
    loan_id = by(engine, "fred", fund_contract, ready(engine, approved)).loan_id
    run(engine, lambda uow: send_instruction(uow, loan_id, 1, request_key="s"), actor="fred")
    run(engine, lambda uow: advance_business_date(uow, BOOK, date(2026, 11, 6)), actor="ann")
    with pytest.raises(CancellationRefused, match="2026-11-05"):
        by(engine, "fred", cancel_funding, approved, reason="too late")
    run(engine, lambda uow: return_instruction(uow, loan_id, 1, code="lost", request_key="r"), actor="fred")
    by(engine, "fred", cancel_funding, approved, reason="the check never came")
    with engine.connect() as connection:
        assert final_view(connection, loan_id).account.is_done


def race(*works: Callable[[], Any]) -> list[Any]:
    """Run works at one instant and return what came of each."""
    start, found = threading.Barrier(len(works)), [None] * len(works)

    def go(place: int) -> None:
        start.wait()
        try:
            found[place] = works[place]()
        except DomainError as refused:
            found[place] = refused  # type: ignore[call-overload]

    threads = [threading.Thread(target=go, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_two_acceptances_at_one_instant_one_is_refused(engine: sa.Engine, approved: int) -> None:
    offered(engine, approved)
    found = race(*(lambda no=no: by(engine, "web", accept_offer, approved, no) for no in (1, 2)))
    assert sum(isinstance(each, ApplicationStateRefused) for each in found) == 1
    with engine.connect() as connection:
        assert sorted(each.status for each in offers(connection, BOOK, approved)) == ["accepted", "lapsed"]


def test_the_same_person_approves_once_at_one_instant_and_two_people_both(engine: sa.Engine, approved: int) -> None:
    accepted(engine, approved)
    people = ("omar", "omar", "cleo")
    found = race(*(lambda who=who: by(engine, who, approve_funding, approved) for who in people))
    assert sum(isinstance(each, FundingApproved) for each in found) == 1
    with engine.connect() as connection:
        assert sorted(each.actor for each in funding(connection, BOOK, approved).approvals) == ["cleo", "omar"]


def test_two_who_fund_at_one_instant_make_one_loan(engine: sa.Engine, approved: int) -> None:
    ready(engine, approved)
    found = race(*(lambda who=who: by(engine, who, fund_contract, approved) for who in ("fred", "fay", "finn")))
    assert sum(isinstance(each, DomainError) for each in found) == 2
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM servicing.loan")) == 1
        assert connection.scalar(sa.text("SELECT count(*) FROM servicing.payment_instruction")) == 1


def test_a_funding_that_is_killed_leaves_nothing(engine: sa.Engine, approved: int, database: Database) -> None:
    ready(engine, approved)

    def killed(uow: UnitOfWork) -> None:
        fund_contract(uow, BOOK, approved)
        pid = uow.connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with database.connect(ADMIN, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [pid])

    with pytest.raises(sa.exc.DBAPIError):
        run(engine, killed, actor="fred")
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM servicing.loan")) == 0
        assert application(connection, approved).state is ApplicationState.ACCEPTED
    assert by(engine, "fred", fund_contract, approved).loan_id
