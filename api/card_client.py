"""A card processor over HTTP: each call with a limit of time and a key, so that it may be sent again.

What is not answered as agreed is not known to be done: the caller asks again later, under the same key.
Never: a card's number. Next: `servicing/rails/cards.py`; `api/card_processor/app.py`, a processor for trying out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from api.settings import Settings, secret_text
from servicing.rails.cards import Authorization, Charge
from servicing.rails.errors import ProcessorFailed

TIMEOUT_SECONDS = 5.0
ATTEMPTS = 2
LONGEST_ANSWER = 65_536


@dataclass(frozen=True, slots=True)
class HttpProcessor:
    """A processor at an address; the key opens it."""

    url: str
    key: str = field(repr=False)
    timeout: float = TIMEOUT_SECONDS

    def authorize(self, charge: Charge, *, key: str) -> Authorization:
        """Ask the card's bank for an amount.

        Raises: ProcessorFailed.
        """
        body = {
            "token": charge.token,
            "amount": charge.amount,
            "currency": charge.currency,
            "reference": charge.reference,
        }
        found = self._post("/authorizations", body, key)
        declined = found.get("decline_code")
        return Authorization(_text(found, "id"), None if declined is None else _text(found, "decline_code"))

    def capture(self, authorization_id: str, amount: int, *, key: str) -> str:
        """Take what was authorized.

        Raises: ProcessorFailed.
        """
        return _text(self._post(f"/authorizations/{authorization_id}/capture", {"amount": amount}, key), "id")

    def refund(self, capture_id: str, amount: int, *, key: str) -> str:
        """Give back a part of what was captured.

        Raises: ProcessorFailed.
        """
        return _text(self._post(f"/captures/{capture_id}/refunds", {"amount": amount}, key), "id")

    def _post(self, path: str, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Send a call, a second time if the line broke, and return what came back."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._exchange(path, body, key)
            except TimeoutError:
                raise ProcessorFailed(reason=f"no answer in {self.timeout:g} seconds") from None
            except (OSError, HTTPException) as error:
                if attempt == ATTEMPTS:
                    raise ProcessorFailed(reason=f"the line broke ({type(error).__name__})") from None
        raise AssertionError("the last attempt returns or raises")

    def _exchange(self, path: str, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        place = urlsplit(self.url)
        kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
        connection = kind(place.hostname or "", place.port, timeout=self.timeout)
        try:
            headers = {
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            }
            connection.request("POST", place.path.rstrip("/") + path, json.dumps(body), headers)
            response = connection.getresponse()
            return _document(response.status, response.read(LONGEST_ANSWER))
        finally:
            connection.close()


def processor_of(settings: Settings) -> HttpProcessor | None:
    """Return the processor that the settings name; None if they name none, or lack its key."""
    key = secret_text(settings.card_processor_key)
    if settings.card_processor_url is None or key is None:
        return None
    return HttpProcessor(str(settings.card_processor_url), key)


def _document(status: int, content: bytes) -> Mapping[str, Any]:
    try:
        found: Any = json.loads(content)
    except ValueError:
        raise ProcessorFailed(reason=f"status {status} without JSON") from None
    if not isinstance(found, dict):
        raise ProcessorFailed(reason=f"status {status} without an object")
    if status not in (200, 201):
        raise ProcessorFailed(reason=f"status {status}, {str(found.get('error', 'no reason'))[:100]}")
    return found


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise ProcessorFailed(reason=f"its answer has no {name}")
    return value
