"""`loanbook verification` and `bureau`: sources loaded, applicants verified by a real process, facts shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.bureau import people
from api.bureau.sources import as_toml
from tests.integration.cli.conftest import Loanbook, environment
from tests.support.applications import BY_HAND, KEY, whole
from tests.support.card_processor import RUN, call, process
from tests.support.database import Database

BUREAU_KEY = "a-key-of-a-bureau"
SEED = 11
Lender = Callable[..., Any]


@pytest.fixture(scope="module")
def bureau() -> Iterator[str]:
    with process("bureau", "--seed", str(SEED), LOANBOOK_BUREAU_KEY=BUREAU_KEY) as url:
        yield url


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path, bureau: str) -> Lender:
    """Return a book with a submitted application, APPLICATION, and the bureau's sources."""
    (tmp_path / "sources.toml").write_text(as_toml(bureau, pause=0.01))
    person = next(people.people(SEED, 1))
    names = ("first_name", "last_name", "ssn", "date_of_birth")
    (tmp_path / "a.json").write_text(json.dumps(whole(**{f"applicant__{name}": person[name] for name in names})))
    settings = {"LOANBOOK_BANK_ACCOUNT_KEYS": KEY, "LOANBOOK_BUREAU_KEY": BUREAU_KEY}
    (tmp_path / "by_hand.toml").write_text(BY_HAND)
    book("day", "advance", "2026-01-05")
    book("application", "routing", "load", str(tmp_path / "by_hand.toml"))
    saved = book(
        "application", "save", str(tmp_path / "a.json"), "--product", "personal", "--submit", "--json", **settings
    )
    number = str(saved.json["application_id"])
    book("verification", "sources", "load", str(tmp_path / "sources.toml"), **settings)

    def run(*arguments: str, **more: Any) -> Any:
        given = [number if each == "APPLICATION" else each for each in arguments]
        return book(*given, **{**settings, **more})

    return run


def test_an_applicant_is_verified_and_the_facts_are_shown(lender: Lender) -> None:
    ran = lender("verification", "run", "APPLICATION")
    facts = lender("verification", "facts", "APPLICATION", "--json").json
    listed = lender("verification", "list", "APPLICATION").out

    score = people.credit_report(SEED, next(people.people(SEED, 1))["ssn"])["report"]["score"]
    assert "bureau-credit-report" in ran.out
    assert "1.25" in ran.out
    assert facts["credit_report"]["score"] == score
    assert facts["identity"]["name_match"] is True
    assert "answered" in listed
    assert next(people.people(SEED, 1))["last_name"] not in json.dumps(facts)


def test_without_the_key_of_the_bureau_people_must_look_and_write_down(lender: Lender) -> None:
    ran = lender(
        "verification", "run", "APPLICATION", "--kind", "income", "--json", expect=1, LOANBOOK_BUREAU_KEY=None
    ).json["verifications"][0]
    by_hand = ("verification", "record", "APPLICATION", "--kind", "income", "--reason", "Two pay slips")
    tried = lender(*by_hand, "--fact", "annual=6000000", "--dry-run").out
    done = lender(*by_hand, "--fact", "annual=6000000", "--fact", "employed=true", "--json").json

    assert (ran["outcome"], ran["reason"]) == (
        "manual_review",
        "no source has answered: LOANBOOK_BUREAU_KEY is not set",
    )
    assert "Dry run" in tried
    assert (done["outcome"], done["facts"]) == ("completed", {"annual": 6_000_000, "employed": True})
    lender(*by_hand, "--fact", "annual", expect=2)


def test_whatever_waits_is_verified_and_asked_again_after_an_outage(lender: Lender, bureau: str) -> None:
    key = f"Bearer {BUREAU_KEY}"
    tried = lender("verification", "run-due", "--dry-run").out
    call(bureau, "/admin/mode", {"mode": "outage"}, Authorization=key)
    down = lender("verification", "run-due", "--json", expect=1).json
    call(bureau, "/admin/mode", {"mode": "ok"}, Authorization=key)
    up = lender("verification", "run-due").out
    again = lender("verification", "run-due", "--json").json

    assert "1 applications wait; 4 verifications to ask" in tried
    assert (down["asked"], down["completed"]) == (4, 0)
    assert [each["kind"] for each in down["for_people"]] == ["identity", "credit_report", "income", "fraud"]
    assert "4 verifications to ask; 4 completed; 0 for people" in up
    assert (again["looked_at"], again["asked"]) == (1, 0)
    lender("application", "withdraw", "APPLICATION", "--reason", "Changed her mind")
    assert lender("verification", "run-due", "--json").json["looked_at"] == 0


def test_sources_are_listed_with_their_breakers(lender: Lender, bureau: str, tmp_path: Path) -> None:
    again = lender("verification", "sources", "load", str(tmp_path / "sources.toml")).out
    rows = lender("verification", "sources", "--json").json["sources"]

    assert "Source bureau-identity, release 1, was loaded before: nothing changed." in again
    assert {(each["breaker"], each["failures"]) for each in rows} == {("closed", 0)}
    assert BUREAU_KEY not in json.dumps(rows)
    (tmp_path / "bad.toml").write_text('[[source]]\nname = "x"\n')
    assert "source.kind" in lender("verification", "sources", "load", str(tmp_path / "bad.toml"), expect=2).err


def test_the_bureau_is_opened_by_its_key_and_switched(book: Loanbook, bureau: str) -> None:
    def asked(path: str, body: dict[str, Any] | None = None, key: str = BUREAU_KEY) -> tuple[int, Any]:
        return call(bureau, path, body, Authorization=f"Bearer {key}")

    assert asked("/people?count=2", key="wrong")[0] == 401
    assert asked("/people?count=0")[0] == 400
    assert asked("/people?count=2")[1]["people"] == list(people.people(SEED, 2))
    assert asked("/astrology", {"ssn": "912-70-1234"})[0] == 400
    assert asked("/credit-report", {"ssn": 7})[0] == 400
    assert asked("/admin/mode", {"mode": "sulking"})[0] == 400
    assert "needs it" in book("bureau", expect=2, LOANBOOK_BUREAU_KEY=None).err
    assert '[[source]]\nname = "bureau-identity"' in book("bureau", "--sources", "--port", "8091").out


def test_a_run_that_is_killed_while_the_bureau_is_silent_is_taken_up_again(
    lender: Lender, bureau: str, database: Database
) -> None:
    key = f"Bearer {BUREAU_KEY}"
    number = lender("application", "list", "--json").json["applications"][0]["application_id"]
    call(bureau, "/admin/mode", {"mode": "slow", "seconds": 3}, Authorization=key)
    words = ["verification", "run", str(number), "--kind", "credit_report"]
    settings = {"LOANBOOK_BANK_ACCOUNT_KEYS": KEY, "LOANBOOK_BUREAU_KEY": BUREAU_KEY}
    running = subprocess.Popen(
        [sys.executable, "-c", RUN, *words],
        env={**os.environ, **{name: text for name, text in environment(database).items() if text}, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: call(bureau, "/admin/mode", Authorization=key)[1]["calls"] > 0)
    running.kill()
    running.wait()
    begun = lender("verification", "list", "APPLICATION", "--json").json["verifications"]
    call(bureau, "/admin/mode", {"mode": "ok"}, Authorization=key)
    done = lender("verification", "run", "APPLICATION", "--kind", "credit_report", "--json").json["verifications"]

    assert [(each["verification_no"], each["outcome"]) for each in begun] == [(1, "asking")]
    assert [(each["verification_no"], each["outcome"], len(each["attempts"])) for each in done] == [(1, "completed", 1)]


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
