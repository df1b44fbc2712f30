"""Logs of a server process: one JSON object a line, on stderr.

Never: personal data, money, or what a caller sent; only ids, names of routes, figures of time.
"""

from __future__ import annotations

import sys

import structlog


def configure() -> None:
    """Write structured logs from now on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
