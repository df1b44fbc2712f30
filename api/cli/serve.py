"""`loanbook serve`: the HTTP API on this machine.

Next: `api/server.py`; `api/app.py`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from api.cli.options import reads_installation
from api.cli.output import print_note
from api.cli.session import Session

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes [default: LOANBOOK_WORKERS, or 2].")
@click.option(
    "--without-authentication",
    is_flag=True,
    help="Listen on an address that other machines reach, behind a proxy.",
)
@reads_installation
def serve(session: Session, host: str, port: int, workers: int | None, without_authentication: bool) -> int:
    """Serve the HTTP API on this machine.

    There is no authentication yet, so it listens on this machine only. The first line on stdout is the
    address. A database that departs from the digests in LOANBOOK_DIGEST_FILE, or whose guards (triggers,
    grants, functions) are not those of this version, is not served: exit code 1.

    \b
    loanbook serve
    curl http://127.0.0.1:8080/health
    curl "http://127.0.0.1:8080/v1/trial-balance?as_of=2026-03-31"
    """
    from api import logs
    from api.ach import program_of
    from api.cli.sealing import require_sound
    from api.database import Role, database_url
    from api.server import listen
    from api.server import serve as serve_forever

    url = database_url(session.settings, Role.APP, on_start=session.tell_start)
    guards = require_sound(session)
    listener = listen(host, port, without_authentication=without_authentication)
    settings = session.settings
    program = program_of(settings)

    def make_app() -> Flask:
        from api.app import create_app
        from api.card_client import processor_of
        from api.edge import Edge
        from api.settings import secret_text

        edge = Edge.open(url, pool_size=settings.pool_size)
        return create_app(
            edge,
            guards=guards,
            max_body_bytes=settings.max_body_bytes,
            bank_account_keys=secret_text(settings.bank_account_keys),
            ach_program=program,
            card_processor=processor_of(settings),
            card_webhook_secret=secret_text(settings.card_webhook_secret),
        )

    logs.configure()
    session.show({"url": listener.url, "pid": os.getpid()}, lambda: click.echo(f"Loanbook listens on {listener.url}"))
    if not session.as_json:
        print_note("There is no authentication: whoever reaches this address may post. Ctrl-C stops it.")
    serve_forever(listener, make_app, workers=workers or settings.workers)
    return 0
