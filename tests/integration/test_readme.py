"""The README's console blocks print what it says they print."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.console_blocks import NOT_RUN, ROOT, blocks_of, normalized, run_step, steps_of, stop_server

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [block for block in blocks_of(README) if not {step.command for step in block} & NOT_RUN]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield an empty folder, and stop what was started in it."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        stop_server(path)


@pytest.mark.parametrize("block", BLOCKS, ids=[block[0].command for block in BLOCKS])
def test_what_the_readme_shows_is_what_is_printed(block: list, folder: Path) -> None:  # type: ignore[type-arg]
    for step in block:
        assert normalized(run_step(step, folder)) == normalized(step.output), step.command


def test_the_readme_names_the_two_commands() -> None:
    commands = [step.command for block in blocks_of(README) for step in block]

    assert commands[:2] == ["make demo", "make test"]


def test_a_block_is_cut_at_its_prompts() -> None:
    assert [step.output for step in steps_of("$ one\nfirst\nsecond\n$ two\n")] == ["first\nsecond\n", ""]
