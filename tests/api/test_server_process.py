"""The API as a process of its own, on loopback, by gunicorn and by werkzeug."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.errors import BindingRefused, PortUnusable
from api.server import listen
from tests.api.conftest import Books
from tests.support.database import Database

RUN = "from api.cli.main import main; main()"
WITHOUT_GUNICORN = "import api.server; api.server.has_gunicorn = lambda: False; " + RUN


@contextmanager
def served(database: Database, script: str) -> Iterator[HTTPConnection]:
    """Yield a connection to a server process, and stop it by its pid at the end."""
    environment = {**os.environ, "LOANBOOK_DATABASE_URL": database.app_url}
    process = subprocess.Popen(
        [sys.executable, "-c", script, "serve", "--port", "0", "--workers", "1", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        announced = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        url = urlsplit(announced["url"])
        assert url.hostname == "127.0.0.1"
        connection = HTTPConnection(url.hostname, url.port or 0, timeout=60)
        yield connection
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def get(connection: HTTPConnection, path: str) -> tuple[int, Any]:
    """Return the status and the document at a path."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


@pytest.mark.parametrize("script", [RUN, WITHOUT_GUNICORN], ids=["gunicorn", "werkzeug"])
def test_a_server_process_answers_on_a_free_port_of_loopback(database: Database, books: Books, script: str) -> None:
    books.post(debit="1020", credit="3010", cents=500_000)

    with served(database, script) as connection:
        status, health = get(connection, "/health")
        assert (status, health["status"], health["guards"]["differences"]) == (200, "ok", [])
        assert health["guards"]["checked_at"] is not None
        status, report = get(connection, "/v1/trial-balance")
        missing, problem = get(connection, "/v1/journal/1/9")

    assert status == 200
    assert report["totals"][0]["debits"] == {"amount": 500_000, "currency": "USD"}
    assert (missing, problem["code"]) == (404, "entry-unknown")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - it is refused
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(BindingRefused):
        listen(host, 0)


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortUnusable) as refused:
            listen("127.0.0.1", port)

    assert refused.value.port == port


def test_a_host_that_does_not_exist_is_refused() -> None:
    with pytest.raises(PortUnusable):
        listen("no-such-host.invalid", 0)
