"""Applicants verified by a real bureau on loopback: slow, down, flapping; nothing is lost, and it is charged once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from api.bureau import people
from api.bureau.sources import as_toml
from api.edge import Edge
from api.verification import verification_json, verify
from ledger.chart_file import parse_chart
from ledger.commands.books import create_book, load_chart
from ledger.unit_of_work import UnitOfWork
from origination.application import Action
from origination.commands import decide_application
from origination.intake.errors import PersonalDataErased, ReasonMissing
from origination.intake_commands import Opening, open_application, submit_intake
from origination.personal_data import erase, rotate_personal_data
from origination.verification.errors import FactInvalid, NotSubmitted, VerificationKindUnknown
from origination.verification.source import Source, parse_source, read_sources
from origination.verification_commands import begin, load_source, record_by_hand
from origination.verification_queries import outstanding, source_views, sources_of, verifications
from tests.support.applications import KEY, NEXT_KEY, vault, whole
from tests.support.card_processor import call, process
from tests.support.database import APP, OWNER, Database

BOOK = "MAIN"
SEED = 7
BUREAU_KEY = "a-key-of-a-bureau"
ENVIRONMENT = {"LOANBOOK_BUREAU_KEY": BUREAU_KEY}
Mode = Callable[..., Any]


@pytest.fixture(scope="module")
def bureau() -> Iterator[str]:
    with process("bureau", "--seed", str(SEED), LOANBOOK_BUREAU_KEY=BUREAU_KEY) as url:
        yield url


@pytest.fixture
def mode(bureau: str) -> Iterator[Mode]:
    """Return a function that switches the bureau; afterwards it is well again."""

    def switch(name: str, **more: Any) -> Any:
        body = {"mode": name, **more}
        status, found = call(bureau, "/admin/mode", body, Authorization=f"Bearer {BUREAU_KEY}")
        assert status == 200, found
        return found

    switch("ok")
    yield switch
    switch("ok")


@pytest.fixture
def edge(database: Database) -> Iterator[Edge]:
    """Yield the edge of a book on 5 January 2026."""
    opened = Edge.open(sa.make_url(database.app_url))
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

    def work(uow: UnitOfWork) -> None:
        create_book(uow, code=BOOK, name="Main", base_currency="USD", opened_on=date(2026, 1, 5))
        load_chart(uow, BOOK, chart)

    opened.change(work, actor="setup")
    yield opened
    opened.close()


def load(edge: Edge, *sources: Source) -> None:
    def work(uow: UnitOfWork) -> None:
        for each in sources:
            load_source(uow, each)

    edge.change(work, actor="ops")


def load_bureau(edge: Edge, url: str, **settings: Any) -> None:
    load(edge, *read_sources(as_toml(url, **{"pause": 0.01, "timeout": 2.0, **settings})))


def applied(edge: Edge, person: dict[str, Any] | None = None, *, submit: bool = True) -> int:
    known = person or next(people.people(SEED, 1))
    names = ("first_name", "last_name", "ssn", "date_of_birth", "zip")
    data = whole(**{f"applicant__{name}": known[name] for name in names})

    def work(uow: UnitOfWork) -> int:
        saved = open_application(uow, vault(), BOOK, Opening(product="personal", channel="web"), data)
        if submit:
            submit_intake(uow, vault(), BOOK, saved.application_id)
        return saved.application_id

    return edge.change(work, actor="bob")


def ran(edge: Edge, number: int, *kinds: str, again: bool = False) -> list[dict[str, Any]]:
    done = verify(edge, vault(), BOOK, number, actor="bob", environment=ENVIRONMENT, kinds=kinds, again=again)
    return [verification_json(each) for each in done]


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


def test_an_outage_goes_to_people_and_loses_nothing(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau, failures=100)
    number = applied(edge)
    mode("outage")

    (down,) = ran(edge, number, "credit_report")
    mode("ok")
    waiting = edge.read(lambda connection: outstanding(connection, number))
    (up,) = ran(edge, number, "credit_report")

    assert (down["outcome"], down["facts"], down["cost"]) == ("manual_review", {}, 0)
    assert down["reason"] == "no source has answered: it answered 503"
    assert [(each["status"], each["http_status"]) for each in down["attempts"]] == [("refused", 503)] * 3
    assert waiting == ("identity", "credit_report", "income", "fraud")
    assert (up["outcome"], up["verification_no"]) == ("completed", 2)


def test_an_outage_takes_nothing_away_that_was_known(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau, failures=100)
    number = applied(edge)
    ran(edge, number)
    before = edge.read(lambda connection: sources_of(connection, number))
    mode("outage")

    (down,) = ran(edge, number, "credit_report", again=True)

    assert down["outcome"] == "manual_review"
    assert edge.read(lambda connection: sources_of(connection, number)) == before
    assert edge.read(lambda connection: outstanding(connection, number)) == ("credit_report",)


def test_a_slow_source_is_waited_for_so_long_and_no_longer(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau, timeout=0.3, failures=100)
    number = applied(edge)
    mode("slow", seconds=1.5)

    started = time.monotonic()
    (done,) = ran(edge, number, "identity")
    elapsed = time.monotonic() - started

    assert [each["status"] for each in done["attempts"]] == ["timeout"] * 3
    assert done["outcome"] == "manual_review"
    assert all(250 <= each["latency_ms"] < 1000 for each in done["attempts"])
    assert elapsed < 3


def test_a_flapping_source_is_asked_again_and_charged_once(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau)
    number = applied(edge)
    mode("flapping", every=3)

    (done,) = ran(edge, number, "credit_report")

    assert [each["status"] for each in done["attempts"]] == ["refused", "refused", "answered"]
    assert (done["outcome"], done["cost"]) == ("completed", 125)


def test_a_source_that_fails_too_often_is_left_alone_and_tried_again_later(edge: Edge, bureau: str, mode: Mode) -> None:
    load_bureau(edge, bureau, failures=4, reset=1.0)
    numbers = [applied(edge, person) for person in people.people(SEED, 3)]
    mode("outage")

    first, second = (ran(edge, number, "credit_report")[0] for number in numbers[:2])
    open_now = breaker(edge)
    before = mode("outage")["calls"]
    third = ran(edge, numbers[2], "credit_report")[0]
    asked = call(bureau, "/admin/mode", Authorization=f"Bearer {BUREAU_KEY}")[1]["calls"]
    time.sleep(1.1)
    trying = breaker(edge)
    still_down = ran(edge, numbers[2], "credit_report")[0]
    reopened = breaker(edge)
    time.sleep(1.1)
    mode("ok")
    well = ran(edge, numbers[2], "credit_report")[0]

    assert [each["status"] for each in first["attempts"]] == ["refused"] * 3
    # The fourth failure in a row opens it: the second application's first attempt.
    assert [each["status"] for each in second["attempts"]] == ["refused", "circuit_open"]
    assert (open_now, before, asked) == ("open", 0, 0)
    assert [each["status"] for each in third["attempts"]] == ["circuit_open"]
    assert third["outcome"] == "manual_review"
    assert (trying, [each["status"] for each in still_down["attempts"]]) == ("half-open", ["refused", "circuit_open"])
    assert reopened == "open"
    assert (well["outcome"], breaker(edge)) == ("completed", "closed")


def breaker(edge: Edge) -> str:
    from datetime import UTC, datetime

    views = edge.read(lambda connection: source_views(connection, datetime.now(UTC)))
    return next(each.breaker for each in views if each.loaded.source.name == "bureau-credit-report")


def test_the_next_source_of_a_kind_is_asked_where_the_first_is_down(
    edge: Edge, bureau: str, mode: Mode, tmp_path: Path
) -> None:
    load_bureau(edge, bureau)
    person = next(people.people(SEED, 1))
    (tmp_path / "payroll.csv").write_text(f"ssn,annual\n{person['ssn']},61000.00\n")
    backup = {
        "name": "payroll",
        "kind": "income",
        "type": "file",
        "priority": 2,
        "path": str(tmp_path / "payroll.csv"),
        "key": {"ssn": "{applicant.ssn}"},
        "facts": {"annual": {"path": "annual", "type": "amount"}},
    }
    load(edge, parse_source(backup))
    number = applied(edge)
    mode("outage")

    (done,) = ran(edge, number, "income")

    assert (done["outcome"], done["source"], done["facts"]) == ("completed", "payroll", {"annual": 6_100_000})
    assert [each["source"] for each in done["attempts"]] == ["bureau-income"] * 3 + ["payroll"]


def test_what_is_answered_otherwise_than_agreed_is_not_asked_again(edge: Edge, bureau: str, mode: Mode) -> None:
    base = read_sources(as_toml(bureau))[0].as_json()
    facts = {"x": {"path": "not.there", "type": "integer"}}
    wrong_facts = parse_source({**base, "name": "a", "facts": facts})
    no_key = parse_source({**base, "name": "b", "priority": 2, "headers": {}})
    nobody = parse_source(
        {**base, "name": "c", "priority": 3, "url": f"http://127.0.0.1:{free_port()}/", "attempts": 1}
    )
    load(edge, wrong_facts, no_key, nobody)
    number = applied(edge)

    (done,) = ran(edge, number, "identity")

    assert [(each["status"], each["detail"]) for each in done["attempts"]] == [
        ("malformed", "the answer has no not.there"),
        ("refused", "it answered 401"),
        ("unreachable", "nobody answers at its address"),
    ]
    assert done["outcome"] == "manual_review"


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def test_an_answer_that_trickles_in_ends_in_time(edge: Edge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def trickle() -> None:
            line, _ = server.accept()
            with line:
                line.recv(65_536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
                while not stop.wait(0.05):
                    try:
                        line.sendall(b" " * 20_000)
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        base = read_sources(as_toml("http://x"))[0].as_json()
        source = {**base, "url": url, "timeout_seconds": 0.1, "attempts": 1, "headers": {}}
        load(edge, parse_source(source))
        number = applied(edge)

        started = time.monotonic()
        (done,) = ran(edge, number, "identity")
        elapsed = time.monotonic() - started
        stop.set()
        thread.join()

    assert ([each["status"] for each in done["attempts"]], elapsed < 2) == (["timeout"], True)


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
