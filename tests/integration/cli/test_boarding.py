"""`loanbook board`: tapes checked row by row, boarded in chunks, taken up where a run was stopped."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook

from api.cli.boarding import ONE_LOAN
from servicing.tapes.fields import READERS
from tests.integration.cli.conftest import Loanbook, environment
from tests.support.database import ADMIN, Database
from tests.support.public_data import FOLDER, public_rows

HEADER = "external_id,principal,rate,installments,frequency,funded_on,first_due_on\n"
TAPE = f"""{HEADER}L-1,10000.00,12.00,12,monthly,2026-01-15,2026-02-15
L-2,2500.00,9.5,24,monthly,2026-01-02,2026-02-02
"""
MANY = 3_000
LOANS = "lc_sample_dev.csv"


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Return the file of a tape of two loans."""
    file = tmp_path / "tape.csv"
    file.write_text(TAPE)
    return file


@pytest.fixture
def open_book(book: Loanbook) -> Loanbook:
    """Return a book on 15 January 2026."""
    book("day", "advance", "2026-01-15")
    return book


def loans(loanbook: Loanbook) -> int:
    """Return how many loans there are."""
    return len(loanbook("loan", "list", "--limit", "10000", "--json").json["loan_ids"])


def test_a_tape_is_boarded_with_its_control_totals(open_book: Loanbook, tape: Path) -> None:
    tried = open_book("board", str(tape), "--count", "2", "--principal", "12500", "--dry-run", "--json").json
    before = loans(open_book)
    done = open_book("board", str(tape), "--count", "2", "--total", "principal=12500.00", "--json").json

    assert (tried["dry_run"], tried["loans"], before) == (True, 2, 0)
    assert (done["loans"], done["principal"]) == (2, "12500.00")
    assert done["totals"] == [
        {"total": "count", "found": "2", "stated": "2"},
        {"total": "principal", "found": "12500.00", "stated": "12500.00"},
    ]
    assert loans(open_book) == 2
    told = open_book("board", str(tape)).out
    assert "12,500.00" in told
    assert "0 loans boarded; 2 on the book already" in told


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--count", "3"), "control-total-wrong"),
        (("--principal", "12500.01"), "control-total-wrong"),
        (("--total", "color=1"), "usage"),
        (("--product", "nothing"), "product-unknown"),
        (("--map", "nobody"), "column-map-invalid"),
        (("--currency", "XXY"), "currency-unknown"),
    ],
)
def test_a_tape_that_is_not_as_stated_is_refused(
    open_book: Loanbook, tape: Path, arguments: tuple[str, ...], code: str
) -> None:
    assert open_book("board", str(tape), *arguments, "--json", expect=2).refusal["code"] == code
    assert loans(open_book) == 0


def test_a_dry_run_lists_every_mistake_by_row_and_column(open_book: Loanbook, tape: Path) -> None:
    tape.write_text(TAPE.replace("10000.00", "10000.001").replace("9.5,24", "9.5,zero"))

    refusal = open_book("board", str(tape), "--dry-run", "--json", expect=2).refusal
    told = open_book("board", str(tape), "--dry-run", expect=2)

    assert refusal["code"] == "tape-invalid"
    assert [(each["row"], each["column"], each["value"]) for each in refusal["mistakes"]] == [
        (2, "principal", "10000.001"),
        (3, "installments", "zero"),
    ]
    assert "10000.001" in told.out
    assert "'zero' is not a whole number" in told.out
    assert told.err.startswith("error: tape.csv: the tape has 2 mistakes in 2 rows: row 2, column principal: ")
    assert loans(open_book) == 0


