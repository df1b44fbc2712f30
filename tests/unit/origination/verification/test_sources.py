"""Sources as they are declared, what is sent to them, and what their answers say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.bureau.sources import as_toml
from origination.sources.asking import Trail, ask
from origination.verification.answers import SourceFailed, facts_of, filled
from origination.verification.errors import SourceInvalid
from origination.verification.source import Source, parse_source, read_sources
from tests.support.applications import whole

HTTP: dict[str, Any] = {
    "name": "bureau",
    "kind": "credit_report",
    "type": "http",
    "url": "http://127.0.0.1:1/report",
    "cost": "1.25",
    "facts": {"score": {"path": "report.score", "type": "integer"}},
}
FILE: dict[str, Any] = {
    "name": "payroll",
    "kind": "income",
    "type": "file",
    "path": "payroll.csv",
    "key": {"ssn": "{applicant.ssn}"},
    "facts": {"annual": {"path": "annual", "type": "amount"}},
}


@pytest.mark.parametrize(
    ("keys", "change", "place"),
    [
        (HTTP, {"url": "ftp://x"}, "url"),
        (HTTP, {"url": None}, "url"),
        (HTTP, {"path": "x.csv"}, "path"),
        (HTTP, {"facts": {}}, "facts"),
        (HTTP, {"kind": "astrology"}, "kind"),
        (HTTP, {"attempts": 0}, "attempts"),
        (HTTP, {"cost": "1.255"}, "cost"),
        (HTTP, {"outcomes": {"404": "completed"}}, "outcomes.404"),
        (HTTP, {"retries": 3}, "retries"),
        (HTTP, {"headers": {"Authorization": {"env": "PATH"}}}, "headers"),
        (HTTP, {"facts": {"score": {"path": "a", "type": "float"}}}, "facts.score.type"),
        (FILE, {"url": "http://x"}, "url"),
        (FILE, {"path": None}, "path"),
        (FILE, {"key": {}}, "key"),
        (FILE, {"request": {"a": "b"}}, "request"),
    ],
)
def test_a_source_that_contradicts_itself_is_refused_with_the_place(
    keys: dict[str, Any], change: dict[str, Any], place: str
) -> None:
    with pytest.raises(SourceInvalid) as refused:
        parse_source({**keys, **change})

    assert refused.value.place.startswith(f"source.{place}")


def test_a_source_is_known_by_its_content() -> None:
    source = parse_source(HTTP)

    assert parse_source(source.as_json()) == source
    assert parse_source(source.as_json()).content_hash == source.content_hash
    assert parse_source({**HTTP, "timeout_seconds": 1.5}).content_hash != source.content_hash
    assert (source.cost_minor, parse_source({**HTTP, "cost": "0"}).cost_minor) == (125, 0)


def test_a_file_of_sources_is_tables_of_sources() -> None:
    assert [each.kind for each in read_sources(as_toml("http://127.0.0.1:9"))] == [
        "identity",
        "credit_report",
        "income",
        "bank_data",
        "fraud",
    ]
    for text in ("", "x = 1", "source = 3", "[[source"):
        with pytest.raises(SourceInvalid):
            read_sources(text)


def test_a_template_is_filled_with_values_of_their_own_types() -> None:
    template = {
        "person": {"name": "{applicant.first_name} {applicant.last_name}", "ssn": "{applicant.ssn}"},
        "amount": "{application.amount}",
        "middle": "{applicant.middle_name}",
        "codes": ["A", "{application.state}"],
        "version": 3,
    }

    assert filled(template, whole()) == {
        "person": {"name": "Ada O'Neil", "ssn": "912-70-1234"},
        "amount": 1_200_000,
        "codes": ["A", "CA"],
        "version": 3,
    }


@pytest.mark.parametrize(
    ("what", "value", "fact"),
    [
        ("integer", 700, 700),
        ("integer", "700", 700),
        ("integer", Decimal("700.0"), 700),
        ("amount", "1234.56", 123_456),
        ("amount", Decimal("1234.5"), 123_450),
        ("amount", 1234, 123_400),
        ("amount", "-20.00", -2_000),
        ("decimal", Decimal("0.350"), "0.350"),
        ("text", "employed", "employed"),
        ("flag", False, False),
        ("flag", "true", True),
        ("day", "2026-01-05", "2026-01-05"),
    ],
)
def test_facts_are_read_exactly(what: str, value: Any, fact: Any) -> None:
    source = parse_source({**HTTP, "facts": {"it": {"path": "a[1].b", "type": what}}})

    found = facts_of(source, {"a": [{}, {"b": value}]})["it"]

    assert (found, type(found)) == (fact, type(fact))


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("integer", Decimal("700.5")),
        ("integer", True),
        ("integer", "many"),
        ("amount", "12.345"),
        ("amount", "1e3x"),
        ("decimal", "NaN"),
        ("decimal", [1]),
        ("text", ""),
        ("text", 7),
        ("flag", 1),
        ("day", "5 January"),
        ("integer", None),
    ],
)
def test_what_is_no_fact_of_its_type_fails_and_is_not_repeated(what: str, value: Any) -> None:
    source = parse_source({**HTTP, "facts": {"it": {"path": "a", "type": what}}})

    with pytest.raises(SourceFailed) as failed:
        facts_of(source, {"a": value})

    assert (failed.value.status, failed.value.again) == ("malformed", False)
    assert failed.value.detail in (f"a is no {what}", "the answer has no a")


def test_an_optional_fact_may_be_missing() -> None:
    source = parse_source({**HTTP, "facts": {"it": {"path": "a", "type": "integer", "optional": True}}})

    assert facts_of(source, {}) == facts_of(source, {"a": None}) == facts_of(source, []) == {}


def file_source(path: Path) -> Source:
    return parse_source({**FILE, "path": str(path), "pause_seconds": 0})


@pytest.mark.parametrize("name", ["payroll.csv", "payroll.jsonl"])
def test_a_file_is_looked_up_by_its_column(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    rows = [("111-22-3333", "1.00"), ("912701234", "54000.50")]
    if name.endswith("csv"):
        path.write_text("ssn,annual\n" + "".join(f"{ssn},{annual}\n" for ssn, annual in rows))
    else:
        path.write_text("".join(f'{{"ssn": "{ssn}", "annual": {annual}}}\n' for ssn, annual in rows))

    found = ask(file_source(path), whole(), key="k", trail=Trail(), environment={})
    nobody = ask(file_source(path), whole(applicant__ssn="912-70-9999"), key="k", trail=Trail(), environment={})

    assert found.answer is not None
    assert (found.answer.outcome, found.answer.facts) == ("completed", {"annual": 5_400_050})
    assert nobody.answer is not None
    assert (nobody.answer.outcome, nobody.answer.facts) == ("no_record", {})


def test_a_file_that_is_not_there_is_a_source_that_is_down(tmp_path: Path) -> None:
    asked = ask(file_source(tmp_path / "none.csv"), whole(), key="k", trail=Trail(), environment={})

    assert (asked.answer, [each.status for each in asked.attempts]) == (None, ["unreachable"] * 3)


def test_a_header_that_is_not_set_is_named() -> None:
    source = parse_source({**HTTP, "headers": {"Authorization": {"env": "LOANBOOK_NOT_SET"}}})

    asked = ask(source, whole(), key="k", trail=Trail(), environment={})

    assert [(each.status, each.detail) for each in asked.attempts] == [("refused", "LOANBOOK_NOT_SET is not set")]
