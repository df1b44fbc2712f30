"""A server process around the application: gunicorn where it is installed, werkzeug otherwise.

The socket is bound here before either starts, so that port 0 and a port in use are settled in one place. Each
worker opens its own connections after it was forked. Never: TLS, authentication; a proxy does the one,
nothing the other yet. Next: `api/app.py`; `api/cli/serve.py`.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from flask import Flask

from api.errors import BindingRefused, PortUnusable

THREADS = 4
GRACE_SECONDS = 30
BACKLOG = 256


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket and the address that reaches it."""

    socket: socket.socket
    url: str


def listen(host: str, port: int, *, without_authentication: bool = False) -> Listener:
    """Bind a socket; port 0 takes a free one.

    Raises: BindingRefused for a host that other machines reach, unless that is asked for; PortUnusable.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise PortUnusable(host=host, port=port, reason=error.strerror or "there is no such host") from None
    if not without_authentication and not ipaddress.ip_address(str(address[0])).is_loopback:
        raise BindingRefused(host=host)
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise PortUnusable(host=host, port=port, reason=error.strerror or "it cannot be bound") from None
    shown = f"[{address[0]}]" if family is socket.AF_INET6 else address[0]
    return Listener(bound, f"http://{shown}:{bound.getsockname()[1]}")


def has_gunicorn() -> bool:
    """Tell whether gunicorn is installed."""
    return find_spec("gunicorn") is not None


def serve(listener: Listener, make_app: Callable[[], Flask], *, workers: int) -> None:
    """Serve until the process is told to stop; requests under way are finished."""
    if has_gunicorn():
        _serve_by_gunicorn(listener, make_app, workers)
    else:
        _serve_by_werkzeug(listener, make_app)


def _serve_by_gunicorn(listener: Listener, make_app: Callable[[], Flask], workers: int) -> None:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # it has none

    class Application(BaseApplication):  # type: ignore[misc] # gunicorn has no types
        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"fd://{listener.socket.fileno()}",
                "worker_class": "gthread",
                "workers": workers,
                "threads": THREADS,
                "graceful_timeout": GRACE_SECONDS,
                "loglevel": "warning",
                "proc_name": "loanbook",
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            return make_app()

    Application().run()


def _serve_by_werkzeug(listener: Listener, make_app: Callable[[], Flask]) -> None:
    from werkzeug.serving import WSGIRequestHandler, make_server

    class QuietHandler(WSGIRequestHandler):
        """The application logs its exchanges itself."""

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Leave it to the application."""

    host, port = listener.socket.getsockname()[:2]
    server = make_server(
        host, port, make_app(), threaded=True, fd=listener.socket.fileno(), request_handler=QuietHandler
    )
    server.serve_forever()
