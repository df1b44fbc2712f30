"""The processor's HTTP door: tokens, authorizations, captures, refunds, chargebacks; and its messages, signed.

It listens on this machine alone, keeps everything in memory, and moves no money: it is there to try out what talks to
a processor. Next: `api/card_processor/accounts.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request

from api.card_processor.accounts import Accounts, Refused
from api.views import Json
from servicing.rails.cards import sign

SIGNATURE = "Card-Signature"
TIMEOUT_SECONDS = 10.0


def create_processor(key: str, webhook_secret: str, webhook_url: str | None) -> Flask:
    """Return a processor that a key opens; where there is an address, it is told of chargebacks."""
    app, accounts = Flask("card-processor", static_folder=None), Accounts()

    def told(event: Json) -> Json:
        return {**event, "delivered": None if webhook_url is None else deliver(webhook_url, webhook_secret, event)}

    def keyed(call: str, names: dict[str, type], work: Callable[[Json], Json]) -> Response:
        body = _body(names)
        used = request.headers.get("Idempotency-Key", "")
        if not used:
            raise Refused(400, "idempotency_key_missing")
        return _reply(accounts.once(used, call, body, lambda: work(body)), 201)

    @app.before_request
    def open_only_by_key() -> None:
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {key}"):
            raise Refused(401, "unauthorized")

    @app.post("/tokens")
    def tokens() -> Response:
        return _reply(accounts.make_token(_body({"number": str})["number"]), 201)

    @app.post("/authorizations")
    def authorizations() -> Response:
        names = {"token": str, "amount": int, "currency": str, "reference": str}
        return keyed("authorize", names, accounts.authorize)

    @app.post("/authorizations/<authorization_id>/capture")
    def capture(authorization_id: str) -> Response:
        return keyed(
            f"capture {authorization_id}",
            {"amount": int},
            lambda body: accounts.capture(authorization_id, body["amount"]),
        )

    @app.post("/captures/<capture_id>/refunds")
    def refunds(capture_id: str) -> Response:
        return keyed(f"refund {capture_id}", {"amount": int}, lambda body: accounts.refund(capture_id, body["amount"]))

    @app.post("/captures/<capture_id>/chargebacks")
    def chargebacks(capture_id: str) -> Response:
        body = _body({"amount": int, "reason": str})
        return _reply(told(accounts.charge_back(capture_id, body["amount"], body["reason"])), 201)

    @app.post("/events/<event_id>/deliver")
    def deliver_again(event_id: str) -> Response:
        if event_id not in accounts.events:
            raise Refused(404, "unknown_event")
        return _reply(told(accounts.events[event_id]), 200)

    @app.get("/captures/<capture_id>")
    def show(capture_id: str) -> Response:
        if capture_id not in accounts.captures:
            raise Refused(404, "unknown_capture")
        return _reply(accounts.captures[capture_id], 200)

    app.register_error_handler(Refused, lambda refused: _reply({"error": refused.error}, refused.status))
    return app


def deliver(url: str, secret: str, event: Json) -> int | None:
    """Tell of an event; return the status of the answer, None if there was none."""
    body, place = json.dumps(event, sort_keys=True).encode(), urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT_SECONDS)
    path = place.path + (f"?{place.query}" if place.query else "")
    try:
        headers = {"Content-Type": "application/json", SIGNATURE: sign(secret, body, int(time.time()))}
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _body(names: dict[str, type]) -> Json:
    found: Any = request.get_json(silent=True)
    if not isinstance(found, dict) or set(found) != set(names):
        raise Refused(400, "malformed")
    if any(type(found[name]) is not kind for name, kind in names.items()):
        raise Refused(400, "malformed")
    return found


def _reply(document: Json, status: int) -> Response:
    return Response(json.dumps(document), status, mimetype="application/json")
