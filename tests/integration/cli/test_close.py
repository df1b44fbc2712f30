"""`loanbook period`, `close`, `export`, `reconcile` and `report`: a month is closed, exported and proved."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.integration.cli.conftest import Loanbook, post

CLOSE = ("close", "2026-01", "--actor", "bob", "--approver", "carol")


@pytest.fixture
def january(book: Loanbook) -> Loanbook:
    """Return a book with two entries in January 2026."""
    post(book, "1020", "3010", "5000.00", "--narration", "Capital paid in")
    book("day", "advance", "2026-01-20")
    post(book, "5200", "1020", "120.50", "--narration", "Agency")
    return book


def states(loanbook: Loanbook) -> dict[str, str]:
    """Return the state of each month."""
    return {row["month"]: row["state"] for row in loanbook("period", "list", "--json").json["periods"]}


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder with its content."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_list_of_periods_tells_who_closed_and_reopened_each_when_and_why(january: Loanbook) -> None:
    january("day", "advance", "2026-02-01")
    january("period", "soft-close", "2026-01", "--actor", "ann")
    closed = january("period", "close", "2026-01", "--actor", "ann", "--json").json

    shown = january("period", "list").out
    january("period", "reopen", "2026-01", "--actor", "bob", "--approver", "carol", "--reason", "A late invoice")
    reopened = january("period", "list").out
    first, second = january("period", "list", "--json").json["periods"]

    digest = closed["trial_balance_digest"]
    assert f" {digest[:16]}..." in shown
    assert f"({digest[:16]}...)" in reopened, "the digest of the close before the reopening is kept"
    assert "bob, carol" in reopened and "A late invoice" in reopened
    assert (first["state"], second["state"]) == ("soft_closed", "open")
    assert (first["soft_closed"]["actor"], first["closed"]["actor"]) == ("ann", "ann")
    assert (first["reopened"]["approver"], first["reopened"]["reason"]) == ("carol", "A late invoice")
    assert first["reopened"]["recorded_at"].endswith("Z")
    assert (first["trial_balance_digest"], second["closed"]) == (digest, None)
    assert [event["action"] for event in first["events"]] == [
        "open",
        "soft_close",
        "start_close",
        "finish_close",
        "reopen",
    ]


def test_a_long_list_of_periods_is_taken_up_where_it_ended(january: Loanbook) -> None:
    for month in ("2026-02", "2026-03", "2026-04"):
        january("period", "open", month)

    page = january("period", "list", "--limit", "2", "--json").json
    rest = january("period", "list", "--from", page["next_from"], "--json").json

    assert [row["month"] for row in page["periods"]] == ["2026-01", "2026-02"]
    assert [row["month"] for row in rest["periods"]] == ["2026-03", "2026-04"]
    assert rest["next_from"] is None
    assert "--from 2026-03" in january("period", "list", "--limit", "2").err


def test_a_period_lives_from_open_to_closed_and_back(january: Loanbook) -> None:
    assert january("period", "close", "2026-01", "--json", expect=2).refusal["code"] == "period-transition-refused"
    january("day", "advance", "2026-02-02")

    january("period", "soft-close", "2026-01")
    assert states(january) == {"2026-01": "soft_closed", "2026-02": "open"}
    january("period", "lift", "2026-01")
    assert january("period", "close", "2026-01", "--dry-run", "--json").json["after"] == "closing"
    assert states(january)["2026-01"] == "open"
    closed = january("period", "close", "2026-01", "--json").json
    assert states(january)["2026-01"] == closed["after"] == "closed"
    assert len(closed["trial_balance_digest"]) == 64

    late = ("post", "--debit", "5200", "1", "--credit", "1020", "1", "--approver", "carol")
    refusal = january(*late, "--booking-date", "2026-01-31", "--json", expect=2).refusal
    assert (refusal["code"], refusal["closed_through"]) == ("period-closed", "2026-01-31")
    reopen = ("period", "reopen", "2026-01", "--reason", "A late invoice")
    assert january(*reopen, "--json", expect=2).refusal["code"] == "approval-missing"
    assert january(*reopen, "--approver", "carol", "--dry-run", "--json").json["after"] == "soft_closed"
    assert january(*reopen, "--approver", "carol", "--json").json["after"] == "soft_closed"
    january(*late, "--booking-date", "2026-01-31")


def test_a_month_is_opened_ahead(january: Loanbook) -> None:
    january("period", "open", "2026-02")

    assert states(january) == {"2026-01": "open", "2026-02": "open"}


def test_a_year_end_takes_two_people(book: Loanbook) -> None:
    post(book, "5200", "1020", "120.50")
    book("day", "advance", "2027-01-02")

    alone = book("period", "year-end", "2026", "--json", expect=2).refusal
    done = book("period", "year-end", "2026", "--approver", "carol", "--json").json
    again = book("period", "year-end", "2026", "--approver", "carol", "--json").json

    assert alone["code"] == "approval-missing"
    assert done["posted"]["booking_date"] == "2026-12-31"
    assert again["posted"] is None


def test_a_month_is_closed_step_by_step_by_two_people(january: Loanbook, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path))
    planned = january("close", "2026-01", "--status", "--json").json
    assert {step["state"] for step in planned["steps"]} == {"next", "waiting"}
    assert january("close", "2026-01", *out, "--json", expect=2).refusal["code"] == "approval-missing"

    half = january(*CLOSE, *out, "--until", "tie_out", "--json").json
    tried = january(*CLOSE, *out, "--dry-run", "--json").json
    done = january(*CLOSE, *out, "--json").json

    assert half["complete"] is tried["complete"] is False
    assert done["complete"] is True
    assert states(january)["2026-01"] == "closed"
    written = {file.name for file in (tmp_path / "2026-01").iterdir()}
    assert {"trial_balance.csv", "loan_roll_forward.csv", "reconciliation.csv", "package.json"} <= written
    before = contents(tmp_path)
    assert "Closed; the package is in" in january(*CLOSE, *out).out
    assert contents(tmp_path) == before


def test_a_close_out_of_order_is_a_failed_check(january: Loanbook, tmp_path: Path) -> None:
    refused = january("close", "2026-02", "--approver", "carol", "--out", str(tmp_path), "--json", expect=1).refusal

    assert (refused["code"], refused["step"]) == ("close-gate-refused", "reach_month_end")


def test_an_unknown_step_is_refused(january: Loanbook, tmp_path: Path) -> None:
    refused = january(*CLOSE, "--until", "nothing", "--out", str(tmp_path), "--json", expect=2).refusal

    assert refused["code"] == "close-step-unknown"


def test_what_was_sealed_is_exported_once_and_written_again_the_same(january: Loanbook, tmp_path: Path) -> None:
    tried = january("export", "--out", str(tmp_path), "--dry-run", "--json").json["batch"]
    batch = january("export", "--out", str(tmp_path), "--format", "csv", "--json").json["batch"]
    files = contents(tmp_path)

    assert tried["digest"] == batch["digest"]
    assert batch["control_totals"] == [{"currency": "USD", "line_count": 4, "debits": "5120.50", "credits": "5120.50"}]
    assert [name for name in files if name.endswith(".csv")] == [f"{batch['batch_id']}.csv"]
    assert january("export", "--json").json["batch"] is None
    january("export", "write", "1", "--out", str(tmp_path), "--format", "csv")
    assert contents(tmp_path) == files
    assert len(january("export", "list", "--json").json["batches"]) == 1


def test_a_line_of_a_batch_leads_to_its_entries(january: Loanbook, tmp_path: Path) -> None:
    january("export", "--out", str(tmp_path))

    lines = january("export", "show", "1", "--json").json["lines"]
    (line,) = [each for each in lines if each["account"] == "5200"]
    entries = january("export", "show", "1", "--line", str(line["line_no"]), "--json").json["entries"]

    assert line["debit"] == "120.50"
    assert [(entry["entry_no"], entry["amount"]) for entry in entries] == [(2, "120.50")]
    assert january("export", "show", "9", "--json", expect=2).refusal["code"] == "batch-unknown"
    assert january("export", "show", "1", "--line", "9", "--json", expect=2).refusal["code"] == "batch-line-unknown"


def test_an_unknown_format_is_refused_before_anything_is_built(january: Loanbook) -> None:
    assert january("export", "--format", "edifact", "--json", expect=2).refusal["code"] == "format-unknown"
    assert january("export", "list", "--json").json["batches"] == []
    assert "csv" in january("export", "formats").out


def test_a_receiver_is_told_what_it_wants_before_anything_is_built(january: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "receivers.toml"
    file.write_text('[xero]\ntax_rate = "Tax Exempt"\n')

    assert january("export", "--format", "xero", "--json", expect=2).refusal["code"] == "receivers-invalid"
    assert january("export", "list", "--json").json["batches"] == []
    told = ("--format", "xero", "--format", "quickbooks_desktop", "--receivers", str(file))
    january("export", *told, "--out", str(tmp_path / "gl"))
    written = contents(tmp_path / "gl")
    january("export", "write", "1", *told, "--out", str(tmp_path / "gl"))

    assert contents(tmp_path / "gl") == written
    (name,) = [name for name in written if name.endswith(".xero.csv")]
    assert written[name].decode().startswith("*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount\r\n")
    assert january("export", "formats", "--json").json["formats"][7]["settings"][0]["name"] == "tax_rate"


def test_a_mapping_is_loaded_by_version(january: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "gl.csv"
    file.write_text("account,gl_account,gl_name\n1020,10-100,Cash\n3010,30-100,Capital\n5200,50-100,Collection\n")

    assert january("export", "mapping", str(file), "--dry-run", "--json").json["version"] == 1
    assert january("export", "mapping", str(file), "--json").json["version"] == 1
    january("export", "--out", str(tmp_path / "gl"))
    assert {line["gl_account"] for line in january("export", "show", "1", "--json").json["lines"]} == {
        "10-100",
        "30-100",
        "50-100",
    }


def test_the_books_reconcile_before_and_after_the_export(january: Loanbook, tmp_path: Path) -> None:
    january("seal")
    before = january("reconcile", "--json").json
    january("export", "--out", str(tmp_path))
    after = january("reconcile", "--json").json

    assert {row["verdict"] for row in before["rows"]} == {"timing"}
    assert {row["verdict"] for row in after["rows"]} == {"agreed"}
    assert january("reconcile", "--breaks", "--json").json["rows"] == []


def test_reports_are_drawn_for_people_spreadsheets_and_programs(january: Loanbook) -> None:
    january("seal")

    table = january("report", "trial-balance").out
    rows = list(csv.DictReader(io.StringIO(january("report", "trial-balance", "--csv").out)))
    document = january("report", "trial-balance", "--json").json

    assert "Rests on block 1" in table
    assert [(row["account"], row["debit_balance"]) for row in rows] == [
        ("1020", "4879.50"),
        ("3010", "0.00"),
        ("5200", "120.50"),
    ]
    assert document["stamp"]["block_no"] == 1


def test_the_statements_agree_with_the_trial_balance(january: Loanbook) -> None:
    sheet = january("report", "balance-sheet", "--as-of", "2026-01-31", "--json").json
    income = january("report", "income-statement", "--month", "2026-01", "--json").json

    assert sheet["assets"]["total"] == sheet["liabilities_and_equity"] == "4879.50"
    assert income["net_income"] == sheet["current_earnings"] == "-120.50"
    assert "Net income: -120.50" in january("report", "income-statement", "--month", "2026-01").out


def test_statements_are_drawn_by_either_date_and_from_any_day(january: Loanbook) -> None:
    january("day", "advance", "2026-02-03")
    post(january, "5200", "1020", "7.00", "--effective-date", "2026-01-20")

    def net(*how: str) -> str:
        return str(january("report", "income-statement", *how, "--json").json["net_income"])

    def cash(*how: str) -> str:
        lines = january("report", "balance-sheet", *how, "--json").json["assets"]["lines"]
        return str(lines[0]["amount"])

    assert (net("--month", "2026-01"), net("--month", "2026-01", "--by", "effective")) == ("-120.50", "-127.50")
    assert (net("--month", "2026-02"), net("--month", "2026-02", "--by", "effective")) == ("-7.00", "0.00")
    assert net("--from", "2026-01-01", "--as-of", "2026-02-03") == "-127.50"
    assert (cash("--as-of", "2026-01-31"), cash("--as-of", "2026-01-31", "--by", "effective")) == ("4879.50", "4872.50")
    assert january("report", "income-statement", "--from", "2026-02-02", "--as-of", "2026-02-01", expect=2).err


def test_a_statement_says_what_it_reflects(january: Loanbook) -> None:
    open_books = january("report", "balance-sheet").out
    january("seal")
    sealed = january("report", "balance-sheet", "--known-at", "1", "--json").json

    assert "Reflects no block yet and entries not sealed yet." in open_books
    assert (sealed["block_no"], sealed["includes_unsealed"]) == (1, False)


def test_statements_come_as_csv_with_a_section_on_each_row(january: Loanbook) -> None:
    sheet = list(csv.DictReader(january("report", "balance-sheet", "--csv").out.splitlines()))
    income = list(csv.DictReader(january("report", "income-statement", "--csv").out.splitlines()))

    assert [(row["section"], row["account"], row["amount"]) for row in sheet] == [
        ("assets", "1020", "4879.50"),
        ("equity", "3010", "5000.00"),
        ("equity", "", "-120.50"),
    ]
    assert [(row["section"], row["amount"], row["by"], row["from_date"]) for row in income] == [
        ("expenses", "120.50", "booking", "2026-01-01")
    ]


def test_a_report_as_known_at_a_block_does_not_change(january: Loanbook) -> None:
    january("seal")
    before = january("report", "trial-balance", "--known-at", "1", "--csv").out
    post(january, "5200", "1020", "7.00")
    january("seal")

    assert january("report", "trial-balance", "--known-at", "1", "--csv").out == before
    assert january("report", "trial-balance", "--csv").out != before


def test_a_report_goes_into_a_file_as_its_ending_says(january: Loanbook, tmp_path: Path) -> None:
    january("seal")
    told = january("report", "trial-balance", "--out", str(tmp_path / "tb.xlsx")).out
    january("report", "trial-balance", "--out", str(tmp_path / "tb.html"))
    january("report", "trial-balance", "--out", str(tmp_path / "tb.csv"))

    sheet = load_workbook(tmp_path / "tb.xlsx")["Trial balance"]
    assert hashlib.sha256((tmp_path / "tb.xlsx").read_bytes()).hexdigest() in told
    assert str(sheet.cell(sheet.max_row, 5).value).startswith("=SUMIF(D2:D")
    assert "<svg" not in (tmp_path / "tb.html").read_text(encoding="utf-8")
    assert (tmp_path / "tb.csv").read_text(encoding="utf-8") == january("report", "trial-balance", "--csv").out
    assert ".xlsx" in january("report", "trial-balance", "--out", str(tmp_path / "tb.ods"), expect=2).err
    assert january("report", "balance-sheet", "--out", str(tmp_path / "b.xlsx"), expect=2).err
    assert january("report", "trial-balance", "--csv", "--out", str(tmp_path / "b.csv"), expect=2).err


def test_a_close_is_resumed_only_where_one_was_begun(january: Loanbook, tmp_path: Path) -> None:
    people = ("--approver", "carol", "--out", str(tmp_path))

    refused = january("close", "2026-01", "--resume", *people, "--json", expect=2).refusal
    january("close", "2026-01", *people, "--until", "seal")
    begun = january("close", "status", "2026-01", "--json").json
    done = january("close", "2026-01", "--resume", *people, "--json").json

    assert refused["code"] == "close-not-started"
    assert [step["state"] for step in begun["steps"]][4:7] == ["done", "next", "waiting"]
    assert done["complete"] is True
    assert "Closed; the package is in" in january("close", "status", "2026-01").out
