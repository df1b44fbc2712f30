"""Reports over HTTP: the same figures in four forms, drawn again to the same bytes."""

from __future__ import annotations

import csv
import io
from datetime import date

from flask.testing import FlaskClient
from openpyxl import load_workbook

from gl_export.reports.declared import REPORTS
from ledger.seals import seal
from ledger.unit_of_work import run
from tests.api.conftest import Books, problem

ADDRESS = "/v1/reports/trial_balance?as_of=2026-01-31"


def sealed(books: Books) -> None:
    books.post(debit="1020", credit="3010", cents=500_000)
    run(books.edge.engine, seal, actor="ops")


def test_a_report_comes_in_four_forms(client: FlaskClient, books: Books) -> None:
    sealed(books)

    document = client.get(ADDRESS).get_json()
    as_csv = list(csv.DictReader(io.StringIO(client.get(f"{ADDRESS}&format=csv").text)))
    sheet = load_workbook(io.BytesIO(client.get(f"{ADDRESS}&format=xlsx").data), data_only=True)["Trial balance"]
    page = client.get(f"{ADDRESS}&format=html")

    assert [row["debits"] for row in document["rows"]] == [row["debits"] for row in as_csv] == ["5000.00", "0.00"]
    assert [sheet["E2"].value, sheet["E3"].value, sheet["E5"].value] == [5000, 0, 5000]
    assert page.content_type == "text/html; charset=utf-8"
    assert "5,000.00" in page.text


def test_known_at_a_block_it_is_the_same_for_ever(client: FlaskClient, books: Books) -> None:
    sealed(books)
    before = {form: client.get(f"{ADDRESS}&known_at=1&format={form}").data for form in ("csv", "html", "xlsx")}
    books.post(debit="5200", credit="1020", cents=12_050)
    run(books.edge.engine, seal, actor="ops")

    assert {form: client.get(f"{ADDRESS}&known_at=1&format={form}").data for form in before} == before
    assert client.get(f"{ADDRESS}&format=csv").data != before["csv"]


def test_every_report_that_is_listed_can_be_drawn(client: FlaskClient, books: Books) -> None:
    sealed(books)
    books.advance(date(2026, 2, 3))
    listed = [each["report"] for each in client.get("/v1/reports").get_json()["reports"]]

    assert listed == [each.name for each in REPORTS]
    for name in listed:
        assert client.get(f"/v1/reports/{name}?as_of=2026-01-31&format=html").status_code == 200, name
    assert problem(client.get("/v1/reports/horoscope"))["code"] == "report-unknown"
