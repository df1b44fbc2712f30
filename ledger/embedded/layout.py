"""Where the embedded server keeps its things, all of it derived from the state directory.

    <state>/server.lock          held by whoever starts or stops the server
    <state>/postgres/data        the cluster: the books themselves
    <state>/postgres/socket      the socket, in a folder that only the server's user may enter
    <state>/postgres/server.log  what the server says
    <state>/postgres/binaries    a copy of the programs, where the server's user cannot run the original

Where root works in a folder that the server's user cannot enter (a home directory), `<state>/postgres` is a
link to a folder under /var/lib. A socket whose path would be too long lies under /tmp.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ledger.embedded.account import ROOT, ServerAccount, server_account
from ledger.embedded.binaries import Binaries
from ledger.embedded.errors import ServerBinariesUnusable, foreign

# macOS takes 103 bytes, Linux 107.
SOCKET_PATH_BYTES = 103
SOCKET_NAME = ".s.PGSQL.5432"
PLACES_FOR_ROOT = (Path("/var/lib/loanbook"), Path("/var/tmp/loanbook"))  # noqa: S108  # checked before use
PLACE_FOR_SOCKETS = Path("/tmp")  # noqa: S108  # checked before use


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one server."""

    state_dir: Path

    @property
    def root(self) -> Path:
        """Return the server's own folder, with links resolved."""
        return (self.state_dir / "postgres").resolve()

    @property
    def data(self) -> Path:
        """Return the folder of the cluster."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """Return the file that the server writes to."""
        return self.root / "server.log"

    @property
    def lock(self) -> Path:
        """Return the file whose lock admits one starter or stopper at a time."""
        return self.state_dir / "server.lock"

    @property
    def socket_dir(self) -> Path:
        """Return the folder of the socket: short enough for the operating system, one name for the driver."""
        beside = self.root / "socket"
        if len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_BYTES and "," not in str(beside):
            return beside
        return PLACE_FOR_SOCKETS / f"loanbook-{_short_name(self.root)}"


def layout_of(state_dir: Path) -> Layout:
    """Return the layout of a state directory, which need not exist."""
    return Layout(state_dir.absolute())


def prepare(layout: Layout) -> ServerAccount:
    """Create the folders and return the user who runs the server and owns them.

    Raises: ServerAccountMissing; ServerDirectoryForeign if a folder is there already and somebody else's.
    """
    account = server_account(layout.data)
    link = layout.state_dir / "postgres"
    if not link.exists() and os.geteuid() == ROOT and not account.can_enter(layout.state_dir):
        link.unlink(missing_ok=True)
        link.symlink_to(_place_for_root(layout.state_dir))
    _own_folder(layout.root, account)
    _own_folder(layout.socket_dir, account)
    return account


def make_state_dir(state_dir: Path) -> None:
    """Create the state directory; root leaves it passable for the lesser user who runs the server.

    It appears with its permissions, and two may create it at once.
    """
    if state_dir.exists():
        return
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f"{state_dir.name[:40]}.new-", dir=state_dir.parent))
    new.chmod(0o711 if os.geteuid() == ROOT else 0o700)
    try:
        new.rename(state_dir)
    except OSError:
        new.rmdir()
        if not state_dir.is_dir():
            raise


def runnable(binaries: Binaries, account: ServerAccount, layout: Layout) -> Binaries:
    """Return the programs, or a copy of them that the server's user may run.

    Raises: ServerBinariesUnusable if there can be no such copy.
    """
    if account.can_run(binaries.program("postgres")):
        return binaries
    copy = layout.root / "binaries" / binaries.version
    if not copy.exists():
        _copy_movable(binaries, copy, account)
    moved = binaries.moved_to(copy)
    if not account.can_run(moved.program("postgres")):
        raise ServerBinariesUnusable(bindir=str(moved.bindir), user=account.name)
    return moved


def _copy_movable(binaries: Binaries, target: Path, account: ServerAccount) -> None:
    """Copy the movable folders to `target`, which appears only when it is complete."""
    if binaries.base is None:
        raise ServerBinariesUnusable(bindir=str(binaries.bindir), user=account.name)
    unfinished = target.with_name(target.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for folder in binaries.movable:
        shutil.copytree(binaries.base / folder, unfinished / folder, symlinks=True)
    for path in (target.parent, unfinished, *unfinished.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    unfinished.rename(target)


def remove_folders(layout: Layout) -> None:
    """Delete everything that the server kept, its data included; the state directory itself stays."""
    link, root = layout.state_dir / "postgres", layout.root
    shutil.rmtree(layout.socket_dir, ignore_errors=True)
    shutil.rmtree(root)
    if link.is_symlink():
        link.unlink()
        _remove_if_empty(root.parent)


def _place_for_root(state_dir: Path) -> Path:
    """Return a folder outside the state directory that the server's user can reach."""
    for place in PLACES_FOR_ROOT:
        try:
            place.mkdir(mode=0o711, exist_ok=True)
        except OSError:
            continue
        if not place.is_symlink() and place.stat().st_uid == ROOT:
            return place / _short_name(state_dir)
    raise foreign(PLACES_FOR_ROOT[-1], "root")


def _own_folder(folder: Path, account: ServerAccount) -> None:
    """Create the folder for the account alone, or accept it if it is exactly that."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        if account.identity:
            os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    # A bit for others on a folder that lies in /tmp would let them at the socket.
    if found.st_uid != account.uid or found.st_mode & 0o177077 != 0o040000:
        raise foreign(folder, account.name)


def _short_name(path: Path) -> str:
    return sha256(os.fsencode(path)).hexdigest()[:16]


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
