"""Loading a workflow: its text becomes a version by the hash of what it says, and is activated from a moment on.

Applications that run keep the version that they were started with. Never: reading a file.
Next: `origination/workflow/reading.py`, which refuses what cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger.unit_of_work import UnitOfWork
from origination import workflow_store as store
from origination.workflow.errors import WorkflowInvalid, WorkflowUnknown
from origination.workflow.reading import read_workflow
from origination.workflow_queries import activation_in_force


@dataclass(frozen=True, slots=True)
class LoadedWorkflow:
    """A version of a workflow, whether loading made it, and its activation if it has one now."""

    code: str
    content_hash: str
    is_new: bool
    activation: store.Activation | None


def load_workflow(
    uow: UnitOfWork, source: str, *, active_from: datetime | None, reason: str | None = None
) -> LoadedWorkflow:
    """Keep a version, and activate it from a moment on (None: only keep it); the same again changes nothing.

    Raises: WorkflowInvalid with everything that is wrong.
    """
    definition = read_workflow(source)
    is_new = store.insert_version(uow.connection, definition, source, actor=uow.actor)
    content_hash = definition.content_hash()
    active = None
    if active_from is not None:
        active = _activate(uow, definition.code, content_hash, active_from, reason)
    return LoadedWorkflow(definition.code, content_hash, is_new, active)


def activate_workflow(
    uow: UnitOfWork, code: str, beginning: str, *, active_from: datetime, reason: str | None = None
) -> store.Activation:
    """Let applications be started on a version from a moment on; it is called by the beginning of its hash.

    Raises: WorkflowUnknown if no version is called so; WorkflowInvalid if several are.
    """
    found = store.hashes_like(uow.connection, code, beginning)
    if not found:
        raise WorkflowUnknown(name=f"{code} {beginning}", known=store.hashes_like(uow.connection, code, ""))
    if len(found) > 1:
        raise WorkflowInvalid(problems=(f"version: {len(found)} versions of {code} begin with {beginning}",))
    return _activate(uow, code, found[0], active_from, reason)


def _activate(
    uow: UnitOfWork, code: str, content_hash: str, active_from: datetime, reason: str | None
) -> store.Activation:
    while True:
        known = store.activations(uow.connection, code)
        latest = activation_in_force(known, active_from)
        if latest is not None and latest.content_hash == content_hash:
            return latest
        wanted = store.Activation(code, len(known) + 1, content_hash, active_from, uow.actor, reason)
        # Whoever activates the same workflow meanwhile takes the number; then this one is next after it.
        if store.insert_activation(uow.connection, wanted):
            return wanted
