"""`loanbook demo`: three months of a small portfolio, and the same again for nothing."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.cli.conftest import Loanbook


def test_the_demonstration_lives_closes_and_proves_and_a_second_run_reuses_it(
    loanbook: Loanbook, tmp_path: Path
) -> None:
    run = ("demo", "--loans", "8", "--seed", "7", "--out", str(tmp_path), "--json")

    first = loanbook(*run).json
    packages = sorted(file for file in tmp_path.rglob("package.json"))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    second = loanbook(*run).json

    assert first["loans"] == {"boarded": 8, "found": 0}
    assert first["months"] == {"closed": 3, "found": 0}
    assert (first["breaks"], first["findings"]) == (0, 0)
    assert [json.loads(file.read_text())["month"] for file in packages] == ["2026-01", "2026-02", "2026-03"]
    assert second["loans"] == {"boarded": 0, "found": 8}
    assert second["months"] == {"closed": 0, "found": 3}
    assert second["head"] == first["head"], "nothing new was booked"
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert "3 found from an earlier run" in loanbook(*run[:-1]).out


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