@pytest.mark.parametrize(
    ("funded_on", "first_due_on", "column", "reason"),
    [
        ("2025-12-31", "2026-02-15", "funded_on", "2025-12-31 lies before book main opened on 2026-01-01"),
        ("2026-01-16", "2026-02-15", "funded_on", "2026-01-16 lies ahead of the business date 2026-01-15"),
        ("0001-01-01", "2026-02-15", "funded_on", "0001-01-01 lies outside 1900-01-01 to 2199-12-31"),
        ("2026-01-15", "9999-12-31", "first_due_on", "9999-12-31 lies outside 1900-01-01 to 2199-12-31"),
        ("2026-01-15", "2126-01-15", "installments", "the last of 24 falls due on 2127-12-15, which lies after"),
    ],
)
def test_a_day_that_cannot_be_is_named_by_row_and_column_and_nothing_is_boarded(
    open_book: Loanbook, tape: Path, funded_on: str, first_due_on: str, column: str, reason: str
) -> None:
    tape.write_text(f'{TAPE}\n"L-3 ",1.00,9.5,24,monthly,{funded_on},{first_due_on}\n')

    refusal = open_book("board", str(tape), "--json", expect=2).refusal

    assert refusal["code"] == "tape-invalid"
    assert refusal["shown"][0].startswith(f"row 5, column {column}: {reason}")
    assert loans(open_book) == 0


def test_a_loan_funded_on_the_day_the_book_opened_is_boarded(book: Loanbook, tape: Path) -> None:
    tape.write_text(f"{HEADER}L-1,1.00,9.5,1200,monthly,2026-01-01,2026-01-31\n")

    book("board", str(tape))

    assert loans(book) == 1


def test_rows_that_are_on_the_book_are_counted_and_another_loan_of_that_name_is_a_mistake(
    open_book: Loanbook, tape: Path
) -> None:
    open_book("board", str(tape))

    again = open_book("board", str(tape), "--count", "2", "--json").json
    tape.write_text(TAPE.replace("2500.00", "2500.01") + "L-3,1.00,9.5,24,monthly,2026-01-02,2026-02-02\n")
    other = open_book("board", str(tape), "--json", expect=2).refusal

    assert (again["loans"], again["found"]) == (0, 2)
    assert other["shown"] == [
        "row 3, column external_id: L-2 is on the book already: its principal is 2500.00, not 2500.01"
    ]
    assert loans(open_book) == 2


def test_right_rows_are_boarded_and_the_others_mended_and_fed_again(
    open_book: Loanbook, tape: Path, tmp_path: Path
) -> None:
    tape.write_text(TAPE.replace("9.5,24", "9.5,zero"))
    errors = tmp_path / "errors.csv"

    kept = open_book("board", str(tape), "--errors", str(errors), "--json", expect=2).refusal
    none = loans(open_book)
    left = open_book("board", str(tape), "--errors", str(errors), "--partial", "--count", "2", "--json", expect=1).json
    with errors.open(newline="") as file:
        (row,) = csv.DictReader(file)
    errors.write_text(errors.read_text().replace("9.5,zero", "9.5,24"))
    mended = open_book("board", str(errors), "--errors", str(tmp_path / "more.csv"), "--json").json

    assert (kept["code"], none) == ("tape-invalid", 0)
    assert (left["loans"], left["refused"]) == (1, 1)
    assert (row["external_id"], row["mistakes"]) == ("L-2", "installments: 'zero' is not a whole number")
    assert (mended["loans"], mended["refused"]) == (1, 0)
    assert not (tmp_path / "more.csv").exists(), "nothing was refused"
    assert loans(open_book) == 2
    itself = open_book("board", str(errors), "--errors", str(errors), "--json", expect=2).refusal
    assert "it is the tape itself" in itself["message"]


