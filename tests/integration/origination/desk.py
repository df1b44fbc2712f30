"""What tests of intake do over and over: open, submit, look.

Next: `tests/integration/origination/conftest.py`, which has the book.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from origination.intake_commands import (
    Opening,
    open_application,
    submit_intake,
)
from origination.intake_queries import intake_view
from tests.integration.origination.conftest import BOOK, Change
from tests.support.applications import KEY, vault, whole


def opened(
    change: Change, data: dict[str, Any], *, product: str = "personal", channel: str = "web", name: str = ""
) -> int:
    opening = Opening(product=product, channel=channel, external_id=name or None)
    saved = change(open_application, vault(), BOOK, opening, data)
    number: int = saved.application_id
    return number


def submitted(change: Change, **changes: Any) -> int:
    number = opened(change, whole(**changes))
    change(submit_intake, vault(), BOOK, number)
    return number


def view(engine: sa.Engine, number: int, keys: str | None = KEY) -> Any:
    with engine.connect() as connection:
        return intake_view(connection, BOOK, number, vault=vault(keys) if keys else None)
