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
