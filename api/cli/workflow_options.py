"""What the commands `workflow` and `task` share: their options, and how they show where an application stands.

Next: `api/workflows.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from api.cli.applications import vault_or_none
from api.cli.output import Column, print_facts, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.unit_of_work import UnitOfWork
    from origination.workflow_commands.moving import Moved

COMING_COLUMNS = (
    Column("step", "Step"),
    Column("number", "No", right=True),
    Column("what", "What comes next"),
    Column("when", "When"),
    Column("queue", "Queue"),
    Column("role", "Role"),
    Column("owner", "Held by"),
)
APPLICATION = click.argument("application_id", metavar="APPLICATION", type=click.IntRange(min=1))
ROLES = click.option(
    "--role", "roles", metavar="ROLE", multiple=True, help="A role that who acts has; may be repeated."
)
FACTS = click.option(
    "--fact", "facts", metavar="NAME=VALUE", multiple=True, help="A fact; flags are yes or no; may be repeated."
)
REASON = click.option("--reason", required=True, help="Why.")


def minutes(text: str | None) -> str:
    """Return a moment in UTC as a person reads it: to the minute."""
    return "" if text is None else f"{text[:10]} {text[11:16]}Z"


def read_facts(vocabulary: Mapping[str, str], given: tuple[str, ...]) -> dict[str, Any]:
    """Return facts that were given as `name=value`.

    Raises: FactRefused.
    """
    from origination.workflow.errors import FactRefused
    from origination.workflow.facts import read_fact

    found = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign:
            raise FactRefused(fact=name, reason="it is written as name=value")
        found[name] = read_fact(vocabulary, name, value)
    return found


def vocabulary_of(session: Session, application_id: int) -> Mapping[str, str]:
    """Return the facts that the workflow of an application declares. Raises: as `workflow_of`."""
    from api.workflows import now
    from origination.workflow_queries import workflow_of

    code = session.book_code
    return session.read(lambda at: workflow_of(at, code, application_id, now=now())).definition.facts


def does(session: Session, application_id: int, work: Callable[[UnitOfWork], Moved]) -> None:
    """Move an application in one transaction, let it go on by itself, and show where it stands then."""
    from api.workflows import go_on, moved_json, now, view_json
    from origination.workflow_queries import workflow_of

    code = session.book_code
    moved = session.change(work)
    document = moved_json(moved)
    if not session.dry_run:
        advanced = go_on(session.edge, vault_or_none(session), code, application_id)
        view = session.read(lambda at: workflow_of(at, code, application_id, now=now()))
        document |= {**view_json(view), "went_on": advanced.events}
    session.show(document, lambda: print_moved(document))


def go_on_if_started(session: Session, application_id: int) -> None:
    """Let an application go on by itself after an act outside of its workflow, if it is in one."""
    from api.workflows import go_on_if_started as go_on

    if not session.dry_run:
        go_on(session.edge, vault_or_none(session), session.book_code, application_id)


def print_moved(document: Mapping[str, Any]) -> None:
    """Print what happened, and where an application stands."""
    event = document["event"]
    what = f"{event['kind'].replace('_', ' ')}{_of(event)}"
    by_itself = document.get("went_on", 0)
    went_on = f" {by_itself} more by itself." if by_itself else ""
    print_line(f"Application {document['application_id']}: event {event['event_no']}, {what}.{went_on}")
    print_position(document)


def print_position(document: Mapping[str, Any]) -> None:
    """Print where an application stands and what comes next."""
    if document["phase"] != "running":
        result = document["result"]
        print_line(f"It is {document['phase']}{'' if result is None else f': {result}'}.")
        return
    at = {visit["number"]: visit for visit in document["at"]}
    rows = [_coming(each, at[each["number"]]) for each in document.get("coming", ())]
    if rows:
        print_table(COMING_COLUMNS, rows)
    else:
        print_facts({"stands at": [visit["step"] for visit in document["at"]]})


def _of(event: Mapping[str, Any]) -> str:
    step = event["details"].get("step")
    return "" if step is None else f" {step}"


def _coming(each: Mapping[str, Any], visit: Mapping[str, Any]) -> dict[str, Any]:
    from api.workflows import SAYS
    from origination.workflow.engine import Act

    is_person = each["act"] == Act.PERSON
    when = f"due {minutes(visit['due_at'])}" if is_person else minutes(each["at"])
    task = {name: visit[name] for name in ("queue", "role", "owner")} if is_person else {}
    return {**each, "what": SAYS[Act(each["act"])], "when": when, **task}
