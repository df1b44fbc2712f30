"""A source over HTTP: one call with a time limit for the whole of it, an answer in JSON of bounded length.

Redirects are not followed, and retries are not made here. Never: a transaction; nothing is open while it waits.
Next: `origination/sources/asking.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as TimeoutReached

from origination.verification.answers import Answer, SourceFailed, facts_of
from origination.verification.kinds import COMPLETED, MALFORMED, REFUSED, TIMEOUT, UNREACHABLE
from origination.verification.source import FromEnvironment, Source

LONGEST_ANSWER = 1_048_576
PIECE = 16_384
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same call may succeed. Source: RFC 9110, RFC 6585."""


@dataclass(frozen=True)
class HttpSource:
    """A source at an address."""

    declared: Source
    headers: Mapping[str, str] = field(repr=False)
    pool: urllib3.PoolManager = field(repr=False, default_factory=lambda: urllib3.PoolManager(retries=False))

    def ask(self, request: Mapping[str, Any], *, key: str) -> Answer:
        """Send a request under a key, and return the answer.

        Raises: SourceFailed.
        """
        until = time.perf_counter() + self.declared.timeout_seconds
        response = self._send(request, key)
        try:
            text = self._text(response, until)
        finally:
            response.release_conn()
        return self._answer(response.status, text)

    def _send(self, request: Mapping[str, Any], key: str) -> urllib3.BaseHTTPResponse:
        declared = self.declared
        headers = {**self.headers, "Accept": "application/json", "Idempotency-Key": key}
        as_query = declared.method == "GET"
        fields = {name: str(value) for name, value in request.items()} if as_query else None
        body = None if as_query else json.dumps(request).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        limit = urllib3.Timeout(total=declared.timeout_seconds)
        try:
            return self.pool.request(
                declared.method,
                declared.url or "",
                fields=fields,
                body=body,
                headers=headers,
                timeout=limit,
                redirect=False,
                preload_content=False,
            )
        except NewConnectionError:
            raise SourceFailed(UNREACHABLE, "nobody answers at its address") from None
        except TimeoutReached:
            raise self._late() from None
        except HTTPError as error:
            raise SourceFailed(UNREACHABLE, f"the line broke ({type(error).__name__})") from None

    def _text(self, response: urllib3.BaseHTTPResponse, until: float) -> str:
        """Read an answer piece by piece, so that one that trickles in ends in time too."""
        content = b""
        try:
            for piece in response.stream(PIECE):
                content += piece
                if len(content) > LONGEST_ANSWER:
                    raise SourceFailed(MALFORMED, f"its answer is longer than {LONGEST_ANSWER} bytes", again=False)
                if time.perf_counter() > until:
                    raise self._late()
        except TimeoutReached:
            raise self._late() from None
        except HTTPError as error:
            raise SourceFailed(UNREACHABLE, f"the line broke ({type(error).__name__})") from None
        return content.decode("utf-8", errors="replace")

    def _answer(self, status: int, text: str) -> Answer:
        outcome = self.declared.outcome_of(status)
        if outcome is not None:
            return Answer(outcome, {}, text, status)
        if status != 200:
            raise SourceFailed(REFUSED, f"it answered {status}", status, again=status in TRY_AGAIN)
        try:
            body = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise SourceFailed(MALFORMED, "its answer is no JSON", status, again=False) from None
        return Answer(COMPLETED, facts_of(self.declared, body), text, status)

    def _late(self) -> SourceFailed:
        return SourceFailed(TIMEOUT, f"no whole answer in {self.declared.timeout_seconds:g} seconds")


def headers_of(source: Source, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a source, those from the environment filled in.

    Raises: SourceFailed for a variable that is not set.
    """
    found: dict[str, str] = {}
    for name, value in source.headers.items():
        if isinstance(value, FromEnvironment):
            if value.env not in environment:
                raise SourceFailed(REFUSED, f"{value.env} is not set", again=False)
            found[name] = value.prefix + environment[value.env]
        else:
            found[name] = value
    return found
