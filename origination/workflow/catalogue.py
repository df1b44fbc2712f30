"""Which automatic tasks a workflow may name: some by their name, some by a family and what follows the colon.

Who does them is another matter: a mapping of names to callables is passed in where a workflow runs. Those that every
installation has stand here. Never: a callable that touches the database. Next: `origination/workflow_commands/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

NAMES = ("noop", "set_fact", "offer", "contract", "fund")
FAMILIES = ("verify", "decide")
_OF_FAMILY = re.compile(rf"({'|'.join(FAMILIES)}):[a-z0-9][a-z0-9_-]{{0,40}}")


def is_task(name: str) -> bool:
    """Tell whether a workflow may name this automatic task."""
    return name in NAMES or _OF_FAMILY.fullmatch(name) is not None


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
