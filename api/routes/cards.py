"""`/v1/loans/<id>/instructions/<no>/charge`: a card pays; and `/v1/card-events`: what its processor has to tell.

A message is believed for its signature alone; it comes as often as the processor likes, and counts once by its id.
Next: `api/cards.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

import time
from typing import cast

from flask import Blueprint, Response, current_app, request

from api import http
from api.cards import charge_instruction, take_card_event
from api.models import Body, BookQuery
from api.rails import instruction_json
from api.views import minor_units
from servicing.rails.cards import CardProcessor, read_event, verify_signature
from servicing.rails.errors import WebhookRefused

PROCESSOR = "loanbook.card_processor"
WEBHOOK_SECRET = "loanbook.card_webhook_secret"  # noqa: S105 - the name under which the application keeps it
SIGNATURE = "Card-Signature"

routes = Blueprint("cards", __name__)


class ChargeBody(Body):
    """Nothing: the instruction says it all."""


@routes.post("/v1/loans/<int:loan_id>/instructions/<int:instruction_no>/charge")
def charge(loan_id: int, instruction_no: int) -> Response:
    """Have the processor carry out the instruction of a card; called again, it answers alike."""
    http.body(ChargeBody)
    processor = cast("CardProcessor | None", current_app.extensions[PROCESSOR])
    done = charge_instruction(http.edge(), processor, loan_id, instruction_no, actor=http.actor())
    return http.reply(instruction_json(done, minor_units))


@routes.post("/v1/card-events")
def take_event() -> Response:
    """Take in a signed message of the processor."""
    secret: str | None = current_app.extensions[WEBHOOK_SECRET]
    if secret is None:
        raise WebhookRefused(reason="no secret is set by which it could be known")
    body = request.get_data()
    verify_signature(secret, request.headers.get(SIGNATURE, ""), body, now=int(time.time()))
    code = http.chosen_book(http.query(BookQuery).book)
    event = read_event(body)
    return http.reply(http.edge().change(lambda uow: take_card_event(uow, code, event), actor="card-processor"))
