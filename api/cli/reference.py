"""The help of every command as one Markdown page, for the generated reference."""

from __future__ import annotations

from collections.abc import Iterator

import click

from api.cli.main import main

WIDTH = 100


def as_markdown() -> str:
    """Return the page: each command's help, in the order of `loanbook --help`."""
    sections = (f"## {path}\n\n```\n{text}\n```\n" for path, text in _pages(main, "loanbook", None))
    return "\n".join(sections)


def _pages(command: click.Command, path: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command,
        parent=parent,
        info_name=path.rpartition(" ")[2],
        terminal_width=WIDTH,
        max_content_width=WIDTH,
    )
    yield path, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _pages(found, f"{path} {name}", context)
