"""An application that was submitted goes on the workflow that it was routed to, in the transaction of the submission.

Where no version of that workflow is active it waits in its queue, and is started by hand. Never: which workflow
(`origination/intake/routing.py`). Next: `origination/workflow_commands/moving.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from origination import intake_store
from origination.intake.records import Submission
from origination.intake_commands import form_in_force
from origination.workflow.acts import Person
from origination.workflow.errors import WorkflowUnknown
from origination.workflow.reading import stored_workflow
from origination.workflow_commands.moving import Moved, start_workflow
from origination.workflow_queries import source_in_force


def start_routed(uow: UnitOfWork, book_code: str, submission: Submission, person: Person) -> Moved | None:
    """Start a submitted application on its workflow; None if no version of it is active.

    Of what is known, the workflow gets what it declares: `amount` in the major unit, `term`, `state`, `channel`,
    `product`, `queue`, `duplicate`.

    Raises: as `start_workflow`.
    """
    try:
        source = source_in_force(uow.connection, submission.workflow, person.at)
    except WorkflowUnknown:
        return None
    declared = stored_workflow(source).facts
    facts = {name: value for name, value in _known(uow, submission).items() if name in declared}
    return start_workflow(uow, book_code, submission.application_id, submission.workflow, person, facts=facts)


def _known(uow: UnitOfWork, submission: Submission) -> Mapping[str, Any]:
    row = intake_store.load_intake(uow.connection, submission.application_id)
    latest = intake_store.latest_version(uow.connection, submission.application_id)
    assert row is not None, submission
    assert latest is not None, submission
    asked = latest.data["application"]
    currency = form_in_force(uow.connection, submission.product).currency
    return {
        "amount": Money(asked["amount"], currency).format(),
        "term": asked["term_months"],
        "state": asked["state"],
        "channel": row.channel,
        "product": submission.product,
        "queue": submission.queue,
        "duplicate": bool(submission.duplicate_of),
    }
