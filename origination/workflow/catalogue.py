"""What a workflow may let happen: automatic tasks, by name or by family, and what the outcome of a person's task does.

Who does an automatic task is another matter: what finds them by name is passed in where a workflow runs. Those that
need nothing stand here. Never: a callable that touches the database. Next: `origination/workflow_commands/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from origination.verification.kinds import KINDS

NAMES = ("noop", "set_fact", "offer", "contract", "fund", "withdraw")
VERIFY, DECIDE = "verify:", "decide:"
KNOWN = (*NAMES, *(f"{VERIFY}{kind}" for kind in KINDS), f"{DECIDE}POLICY")
"""The automatic tasks as they are told to people."""

ACTS = ("approve", "decline", "withdraw", "meet_conditions", "approve_funding")
"""What the outcome of a task can do to its application, in the transaction of the completion and under its name."""

_DECIDES = re.compile(rf"{DECIDE}[a-z0-9][a-z0-9_-]{{0,40}}")


def is_task(name: str) -> bool:
    """Tell whether a workflow may name this automatic task."""
    return name in KNOWN[:-1] or _DECIDES.fullmatch(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an automatic task is told.

    `key` is the same whenever this very task is done again, after a failure or a kill: a task that acts outside does
    so under it, once. `settings` is what the step gives under `with`; `done_by` says who did which human step last.
    """

    application_id: int
    step: str
    key: str
    attempt: int
    now: datetime
    facts: Mapping[str, Any]
    done_by: Mapping[str, str]
    settings: Mapping[str, Any]


AutomaticTask = Callable[[int, Context], Mapping[str, Any]]
"""Takes an application's id and what it is told; returns JSON values, of which declared facts become facts."""


def noop(_application_id: int, _context: Context) -> Mapping[str, Any]:
    """Do nothing."""
    return {}


def set_fact(_application_id: int, context: Context) -> Mapping[str, Any]:
    """Return what the step gives under `with`."""
    return dict(context.settings)


GENERIC: Mapping[str, AutomaticTask] = MappingProxyType({"noop": noop, "set_fact": set_fact})
"""What every installation can do."""
