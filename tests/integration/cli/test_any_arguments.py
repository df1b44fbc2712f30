"""Whatever is typed, a command does it or says in a line what is wrong; none ends in a fault of ours."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_help import LEAVES

RUNS_OF_A_COMMAND = 12
WORDS = (
    "",
    "x",
    "main",
    "1",
    "2",
    "0",
    "-1",
    "10.00",
    "0.001",
    "1e9",
    "9" * 25,
    "NaN",
    "é😀",
    "2026-01-15",
    "2026-02-30",
)
DAYS = ("2026-01-01", "2026-01-15", "2026-02-14", "0001-01-01", "9999-12-31", "2026-13-01", "today")
AMOUNTS = ("10.00", "0", "-5", "0.001", "99999999999999999999", "x", "1,000.00")
TERMS = (
    "--principal",
    "1000",
    "--rate",
    "12",
    "--installments",
    "6",
    "--funded-on",
    "2026-01-15",
    "--first-due-on",
    "2026-02-15",
)
EXIT_CODES = {0: "done", 1: "a check failed", 2: "refused"}
# They serve, or make servers and demonstrations; other tests live with them.
ELSEWHERE = ("serve", "demo", "db ", "card-processor", "migrate", "bench")


def _word(parameter: click.Parameter, chance: random.Random, files: tuple[str, ...]) -> str:
    name = (parameter.name or "").lower()
    if isinstance(parameter.type, click.Choice) and chance.random() < 0.9:
        return str(chance.choice(list(parameter.type.choices)))
    if isinstance(parameter.type, click.Path) or "file" in name:
        return chance.choice(files)
    if chance.random() < 0.08:
        return chance.choice(WORDS)
    if "loan" in name or name.endswith(("_id", "_no")):
        return chance.choice(("1", "2", "3", "1", "2", "3", "77", "9223372036854775807", "9223372036854775808", "x"))
    if any(part in name for part in ("day", "date", "_on", "as_of", "since", "through", "due", "until", "from", "to")):
        return chance.choice(DAYS)
    if any(part in name for part in ("amount", "principal", "price", "rate")):
        return chance.choice(AMOUNTS)
    return chance.choice(WORDS)


def _arguments(command: click.Command, chance: random.Random, files: tuple[str, ...]) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            name = parameter.opts[-1]
            if name in ("--help", "--out") or (not parameter.required and chance.random() < 0.6):
                continue
            yield name
            if not parameter.is_flag:
                yield _word(parameter, chance, files)
        elif parameter.required or chance.random() < 0.7:
            yield _word(parameter, chance, files)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    """Return files that are empty, of another kind, not text, not there, and a folder."""
    contents = {
        "empty.csv": b"",
        "some.csv": b"a,b\n1,2\n",
        "bytes.toml": bytes(range(256)),
        "table.toml": b"name = 'x'\n[a]\nb = 1\n",
        "list.json": b"[1, {}]",
        "life.yaml": b"scenario: x\nloan: 7\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return (*(str(tmp_path / name) for name in contents), str(tmp_path), str(tmp_path / "nowhere"))


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.deep)])
def test_no_arguments_find_a_fault_of_ours(
    loanbook: Loanbook,
    book: Loanbook,
    files: tuple[str, ...],
    tmp_path: Path,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    loanbook("day", "advance", "2026-01-15")
    for loan in ("A", "B", "C"):
        loanbook("loan", "board", "--id", loan, *TERMS, "--request-key", loan)
    loanbook("day", "advance", "2026-02-20")
    chance, faults = random.Random(seed), []
    for name, command in LEAVES.items():
        if name.startswith(ELSEWHERE):
            continue
        for _ in range(RUNS_OF_A_COMMAND):
            given = [*name.split(), *_arguments(command, chance, files)]
            ran = loanbook(*given, expect=None)
            if ran.exit_code not in EXIT_CODES:
                faults.append((given, ran.err[-300:]))
    assert not faults, "\n".join(map(str, faults))
