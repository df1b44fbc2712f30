"""A source is asked: again after a failure, with growing pauses, and not at all while it has failed too often.

Every attempt is told with what it took and how it ended. The breaker is set by the attempts on record, so that all
processes and every run of the command line heed the same one. Never: a transaction.
Next: `origination/sources/http_source.py`; `docs/spec/verification.md`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from pybreaker import STATE_CLOSED, STATE_OPEN, CircuitBreaker, CircuitBreakerError, CircuitMemoryStorage
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from origination.sources.file_source import FileSource
from origination.sources.http_source import HttpSource, headers_of
from origination.verification.answers import Answer, SourceFailed, filled
from origination.verification.kinds import ANSWERED, CIRCUIT_OPEN
from origination.verification.source import Source

LONGEST_PAUSE_SECONDS = 5.0


class AskableSource(Protocol):
    """What every source can do."""

    def ask(self, request: Mapping[str, Any], *, key: str) -> Answer:
        """Return the answer to a request; asked again under the same key, it is the same question.

        Raises: SourceFailed.
        """


@dataclass(frozen=True, slots=True)
class Trail:
    """How a source has done lately: failures in a row up to now, and when the last one was."""

    failures: int = 0
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A time that a source was asked; the latency in milliseconds."""

    status: str
    latency_ms: int
    http_status: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking a source came to: every attempt, what was sent, and the answer if there is one."""

    source: Source
    request: Mapping[str, Any]
    attempts: tuple[Attempt, ...]
    answer: Answer | None


def ask(
    source: Source,
    data: Mapping[str, Any],
    *,
    key: str,
    trail: Trail,
    environment: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
) -> Asked:
    """Ask a source about an application; whatever goes wrong is told in the attempts, never raised."""
    request = filled(source.request if source.type == "http" else source.key, data)
    breaker, attempts = breaker_of(source, trail), list[Attempt]()
    reach = cache(lambda: _askable(source, environment))

    def once() -> Answer:
        started = time.perf_counter()
        try:
            answer = reach().ask(request, key=key)
        except SourceFailed as failed:
            attempts.append(_attempt(failed.status, started, failed.http_status, failed.detail))
            raise
        attempts.append(_attempt(ANSWERED, started, answer.http_status))
        return answer

    again = Retrying(
        stop=stop_after_attempt(source.attempts),
        wait=wait_random_exponential(multiplier=source.pause_seconds, max=LONGEST_PAUSE_SECONDS),
        retry=retry_if_exception(lambda error: isinstance(error, SourceFailed) and error.again),
        sleep=sleep,
        reraise=True,
    )
    try:
        answer: Answer | None = again(breaker.call, once)
    except SourceFailed:
        answer = None
    except CircuitBreakerError:
        attempts.append(Attempt(status=CIRCUIT_OPEN, latency_ms=0, detail="left alone, for it has failed too often"))
        answer = None
    return Asked(source, request, tuple(attempts), answer)


def breaker_of(source: Source, trail: Trail) -> CircuitBreaker:
    """Return the breaker of a source as its attempts on record have left it."""
    rules = source.breaker
    is_open = trail.failures >= rules.failures and trail.failed_at is not None
    storage = CircuitMemoryStorage(STATE_OPEN if is_open else STATE_CLOSED)
    if is_open and trail.failed_at is not None:
        storage.opened_at = trail.failed_at
    breaker = CircuitBreaker(
        fail_max=rules.failures,
        reset_timeout=rules.reset_seconds,
        state_storage=storage,
        throw_new_error_on_trip=False,
        name=source.name,
    )
    for _ in range(trail.failures):
        storage.increment_counter()
    return breaker


def state_of(source: Source, trail: Trail, now: datetime) -> str:
    """Return where the breaker of a source stands: closed, open, or half-open when it may be tried again."""
    if trail.failures < source.breaker.failures or trail.failed_at is None:
        return "closed"
    waited = (now - trail.failed_at).total_seconds()
    return "open" if waited < source.breaker.reset_seconds else "half-open"


def _askable(source: Source, environment: Mapping[str, str]) -> AskableSource:
    if source.type == "file":
        return FileSource(source)
    return HttpSource(source, headers_of(source, environment))


def _attempt(status: str, started: float, http_status: int | None, detail: str = "") -> Attempt:
    latency = round((time.perf_counter() - started) * 1000)
    return Attempt(status=status, latency_ms=latency, http_status=http_status, detail=detail)
