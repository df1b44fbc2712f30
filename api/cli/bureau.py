"""`loanbook bureau`: a bureau for trying out, on this machine.

Next: `api/bureau/app.py`; `api/cli/verification.py`, which asks one.
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


@click.command("bureau")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--seed", default=20260101, show_default=True, help="Whose people it knows.")
@click.option("--slow", "seconds", type=click.FloatRange(0, 3600), help="Answer after so many seconds.")
@click.option("--outage", is_flag=True, help="Answer nothing but 503.")
@click.option("--sources", "print_sources", is_flag=True, help="Print the sources by which it is asked, and stop.")
@reads_installation
def bureau(session: Session, port: int, seed: int, seconds: float | None, outage: bool, print_sources: bool) -> int:
    """Run a bureau for trying out: credit, identity, income, bank data and fraud of invented people.

    It is opened by LOANBOOK_BUREAU_KEY. The first line on stdout is its address. What it knows of a taxpayer number
    follows from the seed; one of 25 numbers it does not know. While it runs, POST /admin/mode makes it slow, fail, or
    flap. It listens on this machine alone.

    \b
    loanbook bureau --port 8091
    loanbook bureau --port 8091 --sources > bureau.toml
    curl -H "Authorization: Bearer $LOANBOOK_BUREAU_KEY" "http://127.0.0.1:8091/people?count=3"
    curl -H "Authorization: Bearer $LOANBOOK_BUREAU_KEY" http://127.0.0.1:8091/admin/mode \\
        --json '{"mode": "slow", "seconds": 10}'
    """
    from api.errors import SettingInvalid
    from api.server import listen
    from api.server import serve as serve_forever
    from api.settings import secret_text, variable_of

    if print_sources:
        from api.bureau.sources import as_toml

        click.echo(as_toml(f"http://127.0.0.1:{port}"))
        return 0
    key = secret_text(session.settings.bureau_key)
    if key is None:
        raise SettingInvalid(setting=variable_of("bureau_key"), reason="the bureau needs it")
    listener = listen("127.0.0.1", port)
    mode = "outage" if outage else "slow" if seconds else "ok"

    def make_app() -> Flask:
        from api.bureau.app import create_bureau

        return create_bureau(key, seed=seed, mode=mode, seconds=seconds or 0.0)

    found = {"url": listener.url, "pid": os.getpid(), "seed": seed, "mode": mode}
    session.show(found, lambda: click.echo(f"The bureau listens on {listener.url}"))
    if not session.as_json:
        print_note("Nobody whom it knows is anybody. Ctrl-C stops it.")
    # What it was told to do stays in memory: one process.
    serve_forever(listener, make_app, workers=1)
    return 0
