"""Start, attach to, ask about, stop and remove the embedded PostgreSQL server of one state directory.

A `daemon` outlives its caller and is stopped by `stop`; a `child` ends with the process that started it,
however that one ends. The server listens on a socket only, in a folder that nobody else may enter; whoever
may enter is trusted. Never touches a server that it cannot prove to be this one.
Next: `ledger/embedded/layout.py` for the folders, `process.py` for pids and signals.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from ledger.embedded.account import ServerAccount
from ledger.embedded.binaries import Binaries, find_binaries
from ledger.embedded.configuration import render, settings_for_machine
from ledger.embedded.errors import (
    ServerInitializationFailed,
    ServerNotDurable,
    ServerSlow,
    ServerStartFailed,
    foreign,
)
from ledger.embedded.layout import (
    SOCKET_NAME,
    Layout,
    layout_of,
    make_state_dir,
    prepare,
    remove_folders,
    runnable,
)
from ledger.embedded.process import (
    FAST_SHUTDOWN,
    IMMEDIATE_SHUTDOWN,
    POLL_SECONDS,
    exit_status,
    reap,
    recorded_pid,
    running_pid,
    runs,
    spawn,
    stop_process,
    watch,
)

ADMIN = "loanbook_admin"
START_SECONDS = 300
STOP_SECONDS = 120
# After kill -9 of the server its workers may live for a moment; a new server refuses to start beside them.
LEFTOVER_SECONDS = 20
LOG_BYTES = 16 * 1024 * 1024

Lifetime = Literal["child", "daemon"]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers. `started` tells whether this call started it or found it running."""

    layout: Layout
    pid: int
    bindir: Path
    version: str
    durable: bool
    started: bool

    def url_for(self, database: str, user: str = ADMIN) -> str:
        """Return the SQLAlchemy URL of a database for a role."""
        return f"postgresql+psycopg://{user}@/{quote(database)}?host={quote(str(self.layout.socket_dir))}"

    def libpq_url_for(self, database: str, user: str = ADMIN) -> str:
        """Return the same for psycopg, psql and pg_dump."""
        return self.url_for(database, user).replace("postgresql+psycopg:", "postgresql:", 1)

    @property
    def description(self) -> str:
        """Return what a person wants to read: version and folder of the programs."""
        return f"PostgreSQL {self.version} ({self.bindir})"

    def program(self, name: str) -> Path:
        """Return the path of a program of the server's own version, such as `psql`."""
        return self.bindir / name

    def stop(self, *, discard: bool = False) -> None:
        """Stop the server; with `discard`, at once and without saving, for data that is thrown away."""
        stop(self.layout.state_dir, discard=discard)


def start(
    state_dir: Path,
    *,
    durable: bool = True,
    lifetime: Lifetime = "daemon",
    bindir: Path | None = None,
    timeout_s: float = START_SECONDS,
) -> Server:
    """Return the server of this state directory, started if it does not run yet.

    A running server is attached to as it is, and keeps the lifetime that its starter chose. `bindir` is the
    folder of the programs that a setting names; data goes on with programs of its own major version only.

    Raises: the errors of `ledger/embedded/errors.py`.
    """
    layout = layout_of(state_dir)
    make_state_dir(layout.state_dir)
    with _alone(layout):
        pid = running_pid(layout.data)
        started = pid is None or not _wait_until_ready(layout, pid, timeout_s)
        if pid is None or started:
            account = prepare(layout)
            chosen = runnable(find_binaries(bindir, major=_major_of(layout)), account, layout)
            _initialize(layout, account, chosen)
            _configure(layout, account, chosen, durable=durable)
            pid = _launch(layout, account, chosen, lifetime, timeout_s)
        return _attach(layout, pid, durable=durable, started=started)


def status(state_dir: Path) -> Server | None:
    """Return the running server of this state directory, None if none runs."""
    layout = layout_of(state_dir)
    pid = running_pid(layout.data)
    return None if pid is None else _attach(layout, pid, durable=False, started=False)


