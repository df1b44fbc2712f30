"""`loanbook db`: the embedded database server, for operators and for those who know SQL.

Next: `ledger/embedded/server.py`, which does it; `api/database.py` for how other commands find the server.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from api.cli.options import reads_installation
from api.cli.output import print_facts, print_line
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.embedded.server import Server

OWNER = click.option("--owner", is_flag=True, help="As the owner of the schemas, who may do more than the books allow.")
READER = click.option("--reader", is_flag=True, help="As the auditor, who reads everything and writes nothing.")


@click.group()
def db() -> None:
    """Start, stop and enter the embedded database server.

    \b
    loanbook db start
    loanbook db status --json
    psql "$(loanbook db url)"
    """


@db.command()
@reads_installation
def start(session: Session) -> None:
    """Start the server, or find it running.

    It keeps its data in the state directory (LOANBOOK_STATE_DIR, default .loanbook), listens on a socket
    only, and goes on running until `loanbook db stop`. Other commands start it by themselves.

    \b
    loanbook db start
    """
    from api.database import start_embedded

    server = start_embedded(session.settings)
    session.show(_facts(server), lambda: print_facts(_facts(server)))


@db.command()
@reads_installation
def stop(session: Session) -> None:
    """Stop the server; what was committed is saved.

    \b
    loanbook db stop
    """
    from api.database import embedded_state_dir
    from ledger.embedded.server import stop as stop_server

    stopped = stop_server(embedded_state_dir(session.settings, "stop"))
    session.show({"stopped": stopped}, lambda: print_line("stopped" if stopped else "no server ran"))


@db.command()
@reads_installation
def status(session: Session) -> int:
    """Say whether the server runs; the exit code is 1 if it does not.

    \b
    loanbook db status && echo up
    """
    from api.database import embedded_state_dir
    from ledger.embedded.server import status as server_status

    server = server_status(embedded_state_dir(session.settings, "ask about"))
    if server is None:
        session.show({"running": False}, lambda: print_line("not running"))
        return 1
    session.show(_facts(server), lambda: print_facts(_facts(server)))
    return 0


@db.command()
@OWNER
@READER
@reads_installation
def url(session: Session, owner: bool, reader: bool) -> None:
    """Print the url by which psql, pg_dump or another program connects.

    \b
    psql "$(loanbook db url)"
    pg_dump --format=custom --file=books.dump "$(loanbook db url --owner)"
    """
    text = _libpq_url(session, owner=owner, reader=reader)
    session.show({"url": text}, lambda: click.echo(text))


@db.command(context_settings={"ignore_unknown_options": True})
@OWNER
@READER
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@reads_installation
def shell(session: Session, owner: bool, reader: bool, arguments: tuple[str, ...]) -> None:
    """Open psql on the books; what follows is handed to it.

    \b
    loanbook db shell
    loanbook db shell -c "select * from ledger.journal_line limit 5"
    """
    from api.errors import FileUnusable

    program, text = _psql(session), _libpq_url(session, owner=owner, reader=reader)
    try:
        os.execvp(program, [program, text, *arguments])  # noqa: S606 - psql takes this process over
    except OSError as error:
        raise FileUnusable(path=program, reason=error.strerror or "it cannot be run") from None


def _libpq_url(session: Session, *, owner: bool, reader: bool) -> str:
    from api.database import Role, database_url

    if owner and reader:
        raise click.UsageError("choose --owner or --reader", click.get_current_context())
    role = Role.OWNER if owner else Role.READER if reader else Role.APP
    found = database_url(session.settings, role, on_start=session.tell_start)
    return found.set(drivername="postgresql").render_as_string(hide_password=False)


def _psql(session: Session) -> str:
    """Return the psql of the server's own version where the server is ours."""
    from api.database import start_embedded

    if session.settings.database_url is not None:
        return "psql"
    return str(start_embedded(session.settings).program("psql"))


def _facts(server: Server) -> dict[str, object]:
    return {
        "running": True,
        "version": server.version,
        "programs": str(server.bindir),
        "pid": server.pid,
        "socket": str(server.layout.socket_dir),
        "data": str(server.layout.data),
        "log": str(server.layout.log),
        "durable": server.durable,
        "started_now": server.started,
    }
