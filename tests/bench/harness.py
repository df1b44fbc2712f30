"""What every benchmark uses: the server, the results, pgbench, and how a time is taken.

The server is the product's own embedded one with the settings of real use: fsync on, commits durable. A floor and what
is measured against it alternate, and the median of the rounds counts. Next: `tests/bench/__main__.py`.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from ledger.db import create_engine
from ledger.embedded.server import Server
from migrations.runner import migrate

ADMIN, OWNER, APP = "loanbook_admin", "loanbook_owner", "loanbook_app"
SCALE = float(os.environ.get("SCALE", "1"))
ROUNDS = 3


def scaled(number: int) -> int:
    """Return a number of things at the run's scale, at least a few."""
    return max(1_000, int(number * SCALE))


@dataclass(frozen=True)
class Result:
    """One line of the table. `ratio` compares value and floor; `goal` is a bound on the ratio, or on the value."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: str | None = None
    ok: bool | None = None


@dataclass
class Bench:
    """A run: its server, its databases, what was measured so far."""

    server: Server
    folder: Path
    say: Callable[[str], None]
    results: list[Result] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """Return the results as JSON objects."""
        return [asdict(result) for result in self.results]

    def faster(self, name: str, value: float, floor: float, unit: str, *, at_least: float | None) -> None:
        """Record a rate, where more is better."""
        ratio = value / floor
        goal = None if at_least is None else f">= {at_least}"
        self._add(Result(name, value, unit, floor, ratio, goal, None if at_least is None else ratio >= at_least))

    def slower(self, name: str, value: float, floor: float, unit: str, *, at_most: float | None) -> None:
        """Record a duration, where less is better."""
        ratio = value / floor
        goal = None if at_most is None else f"<= {at_most}"
        self._add(Result(name, value, unit, floor, ratio, goal, None if at_most is None else ratio <= at_most))

    def figure(self, name: str, value: float, unit: str, *, at_most: float | None = None) -> None:
        """Record a figure without a floor."""
        goal = None if at_most is None else f"<= {at_most:g} {unit}"
        self._add(Result(name, value, unit, None, None, goal, None if at_most is None else value <= at_most))

    def _add(self, result: Result) -> None:
        self.results.append(result)
        ratio = "" if result.ratio is None else f"  ratio {result.ratio:.3f}"
        self.say(f"    {result.name}: {result.value:,.3f} {result.unit}{ratio}")


@dataclass(frozen=True)
class BenchDatabase:
    """A migrated database of the run."""

    server: Server
    name: str

    @classmethod
    def create(cls, server: Server, name: str) -> BenchDatabase:
        """Create and migrate a database."""
        with psycopg.connect(server.libpq_url_for("postgres", ADMIN), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        migrate(server.url_for(name, ADMIN))
        return cls(server, name)

    def engine(self, role: str = APP, **options: Any) -> Any:
        """Return the application's own kind of engine."""
        return create_engine(self.server.url_for(self.name, role), **options)

    def connect(self, role: str = ADMIN) -> psycopg.Connection[Any]:
        """Return a plain connection that commits each statement."""
        return psycopg.connect(self.server.libpq_url_for(self.name, role), autocommit=True)

    def drop(self) -> None:
        """Drop the database, to give its space back."""
        with psycopg.connect(self.server.libpq_url_for("postgres", ADMIN), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {self.name} WITH (FORCE)")


@dataclass(frozen=True)
class Load:
    """What pgbench measured."""

    rate: float
    latencies_ms: tuple[float, ...] = ()


def pgbench(
    database: BenchDatabase,
    script: Path,
    *,
    clients: int,
    transactions: int,
    variables: Mapping[str, int],
    log: bool = False,
) -> Load:
    """Run a script so many times in all, prepared, from so many clients; return transactions a second."""
    url = database.server.libpq_url_for(database.name, APP)
    prefix = script.with_suffix(f".{time.monotonic_ns()}")
    command = [
        str(database.server.program("pgbench")),
        *("-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2))),
        *("-t", str(max(1, transactions // clients)), "-f", str(script)),
        *(part for name, value in variables.items() for part in ("-D", f"{name}={value}")),
        *(("-l", f"--log-prefix={prefix}") if log else ()),
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
    if done.returncode or found is None or (failed and int(failed[1])):
        raise RuntimeError(f"pgbench failed: {done.stderr or done.stdout}")
    return Load(float(found[1]), _latencies(prefix) if log else ())


def driver(database: BenchDatabase, script: Path, *, clients: int, transactions: int) -> float:
    """Run a script through the product's driver, from processes of their own; return transactions a second."""
    command = [sys.executable, "-m", "tests.bench.client", database.server.libpq_url_for(database.name, APP)]
    each = max(1, transactions // clients)
    return each * clients / together([[*command, str(script), str(each)]] * clients)


def together(commands: Sequence[Sequence[str]]) -> float:
    """Start clients that say "ready" and wait for a line; return how long they take from there, all together."""
    running = [
        subprocess.Popen(list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    for client in running:
        assert client.stdout is not None
        if client.stdout.readline() != "ready\n":
            raise RuntimeError("a client of the benchmark did not start")
    started = time.perf_counter()
    for client in running:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    for client in running:
        client.communicate()
    taken = time.perf_counter() - started
    if any(client.returncode for client in running):
        raise RuntimeError("a client of the benchmark failed")
    return taken


def _latencies(prefix: Path) -> tuple[float, ...]:
    lines = (line for file in prefix.parent.glob(f"{prefix.name}.*") for line in file.read_text().splitlines())
    return tuple(sorted(int(line.split()[2]) / 1000 for line in lines))


def percentile(latencies: tuple[float, ...], share: float) -> float:
    """Return the latency that so large a share of the transactions stayed under."""
    return latencies[min(len(latencies) - 1, int(len(latencies) * share))]


def alternate(floor: Callable[[], float], ours: Callable[[], float], rounds: int = ROUNDS) -> tuple[float, float]:
    """Return the medians of a floor and of what is measured against it, taken in turns."""
    pairs = [(floor(), ours()) for _ in range(rounds)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def seconds(work: Callable[[], object]) -> float:
    """Return how long something took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
