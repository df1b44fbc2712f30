"""Runs what is due of a book in a process of its own, which kills itself at the so-manyth moment of a kind.

`python -m tests.integration.origination.tick_child URL BOOK AT PLACE COUNT FILE`: the place is `before` a task runs,
`between` its run and its writing, or `after` an event is written and before the commit. Each run of a task leaves
its key in the file. Next: `test_workflow_ticks.py`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.db import create_engine
from origination import workflow_store as store
from origination.workflow.catalogue import GENERIC, Context
from origination.workflow_commands.running import Runner, tick


def main(url: str, code: str, at: str, place: str, count: str, file: str) -> None:
    """Run, or die as if the power were cut: no handler runs."""
    left = int(count)

    def comes_to(here: str) -> None:
        nonlocal left
        left -= here == place
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def identity(_application_id: int, context: Context) -> Mapping[str, Any]:
        comes_to("before")
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(f"{context.key}\n")
        comes_to("between")
        return {"identity": "passed"}

    write = store.move

    def watched(*arguments: Any) -> None:
        write(*arguments)
        comes_to("after")

    store.move = watched  # type: ignore[assignment] # a test stands in its way
    tasks = {**GENERIC, "verify:identity": identity}
    tick(Runner(create_engine(url), code, tasks.get, "system", datetime.fromisoformat(at)))


if __name__ == "__main__":
    main(*sys.argv[1:])
