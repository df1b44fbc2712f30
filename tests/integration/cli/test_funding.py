"""`loanbook offer`, `contract`, `funding` and `document`: from an approved application to a funded loan, and back."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from origination.application import Action, LoanRequest
from origination.commands import decide_application, submit_application
from servicing.product import parse_product
from servicing.terms import Terms
from tests.integration.cli.conftest import Loanbook
from tests.support.database import Database

KEYS = {"LOANBOOK_BANK_ACCOUNT_KEYS": Fernet.generate_key().decode()}
RULES = """
product = "installment"
[[approvals]]
needs = [{ count = 2 }]
[[conditions]]
name = "signed"
title = "The note is signed"
[rescission]
days = 3
"""


@pytest.fixture
def application(loanbook: Loanbook, database: Database) -> str:
    loanbook("init", "--opened-on", "2026-11-02")
    terms = Terms(
        product=parse_product({"name": "installment", "day_count": "30/360", "origination_fee": {"percent": "3.0"}}),
        principal=Money.parse("10000.00", "USD"),
        rate=Decimal("12"),
        installments=12,
        frequency="monthly",
        funded_on=date(2026, 11, 2),
        first_due_on=date(2026, 12, 2),
    )
    request = LoanRequest(external_id="A-1", channel="web", applicant="borrower-1", terms=terms)

    def enter(uow: UnitOfWork) -> int:
        return submit_application(uow, "main", request)

    def decide(uow: UnitOfWork) -> None:
        decide_application(uow, "main", number, Action.APPROVE)

    number = run(database.engine(), enter, actor="ann")
    run(database.engine(), decide, actor="ben")
    return str(number)


def test_an_application_is_offered_contracted_funded_and_canceled(
    loanbook: Loanbook, application: str, tmp_path: Path
) -> None:
    rules, payouts, pdf = tmp_path / "rules.toml", tmp_path / "payouts.json", tmp_path / "box.pdf"
    rules.write_text(RULES)
    account = {"routing": "021000021", "account_number": "123456789"}
    payouts.write_text(
        json.dumps(
            [
                {"payee": "Other Lender", "rail": "wire", "amount": "6500.00"},
                {"payee": "Ann Borrower", "rail": "ach", "amount": "3200.00", **account},
            ]
        )
    )
    assert "Rules 1 of installment hold" in loanbook("funding", "policy", str(rules), "--approver", "chief").out
    options = ("--option", "10000/12/12", "--option", "8000/12/11.5/150")
    made = loanbook("offer", "make", application, *options, "--expires-on", "2026-11-09", "--json").json
    assert [each["disclosure"]["amount_financed"] for each in made["offers"]] == ["9700.00", "7850.00"]
    assert "10,661.85" in loanbook("offer", "list", application).out
    assert "888.46" in loanbook("offer", "show", application, "1").out

    accepted = loanbook("offer", "accept", application, "1", "--payouts", str(payouts), "--json", **KEYS).json
    text = loanbook("contract", "show", application, "--text").out
    assert hashlib.sha256(text.encode()).hexdigest() == accepted["sha256"]
    assert accepted["sha256"] in loanbook("contract", "verify", application).out
    assert "annual percentage rate" in loanbook("contract", "show", application).out

    refusal = loanbook("funding", "fund", application, "--json", expect=2, **KEYS).refusal
    assert refusal["code"] == "funding-not-ready"
    loanbook("funding", "condition", application, "signed", "--evidence", "note 4711")
    loanbook("funding", "approve", application, "--actor", "omar")
    shown = loanbook("funding", "approve", application, "--actor", "cleo").out
    assert "omar, cleo" in shown
    assert "****6789" in shown
    assert "Missing" not in shown
    done = loanbook("funding", "fund", application, "--actor", "fred", "--json", **KEYS).json
    assert (done["due_on"], done["cancel_until"], len(done["instructions"])) == ("2026-11-02", "2026-11-05", 2)

    made_document = loanbook("document", "make", application, "tila-disclosure", "--lender", "First", "--json").json
    loanbook("document", "save", application, "tila-disclosure", "--to", str(pdf))
    assert hashlib.sha256(pdf.read_bytes()).hexdigest() == made_document["sha256"]
    assert made_document["sha256"] in loanbook("document", "list", application).out

    assert "unwound" in loanbook("funding", "cancel", application, "--reason", "rescinded").out
    assert loanbook("funding", "show", application, "--json").json["state"] == "canceled"


def test_options_and_files_that_are_none_are_refused(loanbook: Loanbook, application: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"amount": 1}')
    expires = ("--expires-on", "2026-11-09")
    loanbook("offer", "make", application, "--option", "ten", *expires, expect=2)
    loanbook("offer", "make", application, "--file", str(bad), *expires, expect=2)
    loanbook("offer", "make", application, *expires, expect=2)
