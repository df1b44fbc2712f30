"""The bureau's HTTP door: reports by taxpayer number; and a switch by which it answers slowly, fails, or flaps.

It listens on this machine alone. The same key gets the same answer and is charged once; how often it was called is
told. Next: `api/bureau/people.py`; `docs/spec/verification.md`.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, request

from api.bureau import people
from api.views import Json

MODES = ("ok", "slow", "outage", "flapping")
REPORTS: Mapping[str, Callable[[int, Json], Json]] = {
    "identity": people.identity,
    "credit-report": lambda seed, body: people.credit_report(seed, body["ssn"]),
    "income": lambda seed, body: people.income(seed, body["ssn"]),
    "bank-data": lambda seed, body: people.bank_data(seed, body["ssn"]),
    "fraud": lambda seed, body: people.fraud(seed, body["ssn"]),
}


@dataclass
class Switch:
    """How the bureau answers: at once, after some seconds, with 503, or with 503 except every n-th time."""

    mode: str = "ok"
    seconds: float = 0.0
    every: int = 2
    calls: int = 0
    charged: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def as_json(self) -> Json:
        """Return how it stands."""
        return {
            "mode": self.mode,
            "seconds": self.seconds,
            "every": self.every,
            "calls": self.calls,
            "charged": len(self.charged),
        }

    def fails(self) -> bool:
        """Count a call, and tell whether it fails; wait, if it is slow."""
        with self.lock:
            self.calls += 1
            failing = self.mode == "outage" or (self.mode == "flapping" and self.calls % self.every != 0)
            pause = self.seconds if self.mode == "slow" else 0.0
        time.sleep(pause)
        return failing


def create_bureau(key: str, *, seed: int, mode: str = "ok", seconds: float = 0.0) -> Flask:
    """Return a bureau that a key opens."""
    app, switch = Flask("bureau", static_folder=None), Switch(mode, seconds)

    @app.before_request
    def open_only_by_key() -> Response | None:
        if hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {key}"):
            return None
        return _reply({"error": "unauthorized"}, 401)

    @app.get("/people")
    def listed() -> Response:
        count = request.args.get("count", "10")
        if not count.isdigit() or not 1 <= int(count) <= 1000:
            return _reply({"error": "malformed"}, 400)
        return _reply({"seed": seed, "people": list(people.people(seed, int(count)))}, 200)

    @app.post("/admin/mode")
    def set_mode() -> Response:
        body: Any = request.get_json(silent=True)
        if not isinstance(body, dict) or body.get("mode") not in MODES:
            return _reply({"error": "malformed", "modes": list(MODES)}, 400)
        with switch.lock:
            switch.mode = body["mode"]
            switch.seconds = float(body.get("seconds", switch.seconds))
            switch.every = max(2, int(body.get("every", switch.every)))
            switch.calls = 0
        return _reply(switch.as_json(), 200)

    @app.get("/admin/mode")
    def show_mode() -> Response:
        return _reply(switch.as_json(), 200)

    @app.post("/<report>")
    def ask(report: str) -> Response:
        body: Any = request.get_json(silent=True)
        if report not in REPORTS or not isinstance(body, dict) or not isinstance(body.get("ssn"), str):
            return _reply({"error": "malformed"}, 400)
        if switch.fails():
            return _reply({"error": "unavailable"}, 503)
        with switch.lock:
            switch.charged.add(request.headers.get("Idempotency-Key", ""))
        if not people.is_known(seed, body["ssn"]):
            return _reply({"error": "no_record"}, 404)
        return _reply(REPORTS[report](seed, body), 200)

    return app


def _reply(document: Json, status: int) -> Response:
    return Response(json.dumps(document), status, mimetype="application/json")
