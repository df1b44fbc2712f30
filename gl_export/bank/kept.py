"""Lines and matches as the book keeps them.

Next: `gl_export/queries/bank.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gl_export.bank.statement import BankLine
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line as it is kept, and the match that it is in."""

    line_no: int
    account: str
    file: str
    line: BankLine
    match_no: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """A line (by its number) or an open item in a match."""

    side: str
    key: str
    amount: Money


@dataclass(frozen=True, slots=True)
class KeptMatch:
    """A match that stands: its rule, score and reason, its parts, and the entries that settled it."""

    match_no: int
    rule: str
    score: int
    why: str
    entries: tuple[int, ...]
    actor: str
    parts: tuple[Part, ...]
