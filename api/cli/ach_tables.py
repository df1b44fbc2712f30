"""What the tables of `loanbook ach` share. Next: `api/cli/ach.py`, `api/cli/ach_lists.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.cli.output import Column, amount, grouped

ITEM_COLUMNS = (
    Column("item_no", "Item", right=True),
    Column("code", "Code"),
    Column("meaning", "Meaning", long=True),
    Column("original_trace", "Of entry"),
    Column("side", "Side"),
    amount("amount", "Amount"),
    Column("outcome", "Became"),
    Column("loan_id", "Loan", right=True),
    Column("reason", "Why", long=True),
)


def with_grouped(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the thousands of its amounts grouped."""
    amounts = ("debits", "credits", "amount")
    return {name: grouped(value) if name in amounts else value for name, value in row.items()}
