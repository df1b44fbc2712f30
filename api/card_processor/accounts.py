"""What the processor keeps, in memory: tokens, authorizations, captures, refunds, chargebacks, and calls by their keys.

Which cards decline, and how, stands in one table of numbers; every other number that passes the check is approved. The
numbers are those that processors publish for tests. Never: HTTP (`api/card_processor/app.py`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from api.views import Json

DECLINES: Mapping[str, str] = {
    "4000000000000002": "card_declined",
    "4000000000009995": "insufficient_funds",
    "4000000000009987": "lost_card",
    "4000000000009979": "stolen_card",
    "4000000000000069": "expired_card",
    "4000000000000127": "incorrect_cvc",
    "4000000000000119": "processing_error",
}
"""The cards that decline, and with which code."""


@dataclass(eq=False)
class Refused(Exception):
    """A call that is not done: the status, and a word that says why."""

    status: int
    error: str


@dataclass
class Accounts:
    """Everything that a processor knows; one call at a time."""

    tokens: dict[str, str] = field(default_factory=dict)
    authorizations: dict[str, Json] = field(default_factory=dict)
    captures: dict[str, Json] = field(default_factory=dict)
    events: dict[str, Json] = field(default_factory=dict)
    _answers: dict[str, tuple[str, Json]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, key: str, call: str, body: Json, work: Callable[[], Json]) -> Json:
        """Do a call unless its key was used; return the answer of the first time.

        Raises: Refused for a key that was another call's; what the work raises, which may be asked again.
        """
        said = json.dumps([call, body], sort_keys=True)
        with self._lock:
            if key in self._answers:
                first, answer = self._answers[key]
                if first != said:
                    raise Refused(409, "idempotency_key_reused")
                return answer
            answer = work()
            self._answers[key] = (said, answer)
            return answer

    def make_token(self, number: str) -> Json:
        """Return a token for the number of a card."""
        if not is_card_number(number):
            raise Refused(422, "invalid_number")
        token = _new("tok")
        with self._lock:
            self.tokens[token] = number
        return {"token": token, "last_four": number[-4:]}

    def authorize(self, body: Json) -> Json:
        """Ask the bank of a card, whose word is in the table."""
        number = self.tokens.get(body["token"])
        if number is None:
            raise Refused(404, "unknown_token")
        code = DECLINES.get(number)
        found = {**body, "id": _new("aut"), "status": "declined" if code else "approved", "decline_code": code}
        self.authorizations[found["id"]] = found
        return found

    def capture(self, authorization_id: str, amount: int) -> Json:
        """Take an authorized amount, once."""
        authorization = self.authorizations.get(authorization_id)
        if authorization is None:
            raise Refused(404, "unknown_authorization")
        if authorization["status"] != "approved" or not 0 < amount <= authorization["amount"]:
            raise Refused(409, "not_capturable")
        authorization["status"] = "captured"
        found = {
            "id": _new("cap"),
            "amount": amount,
            "currency": authorization["currency"],
            "reference": authorization["reference"],
            "refunded": 0,
            "charged_back": 0,
        }
        self.captures[found["id"]] = found
        return dict(found)

    def take_from(self, capture_id: str, amount: int, part: str) -> Json:
        """Refund a part of a capture, or charge it back; together never more than it."""
        capture = self.captures.get(capture_id)
        if capture is None:
            raise Refused(404, "unknown_capture")
        if not 0 < amount <= capture["amount"] - capture["refunded"] - capture["charged_back"]:
            raise Refused(409, "more_than_captured")
        capture[part] += amount
        return {"capture": capture_id, "amount": amount, "currency": capture["currency"]}

    def refund(self, capture_id: str, amount: int) -> Json:
        """Give back a part of a capture."""
        return {**self.take_from(capture_id, amount, "refunded"), "id": _new("ref")}

    def charge_back(self, capture_id: str, amount: int, reason: str) -> Json:
        """Let the holder of a card take back a part of a capture; return the event that tells of it."""
        with self._lock:
            taken = self.take_from(capture_id, amount, "charged_back")
            event = {**taken, "id": _new("evt"), "type": "chargeback", "reason": reason}
            self.events[event["id"]] = event
            return event


def is_card_number(number: str) -> bool:
    """Tell whether a number has 12 to 19 digits and its check digit fits. Source: ISO/IEC 7812-1, annex B (Luhn)."""
    if not (12 <= len(number) <= 19 and number.isascii() and number.isdigit()):
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _new(kind: str) -> str:
    return f"{kind}_{uuid4().hex}"
