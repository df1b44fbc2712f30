"""Applicants verified by a real bureau on loopback: facts found out once, kept, encrypted, erased."""

from __future__ import annotations

import threading
import time
from datetime import date
from typing import Any

import psycopg
import pytest

from api.bureau import people
from api.edge import Edge
from origination.application import Action
from origination.commands import decide_application
from origination.intake.errors import PersonalDataErased, ReasonMissing
from origination.personal_data import erase, rotate_personal_data
from origination.verification.errors import FactInvalid, NotSubmitted, VerificationKindUnknown
from origination.verification_commands import begin, record_by_hand
from origination.verification_queries import sources_of, verifications
from tests.integration.origination.bureau_desk import applied, load_bureau, ran
from tests.integration.origination.conftest import BOOK, BUREAU_KEY, SEED, Mode
from tests.support.applications import KEY, NEXT_KEY, vault
from tests.support.card_processor import call
from tests.support.database import APP, OWNER, Database


def test_what_the_form_asks_for_is_found_out_and_kept(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau)
    number = applied(edge)
    person = next(people.people(SEED, 1))

    done = ran(edge, number)
    again = ran(edge, number)

    assert [(each["kind"], each["outcome"], each["source"]) for each in done] == [
        ("identity", "completed", "bureau-identity"),
        ("credit_report", "completed", "bureau-credit-report"),
        ("income", "completed", "bureau-income"),
        ("fraud", "completed", "bureau-fraud"),
    ]
    report = people.credit_report(SEED, person["ssn"])["report"]
    facts = done[1]["facts"]
    assert (facts["score"], facts["utilization"]) == (report["score"], report["utilization"])
    assert facts["monthly_debts"] == int(report["monthly_debts"].replace(".", ""))
    # 0.35 + 1.25 + 2.00 + 0.15
    assert sum(each["cost"] for each in done) == 375
    assert all(
        attempt["latency_ms"] >= 0 and len(attempt["response_hash"]) == 64
        for each in done
        for attempt in each["attempts"]
    )
    # What is known is not asked anew.
    assert [each["facts"] for each in again] == [each["facts"] for each in done]
    assert call(bureau, "/admin/mode", Authorization=f"Bearer {BUREAU_KEY}")[1]["calls"] == 4


def test_decisions_read_facts_by_section_and_nothing_personal(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau)
    number = applied(edge)
    ran(edge, number, "credit_report")

    facts = edge.read(lambda connection: sources_of(connection, number))

    assert facts["application"] == {
        "amount": 1_200_000,
        "term_months": 36,
        "purpose": "car",
        "state": "CA",
        "product": "personal",
        "channel": "web",
        "currency": "USD",
        "is_duplicate": False,
    }
    born = date.fromisoformat(next(people.people(SEED, 1))["date_of_birth"])
    age = 2026 - born.year - ((born.month, born.day) > (1, 5))
    assert facts["applicant"] == {"housing": "rent", "housing_monthly": 140_000, "age": age, "state": "CA"}
    assert (facts["income"], facts["verified_income"]) == ({"annual": 6_000_000}, {"outcome": "not_verified"})
    assert facts["consents"] == {"credit_report": True, "electronic_records": True}
    assert (facts["credit_report"]["outcome"], facts["identity"]) == ("completed", {"outcome": "not_verified"})


def test_somebody_whom_the_bureau_does_not_know_has_no_record(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau)
    unknown = next(
        f"912-70-{serial:04d}" for serial in range(1, 999) if not people.is_known(SEED, f"91270{serial:04d}")
    )
    number = applied(edge, {**next(people.people(SEED, 1)), "ssn": unknown})

    (done,) = ran(edge, number, "credit_report")

    assert (done["outcome"], done["facts"], done["attempts"][0]["http_status"]) == ("no_record", {}, 404)


def test_a_kind_without_a_source_goes_to_people_who_write_down_what_they_found(edge: Edge) -> None:
    number = applied(edge)
    (done,) = ran(edge, number, "income")

    def record(facts: dict[str, Any], reason: str = "Two pay slips") -> Any:
        return edge.change(lambda uow: record_by_hand(uow, BOOK, number, "income", facts, reason=reason), actor="dora")

    assert (done["outcome"], done["reason"]) == ("manual_review", "no source is loaded for it")
    with pytest.raises(ReasonMissing):
        record({"annual": 1}, reason="")
    for facts in ({}, {"Annual": 1}, {"annual": 1.5}):
        with pytest.raises(FactInvalid):
            record(facts)
    by_hand = record({"annual": 5_900_000})
    read = edge.read(lambda connection: sources_of(connection, number))

    assert (by_hand.result.actor, by_hand.result.source, by_hand.result.reason) == ("dora", None, "Two pay slips")
    # What was stated stands beside what was found out.
    assert read["income"] == {"annual": 6_000_000}
    assert read["verified_income"] == {"annual": 5_900_000, "outcome": "completed"}
    assert ran(edge, number, "income")[0]["reason"] == "Two pay slips"


