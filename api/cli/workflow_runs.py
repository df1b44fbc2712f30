"""`loanbook workflow start`, `position`, `history`, `signal`, `outcome`, `retry`, `cancel` and `tick`.

Next: `api/cli/workflow.py`, the group; `origination/workflow_commands/moving.py`, `running.py`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from api.cli.applications import vault_or_none
from api.cli.options import changes, reads
from api.cli.output import Column, print_facts, print_line, print_table
from api.cli.session import Session
from api.cli.workflow_options import (
    APPLICATION,
    FACTS,
    REASON,
    ROLES,
    does,
    minutes,
    print_position,
    read_facts,
    vocabulary_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from origination.workflow_commands.running import Runner

HISTORY = (
    Column("event_no", "Event", right=True),
    Column("when", "At"),
    Column("kind", "What"),
    Column("step", "Step"),
    Column("actor", "By"),
    Column("ways", "Way", long=True),
    Column("reason", "Why", long=True),
)
WAITING = (Column("application_id", "Application", right=True), Column("steps", "Waits for somebody who does"))
FAILURES = (
    Column("application_id", "Application", right=True),
    Column("code", "Refused as"),
    Column("message", "Why", long=True),
)
DUE = (
    Column("application_id", "Application", right=True),
    Column("step", "Step"),
    Column("act", "What is due"),
    Column("since", "Since"),
)
STEP = click.argument("step")


@click.command("start")
@APPLICATION
@click.argument("code")
@FACTS
@ROLES
@changes
def start(session: Session, application_id: int, code: str, facts: tuple[str, ...], roles: tuple[str, ...]) -> None:
    """Start an application on the version of a workflow that is in force; it keeps that version.

    \b
    loanbook workflow start 12 standard --fact amount=12000
    """
    from api.workflows import now, person_of
    from origination.workflow.reading import stored_workflow
    from origination.workflow_commands.moving import start_workflow
    from origination.workflow_queries import source_in_force

    book_code = session.book_code
    source = session.read(lambda connection: source_in_force(connection, code, now()))
    known = read_facts(stored_workflow(source).facts, facts)
    person = person_of(session.actor, roles)
    does(session, application_id, lambda uow: start_workflow(uow, book_code, application_id, code, person, facts=known))


@click.command("position")
@APPLICATION
@reads
def position(session: Session, application_id: int) -> None:
    """Show where an application stands in its workflow, what is known of it, and what comes next.

    \b
    loanbook workflow position 12
    """
    from api.workflows import now, view_json
    from origination.workflow_queries import workflow_of

    code = session.book_code
    document = view_json(session.read(lambda at: workflow_of(at, code, application_id, now=now())))

    def people() -> None:
        known = [f"{name} {_said(value)}" for name, value in document["facts"].items()]
        name = f"{document['workflow']}, version {document['version'][:12]}"
        print_facts({"workflow": name, "facts": "; ".join(known) or None})
        print_line("")
        print_position(document)

    session.show(document, people)


@click.command("history")
@APPLICATION
@reads
def history(session: Session, application_id: int) -> None:
    """Show all that happened to an application in its workflow: what, when, by whom and why.

    \b
    loanbook workflow history 12 --json
    """
    from api.workflows import history_json, now
    from origination.workflow_queries import workflow_of

    code = session.book_code
    document = history_json(session.read(lambda at: workflow_of(at, code, application_id, now=now())))
    rows = [
        {
            **event,
            "when": minutes(event["at"]),
            "kind": event["kind"].replace("_", " "),
            "step": event["details"].get("step"),
            "ways": ", ".join(
                f"{move['to']} ({move['because']})" if move["because"] else move["to"] for move in event["moves"]
            ),
        }
        for event in document["events"]
    ]
    session.show(document, lambda: print_table(HISTORY, rows))


@click.command("signal")
@APPLICATION
@click.argument("name")
@FACTS
@changes
def signal(session: Session, application_id: int, name: str, facts: tuple[str, ...]) -> None:
    """Send a signal to the step that waits for it, such as that the applicant accepts.

    \b
    loanbook workflow signal 12 accepted
    """
    from api.workflows import person_of
    from origination.workflow_commands.moving import send_signal

    code = session.book_code
    known = read_facts(vocabulary_of(session, application_id), facts) if facts else {}
    person = person_of(session.actor, ())
    does(session, application_id, lambda uow: send_signal(uow, code, application_id, name, person, facts=known))


@click.command("outcome")
@APPLICATION
@STEP
@FACTS
@REASON
@ROLES
@changes
def outcome(
    session: Session, application_id: int, step: str, facts: tuple[str, ...], reason: str, roles: tuple[str, ...]
) -> None:
    """Give the outcome of an automatic task by hand, where its step names a role that may.

    \b
    loanbook workflow outcome 12 identity --fact identity=passed --reason "By telephone" --role operations
    """
    from api.workflows import person_of
    from origination.workflow_commands.moving import give_outcome

    code = session.book_code
    known = read_facts(vocabulary_of(session, application_id), facts)
    person = person_of(session.actor, roles)
    does(
        session,
        application_id,
        lambda uow: give_outcome(uow, code, application_id, step, person, outcome=known, reason=reason),
    )


@click.command("retry")
@APPLICATION
@STEP
@REASON
@changes
def retry(session: Session, application_id: int, step: str, reason: str) -> None:
    """Let an automatic task that failed be tried at once, as if it had never failed.

    \b
    loanbook workflow retry 12 credit --reason "The bureau is up again"
    """
    from api.workflows import person_of
    from origination.workflow_commands.moving import retry_step

    code, person = session.book_code, person_of(session.actor, ())
    does(session, application_id, lambda uow: retry_step(uow, code, application_id, step, person, reason=reason))


@click.command("cancel")
@APPLICATION
@REASON
@changes
def cancel(session: Session, application_id: int, reason: str) -> None:
    """Give the workflow of an application up; its tasks go, and nothing more happens in it.

    \b
    loanbook workflow cancel 12 --reason "The applicant withdraws"
    """
    from api.workflows import moved_json, person_of
    from origination.workflow_commands.moving import cancel_workflow

    code, person = session.book_code, person_of(session.actor, ())
    moved = session.change(lambda uow: cancel_workflow(uow, code, application_id, person, reason=reason))
    session.show(moved_json(moved), lambda: print_line(f"The workflow of application {application_id} is canceled."))


@click.command("tick")
@click.option("--at", "at_text", metavar="TIME", help="As if it were this moment, as 2026-11-02T15:00Z [default: now].")
@changes
def tick(session: Session, at_text: str | None) -> int:
    """Do all that has come due: tasks of programs, escalations, time-outs; once an hour, and once a day.

    Each application goes on in transactions of its own: a run that was stopped or killed is taken up by running it
    again. One that fails is named and left as it was; the others go on, and the exit code is 1.

    \b
    loanbook workflow tick
    loanbook workflow tick --dry-run
    """
    from api.cli.progress import progress
    from api.workflows import read_moment, runner_of, ticked_json
    from origination.workflow_commands.running import tick as run_tick

    at = None if at_text is None else read_moment(at_text)
    runner = runner_of(session.edge, vault_or_none(session), session.book_code, session.actor, at)
    if session.dry_run:
        return _preview(session, runner, runner.now)
    with progress("Applications", quiet=session.as_json) as advance, session.edge.named_trouble():
        report = run_tick(runner, on_progress=advance)
    document = ticked_json(report)

    def people() -> None:
        print_facts({"as of": minutes(document["at"]), "applications": report.looked_at, "events": report.events})
        for columns, rows in ((WAITING, document["waiting"]), (FAILURES, document["failures"])):
            if rows:
                print_line("")
                print_table(columns, rows)

    session.show(document, people)
    return 1 if report.failures else 0


@click.command("recompute")
@changes
def recompute(session: Session) -> int:
    """Compare standing and task list of every application with what happened, and write anew what differs.

    The exit code is 1 if something differed, and what it was is named.

    \b
    loanbook workflow recompute --dry-run
    """
    from origination.workflow_commands.recomputing import recompute_next

    code, differed, last = session.book_code, list[int](), 0
    while True:
        reached, found = session.change(partial(recompute_next, book_code=code, after=last))
        if reached is None:
            break
        differed += found
        last = reached
    said = ", ".join(map(str, differed))
    text = f"Differed, and written anew: {said}." if differed else "Every application stands where its events lead."
    session.show({"differed": differed}, lambda: print_line(text))
    return 1 if differed else 0


def _preview(session: Session, runner: Runner, at: datetime) -> int:
    from api.workflows import previewed_json
    from origination.workflow_commands.running import preview

    with session.edge.named_trouble():
        document = previewed_json(at, preview(runner))
    rows = [{**each, "since": minutes(each["at"])} for each in document["due"]]
    session.show(document, lambda: print_table(DUE, rows))
    return 0


def _said(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