def stop(state_dir: Path, *, discard: bool = False) -> bool:
    """Stop the server and return True once it is gone; False if none ran.

    Clients are disconnected, what they committed is saved.

    Raises: ServerSlow if it does not end in time.
    """
    layout = layout_of(state_dir)
    if not layout.state_dir.exists():
        return False
    with _alone(layout):
        return _stop(layout, discard=discard)


def remove(state_dir: Path) -> bool:
    """Stop the server and delete everything it kept, its data included; False if there was nothing."""
    layout = layout_of(state_dir)
    if not layout.root.exists():
        return False
    with _alone(layout):
        _stop(layout, discard=True)
        remove_folders(layout)
    return True


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Admit one starter or stopper at a time; the lock goes with the process that holds it."""
    try:
        lock = layout.lock.open("a")
    except PermissionError:
        raise foreign(layout.state_dir, f"user id {os.geteuid()}") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _major_of(layout: Layout) -> int | None:
    """Return the major version that wrote the data, None if there is none yet."""
    version = layout.data / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def _initialize(layout: Layout, account: ServerAccount, binaries: Binaries) -> None:
    """Make the data folder, which appears under its name only when it is complete."""
    if layout.data.exists():
        return
    for abandoned in layout.root.glob("data.new-*"):
        shutil.rmtree(abandoned)
    unfinished = layout.root / f"data.new-{os.getpid()}"
    done = subprocess.run(
        [str(binaries.program("initdb")), "-D", str(unfinished), *_initdb_options(binaries)],
        cwd=layout.root,
        env=_environment(layout, binaries),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **account.identity,
    )
    if done.returncode:
        raise ServerInitializationFailed(status=done.returncode, output=done.stdout[-2000:])
    # Trust ends at the folder of the socket; no rule admits anyone by network, whatever is set later.
    _write(unfinished / "pg_hba.conf", "local all all trust\nlocal replication all trust\n", account)
    with (unfinished / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude_if_exists = 'loanbook.conf'\n")
    unfinished.rename(layout.data)


def _initdb_options(binaries: Binaries) -> list[str]:
    """Return options that make text sort alike, by code point, on every system and version."""
    system_locale = "C" if sys.platform == "darwin" else "C.UTF-8"
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []
    return [
        f"--username={ADMIN}",
        "--auth=trust",
        "--encoding=UTF8",
        f"--locale={system_locale}",
        *builtin,
        "--data-checksums",
        "--no-instructions",
    ]


def _configure(layout: Layout, account: ServerAccount, binaries: Binaries, *, durable: bool) -> None:
    chosen = {
        **settings_for_machine(layout.data, durable=durable, lz4=durable and _has_lz4(layout, binaries)),
        # A list of quoted names.
        "unix_socket_directories": '"{}"'.format(str(layout.socket_dir).replace('"', '""')),
    }
    _write(layout.data / "loanbook.conf", render(chosen), account)


def _has_lz4(layout: Layout, binaries: Binaries) -> bool:
    """Tell whether these programs were built with lz4, by asking them to take a setting that needs it."""
    ask = [str(binaries.program("postgres")), "-C", "wal_compression", "-D", str(layout.data)]
    return subprocess.run([*ask, "-c", "wal_compression=lz4"], capture_output=True, check=False).returncode == 0


def _launch(layout: Layout, account: ServerAccount, binaries: Binaries, lifetime: Lifetime, timeout_s: float) -> int:
    """Start the server, wait until it answers, and return its pid.

    Raises: ServerStartFailed if it ends instead.
    """
    leftover = recorded_pid(layout.data)
    give_up = time.monotonic() + (0 if leftover is None else LEFTOVER_SECONDS)
    while True:
        pid = _spawn(layout, account, binaries, leftover)
        if lifetime == "child":
            watch(pid, layout.data / "postmaster.pid", identity=account.identity)
        if _wait_until_ready(layout, pid, timeout_s):
            return pid
        status = exit_status(pid)
        reap(pid)
        if time.monotonic() > give_up:
            raise ServerStartFailed(status=status or 0, log=str(layout.log), output=_end_of_log(layout))
        time.sleep(0.25)


def _spawn(layout: Layout, account: ServerAccount, binaries: Binaries, leftover: int | None) -> int:
    """Start the program; `leftover` is the pid that an earlier server left in its pid file."""
    environment = _environment(layout, binaries)
    if leftover is not None:
        # That process is gone, a zombie, or a stranger with its number. PostgreSQL would take the latter two
        # for a running server, except when it is told here that this is the number of its starter's parent.
        environment["PG_GRANDPARENT_PID"] = str(leftover)
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (layout.socket_dir / name).unlink(missing_ok=True)
    if layout.log.exists() and layout.log.stat().st_size > LOG_BYTES:
        layout.log.replace(layout.log.with_suffix(".log.1"))
    return spawn(
        [str(binaries.program("postgres")), "-D", str(layout.data)],
        identity=account.identity,
        environment=environment,
        cwd=layout.root,
        log=layout.log,
    )


def _wait_until_ready(layout: Layout, pid: int, timeout_s: float) -> bool:
    """Wait for the first connection, which recovery after a crash may delay; False if the server ends first.

    Raises: ServerSlow if neither happens in time.
    """
    deadline = time.monotonic() + timeout_s
    while _ask(layout) is None:
        if not runs(pid, layout.data):
            return False
        if time.monotonic() > deadline:
            raise ServerSlow(pid=pid, doing="starting", seconds=int(timeout_s), log=str(layout.log))
        time.sleep(POLL_SECONDS)
    return True


def _attach(layout: Layout, pid: int, *, durable: bool, started: bool) -> Server:
    """Return the server that answers, after asking it what it is."""
    answer = _ask(layout)
    if answer is None:
        raise ServerSlow(pid=pid, doing="starting", seconds=0, log=str(layout.log))
    version, fsync = answer
    if durable and fsync != "on":
        raise ServerNotDurable(state_dir=str(layout.state_dir))
    command = (layout.data / "postmaster.opts").read_text()
    bindir = Path(command.partition(' "')[0].strip()).parent
    return Server(layout, pid, bindir, version, fsync == "on", started)


def _ask(layout: Layout) -> tuple[str, str] | None:
    """Return the server's version and its fsync setting, None while it takes no connections."""
    # Stopping and removing a server needs nothing but Python, so the driver is imported where it is used.
    import psycopg

    try:
        with psycopg.connect(
            host=str(layout.socket_dir), user=ADMIN, dbname="postgres", connect_timeout=10
        ) as connection:
            row = connection.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
    except psycopg.OperationalError:
        return None
    assert row is not None
    return str(row[0]).split()[0], str(row[1])


def _stop(layout: Layout, *, discard: bool) -> bool:
    pid = running_pid(layout.data)
    if pid is None:
        return False
    how = IMMEDIATE_SHUTDOWN if discard else FAST_SHUTDOWN
    if not stop_process(layout.data, pid, how=how, timeout_s=STOP_SECONDS):
        raise ServerSlow(pid=pid, doing="stopping", seconds=STOP_SECONDS, log=str(layout.log))
    return True


def _environment(layout: Layout, binaries: Binaries) -> dict[str, str]:
    """Return an environment that takes nothing over from the caller's."""
    return {
        "PATH": f"{binaries.bindir}:/usr/bin:/bin",
        "HOME": str(layout.root),
        "LC_ALL": "C" if sys.platform == "darwin" else "C.UTF-8",
    }


def _write(path: Path, text: str, account: ServerAccount) -> None:
    path.write_text(text)
    path.chmod(0o600)
    if account.identity:
        os.chown(path, account.uid, account.gid)


def _end_of_log(layout: Layout) -> str:
    return " / ".join(layout.log.read_text(errors="replace").splitlines()[-6:])
