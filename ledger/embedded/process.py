"""The server's process: started in a session of its own, known again by its pid, stopped by that pid alone.

A pid is believed only if its process is a server that works in our data folder. A server that shall not
outlive its caller gets a watcher: a shell that waits on a pipe which only the caller holds open. However the
caller ends, kill -9 included, the pipe closes, and the watcher stops the server.
Next: `ledger/embedded/server.py`, which decides when.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ledger.embedded.account import Identity
from ledger.embedded.errors import foreign

FAST_SHUTDOWN = signal.SIGINT
IMMEDIATE_SHUTDOWN = signal.SIGQUIT
POLL_SECONDS = 0.02

# The pid is read again before it is used: another server may live in that folder by now.
_WATCHER = 'read -r _; read -r pid <"$2" && [ "$pid" = "$1" ] && kill -INT "$pid"'

# What this process started: kept so that it is reaped here, and so that the watchers' pipes stay open.
_started: dict[int, subprocess.Popen[bytes]] = {}
_watchers: dict[int, tuple[subprocess.Popen[bytes], int]] = {}


def spawn(command: Sequence[str], *, identity: Identity, environment: Mapping[str, str], cwd: Path, log: Path) -> int:
    """Start a program that goes on without a terminal, and return its pid."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
            **identity,
        )
    _started[process.pid] = process
    return process.pid


def watch(pid: int, pid_file: Path, *, identity: Identity) -> None:
    """Stop the server when the calling process ends in whatever way."""
    read_end, write_end = os.pipe()
    watcher = subprocess.Popen(
        ["/bin/sh", "-c", _WATCHER, "loanbook-watcher", str(pid), str(pid_file)],
        stdin=read_end,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,
        **identity,
    )
    os.close(read_end)
    _watchers[pid] = (watcher, write_end)


def exit_status(pid: int) -> int | None:
    """Return the status with which a process started here has ended, None if it runs or is not ours."""
    process = _started.get(pid)
    return process.poll() if process else None


def runs(pid: int, data: Path) -> bool:
    """Return whether a server runs: one just started here, or one that is known by its working directory."""
    if pid in _started:
        return exit_status(pid) is None
    return _serves(pid, data)


def recorded_pid(data: Path) -> int | None:
    """Return the pid in the server's own pid file; a server that was killed has left it there.

    Raises: ServerDirectoryForeign if the data is somebody else's.
    """
    try:
        first_line = (data / "postmaster.pid").read_text().partition("\n")[0]
    except FileNotFoundError:
        return None
    except PermissionError:
        raise foreign(data.parent, f"user id {os.geteuid()}") from None
    return int(first_line) if first_line.isdigit() else None


def running_pid(data: Path) -> int | None:
    """Return the pid of the server that runs on this data, None if none does."""
    pid = recorded_pid(data)
    if pid is None:
        return None
    exit_status(pid)  # collects it if it ended, so that it is no zombie below
    return pid if _serves(pid, data) else None


def stop_process(data: Path, pid: int, *, how: signal.Signals, timeout_s: float) -> bool:
    """Signal the server and wait until it is gone; False if it is still there when the time is over."""
    os.kill(pid, how)
    deadline = time.monotonic() + timeout_s
    while running_pid(data) == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    reap(pid)
    return True


def reap(pid: int) -> None:
    """Collect what this process started for a server that is gone."""
    process = _started.pop(pid, None)
    if process:
        process.wait()
    watcher, write_end = _watchers.pop(pid, (None, None))
    if watcher and write_end is not None:
        watcher.kill()
        watcher.wait()
        os.close(write_end)


def _serves(pid: int, data: Path) -> bool:
    """Return whether the process with this pid is a server whose working directory is the data folder.

    A zombie is not, nor is a stranger that was given the same number.
    """
    if Path("/proc/self/comm").exists():
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            return name in ("postgres", "postmaster") and os.path.samefile(f"/proc/{pid}/cwd", data)
        except OSError:
            return False
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "postgres" in listed.stdout and str(data) in listed.stdout


@atexit.register
def _forget() -> None:
    """Let go of servers that outlive this process, without a warning about children that still run."""
    with contextlib.suppress(OSError):
        for process in (*_started.values(), *(watcher for watcher, _ in _watchers.values())):
            process.returncode = process.poll() or 0
