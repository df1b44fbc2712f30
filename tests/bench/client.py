"""One client of a benchmark, a process of its own: it runs a pgbench script's statement through psycopg, as the product does.

`python -m tests.bench.client URL SCRIPT COUNT` says "ready", waits for a line, runs, and says how many seconds it took.
Next: `tests/bench/posting.py`.
"""

from __future__ import annotations

import random
import re
import sys
import time
from pathlib import Path

import psycopg

SETTING = re.compile(r"\\set (\w+) random\((\d+), (\d+)\)")


def main(url: str, script: str, count: int) -> None:
    """Run the statement so many times, each with numbers of its own and in a transaction of its own."""
    text = Path(script).read_text(encoding="utf-8")
    ranges = {name: (int(low), int(high)) for name, low, high in SETTING.findall(text)}
    body = SETTING.sub("", text).strip().rstrip(";").replace("%", "%%")
    statement = re.sub(r"(?<!:):(\w+)::", r"%(\1)s::", body)
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
        for _ in range(20):
            connection.execute(statement, _drawn(ranges))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        started = time.perf_counter()
        for _ in range(count):
            connection.execute(statement, _drawn(ranges))
        sys.stdout.write(f"{time.perf_counter() - started}\n")


def _drawn(ranges: dict[str, tuple[int, int]]) -> dict[str, int]:
    return {name: random.randint(low, high) for name, (low, high) in ranges.items()}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
