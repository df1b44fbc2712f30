"""`loanbook task`: the list of what people are to do for applications, and each thing that they do to a task.

Next: `api/workflows.py`; `docs/spec/workflow.md`.
"""

from __future__ import annotations

import click

from api.cli.options import changes, reads
from api.cli.output import Column, print_line, print_table
from api.cli.session import Session
from api.cli.workflow_options import APPLICATION, FACTS, REASON, ROLES, does, minutes, read_facts, vocabulary_of

COLUMNS = (
    Column("application_id", "Application", right=True),
    Column("task", "Task", right=True),
    Column("step", "Step"),
    Column("title", "What"),
    Column("queue", "Queue"),
    Column("role", "Role"),
    Column("owner", "Held by"),
    Column("due", "Due"),
    Column("late", "Late"),
)
TASK = click.argument("task_text", metavar="TASK")


@click.group()
def task() -> None:
    """Look at the tasks of people, claim them, and complete them; a task is called by its number or its step.

    \b
    loanbook task list --queue underwriting
    loanbook task claim 12 underwrite --role underwriter
    loanbook task complete 12 underwrite approve --note "Steady income" --role underwriter
    """


@task.command("list")
@click.option("--queue", help="Only of this queue.")
@click.option("--role", help="Only for this role.")
@click.option("--owner", help="Only those that this person holds.")
@click.option("--unowned", is_flag=True, help="Only those that nobody holds.")
@click.option("--application", "application_id", type=click.IntRange(min=1), help="Only of this application.")
@click.option("--due-before", metavar="TIME", help="Only those due before a moment, as 2026-11-02T15:00Z.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many on a page.")
@click.option("--after", "cursor", metavar="CURSOR", help="The page after the one that ended with this.")
@reads
def list_tasks(
    session: Session,
    queue: str | None,
    role: str | None,
    owner: str | None,
    unowned: bool,
    application_id: int | None,
    due_before: str | None,
    limit: int,
    cursor: str | None,
) -> None:
    """List what is to do, what is due first at the top.

    \b
    loanbook task list --queue underwriting --unowned
    loanbook task list --owner ben --json
    """
    from api.task_pages import page_of
    from api.workflows import read_moment
    from origination.workflow_queries import TaskFilter

    wanted = TaskFilter(
        queue=queue,
        role=role,
        owner=owner,
        unowned=unowned,
        application_id=application_id,
        due_before=None if due_before is None else read_moment(due_before),
    )
    code = session.book_code
    page = session.read(lambda connection: page_of(connection, code, wanted, cursor=cursor, limit=limit))

    def people() -> None:
        rows = [
            {**row, "due": minutes(row["due_at"]), "late": "late" if row["is_late"] else ""} for row in page["tasks"]
        ]
        print_table(COLUMNS, rows)
        if page["next"] is not None:
            print_line(f"There are more: --after {page['next']}")

    session.show(page, people)


@task.command("claim")
@APPLICATION
@TASK
@ROLES
@changes
def claim(session: Session, application_id: int, task_text: str, roles: tuple[str, ...]) -> None:
    """Take a task that nobody holds.

    \b
    loanbook task claim 12 underwrite --role underwriter
    """
    from api.workflows import person_of
    from origination.workflow_commands.moving import claim_task

    code, number = session.book_code, _number(session, application_id, task_text)
    person = person_of(session.actor, roles)
    does(session, application_id, lambda uow: claim_task(uow, code, application_id, number, person))


@task.command("release")
@APPLICATION
@TASK
@REASON
@ROLES
@changes
def release(session: Session, application_id: int, task_text: str, reason: str, roles: tuple[str, ...]) -> None:
    """Give back a task that you hold.

    \b
    loanbook task release 12 underwrite --reason "On leave"
    """
    from api.workflows import person_of
    from origination.workflow_commands.moving import release_task

    code, number = session.book_code, _number(session, application_id, task_text)
    person = person_of(session.actor, roles)
    does(session, application_id, lambda uow: release_task(uow, code, application_id, number, person, reason=reason))


@task.command("reassign")
@APPLICATION
@TASK
@click.argument("to")
@REASON
@ROLES
@changes
def reassign(
    session: Session, application_id: int, task_text: str, to: str, reason: str, roles: tuple[str, ...]
) -> None:
    """Give a task to somebody, whoever holds it.

    \b
    loanbook task reassign 12 underwrite cem --reason "Ben is ill"
    """
    from api.workflows import person_of
    from origination.workflow_commands.moving import reassign_task

    code, number = session.book_code, _number(session, application_id, task_text)
    person = person_of(session.actor, roles)
    does(
        session,
        application_id,
        lambda uow: reassign_task(uow, code, application_id, number, person, to=to, reason=reason),
    )


@task.command("complete")
@APPLICATION
@TASK
@click.argument("outcome")
@click.option("--note", "notes", multiple=True, help="What was seen; may be repeated.")
@click.option("--reference", "references", multiple=True, help="Where it can be seen; may be repeated.")
@FACTS
@click.option("--reason", help="Why this outcome.")
@ROLES
@changes
def complete(
    session: Session,
    application_id: int,
    task_text: str,
    outcome: str,
    notes: tuple[str, ...],
    references: tuple[str, ...],
    facts: tuple[str, ...],
    reason: str | None,
    roles: tuple[str, ...],
) -> None:
    """Complete a task that you hold in one of its outcomes, with evidence; the application goes on.

    \b
    loanbook task complete 12 underwrite approve --note "Steady income" --reference scan-17
    """
    from api.workflows import evidence_of, person_of
    from origination.workflow.acts import Completion
    from origination.workflow_commands.moving import complete_task

    code, number = session.book_code, _number(session, application_id, task_text)
    known = read_facts(vocabulary_of(session, application_id), facts) if facts else {}
    given = Completion(outcome, known, evidence_of(notes, references), reason)
    person = person_of(session.actor, roles)
    does(session, application_id, lambda uow: complete_task(uow, code, application_id, number, person, given))


def _number(session: Session, application_id: int, wanted: str) -> int:
    from api.workflows import task_number

    code = session.book_code
    return session.read(lambda connection: task_number(connection, code, application_id, wanted))
