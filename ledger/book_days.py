"""The days that books can hold: what lies outside them is a slip of the keyboard, at whichever door it comes in.

Questions may name any day of the calendar; only what changes the books is held to these. Never: the days of one book,
which `ledger/commands/books.py` knows. Next: `api/cli/options.py`, `servicing/boarding_days.py`.
"""

from __future__ import annotations

from datetime import date

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)


def objection_to(day: date) -> str | None:
    """Return why a day can be in no books, None if it can."""
    if FIRST_DAY <= day <= LAST_DAY:
        return None
    return f"{day} lies outside {FIRST_DAY} to {LAST_DAY}, the days that books can hold"
