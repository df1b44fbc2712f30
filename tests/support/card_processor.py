"""A card processor and an API server as processes of their own, on loopback, stopped by their own pids."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

KEY, SECRET = "a-key-of-a-test", "a-secret-of-a-test"
RUN = "from api.cli.main import main; main()"


@contextmanager
def process(*arguments: str, **environment: str) -> Iterator[str]:
    """Yield the address of a `loanbook` that serves, and stop it at the end."""
    settings = {"LOANBOOK_CARD_PROCESSOR_KEY": KEY, "LOANBOOK_CARD_WEBHOOK_SECRET": SECRET, **environment}
    started = subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments, "--port", "0", "--json"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert started.stdout is not None
        announced = json.loads("".join(iter(started.stdout.readline, "}\n")) + "}")
        assert urlsplit(announced["url"]).hostname == "127.0.0.1"
        yield announced["url"]
    finally:
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=60)


def call(url: str, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> tuple[int, Any]:
    """Send a call to a processor; return the status and the document."""
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **named}
    connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), sent)
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


def token_of(url: str, number: str) -> str:
    """Return a token of a card."""
    status, found = call(url, "/tokens", {"number": number})
    assert status == 201, found
    token: str = found["token"]
    return token
