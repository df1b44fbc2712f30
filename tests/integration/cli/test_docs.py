"""Every command that the README and the how-to pages show is one that there is, with the options that they show."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from api.cli.main import main

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]


def commands(page: Path) -> Iterator[str]:
    """Yield every line of a code block that calls `loanbook`."""
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = not inside
        elif inside and line.removeprefix("$ ").startswith("loanbook "):
            yield line.removeprefix("$ ")


SHOWN = sorted({command for page in PAGES for command in commands(page)})


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_that_is_shown_exists_with_its_options(command: str) -> None:
    words = [word for word in shlex.split(command)[1:] if word != "..."]

    called: click.Command = main
    while isinstance(called, click.Group):
        context = click.Context(called)
        found = called.get_command(context, words[0]) if words else None
        name = words.pop(0) if found is not None else getattr(called, "default", None)
        assert name is not None, command
        found = called.get_command(context, name)
        assert found is not None, command
        called = found

    offered = {option for parameter in called.params for option in parameter.opts} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= offered
