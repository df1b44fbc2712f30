"""`loanbook policy` and `loanbook decision`: from a file to a decision that replays, and to what people make of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.unit_of_work import run
from origination.application import LoanRequest
from origination.commands import submit_application
from origination.policies.document import shipped_text
from tests.integration.cli.conftest import Loanbook
from tests.integration.origination.test_decisions import AUTHORITY, DECLINED, GOOD, REFERRED
from tests.integration.origination.test_funding import request
from tests.support.database import OWNER, Database
from tests.unit.origination.policies import FACTS, keys


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """Return the small policy as a file."""
    file = tmp_path / "small.json"
    file.write_text(json.dumps(keys()))
    return file


@pytest.fixture
def active(book: Loanbook, policy_file: Path, tmp_path: Path) -> Loanbook:
    """Return a book in which the small policy and limits of authority are in force."""
    book("policy", "load", str(policy_file))
    book("policy", "activate", "small", "--reason", "First", "--approver", "carol")
    limits = tmp_path / "authority.json"
    limits.write_text(json.dumps(AUTHORITY))
    book("policy", "authority", str(limits), "--approver", "carol")
    return book


def enter(database: Database, external_id: str = "A-1") -> int:
    wanted: LoanRequest = request(external_id)
    return run(database.engine(), lambda uow: submit_application(uow, "main", wanted), actor="ann")


def decide(loanbook: Loanbook, application_id: int, sources: dict[str, Any], folder: Path, *more: str) -> Any:
    file = folder / "sources.json"
    file.write_text(json.dumps(sources))
    arguments = ("decision", "run", str(application_id), "--policy", "small", "--facts", str(file), "--json")
    return loanbook(*arguments, *more).json


def test_a_policy_is_checked_without_a_database_and_every_problem_named(pricing: Loanbook, tmp_path: Path) -> None:
    shipped = tmp_path / "personal_loan.toml"
    shipped.write_text(shipped_text("personal_loan.toml"))
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({**keys(), "default": None, "rules": [{**keys()["rules"][0], "when": "fico < 1"}]}))

    assert pricing("policy", "check", str(shipped), "--json").json["rules"] >= 40
    assert "personal_loan holds" in pricing("policy", "check", str(shipped)).out
    refusal = json.loads(pricing("policy", "check", str(wrong), "--json", expect=2).err)
    assert refusal["code"] == "policy-invalid"
    assert [each.split(":")[0] for each in refusal["problems"]] == ["default", "rules[1] R1"]


def test_from_a_file_to_a_decision_that_replays(active: Loanbook, database: Database, tmp_path: Path) -> None:
    application_id = enter(database)

    tried = decide(active, application_id, GOOD, tmp_path, "--dry-run")
    made = decide(active, application_id, GOOD, tmp_path)
    number = str(made["decision_id"])

    assert (tried["dry_run"], tried["state"]) == (True, "approved")
    assert (made["state"], made["score"], made["price"]["fee"]) == ("approved", 150, "125.00")
    shown = active("decision", "show", number, "--json").json
    assert (shown["facts"]["dti"], shown["entered_by"], shown["role"]) == ("19.99", "ann", "champion")
    assert "approve" in active("decision", "show", number).out
    assert active("decision", "replay", number, "--json").json["equal"]
    assert "is equal" in active("decision", "replay", number).out

    with database.connect(OWNER, autocommit=True) as owner:
        owner.execute("ALTER TABLE origination.decision DISABLE TRIGGER decision_append_only")
        owner.execute("UPDATE origination.decision SET result = jsonb_set(result, '{score}', '151')")
    differs = active("decision", "replay", number, "--json", expect=1).refusal
    assert (differs["code"], differs["places"]) == ("decision-differs", ["score: stored 151, computed 150"])


def test_without_a_file_it_is_decided_on_what_is_known_here(active: Loanbook, database: Database) -> None:
    application_id = enter(database)

    # Nothing was verified: of what the policy needs, the terms alone are there.
    made = active("decision", "run", str(application_id), "--policy", "small", "--json").json

    assert (made["outcome"], made["state"]) == ("refer", "received")
    assert made["missing"] == ["dti", "home", "income", "term"]
    assert active("decision", "show", str(made["decision_id"]), "--json").json["facts"]["amount"] == 1000000


def test_policies_are_listed_and_shown(active: Loanbook) -> None:
    listed = active("policy", "list", "--json").json["policies"][0]
    shown = active("policy", "show", listed["in_force"]["champion"][:8], "--json").json

    assert (listed["name"], listed["in_force"]["approver"]) == ("small", "carol")
    assert shown["policy"]["rules"][0]["code"] == "R1"
    assert "First" in active("policy", "show", "small").out
    assert "small" in active("policy", "list").out


def test_what_is_loaded_again_changes_nothing(active: Loanbook, policy_file: Path) -> None:
    assert not active("policy", "load", str(policy_file), "--json").json["is_new"]
    assert "nothing changed" in active("policy", "load", str(policy_file)).out


@pytest.mark.parametrize("share", ["ten", "101", "-1", "0.001"])
def test_a_share_is_a_percentage(active: Loanbook, share: str) -> None:
    arguments = ("policy", "activate", "small", "--reason", "x", "--approver", "carol", "--challenger", "small")

    assert "percentage" in active(*arguments, "--share", share, expect=2).err


def test_an_activation_takes_two_people(book: Loanbook, policy_file: Path) -> None:
    book("policy", "load", str(policy_file))

    assert book("policy", "activate", "small", "--reason", "x", "--json", expect=2).refusal["code"] == (
        "policy-approval-missing"
    )


def test_a_referral_is_queued_and_underwritten(active: Loanbook, database: Database, tmp_path: Path) -> None:
    first, second, third = (enter(database, name) for name in ("A-1", "A-2", "A-3"))
    one, two = (decide(active, each, REFERRED, tmp_path) for each in (first, second))
    three = decide(active, third, DECLINED, tmp_path)

    queue = active("decision", "queue", "--json").json["referrals"]
    assert [(each["application_id"], each["fired"]) for each in queue] == [(first, ["R2"]), (second, ["R2"])]
    assert "A-1" in active("decision", "queue").out

    def underwrite(made: Any, *words: str, expect: int = 0) -> Any:
        ran = active("decision", "underwrite", str(made["decision_id"]), *words, "--json", expect=expect)
        return ran.json if expect == 0 else ran.refusal

    assert underwrite(one, "approve", "--actor", "ann", expect=2)["code"] == "own-work-approved"
    assert underwrite(one, "approve", "--actor", "uma")["state"] == "approved"
    declined = underwrite(two, "decline", "--send", "inquiries", "--actor", "uma")
    assert (declined["state"], declined["underwriting"]["reasons"][0]["code"]) == ("declined", "C1-22")
    words = ("override", "--actor", "uma", "--approver", "sue", "--reason", "Salary seen")
    overridden = underwrite(three, *words)
    assert (overridden["state"], overridden["underwriting"]["second_group"]) == ("approved", "senior")
    assert active("decision", "queue", "--json").json["referrals"] == []


def test_a_page_stands_by_itself_and_escapes_what_it_shows(
    active: Loanbook, database: Database, tmp_path: Path
) -> None:
    sources = {**DECLINED, "applicant": {"home": "<script>alert(1)</script>"}}
    made = decide(active, enter(database), sources, tmp_path)
    out = tmp_path / "page.html"

    active("decision", "page", str(made["decision_id"]), "--out", str(out))

    page = out.read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "http" not in page
    for words in ("decline", "C1-09", "Excessive obligations", "dti &gt; 40", "fired: decline", "10,000.00", "41"):
        assert words in page
    refused = active("decision", "page", str(made["decision_id"]), "--out", "/nonexistent/x.html", "--json", expect=2)
    assert refused.refusal["code"] == "file-unusable"


def test_a_backtest_compares_with_the_version_in_force(
    active: Loanbook, database: Database, policy_file: Path, tmp_path: Path
) -> None:
    for external_id, sources in (("A-1", GOOD), ("A-2", DECLINED), ("A-3", REFERRED)):
        decide(active, enter(database, external_id), sources, tmp_path)
    wider = tmp_path / "wider.json"
    wider.write_text(json.dumps(keys(rules=[])))

    found = active("policy", "backtest", str(wider), "--json").json

    assert (found["applications"], found["outcomes"]) == (3, {"approve": 2, "refer": 1})
    assert found["approval_rate_bp"] == 6666
    assert found["live_outcomes"] == {"approve": 1, "refer": 1, "decline": 1}
    assert {(each["live"], each["now"]) for each in found["changes"]} == {("refer", "approve"), ("decline", "refer")}
    assert "decline is now refer" in active("policy", "backtest", str(wider)).out


def test_a_backtest_over_a_file_needs_no_database(pricing: Loanbook, policy_file: Path, tmp_path: Path) -> None:
    table = tmp_path / "facts.csv"
    rows = [
        {**FACTS, "verified": "true", "dti": "19.99", "ended": "paid"},
        {**FACTS, "verified": "", "dti": "41", "ended": "lost"},
        {**FACTS, "verified": "true", "dti": "much", "ended": "paid"},
    ]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    arguments = ("policy", "backtest", str(policy_file), "--facts", str(table), "--group-by", "ended", "--json")
    found = pricing(*arguments).json

    assert found["outcomes"] == {"approve": 1, "decline": 1, "unreadable": 1}
    assert found["groups"]["decline"] == {"lost": 1}
    assert found["reasons"] == {"obligations": 1}


@pytest.mark.parametrize("text", ["[]", '{"application": 5}', "{"])
def test_facts_that_are_no_sections_are_refused(
    active: Loanbook, database: Database, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "sources.json"
    file.write_text(text)

    active("decision", "run", "1", "--policy", "small", "--facts", str(file), expect=2)
