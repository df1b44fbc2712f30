"""A group that takes its most used command for granted: `loanbook entry 7 3` is `loanbook entry show 7 3`."""

from __future__ import annotations

from typing import Any

import click

HELP_OPTIONS = ("-h", "--help")


class DefaultGroup(click.Group):
    """A group whose command `default` is meant when the first word is none of its commands.

    With `bare`, it is meant when there is no word at all, too.
    """

    def __init__(self, *args: Any, default: str, bare: bool = False, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.default = default
        self.bare = bare

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if (not args and self.bare) or (args and args[0] not in {*self.commands, *HELP_OPTIONS}):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
