"""What the command line prints: tables and lines for people, JSON for programs.

Programs get one JSON document on stdout. People get a table as wide as the terminal, or as wide as it needs
to be where there is none. Text of the books is printed as text: no markup, no control characters. Next:
`api/cli/session.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import click

WIDE = 220


class Column(NamedTuple):
    """One column of a table: the field that it shows, its heading, and how it is set."""

    field: str
    heading: str
    right: bool = False
    long: bool = False


def amount(field: str, heading: str) -> Column:
    """Return a column of amounts."""
    return Column(field, heading, right=True)


def print_json(document: Any) -> None:
    """Write one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def print_line(text: str) -> None:
    """Write a line for people."""
    click.echo(visible(text))


def print_note(text: str) -> None:
    """Write a line for people beside the result, on stderr."""
    click.echo(visible(text), err=True)


def print_table(
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Any]],
    *,
    title: str | None = None,
    totals: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Write rows as a table, with total rows under a line."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if title:
        print_line(title)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(
            Text(column.heading),
            justify="right" if column.right else "left",
            no_wrap=not column.long,
            overflow="fold" if column.long else "ellipsis",
        )
    for row in rows:
        table.add_row(*(Text(shown(row.get(column.field))) for column in columns))
    total_rows = list(totals)
    if total_rows:
        table.add_section()
    for row in total_rows:
        table.add_row(*(Text(shown(row.get(column.field)), style="bold") for column in columns))
    width = None if sys.stdout.isatty() else WIDE
    console = Console(file=sys.stdout, width=width, highlight=False)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def print_facts(facts: Mapping[str, Any]) -> None:
    """Write names and values, one to a line, aligned; what is None is left out."""
    given = {name: value for name, value in facts.items() if value is not None}
    width = max((len(name) for name in given), default=0)
    for name, value in given.items():
        print_line(f"{name:<{width}}  {shown(value)}")


def grouped(decimal: str) -> str:
    """Group the thousands of a decimal amount: `1234567.80` is shown as `1,234,567.80`."""
    sign, digits = ("-", decimal[1:]) if decimal.startswith("-") else ("", decimal)
    whole, point, rest = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{rest}"


def blank_zero(decimal: str | None) -> str:
    """Show an amount in a column of a trial balance, where nothing is shown as nothing."""
    return "" if decimal is None or not decimal.strip("-0.") else grouped(decimal)


def shown(value: Any) -> str:
    """Return a value as a person reads it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(shown, value))
        case _:
            return visible(str(value))


def visible(text: str) -> str:
    """Return text without characters that would move the cursor or color the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
