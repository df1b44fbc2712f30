"""The options that commands share, and the types of their values.

`@reads` gives a command `--book` and `--json`, `@reads_as` who acts too; `@changes` gives it who acts, who
approves and `--dry-run` as well; the two for the installation leave the book out. Each hands the command a session as
its first argument.
Next: `api/cli/session.py`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from contextlib import closing
from datetime import date
from typing import Any, TypeVar

import click

from api.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])

BOOK = click.option("--book", metavar="CODE", help="The book to work on; needed where there are several.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
ACTOR = click.option("--actor", metavar="NAME", help="Who acts [default: LOANBOOK_ACTOR, or cli:<login name>].")
APPROVER = click.option("--approver", metavar="NAME", help="The second person, where the act needs one.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Do everything, show it, and keep nothing.")
REQUEST_KEY = click.option(
    "--request-key", metavar="KEY", help="Repeating a key repeats no effect [default: a new key each time]."
)


class Day(click.ParamType[date]):
    """A day as `YYYY-MM-DD`."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            if len(value) != 10:
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-03-31", param, ctx)


class BookDay(Day):
    """A day that the books can hold, for what changes them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        from ledger.book_days import objection_to

        found = super().convert(value, param, ctx)
        objection = objection_to(found)
        if objection is not None:
            self.fail(objection, param, ctx)
        return found


class Code(click.ParamType[str]):
    """The code of a book: one word, for it is part of addresses and of the names of files."""

    name = "code"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,63}", value, re.ASCII) is None:
            self.fail(f"{value!r} is not 1 to 64 letters, digits, dots, dashes, colons or underscores", param, ctx)
        return str(value)


class MonthType(click.ParamType[Any]):
    """A month as `YYYY-MM`."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from ledger.dates import Month

        return value if isinstance(value, Month) else Month.parse(value)


NUMBER = click.IntRange(1, 2**31 - 1)
"""The number of a batch or a line."""
CODE = Code()
DAY = Day()
BOOK_DAY = BookDay()
MONTH = MonthType()


def reads(command: F) -> F:
    """Give a command a session that reads, and the options of one."""
    return _with_session(command, (BOOK, JSON))


def reads_as(command: F) -> F:
    """Give a command a session that reads as somebody, where it is written down who looked."""
    return _with_session(command, (BOOK, ACTOR, JSON))


def changes(command: F) -> F:
    """Give a command a session that changes something, and the options of one."""
    return _with_session(command, (BOOK, ACTOR, APPROVER, DRY_RUN, JSON))


def reads_installation(command: F) -> F:
    """Give a command a session without a book, for what concerns the whole installation."""
    return _with_session(command, (JSON,))


def changes_installation(command: F) -> F:
    """Give a command that changes something a session without a book."""
    return _with_session(command, (ACTOR, DRY_RUN, JSON))


def _with_session(command: F, options: tuple[Callable[[Any], Any], ...]) -> F:
    @functools.wraps(command)
    def run(
        *,
        as_json: bool = False,
        book: str | None = None,
        actor: str | None = None,
        approver: str | None = None,
        dry_run: bool = False,
        **arguments: Any,
    ) -> Any:
        session = Session(as_json, book, actor, approver, dry_run)
        with closing(session):
            return command(session, **arguments)

    wrapped: Any = run
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]
