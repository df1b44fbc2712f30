"""`loanbook application`: saved, submitted, shown, erased, loaded from files, by form and table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from origination.intake.documents import flat
from tests.integration.cli.conftest import Loanbook, environment
from tests.support.applications import KEY, NEXT_KEY, whole
from tests.support.card_processor import RUN
from tests.support.database import Database

Lender = Callable[..., Any]
TABLE = """
[[route]]
channel = ["agent"]
amount_from = 1_000_000
queue = "field"

[[route]]
queue = "rest"
"""


@pytest.fixture
def lender(book: Loanbook) -> Lender:
    """Return a book with a key, on 5 January 2026."""
    book("day", "advance", "2026-01-05")

    def run(*arguments: str, **more: Any) -> Any:
        return book(*arguments, **{"LOANBOOK_BANK_ACCOUNT_KEYS": KEY, **more})

    return run


def written(path: Path, data: Any) -> str:
    path.write_text(json.dumps(data))
    return str(path)


def saved(lender: Lender, path: Path, *more: str, **changes: Any) -> int:
    file = written(path / "a.json", whole(**changes))
    number: int = lender("application", "save", file, "--product", "personal", *more, "--json").json["application_id"]
    return number


def row(name: str, ssn: str, **changes: str) -> dict[str, str]:
    data = {path: str(value) for path, value in flat(whole(applicant__ssn=ssn, applicant__last_name=name)).items()}
    amounts = {"application.amount": "12000.00", "applicant.housing_monthly": "1400", "income.annual": "60000"}
    return {"external_id": name, **data, **amounts, **{key.replace("__", "."): text for key, text in changes.items()}}


def table(path: Path, *rows: dict[str, str]) -> str:
    lines = [",".join(rows[0]), *(",".join(f'"{text}"' for text in each.values()) for each in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_an_application_is_saved_in_two_parts_and_submitted(lender: Lender, tmp_path: Path) -> None:
    data = whole()
    first = written(tmp_path / "1.json", {name: data[name] for name in ("application", "applicant")})
    rest = written(tmp_path / "2.json", {name: data[name] for name in ("income", "employment", "consents")})

    opened = lender("application", "save", first, "--product", "personal", "--channel", "web", "--id", "W-1", "--json")
    number = str(opened.json["application_id"])
    short = lender("application", "submit", number, "--json", expect=2).refusal
    told = lender("application", "submit", number, expect=2)
    tried = lender("application", "save", rest, "--application", number, "--submit", "--dry-run").out
    done = lender("application", "save", rest, "--application", number, "--submit").out

    assert "income.annual" in told.out
    assert told.err == "error: 4 wrong or missing: consents.credit_report: it is missing, and 3 more\n"
    assert (short["code"], short["count"]) == ("application-fields-invalid", 4)
    assert {"path": "income.annual", "reason": "it is missing"} in short["fields"]
    assert "Dry run: nothing was kept." in tried
    assert f"Application {number} (W-1) is saved, version 2." in done
    assert f"Application {number} is submitted: queue intake, workflow standard, by row 4." in done
    listed = lender("application", "list", "--submitted", "--json").json["applications"]
    assert [(each["external_id"], each["state"], each["queue"]) for each in listed] == [("W-1", "received", "intake")]
    assert lender("application", "list", "--drafts", "--json").json["applications"] == []


def test_an_application_is_shown_masked_and_unmasked_for_a_reason(lender: Lender, tmp_path: Path) -> None:
    number = str(saved(lender, tmp_path, "--submit"))

    masked = lender("application", "show", number).out
    seen = lender("application", "show", number, "--unmask", "--role", "fraud", "--reason", "Case 7", "--actor", "dora")
    lender("application", "show", number, "--unmask", expect=2)
    bare = lender("application", "show", number, LOANBOOK_BANK_ACCOUNT_KEYS="").out

    assert "****1234" in masked
    assert "912701234" not in masked + bare
    assert "912701234" in seen.out
    assert "dora" in seen.out
    assert "no key is set" in bare


def test_an_application_is_erased_and_keeps_its_record(lender: Lender, tmp_path: Path) -> None:
    number = str(saved(lender, tmp_path, "--submit"))
    refused = lender("application", "erase", number, "--reason", "Letter", expect=2).err
    lender("application", "withdraw", number, "--reason", "Changed her mind")
    early = lender("application", "erase", number, "--reason", "Letter", "--json", expect=2).refusal
    done = lender("application", "erase", number, "--reason", "Letter", "--approver", "carol").out

    assert "withdraw it first" in refused
    assert (early["code"], early["keep_until"]) == ("erasure-too-early", "2028-02-05")
    assert done == f"Personal data of application {number} were erased on 2026-01-05 (rows: 1).\n"
    assert "****1234" not in lender("application", "show", number).out


def test_forms_and_tables_are_loaded_and_listed(lender: Lender, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(TABLE)
    (tmp_path / "bad.toml").write_text(TABLE + '[[route]]\nqueue = "late"\n')
    schema = lender("application", "schema", "personal").json

    assert lender("application", "routing", "load", str(tmp_path / "r.toml")).out == (
        "Table routing, release 1, is loaded.\n"
    )
    refused = lender("application", "routing", "load", str(tmp_path / "bad.toml"), expect=2).err
    assert "row 3 (queue late) is never reached" in refused
    assert "channel agent, amount from 1000000" in lender("application", "routing").out
    number = str(saved(lender, tmp_path, "--submit"))
    assert lender("application", "show", number, "--json").json["submission"]["queue"] == "field"
    forms = lender("application", "form", "--json").json["forms"]
    assert [(each["product"], each["release"]) for each in forms] == [("personal", 1), ("point_of_sale", 0)]
    assert forms[0]["content_hash"] == schema["x-form-hash"]
    (tmp_path / "f.toml").write_text('name = "x"\n')
    assert "form.title" in lender("application", "form", "load", str(tmp_path / "f.toml"), expect=2).err


def test_rows_of_a_file_that_are_refused_are_mended_and_fed_again(lender: Lender, tmp_path: Path) -> None:
    errors = tmp_path / "refused.csv"
    file = table(
        tmp_path / "a.csv",
        row("F-1", "912-70-0001"),
        row("F-2", "912-70-000X", applicant__zip="9"),
        row("F-3", "912-70-0001", applicant__date_of_birth="1991-01-01"),
        row("F-4", "912-70-0004", applicant__date_of_birth="1992-01-01"),
    )
    load = ("application", "load", file, "--product", "personal", "--errors", str(errors))

    whole_or_nothing = lender(*load, "--json", expect=2).refusal
    done = lender(*load, "--partial", "--json", expect=1).json

    assert [(each["row"], each["column"]) for each in whole_or_nothing["mistakes"]] == [
        (3, "applicant.ssn"),
        (3, "applicant.zip"),
    ]
    assert (done["applications"], done["refused"]) == (2, 2)
    assert [(each["row"], each["column"]) for each in done["mistakes"]][2:] == [(4, "external_id")]
    refused = errors.read_text().splitlines()
    assert len(refused) == 3
    assert "within 30 days" in refused[2]

    mended = tmp_path / "mended.csv"
    mended.write_text(errors.read_text().replace("912-70-000X", "912-70-0002").replace('"9"', '"93701"'))
    again = lender(
        "application",
        "load",
        str(mended),
        "--product",
        "personal",
        "--partial",
        "--errors",
        str(errors),
        "--json",
        expect=1,
    ).json
    once_more = lender(*load, "--partial", "--json", expect=1).json

    assert (again["applications"], again["refused"]) == (1, 1)
    assert (once_more["applications"], once_more["found"]) == (0, 2)


def test_a_load_that_is_killed_is_run_again_and_enters_each_row_once(
    lender: Lender, tmp_path: Path, database: Database
) -> None:
    count = 400
    rows = [row(f"K{number}", f"912-{70 + number // 500}-{1 + number:04d}") for number in range(count)]
    file = table(tmp_path / "a.csv", *rows)
    words = ["application", "load", file, "--product", "personal"]
    running = subprocess.Popen(
        [sys.executable, "-c", RUN, *words],
        env={
            **os.environ,
            **{name: text for name, text in environment(database).items() if text},
            "LOANBOOK_BANK_ACCOUNT_KEYS": KEY,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    # The first chunk of 200 is there: the process is in the middle of the second one.
    while len(lender("application", "list", "--json").json["applications"]) < 200:
        assert time.monotonic() < until
    running.kill()
    running.wait()

    done = lender(*words, "--json").json

    assert done["applications"] + done["found"] == count
    assert done["found"] in (200, count)
    listed = lender("application", "list", "--limit", "1000", "--json").json["applications"]
    assert len({each["external_id"] for each in listed}) == len(listed) == count


def test_lines_of_json_with_sections_are_loaded(lender: Lender, tmp_path: Path) -> None:
    data = whole()
    data["application"]["amount"], data["applicant"]["housing_monthly"], data["income"]["annual"] = 12000.0, 1400, 60000
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"external_id": "J-1", **data}) + "\n")

    out = lender("application", "load", str(path), "--product", "personal").out

    assert "1 applications entered" in out


def test_the_keys_of_accounts_and_personal_data_are_replaced_together(lender: Lender, tmp_path: Path) -> None:
    saved(lender, tmp_path, "--submit")
    both = f"{NEXT_KEY},{KEY}"

    done = lender("bank-account", "rotate", LOANBOOK_BANK_ACCOUNT_KEYS=both).out

    assert done.startswith("0 numbers and 3 rows of personal data were encrypted anew")
    assert "personal" in lender("application", "list", LOANBOOK_BANK_ACCOUNT_KEYS=NEXT_KEY).out


def test_what_is_no_application_is_refused(lender: Lender, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1]")
    file = written(tmp_path / "a.json", whole())

    assert (
        "no JSON object"
        in lender("application", "save", str(tmp_path / "x.json"), "--product", "personal", expect=2).err
    )
    lender("application", "save", file, expect=2)
    lender("application", "save", file, "--product", "yacht", expect=2)
    lender("application", "save", file, "--product", "personal", LOANBOOK_BANK_ACCOUNT_KEYS="", expect=1)
