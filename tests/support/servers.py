"""The PostgreSQL server of a test run: which programs, where its data lies, how long it lives.

`LOANBOOK_TEST_SERVER` is `default` (what the launcher would take), `wheel`, `distribution`, or the folder of
a server's programs. Data lies in a folder of the run's own and is thrown away. Never a server that was there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger.embedded import binaries as installed
from ledger.embedded.server import Server, start

CHOICE = "LOANBOOK_TEST_SERVER"
PREFIX = "loanbook-test-"
ALIVE = "alive.lock"
MEMORY = Path("/dev/shm")  # noqa: S108  # only folders of our own are made in it
ENOUGH_MEMORY_BYTES = 3 * 1024**3


def chosen_bindir() -> Path | None:
    """Return the programs that the environment asks for, None if it asks for a kind that is not installed."""
    choice = os.environ.get(CHOICE, "default")
    kinds = {
        "default": installed.all_binaries,
        "wheel": installed.wheel_binaries,
        "distribution": installed.distribution_binaries,
    }
    if choice not in kinds:
        return installed.find_binaries(Path(choice)).bindir
    return first_bindir(kinds[choice]())


def first_bindir(found: Iterator[installed.Binaries]) -> Path | None:
    """Return the folder of the first server that is recent enough."""
    return next((each.bindir for each in found if each.major >= installed.OLDEST_MAJOR), None)


@contextmanager
def scratch_folder(*, in_memory: bool = False) -> Iterator[Path]:
    """Yield a new folder that the server's user may pass through, and delete it at the end."""
    place = MEMORY if in_memory and _memory_is_usable() else Path(tempfile.gettempdir())
    sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    folder.chmod(0o711)
    with (folder / ALIVE).open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> None:
    """Delete the folders of earlier runs that were killed: those whose lock nobody holds any more."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / ALIVE).open() as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch_server(*, durable: bool) -> Iterator[Server]:
    """Yield a new server that ends with this process, however that ends; its data is thrown away."""
    with scratch_folder(in_memory=not durable) as folder:
        server = start(folder / "state", durable=durable, lifetime="child", bindir=chosen_bindir())
        try:
            yield server
        finally:
            server.stop(discard=True)


def _memory_is_usable() -> bool:
    """Return whether the file system in memory is roomy, and programs may be run from it."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return False
    found = os.statvfs(MEMORY)
    return found.f_bavail * found.f_frsize > ENOUGH_MEMORY_BYTES and not found.f_flag & os.ST_NOEXEC
