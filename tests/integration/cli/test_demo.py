"""`loanbook demo`: three months of a small portfolio, and the same again for nothing."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli.main import main
from api.demo.counter import Desk
from api.demo.front_door import FrontDoor
from origination.queries import funnel
from tests.integration.cli.conftest import Loanbook, environment
from tests.support.database import Database

pytestmark = pytest.mark.once


def test_the_demonstration_lives_closes_and_proves_and_a_second_run_reuses_it(
    loanbook: Loanbook, tmp_path: Path
) -> None:
    run = ("demo", "--loans", "40", "--seed", "7", "--out", str(tmp_path), "--json")

    first = loanbook(*run).json
    packages = sorted(file for file in tmp_path.rglob("package.json"))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    second = loanbook(*run).json

    assert first["loans"] == {"boarded": 40, "found": 0, "left_out": 0}
    assert first["months"] == {"closed": 3, "found": 0}
    assert (first["breaks"], first["findings"]) == (0, 0)
    assert {"modifications", "trial plans", "charge-offs", "recoveries"} <= set(first["acts"]["done"])
    assert [json.loads(file.read_text())["month"] for file in packages] == ["2026-01", "2026-02", "2026-03"]
    assert second["loans"] == {"boarded": 0, "found": 40, "left_out": 0}
    assert second["months"] == {"closed": 0, "found": 3}
    assert second["head"] == first["head"], "nothing new was booked"
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert "3 found from an earlier run" in loanbook(*run[:-1]).out
    came = first["applications"]
    # Every loan began as an application; beside them some came by the front door, and some got none.
    assert came["funded"] >= 40
    assert min(came["declined"], came["withdrawn"], came["referred"]) > 0
    assert came["entered"] == came["funded"] + came["declined"] + came["withdrawn"]
    assert second["applications"] == came


UNSTOPPED = ("applications", "principal", "entries", "batches")


@pytest.fixture(scope="module")
def undisturbed(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a demonstration of ten loans comes to that nobody stops."""
    run = ("demo", "--loans", "10", "--out", str(tmp_path_factory.mktemp("out")), "--json")
    done = CliRunner(env=environment(module_database)).invoke(main, list(run))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("place", "at"), [(Desk, "_fund"), (FrontDoor, "_goes_on")])
def test_a_demonstration_that_was_stopped_comes_to_the_same_books(
    loanbook: Loanbook,
    undisturbed: dict[str, Any],
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: type,
    at: str,
) -> None:
    run = ("demo", "--loans", "10", "--out", str(tmp_path), "--json")
    does, calls = getattr(place, at), itertools.count(1)

    def stops(*arguments: Any, **named: Any) -> Any:
        # Once at the third time: what this step does is not done, what came before it is.
        if next(calls) == 3:
            raise KeyboardInterrupt
        return does(*arguments, **named)

    monkeypatch.setattr(place, at, stops)
    loanbook(*run, expect=None)
    resumed = loanbook(*run).json
    engine = database.engine()

    with engine.connect() as connection:
        came = funnel(connection, "demo-10-20260101")
    assert (resumed["breaks"], resumed["findings"], came.open) == (0, 0, 0)
    assert [resumed[name] for name in UNSTOPPED] == [undisturbed[name] for name in UNSTOPPED]
    engine.dispose()


def test_the_proof_is_anchored_in_a_digest_file_for_each_month_end(loanbook: Loanbook, tmp_path: Path) -> None:
    run = ("demo", "--loans", "2", "--seed", "7", "--out", str(tmp_path))

    told = loanbook(*run)
    files = sorted((tmp_path / "demo-2-7" / "digests").iterdir())
    package = json.loads((tmp_path / "demo-2-7" / "2026-03" / "package.json").read_text())
    latest = json.loads(files[-1].read_text())
    anchored = loanbook(*run, "--json").json["anchored_to"]
    verified = loanbook("verify", *(f"--digests={file}" for file in files), "--json").json

    assert [file.name for file in files] == ["2026-01.jsonl", "2026-02.jsonl", "2026-03.jsonl"]
    assert latest == {"block_no": package["block_no"], "block_hash": package["block_hash"]}
    assert f"Anchored through block {latest['block_no']} by the published digests of 3 month ends" in told.out
    assert (len(anchored), anchored[-1]) == (3, f"{latest['block_no']}:{latest['block_hash']}")
    assert verified["verdict"] == "verified against published digests"
    assert verified["anchored_through_block"] == latest["block_no"]


def test_digests_of_other_books_in_the_folder_are_not_lived_past(loanbook: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "demo-2-7" / "digests" / "2026-01.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text('{"block_no": 1, "block_hash": "' + "0" * 64 + '"}\n')

    refused = loanbook("demo", "--loans", "2", "--seed", "7", "--out", str(tmp_path), "--json", expect=1)

    assert refused.refusal["code"] == "digests-foreign"
    assert str(file.parent) in refused.refusal["message"]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["2026-01.jsonl"]


TAPE = """external_id,principal,rate,installments,frequency,funded_on,first_due_on
L-1,1000.00,12,12,monthly,2010-02-10,2010-03-10
L-2,2000.00,12,12,monthly,2010-06-01,2010-07-01
L-3,3000.00,12,12,monthly,2010-07-31,2010-08-31
L-4,4000.00,12,12,monthly,2010-08-31,2010-09-30
"""


def test_of_a_tape_the_busiest_three_months_are_lived_or_those_that_are_asked_for(
    loanbook: Loanbook, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.csv"
    tape.write_text(TAPE)
    run = ("demo", "--file", str(tape), "--out", str(tmp_path / "out"))

    busiest = loanbook(*run, "--json").json
    told = loanbook(*run)
    early = loanbook(*run, "--from", "2010-02", "--json").json

    assert busiest["loans"] == {"boarded": 3, "found": 0, "left_out": 1}
    assert [row["month"] for row in busiest["principal"]] == ["2010-06", "2010-07", "2010-08"]
    assert "1 loans of the tape were funded in other months, and are left out" in told.out
    assert early["loans"] == {"boarded": 1, "found": 0, "left_out": 3}
    assert early["book"] != busiest["book"]
    refused = loanbook(*run, "--from", "2012-01", "--json", expect=2).refusal
    assert "no loan in it was funded from 2012-01 to 2012-03" in refused["message"]


def test_a_tape_with_a_bad_row_is_refused_by_file_row_and_field_and_nothing_is_written(
    loanbook: Loanbook, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.csv"
    run = ("demo", "--file", str(tape), "--out", str(tmp_path / "out"), "--json")

    tape.write_text(TAPE.replace("2000.00,12,12", "2000.00,12,twelve").replace("3000.00", "3000.001"))
    misread = loanbook(*run, expect=2).refusal
    tape.write_text(TAPE.replace("2010-06-01", "0001-06-01"))
    misdated = loanbook(*run, expect=2).refusal

    assert misread["message"].startswith("tape.csv: the tape has 2 mistakes in 2 rows: row 3, column installments: ")
    assert "row 4, column principal: " in misread["message"]
    assert misdated["shown"][0].startswith("row 3, column funded_on: 0001-06-01 lies outside 1900-01-01")
    assert not (tmp_path / "out").exists()
    assert loanbook("day", "show", "--json", expect=2).refusal["code"] == "book-missing"
