"""A bureau as a process of its own, for as long as somebody asks it.

Next: `api/cli/bureau.py`, which is what runs there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

KEY = "LOANBOOK_BUREAU_KEY"
"""The environment variable that opens it."""


@contextmanager
def running_bureau(seed: int, key: str) -> Iterator[str]:
    """Yield the address of a bureau of the people of a seed, on a free port of this machine, and stop it at the end."""
    run_it = "from api.cli.main import main; main()"
    started = subprocess.Popen(
        [sys.executable, "-c", run_it, "bureau", "--seed", str(seed), "--port", "0", "--json"],
        env={**os.environ, KEY: key},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert started.stdout is not None
        announced = json.loads("".join(iter(started.stdout.readline, "}\n")) + "}")
        yield announced["url"]
    finally:
        started.terminate()
        started.communicate(timeout=60)
