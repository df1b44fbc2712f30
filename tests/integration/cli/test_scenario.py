"""`loanbook scenario`: a life from a file, compared with what was expected of it."""

from __future__ import annotations

from pathlib import Path

from tests.integration.cli.conftest import Loanbook

LIFE = """scenario: A payment on its day
currency: USD
product: {grace_days: 10, late_fee: {amount: 15.00}}
loan: {principal: 10000.00, rate: 12.00, installments: 12, frequency: monthly,
       funded_on: 2026-01-15, first_due_on: 2026-02-15}
events:
  - {on: 2026-02-15, payment: {id: p1, amount: 888.49}}
expect:
  - at: 2026-02-15
    balances: {principal: 9213.43, interest: 0}
  - allocation_of: p1
    parts: {principal: 786.57, interest: 101.92}
"""


def scenario(folder: Path, text: str) -> str:
    """Write a scenario and return its file."""
    file = folder / "life.yaml"
    file.write_text(text)
    return str(file)


def test_a_scenario_that_comes_out_as_expected_exits_with_0(loanbook: Loanbook, tmp_path: Path) -> None:
    file = scenario(tmp_path, LIFE)

    assert loanbook("scenario", file).out == "as expected: A payment on its day\n"
    (result,) = loanbook("scenario", file, "--json").json
    assert (result["ok"], result["differences"]) == (True, [])
    assert result["events"][0]["allocation"]["interest"] == "101.92"


def test_a_difference_is_shown_and_exits_with_1(loanbook: Loanbook, tmp_path: Path) -> None:
    file = scenario(tmp_path, LIFE.replace("9213.43", "9213.44"))

    ran = loanbook("scenario", file, expect=1)

    assert "DIFFERS: A payment on its day" in ran.out
    assert "9213.44" in ran.out
    assert "9213.43" in ran.out


def test_nothing_of_a_scenario_stays(book: Loanbook, tmp_path: Path) -> None:
    book("scenario", scenario(tmp_path, LIFE))

    assert book("loan", "list", "--json").json["loan_ids"] == []
    assert book("day", "show", "--json").json["code"] == "main", "there is still one book"


def test_a_file_with_an_unknown_key_is_refused_by_the_key(loanbook: Loanbook, tmp_path: Path) -> None:
    file = scenario(tmp_path, LIFE.replace("grace_days", "grace_dyas"))

    refusal = loanbook("scenario", file, "--json", expect=2).refusal

    assert "grace_dyas" in refusal["message"]


def test_a_file_that_is_not_there_is_refused(loanbook: Loanbook) -> None:
    assert loanbook("scenario", "/nonexistent.yaml", "--json", expect=2).refusal["code"] == "file-unusable"
