"""What a workflow refuses: one class per fact, with its figures as fields.

Never here: HTTP statuses or exit codes. Next: `ledger/domain_error.py` for what these classes inherit.
"""

from __future__ import annotations

from ledger.domain_error import DomainError


class WorkflowInvalid(DomainError, code="workflow-invalid"):
    """the workflow cannot be used: {problems}"""

    problems: tuple[str, ...]


class WorkflowUnknown(DomainError, code="workflow-unknown"):
    """there is no workflow {name}; known are {known}"""

    name: str
    known: tuple[str, ...]


class WorkflowNotStarted(DomainError, code="workflow-not-started"):
    """application {application_id} has not been started on a workflow"""

    application_id: int


class WorkflowStarted(DomainError, code="workflow-started"):
    """application {application_id} is on the workflow {workflow} already"""

    application_id: int
    workflow: str


class WorkflowOver(DomainError, code="workflow-over"):
    """the workflow of application {application_id} is {state}: nothing more can be done in it"""

    application_id: int
    state: str


class WorkflowMoved(DomainError, code="workflow-moved"):
    """application {application_id} was moved by somebody else at the same instant; look at it again"""

    application_id: int


class StepNotOpen(DomainError, code="workflow-step-not-open"):
    """application {application_id} is not at {step}, where this could be done; it is at {at}"""

    application_id: int
    step: str
    at: tuple[str, ...]


class TaskUnknown(DomainError, code="task-unknown"):
    """there is no open task {task} of application {application_id}"""

    application_id: int
    task: int


class TaskStateRefused(DomainError, code="task-state-refused"):
    """task {task} of application {application_id} is {state}, held by {owner}: it cannot be {wanted}"""

    application_id: int
    task: int
    state: str
    owner: str | None
    wanted: str


class TaskNotYours(DomainError, code="task-not-yours"):
    """task {task} of application {application_id} is held by {owner}, not by {actor}"""

    application_id: int
    task: int
    owner: str
    actor: str


class TaskRoleRefused(DomainError, code="task-role-refused"):
    """{step} of application {application_id} is for the role {role}; {actor} has {roles}"""

    application_id: int
    step: str
    role: str
    actor: str
    roles: tuple[str, ...]


class TaskOfEnterer(DomainError, code="task-of-enterer"):
    """{actor} entered application {application_id} and may not do its step {step}"""

    application_id: int
    step: str
    actor: str


class TaskOfSamePerson(DomainError, code="task-of-same-person"):
    """{actor} did {other} of application {application_id} and may not do its step {step} too"""

    application_id: int
    step: str
    other: str
    actor: str


class OutcomeUnknown(DomainError, code="workflow-outcome-unknown"):
    """{step} does not end in {outcome}; it ends in one of {known}"""

    step: str
    outcome: str
    known: tuple[str, ...]


class EvidenceMissing(DomainError, code="task-evidence-missing"):
    """{step} of application {application_id} is completed with evidence: a note or a reference"""

    application_id: int
    step: str


class FactRefused(DomainError, code="workflow-fact-refused"):
    """the fact {fact} cannot be taken: {reason}"""

    fact: str
    reason: str


class ByHandRefused(DomainError, code="workflow-by-hand-refused"):
    """{step} is an automatic task whose outcome nobody may give by hand"""

    step: str


class WorkflowClockRefused(DomainError, code="workflow-clock-refused"):
    """{at} is no moment to go by: {reason}"""

    at: str
    reason: str
