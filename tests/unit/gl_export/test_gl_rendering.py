"""A report is the same in every dress, and never without its stamp."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest

from gl_export.rendering import Column, Kind, Report, Stamp, to_csv, to_json, to_table
from ledger.money import Money

STAMP = Stamp("MAIN", date(2026, 11, 30), 12, "ab" * 32)
COLUMNS = (
    Column("account", "Account"),
    Column("since", "Since", Kind.DATE),
    Column("amount", "Amount", Kind.AMOUNT),
    Column("count", "Count", Kind.INTEGER),
)
REPORT = Report(
    name="sample",
    title="A sample",
    stamp=STAMP,
    columns=COLUMNS,
    rows=(("1020", date(2026, 1, 2), Money(-123456789, "USD"), 3), ("1210, all", None, Money(5, "JPY"), 0)),
    totals=(("Total", None, None, 3),),
)


def test_people_see_headings_thousands_and_totals() -> None:
    assert to_table(REPORT) == (
        ("Account", "Since", "Amount", "Count"),
        ("1020", "2026-01-02", "-1,234,567.89", "3"),
        ("1210, all", "", "5", "0"),
        ("Total", "", "", "3"),
    )


def test_csv_is_a_rectangle_without_totals_whose_every_row_is_stamped() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(REPORT).decode())))

    assert [row["account"] for row in rows] == ["1020", "1210, all"]
    assert rows[0]["amount"] == "-1234567.89"
    assert {(row["book"], row["as_of"], row["block_no"], row["block_hash"]) for row in rows} == {
        ("MAIN", "2026-11-30", "12", "ab" * 32)
    }


def test_json_has_stamp_columns_rows_and_totals_and_amounts_as_text() -> None:
    document = json.loads(to_json(REPORT))

    assert document["stamp"]["block_no"] == 12
    assert document["rows"][0] == {
        "account": "1020",
        "since": "2026-01-02",
        "amount": "-1234567.89",
        "count": 3,
    }
    assert document["totals"][0]["amount"] is None
    assert document["columns"][2]["kind"] == "amount"


def test_the_digest_moves_with_the_figures_and_with_the_stamp() -> None:
    restamped = Report("sample", "A sample", Stamp("MAIN", STAMP.as_of, 13, "cd" * 32), COLUMNS, REPORT.rows)

    assert REPORT.digest == REPORT.digest != restamped.digest


def test_a_row_that_does_not_fit_the_columns_cannot_be_made() -> None:
    with pytest.raises(AssertionError):
        Report("sample", "A sample", STAMP, COLUMNS, rows=(("1020",),))
