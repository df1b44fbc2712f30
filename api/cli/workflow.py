"""`loanbook workflow`: the ways that applications go, loaded from TOML, drawn, and run.

`check` and a drawing of a file touch no database. Next: `api/cli/workflow_runs.py` for applications in them;
`docs/spec/workflow.md`; `docs/how-to/workflows.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli import workflow_runs as runs
from api.cli.options import changes_installation, reads, reads_installation
from api.cli.output import Column, print_facts, print_line, print_table
from api.cli.session import Session
from api.cli.workflow_options import minutes

if TYPE_CHECKING:
    from origination.workflow.definition import Definition
    from origination.workflow.state import State

LIST = (
    Column("workflow", "Workflow"),
    Column("version", "Version"),
    Column("since", "Active from"),
    Column("actor", "By"),
    Column("running", "Running", right=True),
)
ACTIVATIONS = (
    Column("activation_no", "No", right=True),
    Column("version", "Version"),
    Column("since", "Active from"),
    Column("actor", "By"),
    Column("reason", "Why", long=True),
)
FROM = click.option("--from", "from_text", metavar="TIME", help="From when on, as 2026-11-02T15:00Z [default: now].")


@click.group()
def workflow() -> None:
    """Declare the ways that applications go, and send applications on them.

    \b
    loanbook workflow check consumer.toml
    loanbook workflow load consumer.toml --activate
    loanbook workflow draw standard
    loanbook workflow start 12 standard
    loanbook workflow tick
    """


@workflow.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@reads_installation
def check(session: Session, file: Path) -> None:
    """Read a workflow's file and name everything that is wrong with it, each mistake by its place.

    \b
    loanbook workflow check consumer.toml
    """
    from api.cli.files import read_text
    from origination.workflow.reading import read_workflow

    found = read_workflow(read_text(file))
    document = {"workflow": found.code, "version": found.content_hash(), "steps": len(found.steps)}
    session.show(document, lambda: print_facts(document))


@workflow.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--activate", is_flag=True, help="Let applications be started on it.")
@FROM
@click.option("--reason", help="Why.")
@changes_installation
def load(session: Session, file: Path, activate: bool, from_text: str | None, reason: str | None) -> None:
    """Keep a workflow's file as a version by the hash of what it says; the same again changes nothing.

    Applications that run keep the version that they were started with.

    \b
    loanbook workflow load consumer.toml --activate --reason "A second approval above 25,000"
    loanbook workflow load consumer.toml --activate --from 2026-12-01T05:00Z
    """
    from api.cli.files import read_text
    from api.workflows import loaded_json, now, read_moment
    from origination.workflow_commands.versions import load_workflow

    moment = read_moment(from_text) if from_text else now() if activate else None
    text = read_text(file)
    loaded = session.change(lambda uow: load_workflow(uow, text, active_from=moment, reason=reason))
    document = loaded_json(loaded)

    def people() -> None:
        kept = "is kept" if loaded.is_new else "was kept before"
        active = document["active_from"]
        since = "" if active is None else f", active from {minutes(active)}"
        print_line(f"Workflow {loaded.code}, version {loaded.content_hash[:12]}, {kept}{since}.")

    session.show(document, people)


@workflow.command("activate")
@click.argument("code")
@click.argument("version")
@FROM
@click.option("--reason", required=True, help="Why.")
@changes_installation
def activate(session: Session, code: str, version: str, from_text: str | None, reason: str) -> None:
    """Let applications be started on a version that is kept, called by the beginning of its hash.

    \b
    loanbook workflow activate consumer 3f9a --reason "Back to before"
    """
    from api.workflows import now, read_moment
    from origination.workflow_commands.versions import activate_workflow

    moment = read_moment(from_text) if from_text else now()
    done = session.change(lambda uow: activate_workflow(uow, code, version, active_from=moment, reason=reason))
    document = {"workflow": code, "version": done.content_hash, "active_from": done.active_from.isoformat()}
    session.show(
        document,
        lambda: print_line(
            f"Workflow {code}, version {done.content_hash[:12]}, is active from {minutes(document['active_from'])}."
        ),
    )


@workflow.command("list")
@reads_installation
def list_workflows(session: Session) -> None:
    """List every workflow with the version that applications are started on, and how many run.

    \b
    loanbook workflow list --json
    """
    from api.workflows import listed_json, now
    from origination.workflow_queries import workflows

    found = session.read(lambda connection: workflows(connection, now=now()))
    rows = [listed_json(each) for each in found]
    cut = [
        {**row, "version": row["version"][:12], "since": minutes(row["active_from"]) or "as shipped"} for row in rows
    ]
    session.show({"workflows": rows}, lambda: print_table(LIST, cut))


@workflow.command("show")
@click.argument("code")
@reads_installation
def show(session: Session, code: str) -> None:
    """Show the text of the version that applications are started on; with `--json`, each activation too.

    \b
    loanbook workflow show standard > consumer.toml
    """
    from api.workflows import activations_json, now
    from origination.workflow_queries import source_in_force

    source = session.read(lambda connection: source_in_force(connection, code, now()))
    rows = session.read(lambda connection: activations_json(connection, code))

    # The text alone, so that it can be written to a file, changed and loaded.
    document = {"workflow": code, "source": source, "activations": rows}
    session.show(document, lambda: click.echo(source, nl=False))


@workflow.command("activations")
@click.argument("code")
@reads_installation
def list_activations(session: Session, code: str) -> None:
    """List from when on which version of a workflow counts, in the order in which it was said.

    \b
    loanbook workflow activations consumer
    """
    from api.workflows import activations_json

    rows = session.read(lambda connection: activations_json(connection, code))
    cut = [{**row, "version": row["version"][:12], "since": minutes(row["active_from"])} for row in rows]
    session.show({"activations": rows}, lambda: print_table(ACTIVATIONS, cut))


@workflow.command("draw")
@click.argument("what", metavar="FILE|CODE", required=False)
@click.option("--application", "application_id", type=click.IntRange(min=1), help="Mark where this one stands.")
@click.option("--svg", is_flag=True, help="Draw an SVG instead of Mermaid.")
@reads
def draw(session: Session, what: str | None, application_id: int | None, svg: bool) -> None:
    """Draw a workflow: of a file, of a code, or of an application, with where that stands.

    \b
    loanbook workflow draw standard
    loanbook workflow draw consumer.toml --svg > consumer.svg
    loanbook workflow draw --application 12 --svg > twelve.svg
    """
    from origination.workflow.drawing import as_mermaid, as_svg

    if (what is None) == (application_id is None):
        raise click.UsageError("draw takes a file or a code, or --application")
    definition, state = _drawn(session, what, application_id)
    drawing = (as_svg if svg else as_mermaid)(definition, state)
    form = "svg" if svg else "mermaid"
    document = {"workflow": definition.code, "format": form, "drawing": drawing}
    session.show(document, lambda: click.echo(drawing, nl=False))


def _drawn(session: Session, what: str | None, application_id: int | None) -> tuple[Definition, State | None]:
    from api.cli.files import read_text
    from api.errors import NoBooksHere
    from api.workflows import now
    from origination.workflow.reading import read_workflow, shipped_source, stored_workflow
    from origination.workflow_queries import source_in_force, workflow_of

    if application_id is not None:
        code = session.book_code
        view = session.read(lambda connection: workflow_of(connection, code, application_id, now=now()))
        return view.definition, view.position.state
    assert what is not None
    if what.endswith(".toml") or what == "-":
        return read_workflow(read_text(Path(what))), None
    try:
        return stored_workflow(session.read(lambda connection: source_in_force(connection, what, now()))), None
    except NoBooksHere:
        # Where there is no database yet, every workflow is as it is shipped.
        return stored_workflow(shipped_source(what)), None


for each in (
    runs.start,
    runs.position,
    runs.history,
    runs.signal,
    runs.outcome,
    runs.retry,
    runs.cancel,
    runs.tick,
    runs.recompute,
):
    workflow.add_command(each)