def test_workbooks_and_json_lines_are_tapes_too(open_book: Loanbook, tmp_path: Path) -> None:
    rows = [line.split(",") for line in TAPE.splitlines()]
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(tmp_path / "tape.xlsx")
    lines = [
        "{" + ", ".join(f'"{name}": "{value}"' for name, value in zip(rows[0], row, strict=True)) + "}"
        for row in rows[1:]
    ]
    (tmp_path / "tape.jsonl").write_text("\n".join(lines))

    first = open_book("board", str(tmp_path / "tape.xlsx"), "--json").json
    second = open_book("board", str(tmp_path / "tape.jsonl"), "--json").json

    assert (first["loans"], second["loans"], second["found"]) == (2, 0, 2)


def test_a_column_map_names_columns_and_products(open_book: Loanbook, tmp_path: Path) -> None:
    columns = tmp_path / "seller.toml"
    names = HEADER.strip().split(",")
    columns.write_text(
        "[fields]\n" + "".join(f'{name} = {{ column = "The {name}" }}\n' for name in (*names, "product"))
    )
    tape = tmp_path / "tape.csv"
    header = ",".join(f"The {name}" for name in (*names, "product"))
    tape.write_text(f"{header}\nL-1,100,12,12,monthly,2026-01-15,2026-02-15,lendingclub\n")

    (loan_id,) = open_book("board", str(tape), "--map", str(columns), "--json").json["loan_ids"]

    assert open_book("loan", str(loan_id), "--json").json["terms"]["product"] == "lendingclub"


def test_a_boarding_that_is_killed_ends_the_same_when_it_is_run_again(
    book: Loanbook, database: Database, tmp_path: Path
) -> None:
    book("day", "advance", "2026-01-15")
    tape = tmp_path / "tape.csv"
    rows = (f"K-{n:05},100.00,12,12,monthly,2026-01-{1 + n % 3:02},2026-02-10\n" for n in range(MANY))
    tape.write_text(HEADER + "".join(rows))
    variables = {name: value for name, value in environment(database).items() if value is not None}
    script = f"from api.cli.main import main; main(['board', {str(tape)!r}])"

    for wanted in (1, 2):
        child = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, **variables})
        _wait_for_chunks(database, wanted)
        child.send_signal(signal.SIGKILL)
        child.wait()
    boarded = loans(book)
    done = book("board", str(tape), "--count", str(MANY), "--principal", "300000", "--json").json

    assert boarded % 1_000 == 0, "a chunk is boarded whole or not at all"
    assert (done["found"], done["loans"]) == (boarded, MANY - boarded)
    assert loans(book) == MANY
    with database.connect(ADMIN) as admin:
        found = admin.execute(
            "SELECT count(*), count(DISTINCT external_id), (SELECT sum(p.amount) FROM ledger.posting p"
            " JOIN ledger.account a ON a.account_id = p.debit_account AND a.slug = 'loan_principal')"
            " FROM servicing.loan"
        ).fetchone()
    assert found == (MANY, MANY, MANY * 10_000)
    assert book("verify", "--json").json["findings"] == []


def _wait_for_chunks(database: Database, chunks: int) -> None:
    deadline = time.monotonic() + 60
    with database.connect(ADMIN, autocommit=True) as admin:
        while time.monotonic() < deadline:
            row = admin.execute("SELECT count(*) FROM servicing.loan").fetchone()
            if row is not None and row[0] >= chunks * 1_000:
                return
            time.sleep(0.002)
    raise AssertionError("the boarding did not get so far")


MID_LIFE = f"""{HEADER.strip()},principal_balance,interest_balance,late_fees,days_past_due
M-1,10000.00,12.00,12,monthly,2025-11-15,2025-12-15,9213.43,99.96,15.00,5
M-2,,12.00,,monthly,,,5000.00,0.00,,0
"""


