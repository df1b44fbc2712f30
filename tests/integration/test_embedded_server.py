"""The embedded server in real life: started, found running, killed, moved, fought over, and refused."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.embedded import binaries as installed
from ledger.embedded.account import ServerAccount, server_account
from ledger.embedded.binaries import Binaries
from ledger.embedded.errors import ServerBinariesMissing, ServerDirectoryForeign, ServerNotDurable
from ledger.embedded.layout import PLACES_FOR_ROOT, layout_of, prepare, runnable
from ledger.embedded.server import ADMIN, Server, remove, start, status, stop
from tests.support.servers import scratch_folder

PROJECT = Path(__file__).parents[2]
KINDS = {"distribution": installed.distribution_binaries, "wheel": installed.wheel_binaries}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its rights to start a server")

START_AND_SAY = """
import sys, pathlib
from ledger.embedded.server import start
server = start(pathlib.Path(sys.argv[1]), lifetime=sys.argv[2], bindir=pathlib.Path(sys.argv[3]))
print(server.pid, server.started, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=KINDS)
def binaries(request: pytest.FixtureRequest) -> Binaries:
    """Return the newest server of a kind, so that every test here runs on each kind."""
    found = next(KINDS[request.param](), None)
    if found is None or found.major < installed.OLDEST_MAJOR:
        pytest.skip(f"no PostgreSQL of the kind '{request.param}' is installed")
    return found


@pytest.fixture
def wheel() -> Binaries:
    """Return the wheel's newest server, for tests in which the kind does not matter."""
    return next(installed.wheel_binaries())


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder that the server's user may pass, and stop whatever still runs in it."""
    with scratch_folder(in_memory=True) as scratch:
        yield scratch
        for state_dir in scratch.glob("**/server.lock"):
            stop(state_dir.parent, discard=True)


def ask(server: Server, query: str, *parameters: Any) -> Any:
    """Return the first column of the first row."""
    with psycopg.connect(server.libpq_url_for("postgres")) as connection:
        row = connection.execute(query, parameters or None).fetchone()
    assert row is not None
    return row[0]


def execute(server: Server, command: str) -> None:
    with psycopg.connect(server.libpq_url_for("postgres")) as connection:
        connection.execute(command)


def is_alive(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pid: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def starter(state_dir: Path, lifetime: str, binaries: Binaries) -> subprocess.Popen[str]:
    """Start another process that starts the server, says so, and stays until its input ends."""
    command = [sys.executable, "-c", START_AND_SAY, str(state_dir), lifetime, str(binaries.bindir)]
    return subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def announced(process: subprocess.Popen[str]) -> tuple[int, bool]:
    """Return the pid that a starter announces, and whether it says that it started the server itself."""
    assert process.stdout is not None
    pid, started = process.stdout.readline().split()
    return int(pid), started == "True"


def test_a_first_start_makes_a_durable_cluster_that_listens_on_its_socket_only(
    folder: Path, binaries: Binaries
) -> None:
    server = start(folder / "state", bindir=binaries.bindir)

    assert server.started
    assert server.version == binaries.version
    assert server.program("psql").is_file()
    assert ask(server, "SELECT current_user") == ADMIN
    shown = {name: ask(server, f"SHOW {name}") for name in ("fsync", "listen_addresses", "data_checksums", "jit")}
    assert shown == {"fsync": "on", "listen_addresses": "", "data_checksums": "on", "jit": "off"}
    assert stat.S_IMODE(server.layout.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.layout.data.stat().st_mode) == 0o700


def test_text_sorts_by_code_point_on_every_server(folder: Path, binaries: Binaries) -> None:
    server = start(folder / "state", bindir=binaries.bindir)

    query = "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'A', 'ä', 'a', 'B', '_', 'Z']) AS x"
    assert ask(server, query) == "ABZ_abä"
    assert ask(server, "SELECT upper('straße é')") in ("STRASSE É", "STRAßE É")


def test_a_second_start_attaches_to_the_running_server(folder: Path, binaries: Binaries) -> None:
    first = start(folder / "state", bindir=binaries.bindir)

    second = start(folder / "state")

    assert (second.pid, second.started) == (first.pid, False)
    assert second.bindir == first.bindir
    assert status(folder / "state") == second


def test_stopping_keeps_the_data_and_says_whether_anything_ran(folder: Path, binaries: Binaries) -> None:
    first = start(folder / "state", bindir=binaries.bindir)
    execute(first, "CREATE TABLE kept AS SELECT 42 AS answer")

    assert stop(folder / "state")
    assert not stop(folder / "state")
    assert status(folder / "state") is None
    assert not is_alive(first.pid)

    second = start(folder / "state", bindir=binaries.bindir)
    assert ask(second, "SELECT answer FROM kept") == 42


def test_what_was_committed_survives_kill_9_of_the_server(folder: Path, binaries: Binaries) -> None:
    first = start(folder / "state", bindir=binaries.bindir)
    execute(first, "CREATE TABLE kept (answer int)")
    busy = psycopg.connect(first.libpq_url_for("postgres"))
    busy.execute("INSERT INTO kept VALUES (1)")
    execute(first, "INSERT INTO kept VALUES (42)")
    # A worker deep in a computation does not notice at once that its server is gone.
    pid = busy.info.backend_pid
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 3000000) AS n WHERE sqrt(n) < 0")

    os.kill(first.pid, signal.SIGKILL)
    second = start(folder / "state", bindir=binaries.bindir)

    assert second.started
    assert ask(second, "SELECT string_agg(answer::text, ',') FROM kept") == "42"
    assert wait_for_end(pid)
    busy.close()


