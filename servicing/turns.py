"""A posting rule: a template, and what its entries do to the balances that may not go below zero.

Never: which rules there are (`servicing/posting_rules.py`, `servicing/loss_rules.py`). Next: `servicing/replay.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.templates import Template

RAIL = "RAIL_CLEARING"


class Turn(StrEnum):
    """What an entry does to the balances that may not go below zero, which says when a replay takes it.

    One entry does one of these; an event that does two is two entries.
    """

    CHARGES = "charges"
    """Debits a receivable, and credits income, a payable or unapplied cash: it takes from no such balance."""
    SETTLES = "settles"
    """Credits a receivable: a payment, a waiver, a write-off. What is more than the debt is unapplied cash."""
    CONVERTS = "converts"
    """Debits one receivable and credits another: it moves what is owed, and brings nothing."""
    SPENDS = "spends"
    """Debits unapplied cash: it pays what is owed later, or it is to be refunded."""
    SENDS = "sends"
    """Debits what is payable, or deferred: the money leaves, or is earned."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A template and its turn; every version of a template has the same one."""

    turn: Turn
    template: Template