def test_loans_in_mid_life_are_booked_against_the_conversion_clearing_account(book: Loanbook, tmp_path: Path) -> None:
    book("day", "advance", "2026-01-31")
    tape = tmp_path / "sold.csv"
    tape.write_text(
        MID_LIFE.replace("days_past_due\n", "days_past_due,next_due_on,installments_left\n")
        .replace(",5\n", ",5,,\n")
        .replace(",0\n", ",0,2026-02-01,20\n")
    )
    totals = ("principal=14213.43", "interest=99.96", "late_fees=15", "conversion_clearing=14328.39")
    run = ("board", str(tape), "--cut-over", "2026-01-20", *(f"--total={total}" for total in totals), "--json")

    tried = book(*run, "--dry-run").json
    done = book(*run).json
    again = book(*run).json
    wrong = book(
        "board", str(tape), "--cut-over", "2026-01-20", "--total", "interest=99.95", "--json", expect=2
    ).refusal
    other_day = book("board", str(tape), "--cut-over", "2026-01-21", "--json", expect=2).refusal

    assert (tried["loans"], tried["conversion_clearing_balance"]) == (2, "0.00")
    assert (done["loans"], done["conversion_clearing"]) == (2, "14328.39")
    assert done["conversion_clearing_balance"] == "-14328.39"
    assert (again["loans"], again["found"], again["conversion_clearing_balance"]) == (0, 2, "-14328.39")
    assert (wrong["total"], wrong["found"], wrong["expected"]) == ("interest", "99.96", "99.95")
    assert other_day["shown"][0] == (
        "row 2, column days_past_due: no installment was due on 2026-01-16; "
        "the nearest are due on 2026-01-15 and 2026-02-15"
    )
    assert "M-2 is on the book already: its first day is 2026-01-20, not 2026-01-21" in other_day["shown"][1]
    first, second = (str(loan_id) for loan_id in done["loan_ids"])
    shown = book("loan", first, "--on", "2026-01-20", "--json").json
    assert (shown["dpd"], shown["balances"]["interest"], shown["balances"]["penalties"]) == (5, "99.96", "15.00")
    assert shown["cut_over_on"] == "2026-01-20"
    assert book("loan", second, "--json").json["terms"]["installments"] == 20
    early = ("loan", "pay", first, "1", "--id", "P-0", "--effective-date", "2026-01-19", "--json")
    assert book(*early, expect=2).refusal["code"] == "effective-before-cut-over"
    paid = book("loan", "pay", first, "903.49", "--id", "P-1", "--effective-date", "2026-01-20", "--json").json
    # 31 of the 36 days since 15 December lie before the due date: 99.96 x 31/36 = 86.08, and 888.49 - 86.08 = 802.41.
    assert paid["allocation"] == {
        "principal": "802.41",
        "interest": "86.08",
        "fees": "0.00",
        "penalties": "15.00",
        "unapplied": "0.00",
    }
    book("run-day")
    # 99.96 - 86.08 is left, and 8,411.02 x 12% x 11/365 = 30.4180 comes on top until 31 January.
    assert book("loan", first, "--json").json["balances"]["interest"] == "44.30"
    assert book("verify", "--json").json["findings"] == []
    assert "Conversion clearing holds -14,328.39" in book(*run[:-1]).out
    told = book("report", "loan-roll-forward", "--month", "2026-01", "--json").out
    assert "boarded" in told


def test_an_opening_entry_is_drawn_as_an_accountant_would(book: Loanbook, tmp_path: Path) -> None:
    book("day", "advance", "2026-01-31")
    tape = tmp_path / "sold.jsonl"
    tape.write_text(
        '{"external_id": "M-1", "rate": "12", "frequency": "monthly", "cut_over_on": "2026-01-20",'
        ' "principal_balance": "5000.00", "interest_balance": "24.66", "late_fees": "15.00", "other_fees": "7.00",'
        ' "returned_payment_fees": "25.00", "unapplied": "100.00", "next_due_on": "2026-02-05",'
        ' "installments_left": 20, "installment_amount": "277.08"}\n'
    )

    (loan_id,) = book("board", str(tape), "--json").json["loan_ids"]

    entry = book("entry", str(loan_id), "1", "--json").json
    assert (entry["template"], entry["effective_date"]) == ("loan_boarded", "2026-01-20")
    assert [(line["slug"], line["debit"], line["credit"]) for line in entry["lines"]] == [
        ("loan_principal", "5000.00", None),
        ("interest_receivable", "24.66", None),
        ("late_fees_receivable", "15.00", None),
        ("returned_payment_fees_receivable", "25.00", None),
        ("other_fees_receivable", "7.00", None),
        ("conversion_clearing", "100.00", None),
        ("conversion_clearing", None, "5071.66"),
        ("unapplied_payments", None, "100.00"),
    ]


