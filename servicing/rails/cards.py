"""What a card processor does for this house, and how its messages prove whose they are.

A card is a token that the processor gave; its number never comes here. Amounts are minor units. Every call bears a key
under which the processor does it once. A message is signed with a secret over its time and its bytes, so that neither
can be another's, and an old one is not played again.
Never: a network (`api/card_client.py`). Next: `docs/spec/rails.md`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from servicing.rails.errors import WebhookRefused

TOLERANCE_SECONDS = 300
"""How old, or how far ahead, the time of a message may be."""

FIELDS: Mapping[str, str] = {
    "event_id": "id",
    "kind": "type",
    "capture_id": "capture",
    "amount": "amount",
    "currency": "currency",
    "reason": "reason",
}
"""The fields of a message, by what they are here."""

_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What is to be taken from a card; the reference is the payment's name in this house."""

    token: str
    amount: int
    currency: str
    reference: str


@dataclass(frozen=True, slots=True)
class Authorization:
    """The answer of the card's bank: an id to capture by, or the code with which it declined."""

    authorization_id: str
    decline_code: str | None = None


class CardProcessor(Protocol):
    """A processor; each call is done once for its key, and raises ProcessorFailed if it is not known to be done."""

    def authorize(self, charge: Charge, *, key: str) -> Authorization:
        """Ask the card's bank for an amount."""

    def capture(self, authorization_id: str, amount: int, *, key: str) -> str:
        """Take what was authorized; return the id of the capture."""

    def refund(self, capture_id: str, amount: int, *, key: str) -> str:
        """Give back a part of what was captured; return the id of the refund."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEvent:
    """A message of a processor: what has happened to a capture. `amount` is in minor units."""

    event_id: str
    kind: str
    capture_id: str
    amount: int
    currency: str
    reason: str


def sign(secret: str, body: bytes, at: int) -> str:
    """Return the signature of a message that is sent at a moment, in seconds since 1970."""
    return f"t={at},v1={_digest(secret, body, at)}"


def verify_signature(secret: str, header: str, body: bytes, *, now: int) -> None:
    """Refuse a message that the secret did not sign, or not lately.

    Raises: WebhookRefused.
    """
    found = _SIGNATURE.fullmatch(header)
    if found is None:
        raise WebhookRefused(reason="it has no signature")
    at = int(found[1])
    if not hmac.compare_digest(found[2], _digest(secret, body, at)):
        raise WebhookRefused(reason="its signature does not fit")
    if abs(now - at) > TOLERANCE_SECONDS:
        raise WebhookRefused(reason=f"it was signed more than {TOLERANCE_SECONDS} seconds ago, or ahead")


def read_event(body: bytes) -> CardEvent:
    """Read a message whose signature fits.

    Raises: WebhookRefused if it does not have the agreed form.
    """
    try:
        found: Any = json.loads(body)
        values = {name: found[key] for name, key in FIELDS.items()}
    except (ValueError, KeyError, TypeError):
        raise WebhookRefused(reason="it does not have the agreed form") from None
    texts = (value for name, value in values.items() if name != "amount")
    if type(values["amount"]) is not int or not all(isinstance(each, str) and 0 < len(each) <= 200 for each in texts):
        raise WebhookRefused(reason="it does not have the agreed form")
    return CardEvent(**values)


def _digest(secret: str, body: bytes, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
