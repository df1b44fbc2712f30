"""Closes a month in a process of its own, which kills itself where it is told to.

`python -m tests.integration.gl_export.close_child URL FOLDER MONTH MODE STEP`; the mode is `never`, `after`
the step's evidence is kept, or `before` it is, when all of the step's work is done.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gl_export import store
from gl_export.close import StepEvidence, StepProgress, StepState
from gl_export.commands.close import close_month
from ledger.dates import Month
from ledger.db import create_engine


def die() -> None:
    """End as if the power were cut: nothing is flushed, no handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, folder: str, month: str, mode: str, step: str) -> None:
    """Close the month, or die on the way."""
    keep = store.insert_evidence

    def keep_or_die(
        connection: sa.Connection, key: Mapping[str, Any], evidence: StepEvidence, *, approver: str
    ) -> bool:
        if mode == "before" and evidence.step == step:
            die()
        return keep(connection, key, evidence, approver=approver)

    def watch(progress: StepProgress) -> None:
        if mode == "after" and progress.state is StepState.DONE and progress.step.name == step:
            die()

    store.insert_evidence = keep_or_die
    close_month(
        create_engine(url),
        "MAIN",
        Month.parse(month),
        actor="ops",
        approver="controller",
        out_dir=Path(folder),
        on_progress=watch,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
