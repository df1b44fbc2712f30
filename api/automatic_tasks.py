"""Who does which automatic task of a workflow: the one place where names and programs meet.

A task is a callable that takes an application's id and what it is told (`origination/workflow/catalogue.py`), and
returns its outcome; one that acts outside does so once for its key. A task that is not here waits, or is done by hand.
Next: `origination/workflow_commands/running.py`, which runs them.
"""

from __future__ import annotations

from collections.abc import Mapping

from origination.workflow.catalogue import GENERIC, AutomaticTask


def automatic_tasks() -> Mapping[str, AutomaticTask]:
    """Return every automatic task that this installation can do, by name."""
    return {**GENERIC}
