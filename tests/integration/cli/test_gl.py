"""`loanbook gl`: a trial balance of the GL comes in, its breaks are worked on, the proof is signed off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook, post


@pytest.fixture
def exported(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book whose capital of 5,000.00 and bill of 120.50 the GL was sent, in two batches."""
    post(book, "1020", "3010", "5000.00", "--narration", "Capital paid in")
    book("export", "--out", str(tmp_path / "gl"))
    book("day", "advance", "2026-01-10")
    post(book, "5200", "1020", "120.50", "--narration", "Agency")
    book("export", "--out", str(tmp_path / "gl"))
    return book


def write(tmp_path: Path, name: str, *rows: str) -> str:
    path = tmp_path / name
    path.write_text("gl_account,debit,credit\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return str(path)


def test_a_trial_balance_is_brought_to_zero_and_signed_off(exported: Loanbook, tmp_path: Path) -> None:
    wrong = write(tmp_path, "tb.csv", "1020,4879.50,", "3010,,5000.00", "5200,120.00,", "5300,0.50,", "7777,9,")
    right = write(tmp_path, "tb2.csv", "1020,4879.50,", "3010,,5000.00", "5200,120.50,")

    taken = exported("gl", "import", wrong, "--as-of", "2026-01-31", "--json").json
    again = exported("gl", "import", wrong, "--as-of", "2026-01-31", "--json").json
    found = exported("gl", "breaks", "--json").json["breaks"]

    assert taken["breaks"] == {"is_new": True, "new": 2, "again": 0, "cleared": 0}
    assert (again["statement"], again["breaks"]["is_new"]) == (1, False)
    # Half a dollar stands in the account beside it; 7777 is nobody's of ours.
    assert [(each["gl_account"], each["kind"], each["difference"]) for each in found] == [
        ("5200", "mapping", "0.50"),
        ("5300", "mapping", "-0.50"),
    ]
    assert exported("gl", "prove", "--json", expect=1).json["proved"] is False
    refused = exported("gl", "sign-off", "--approver", "carol", "--json", expect=1).refusal
    assert refused["code"] == "gl-breaks-open"

    assert exported("gl", "assign", "1", "--to", "dana", "--json").json["state"] == "assigned"
    for number in ("1", "2"):
        exported("gl", "resolve", number, "--reference", "JE-7", "--note", "Posted to training")
    assert "Every account comes to zero." in exported("gl", "prove").out
    cleared = exported("gl", "import", right, "--as-of", "2026-01-31", "--json").json
    assert cleared["breaks"] == {"is_new": True, "new": 0, "again": 0, "cleared": 2}
    assert exported("gl", "breaks", "--json").json["breaks"] == []
    assert {each["cleared_by"] for each in exported("gl", "breaks", "--all", "--json").json["breaks"]} == {2}
    assert exported("gl", "resolve", "1", "--reference", "x", "--json", expect=2).refusal["code"] == "gl-break-cleared"

    assert exported("gl", "sign-off", "--json", expect=2).refusal["code"] == "approval-missing"
    exported("gl", "sign-off", "--approver", "carol")
    assert exported("gl", "prove", "--json").json["sign_off"]["holds"] is True
    assert exported("gl", "sign-off", "1", "--approver", "carol", "--json", expect=2).refusal["newest"] == 2


def test_a_sign_off_suspends_itself_when_a_balance_moves(exported: Loanbook, tmp_path: Path) -> None:
    exported(
        "gl",
        "import",
        write(tmp_path, "tb.csv", "1020,4879.50,", "3010,,5000.00", "5200,120.50,"),
        "--as-of",
        "2026-01-31",
    )
    exported("gl", "sign-off", "--approver", "carol")

    post(exported, "5200", "1020", "7.00", "--narration", "Late bill")
    found = exported("gl", "prove", "--json").json["sign_off"]

    assert found["holds"] is False
    assert found["moved"] == [
        {"account": "1020", "currency": "USD", "by": "-7.00"},
        {"account": "5200", "currency": "USD", "by": "7.00"},
    ]
    assert "is suspended" in exported("gl", "prove").out
    assert "account 5200 moved by 7.00 USD" in exported("gl", "prove").out


def test_postings_are_matched_one_by_one(exported: Loanbook, tmp_path: Path) -> None:
    columns = tmp_path / "map.toml"
    columns.write_text(
        'columns = { gl_account = "Account", amount = "Amount", posting_date = "Date", reference = "Document" }\n',
        encoding="utf-8",
    )
    file = tmp_path / "detail.csv"
    file.write_text(
        "Date,Document,Account,Amount\n2026-01-01,1,1020,5000.00\n2026-01-01,1,3010,-5000.00\n"
        "2026-01-12,2,5200,120.50\n2026-01-12,2,1020,-120.50\n2026-01-12,3,1020,-120.50\n",
        encoding="utf-8",
    )
    arguments = ("gl", "import", str(file), "--map", str(columns), "--as-of", "2026-01-31")

    dry = exported(*arguments, "--dry-run").out
    exported(*arguments)
    found = exported("gl", "breaks", "--json").json["breaks"]

    assert "nothing was kept" in dry
    assert {(each["gl_account"], each["kind"], each["difference"]) for each in found} == {
        ("5200", "timing", "0.00"),
        ("1020", "timing", "0.00"),
        ("1020", "foreign", "120.50"),
    }
    shown = exported("gl", "statements").out
    assert "detail.csv" in shown
    outside = exported(*arguments[:-1], "2026-01-11", "--json", expect=2).refusal
    assert (outside["code"], outside["row"]) == ("gl-statement-late", 4)


def test_a_bad_file_is_refused_with_row_and_column(exported: Loanbook, tmp_path: Path) -> None:
    file = write(tmp_path, "tb.csv", "1020,4879.50,", "3010,,five")

    refused = exported("gl", "import", file, "--as-of", "2026-01-31", "--json", expect=2).refusal

    assert (refused["code"], refused["file"], refused["row"], refused["field"]) == (
        "malformed-row",
        "tb.csv",
        3,
        "credit",
    )
    days = ("--from", "2026-01-01", "--as-of", "2026-01-31")
    assert (
        "--from is for postings" in exported("gl", "import", write(tmp_path, "b.csv", "1020,1,"), *days, expect=2).err
    )
    for name, content in (("x.xlsx", b"no workbook"), ("x.csv", b"gl_account,debit,credit\n\xff\xfe\x00,1,\n")):
        (tmp_path / name).write_bytes(content)
        bad = exported("gl", "import", str(tmp_path / name), "--as-of", "2026-01-31", "--json", expect=2).refusal
        assert bad["code"] in ("tape-unreadable", "malformed-row")
    assert exported("gl", "statements", "--json").json == {"statements": []}


def test_the_general_ledger_answers_a_batch(exported: Loanbook, tmp_path: Path) -> None:
    def states() -> list[tuple[str, str | None]]:
        return [(each["state"], each["answer"]) for each in exported("export", "list", "--json").json["batches"]]

    assert states() == [("delivered", None), ("delivered", None)]
    exported("export", "acknowledge", "1", "--reference", "JE-1")
    exported("export", "reject", "2", "--reason", "Period is closed")
    assert states() == [("acknowledged", "JE-1"), ("rejected", "Period is closed")]
    assert "Period is closed" in exported("export", "list").out

    again = exported("export", "acknowledge", "2", "--reference", "JE-2", "--json", expect=2).refusal
    assert (again["code"], again["state"]) == ("batch-answer-refused", "rejected")
    exported("export", "write", "2", "--out", str(tmp_path / "gl"))
    assert states()[1] == ("delivered", None)
    exported("export", "acknowledge", "2", "--reference", "JE-2")
    # Written once more, for whoever lost the files: it stays acknowledged, and takes no other answer.
    exported("export", "write", "2", "--out", str(tmp_path / "gl"))
    assert states()[1] == ("acknowledged", "JE-2")
    assert exported("export", "reject", "2", "--reason", "No", "--json", expect=2).refusal["state"] == "acknowledged"
    unknown = exported("export", "acknowledge", "9", "--reference", "x", "--json", expect=2).refusal
    assert unknown["code"] == "batch-unknown"
