"""A real bureau on loopback that is slow, down or flapping: nothing is lost, and nobody waits for ever."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

from api.bureau import people
from api.bureau.sources import as_toml
from api.edge import Edge
from origination.verification.source import parse_source, read_sources
from origination.verification_queries import outstanding, source_views, sources_of
from tests.integration.origination.bureau_desk import applied, load, load_bureau, ran
from tests.integration.origination.conftest import BUREAU_KEY, SEED, Mode
from tests.support.card_processor import call


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
