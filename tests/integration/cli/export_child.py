"""Runs `loanbook export` in a process of its own, which kills itself where it is told to.

`python -m tests.integration.cli.export_child WHERE ARGUMENTS...`: `built`, when a batch is committed and no file of it
is written; `half`, when one of its files is; `written`, when all of them are and no delivery is recorded.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from api.cli.main import main
from gl_export import delivery
from gl_export.commands import batches


def die(*_: Any, **__: Any) -> None:
    """End as if the power were cut: nothing is flushed, no handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)


def run(where: str, *arguments: str) -> None:
    """Export, or die on the way."""
    put = delivery._put
    written: list[str] = []

    def put_one_and_die(target: Any, content: bytes) -> None:
        if written:
            die()
        written.append(target.name)
        put(target, content)

    match where:
        case "built":
            batches.write_batch = die  # type: ignore[assignment]
        case "half":
            delivery._put = put_one_and_die
        case "written":
            batches.record_delivery = die  # type: ignore[assignment]
    main(list(arguments))


if __name__ == "__main__":
    run(*sys.argv[1:])
