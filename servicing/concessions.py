"""What a modification gives a borrower in financial difficulty, by the types that are disclosed.

Source: ASC 310-10-50-42 to 50-44 (ASU 2022-02): principal forgiveness, interest rate reduction, payment delay that is
more than insignificant, term extension, and combinations of them. Never: a loan as a whole. Next: `servicing/state.py`;
`docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from servicing.state import Modified

DELAYS = frozenset({"defer", "forbear", "reage", "reamortize", "capitalize"})
"""Kinds that put off what was due, whatever else they do."""


def types_of(modified: Modified) -> tuple[str, ...]:
    """Return the types of a modification; none where the borrower pays no later and no less."""
    return tuple(_types(modified))


def rate_cut(modified: Modified) -> Decimal:
    """Return by how many points the rate fell; below zero, it rose."""
    return Decimal(modified.before.rate) - Decimal(modified.after.rate)


def months_longer(modified: Modified) -> int:
    """Return by how many whole months the last installment is due later."""
    before, after = (date.fromisoformat(each.matures_on) for each in (modified.before, modified.after))
    months = (after.year - before.year) * 12 + after.month - before.month
    return months - (after.day < before.day and months > 0)


def _types(modified: Modified) -> Iterator[str]:
    if modified.forgiven:
        yield "principal_forgiveness"
    if rate_cut(modified) > 0:
        yield "rate_reduction"
    if modified.after.matures_on > modified.before.matures_on:
        yield "term_extension"
    if modified.kind in DELAYS or modified.moved:
        yield "payment_delay"