def test_one_loan_is_boarded_by_its_fields_once(open_book: Loanbook) -> None:
    terms = ("--principal", "10000", "--rate", "12", "--installments", "12", "--funded-on", "2026-01-15")
    run = ("loan", "board", "--id", "L-1", *terms, "--first-due-on", "2026-02-15", "--request-key", "k-1")

    tried = open_book(*run, "--dry-run", "--json").json
    made = open_book(*run, "--json").json
    again = open_book(*run, "--json").json
    told = open_book(*run).out

    assert tried["dry_run"] is True
    assert made["balances"]["principal"] == "10000.00"
    assert again["loan_id"] == made["loan_id"]
    assert loans(open_book) == 1
    assert "loan_funded" in told
    assert "payoff 10,000.00" in told


def test_one_loan_in_mid_life_is_boarded_by_its_fields(open_book: Loanbook) -> None:
    fields = {
        "--rate": "12",
        "--cut-over-on": "2026-01-10",
        "--principal-balance": "5000",
        "--interest-balance": "24.66",
        "--next-due-on": "2026-02-05",
        "--installments-left": "20",
    }

    made = open_book("loan", "board", "--id", "M-1", *(word for pair in fields.items() for word in pair), "--json").json

    assert (made["cut_over_on"], made["terms"]["installments"]) == ("2026-01-10", 20)
    assert [entry["template"] for entry in made["entries"]] == ["loan_boarded"]
    assert "cut over on" in open_book("loan", str(made["loan_id"])).out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--principal", "10,000"), "terms-invalid", "principal: "),
        (("--steps", "[]", "--rows", "x"), "terms-invalid", "rows: it is not a list of objects in JSON"),
        ((), "terms-invalid", "rate: it is missing"),
        (("--currency", "XXY"), "currency-unknown", "XXY"),
    ],
)
def test_one_loan_that_cannot_be_is_refused_by_its_field(
    open_book: Loanbook, arguments: tuple[str, ...], code: str, words: str
) -> None:
    refusal = open_book("loan", "board", "--id", "L-1", *arguments, "--json", expect=2).refusal

    assert (refusal["code"], words in refusal["message"]) == (code, True)


def test_every_field_of_a_loan_is_an_option() -> None:
    names = {option.removeprefix("--").replace("-", "_") for option, _ in ONE_LOAN}

    assert names | {"external_id", "product"} == set(READERS)


def test_the_public_rows_of_lendingclub_are_boarded_with_their_control_totals(loanbook: Loanbook) -> None:
    file, amounts = FOLDER / LOANS, [Decimal(row["funded_amnt"]) for row in public_rows(LOANS)]
    loanbook("init", "--opened-on", "2007-06-01")
    loanbook("day", "advance", "2012-01-02")
    totals = ("--count", str(len(amounts)), "--principal", str(sum(amounts)))

    done = loanbook("board", str(file), "--map", "lendingclub", *totals, "--json").json
    again = loanbook("board", str(file), "--map", "lendingclub", *totals, "--json").json

    assert (done["loans"], done["mistakes"], again["loans"], again["found"]) == (len(amounts), [], 0, len(amounts))
    shown = loanbook("loan", str(done["loan_ids"][0]), "--json").json
    assert (shown["terms"]["product"], shown["terms"]["frequency"]) == ("lendingclub", "monthly")
