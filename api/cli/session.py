"""What a command works with: the settings, the edge, the book, who acts, and how to show a result.

Opened when it is first asked for: a command that is refused for its arguments never touches a database.
Never: SQL. Next: `api/cli/options.py`, which gives every command one.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from api.cli.output import print_json, print_line, print_note

if TYPE_CHECKING:
    import sqlalchemy as sa

    from api.database import Role
    from api.edge import Edge
    from api.settings import Settings
    from ledger.embedded.server import Server
    from ledger.unit_of_work import UnitOfWork

T = TypeVar("T")


@dataclass
class Session:
    """One run of one command."""

    as_json: bool = False
    book: str | None = None
    actor_option: str | None = None
    approver: str | None = None
    dry_run: bool = False
    _edges: dict[str, Edge] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Settings:
        """Return what the environment says."""
        from api.settings import Settings

        return Settings.load()

    @cached_property
    def actor(self) -> str:
        """Return who acts: the option, the setting, or whoever is logged in."""
        return self.actor_option or self.settings.actor or f"cli:{_login_name()}"

    @property
    def edge(self) -> Edge:
        """Return the edge as the application's role."""
        from api.database import Role

        return self.edge_as(Role.APP)

    def edge_as(self, role: Role, *, create: bool = False) -> Edge:
        """Return the edge as any role."""
        from api.database import database_url
        from api.edge import Edge

        if role not in self._edges:
            url = database_url(self.settings, role, create=create, on_start=self.tell_start)
            self._edges[role] = Edge.open(url)
        return self._edges[role]

    def tell_start(self, server: Server) -> None:
        """Say that a server was started, since it goes on running."""
        if not self.as_json:
            print_note(f"Started {server.description}; `loanbook db stop` stops it.")

    def close(self) -> None:
        """Close every connection."""
        for edge in self._edges.values():
            edge.close()

    @cached_property
    def book_code(self) -> str:
        """Return the book to work on."""
        from api.edge import choose_book

        wanted = self.book or self.settings.book
        return wanted or self.edge.read(lambda connection: choose_book(connection, None))

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Read in one snapshot."""
        return self.edge.read(work)

    def change(self, work: Callable[[UnitOfWork], T]) -> T:
        """Do something in one transaction, or only try it."""
        return self.edge.change(work, actor=self.actor, approver=self.approver, dry_run=self.dry_run)

    def show(self, document: Mapping[str, Any], people: Callable[[], None]) -> None:
        """Print the result: the document for programs, whatever `people` prints for people."""
        if self.as_json:
            print_json({**document, "dry_run": True} if self.dry_run else document)
            return
        people()
        if self.dry_run:
            print_line("Dry run: nothing was kept.")


def new_request_key() -> str:
    """Return a key that was never used, for a request that nobody means to repeat."""
    return f"cli:{uuid4()}"


def _login_name() -> str:
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return f"uid-{os.getuid()}"