def test_a_child_server_ends_with_its_parent_even_by_kill_9(folder: Path, binaries: Binaries) -> None:
    parent = starter(folder / "state", "child", binaries)
    pid, _ = announced(parent)
    assert is_alive(pid)

    parent.kill()
    parent.communicate()

    assert wait_for_end(pid)
    assert not (layout_of(folder / "state").data / "postmaster.pid").exists()


def test_a_daemon_outlives_its_parent(folder: Path, binaries: Binaries) -> None:
    parent = starter(folder / "state", "daemon", binaries)
    pid, _ = announced(parent)

    _, complaints = parent.communicate()

    assert not complaints
    found = status(folder / "state")
    assert found is not None
    assert found.pid == pid


def test_of_several_starters_at_once_one_starts_and_the_others_attach(folder: Path, binaries: Binaries) -> None:
    starters = [starter(folder / "state", "daemon", binaries) for _ in range(4)]

    announcements = [announced(process) for process in starters]

    assert len({pid for pid, _ in announcements}) == 1
    assert [started for _, started in announcements].count(True) == 1
    for process in starters:
        process.communicate()


@pytest.mark.parametrize("name", ["a state's dir", "x" * 120, "größe 100% & m,o\\re"])
def test_any_path_will_do(folder: Path, binaries: Binaries, name: str) -> None:
    server = start(folder / name, bindir=binaries.bindir)

    assert ask(server, "SELECT 1") == 1
    assert ask(server, "SHOW data_directory") == str(folder / name / "postgres" / "data")
    assert remove(folder / name)
    assert not server.layout.socket_dir.exists()


