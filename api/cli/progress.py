"""Progress of what takes longer than a moment: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Called with what is done so far, how much there is, and if it has changed, what is being done."""

    def __call__(self, done: int, total: int, doing: str | None = None) -> None:
        """Show it."""


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Advance]:
    """Yield a function to report progress with; the bar is on stderr and goes when the work is done."""
    if quiet or not sys.stderr.isatty():
        yield _nobody
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def advance(done: int, total: int, doing: str | None = None) -> None:
            description = label if doing is None else f"{label}: {doing}"
            bar.update(task, completed=done, total=total or None, description=description)

        yield advance


def _nobody(done: int, total: int, doing: str | None = None) -> None:
    """Report to nobody."""
