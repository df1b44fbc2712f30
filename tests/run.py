"""Run the tests: those that need a database on a distribution's PostgreSQL, then all on the wheel's.

What is marked `once` repeats a test with other random examples, or stands on commands that have tests of their own, and
is left to the second run.

`python -m tests.run [pytest's arguments]`. `LOANBOOK_TEST_SERVER` chooses one server instead. Ends with
status 0 if both runs did.
"""

from __future__ import annotations

import os
import subprocess
import sys

from ledger.embedded.binaries import distribution_binaries
from tests.support.servers import CHOICE, first_bindir


def main(arguments: list[str]) -> int:
    """Run pytest once or twice, and return the worse status."""
    if CHOICE in os.environ:
        return run(os.environ[CHOICE], arguments)
    if first_bindir(distribution_binaries()) is None:
        print("No PostgreSQL of a distribution is installed: the tests run on the wheel's alone.", flush=True)
        return run("wheel", arguments)
    return max(run("distribution", ["-m", "postgres and not once", *arguments]), run("wheel", arguments))


def run(choice: str, arguments: list[str]) -> int:
    """Run pytest in parallel on one kind of server; no test collected is a failure."""
    print(f"Tests on PostgreSQL: {choice}", flush=True)
    parallel = ["-n", os.environ.get("JOBS", "2"), "--dist", "worksteal"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *parallel, *arguments],
        env={**os.environ, CHOICE: choice},
        check=False,
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