def test_a_stranger_with_the_old_number_is_neither_trusted_nor_touched(folder: Path, wheel: Binaries) -> None:
    server = start(folder / "state", bindir=wheel.bindir)
    os.kill(server.pid, signal.SIGKILL)
    assert wait_for_end(server.pid)
    with subprocess.Popen(["sleep", "20"]) as stranger:
        pid_file = server.layout.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))

        assert status(folder / "state") is None
        assert not stop(folder / "state")
        again = start(folder / "state", bindir=wheel.bindir)

        assert again.pid != stranger.pid
        assert ask(again, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_stopping_needs_nothing_but_python(folder: Path, wheel: Binaries) -> None:
    server = start(folder / "state", bindir=wheel.bindir)

    done = subprocess.run(
        [sys.executable, "-S", "-m", "ledger.embedded", "stop", str(folder / "state")],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("stopped\n")
    assert not is_alive(server.pid)


def test_removing_stops_the_server_and_deletes_its_data(folder: Path, wheel: Binaries) -> None:
    server = start(folder / "state", bindir=wheel.bindir)

    assert remove(folder / "state")

    assert not is_alive(server.pid)
    assert not server.layout.root.exists()
    assert not remove(folder / "state")
    assert not remove(folder / "never existed")


def test_a_half_made_cluster_is_made_again(folder: Path, wheel: Binaries) -> None:
    layout = layout_of(folder / "state")
    start(folder / "state", bindir=wheel.bindir).stop()
    layout.data.rename(layout.root / "data.new-1")

    server = start(folder / "state", bindir=wheel.bindir)

    assert ask(server, "SELECT 1") == 1
    assert not list(layout.root.glob("data.new-*"))


def test_a_server_without_durability_is_refused_for_real_use(folder: Path, wheel: Binaries) -> None:
    start(folder / "state", durable=False, bindir=wheel.bindir)

    with pytest.raises(ServerNotDurable):
        start(folder / "state", durable=True)


def test_data_is_opened_by_its_own_major_version_only(folder: Path, binaries: Binaries) -> None:
    others = [found for found in installed.all_binaries() if found.major != binaries.major]
    if not others:
        pytest.skip("only one major version is installed")
    start(folder / "state", bindir=binaries.bindir).stop()

    with pytest.raises(ServerBinariesMissing, match=f"PostgreSQL {binaries.major} in {others[0].bindir}"):
        start(folder / "state", bindir=others[0].bindir)
    assert start(folder / "state").version == binaries.version


def test_a_folder_without_a_server_is_refused_and_not_passed_over(folder: Path) -> None:
    with pytest.raises(ServerBinariesMissing, match="LOANBOOK_PG_BINDIR"):
        start(folder / "state", bindir=folder)


def test_a_socket_folder_that_others_may_enter_is_refused(folder: Path, wheel: Binaries) -> None:
    state_dir = folder / ("x" * 120)
    start(state_dir, bindir=wheel.bindir).stop()
    socket_dir = layout_of(state_dir).socket_dir
    socket_dir.chmod(0o777)

    with pytest.raises(ServerDirectoryForeign, match="0o777"):
        start(state_dir, bindir=wheel.bindir)
    shutil.rmtree(socket_dir)


@as_root
def test_root_starts_a_server_that_runs_as_a_lesser_user(folder: Path, binaries: Binaries) -> None:
    server = start(folder / "state", bindir=binaries.bindir)

    owner = Path(f"/proc/{server.pid}").stat().st_uid
    assert owner != 0
    assert server.layout.data.stat().st_uid == owner
    groups = Path(f"/proc/{server.pid}/status").read_text().partition("Groups:")[2].partition("\n")[0].split()
    assert "0" not in groups


@as_root
def test_below_a_folder_closed_to_the_servers_user_the_data_goes_elsewhere(folder: Path, wheel: Binaries) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)

    server = start(home / "state", bindir=wheel.bindir)

    assert server.layout.root.parent in PLACES_FOR_ROOT
    assert ask(server, "SELECT 1") == 1
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert start(home / "state").pid == server.pid
    assert remove(home / "state")
    assert not server.layout.root.exists()


@as_root
def test_programs_that_the_servers_user_cannot_run_are_copied_once(folder: Path, wheel: Binaries) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    assert wheel.base is not None
    for tree in wheel.movable:
        shutil.copytree(wheel.base / tree, home / tree, symlinks=True)
    hidden = wheel.moved_to(home)
    (folder / "state").mkdir(mode=0o711)
    layout = layout_of(folder / "state")
    account = prepare(layout)
    assert not account.can_run(hidden.program("postgres"))

    copied = runnable(hidden, account, layout)

    assert account.can_run(copied.program("initdb"))
    assert copied.bindir.is_relative_to(layout.root)
    assert runnable(hidden, account, layout) == copied


@as_root
def test_another_user_starts_a_server_as_itself(folder: Path, binaries: Binaries) -> None:
    nobody = next(account for account in [server_account(folder)] if account.uid != 0)
    python = _interpreter_for(nobody)
    if not nobody.can_run(binaries.program("postgres")):
        pytest.skip(f"{nobody.name} cannot run {binaries.bindir}")
    home = folder / "theirs"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.uid, nobody.gid)

    done = subprocess.run(
        [python, "-c", START_AND_SAY, str(home / "state"), "child", str(binaries.bindir)],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **nobody.identity,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (home / "state" / "postgres" / "data").stat().st_uid == nobody.uid
    assert wait_for_end(int(done.stdout.split()[0]))


def _interpreter_for(account: ServerAccount) -> str:
    """Return a Python of this version that the user can run; skip the test if there is none."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        if account.can_run(Path(candidate)) and account.can_enter(PROJECT):
            return candidate
    pytest.skip(f"{account.name} can run no {name} in this place")