def test_whoever_was_killed_between_asking_and_keeping_asks_the_same_question(
    edge: Edge, bureau: str, mode: Mode
) -> None:
    load_bureau(edge, bureau)
    number = applied(edge)
    # Begun, asked, and killed before anything of the answer was written.
    begun = edge.change(lambda uow: begin(uow, BOOK, number, "credit_report"), actor="bob")
    key = f"{BOOK}:{number}:{begun.verification_no}:bureau-credit-report"
    ssn = next(people.people(SEED, 1))["ssn"]
    headers = {"Authorization": f"Bearer {BUREAU_KEY}", "Idempotency_Key": key}
    assert call(bureau, "/credit-report", {"ssn": ssn}, **headers)[0] == 200
    charged = mode("ok")["charged"]

    (done,) = ran(edge, number, "credit_report")

    assert (done["verification_no"], done["outcome"]) == (1, "completed")
    after = call(bureau, "/admin/mode", Authorization=f"Bearer {BUREAU_KEY}")[1]
    assert (after["calls"], after["charged"]) == (1, charged)


def test_of_many_who_ask_at_once_one_result_counts(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau)
    number = applied(edge)
    mode("slow", seconds=0.2)
    came: list[Any] = []
    start = threading.Barrier(3)

    def one() -> None:
        start.wait()
        came.append(ran(edge, number, "credit_report")[0])

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {(each["verification_no"], each["outcome"]) for each in came} == {(1, "completed")}
    known = edge.read(lambda connection: verifications(connection, BOOK, number))
    assert (len(known), len(known[0].attempts)) == (1, 1)


def test_requests_and_answers_are_encrypted_and_erased_with_the_rest(
    edge: Edge, bureau: str, mode: Mode, database: Database
) -> None:
    load_bureau(edge, bureau)
    number = applied(edge)
    ran(edge, number, "identity")
    person = next(people.people(SEED, 1))

    def rows() -> Any:
        with database.connect(OWNER) as owner:
            return owner.execute(
                "SELECT part, number, place, token FROM origination.personal_data ORDER BY part, number"
            ).fetchall()

    kept = rows()
    both = vault(f"{NEXT_KEY},{KEY}")
    assert rotate_personal_data(edge.engine, both, actor="bob") == 5
    edge.change(lambda uow: decide_application(uow, BOOK, number, Action.WITHDRAW), actor="bob")
    erased = edge.change(lambda uow: erase(uow, BOOK, number, reason="Letter"), actor="bob", approver="carol")

    assert [(part, no, place) for part, no, place, _ in kept] == [
        ("request", 1, 1),
        ("response", 1, 1),
        ("version", 1, 0),
    ]
    assert person["last_name"] not in str(kept)
    assert (erased.rows_erased, {token for *_, token in rows()}) == (3, {None})
    assert edge.read(lambda connection: sources_of(connection, number))["identity"]["name_match"] is True
    with pytest.raises(PersonalDataErased):
        ran(edge, number, "identity", again=True)


def test_what_comes_after_an_erasure_is_not_kept(edge: Edge, bureau: str, mode: Mode, database: Database) -> None:
    load_bureau(edge, bureau)
    number = applied(edge)
    mode("slow", seconds=1.0)
    came: list[Any] = []
    thread = threading.Thread(target=lambda: came.append(ran(edge, number, "identity")[0]))
    thread.start()
    time.sleep(0.4)
    edge.change(lambda uow: decide_application(uow, BOOK, number, Action.WITHDRAW), actor="bob")
    edge.change(lambda uow: erase(uow, BOOK, number, reason="Letter"), actor="bob", approver="carol")
    thread.join()

    assert came[0]["outcome"] == "completed"
    with database.connect(OWNER) as owner:
        assert owner.execute("SELECT DISTINCT token FROM origination.personal_data").fetchall() == [(None,)]


def test_what_cannot_be_verified(edge: Edge) -> None:
    draft = applied(edge, submit=False)

    with pytest.raises(NotSubmitted):
        ran(edge, draft, "identity")
    with pytest.raises(VerificationKindUnknown):
        ran(edge, draft, "astrology")


@pytest.mark.parametrize(
    "table", ["verification", "verification_attempt", "verification_result", "verification_source"]
)
def test_what_was_found_out_is_not_changed(edge: Edge, database: Database, table: str) -> None:
    applied(edge)

    for statement in (f"UPDATE origination.{table} SET actor = 'x'", f"DELETE FROM origination.{table}"):
        with database.connect(APP) as app, pytest.raises(psycopg.Error):
            app.execute(statement)
