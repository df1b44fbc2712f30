"""As which user the server runs: as the caller, or, because PostgreSQL refuses root, as a lesser one.

Asks the machine what that user may enter and run instead of reading permission bits, and never changes the
permissions of a folder that it did not create.
Next: `ledger/embedded/layout.py`, which chooses places that this user can reach.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ledger.embedded.errors import ServerAccountMissing

ROOT = 0
LESSER_USERS = ("postgres", "nobody")


class Identity(TypedDict, total=False):
    """The arguments by which `subprocess` starts a program as another user."""

    user: int
    group: int
    extra_groups: Sequence[int]


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The user of the server's process and the owner of its data."""

    uid: int
    gid: int
    name: str

    @property
    def identity(self) -> Identity:
        """Return what starts a program as this user; nothing if that is the caller already."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Return whether this user may enter the folder, through all the folders above it."""
        return self._succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)])

    def can_run(self, program: Path) -> bool:
        """Return whether this user may start the program and the program finds its libraries."""
        return self._succeeds([str(program), "--version"])

    def _succeeds(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(command, capture_output=True, cwd="/", timeout=30, check=False, **self.identity)
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def server_account(data: Path) -> ServerAccount:
    """Return the owner of the data if there is data; else the caller, or for root a lesser user.

    Raises: ServerAccountMissing if root can become none of them.
    """
    if os.geteuid() != ROOT:
        return _account(pwd.getpwuid(os.geteuid()))
    if data.is_dir() and data.stat().st_uid != ROOT:
        return _account(pwd.getpwuid(data.stat().st_uid))
    for name in LESSER_USERS:
        account = _named(name)
        if account and account.can_enter(Path("/")):
            return account
    raise ServerAccountMissing(tried=LESSER_USERS)


def _named(name: str) -> ServerAccount | None:
    try:
        return _account(pwd.getpwnam(name))
    except KeyError:
        return None


def _account(entry: pwd.struct_passwd) -> ServerAccount:
    return ServerAccount(entry.pw_uid, entry.pw_gid, entry.pw_name)
