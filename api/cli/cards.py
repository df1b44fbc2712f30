"""`loanbook card-processor`: a processor of cards for trying out, on this machine.

Next: `api/card_processor/app.py`; `api/cards.py`, which talks to one.
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


@click.command("card-processor")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--webhook", "webhook_url", metavar="URL", help="Where it tells of chargebacks: /v1/card-events.")
@reads_installation
def card_processor(session: Session, port: int, webhook_url: str | None) -> int:
    """Run a processor of cards for trying out: no money moves, and what it knows is gone when it stops.

    It is opened by LOANBOOK_CARD_PROCESSOR_KEY, and signs its messages with LOANBOOK_CARD_WEBHOOK_SECRET. The first
    line on stdout is its address, for LOANBOOK_CARD_PROCESSOR_URL. It listens on this machine alone.

    \b
    loanbook card-processor --port 8090 --webhook http://127.0.0.1:8080/v1/card-events
    curl -H "Authorization: Bearer $LOANBOOK_CARD_PROCESSOR_KEY" http://127.0.0.1:8090/tokens \\
        --json '{"number": "4242424242424242"}'
    """
    from api.errors import SettingInvalid
    from api.server import listen
    from api.server import serve as serve_forever
    from api.settings import secret_text, variable_of

    key, secret = (
        secret_text(each) for each in (session.settings.card_processor_key, session.settings.card_webhook_secret)
    )
    if key is None or secret is None:
        missing = "card_processor_key" if key is None else "card_webhook_secret"
        raise SettingInvalid(setting=variable_of(missing), reason="the processor needs it")
    listener = listen("127.0.0.1", port)

    def make_app() -> Flask:
        from api.card_processor.app import create_processor

        return create_processor(key, secret, webhook_url)

    found = {"url": listener.url, "pid": os.getpid()}
    session.show(found, lambda: click.echo(f"The card processor listens on {listener.url}"))
    if not session.as_json:
        print_note("It moves no money and keeps nothing. Ctrl-C stops it.")
    # It keeps what it knows in memory: one process.
    serve_forever(listener, make_app, workers=1)
    return 0
