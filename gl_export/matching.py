"""Two sets of balances, laid side by side: what agrees, what is only a matter of time, and what is a break.

Balances are signed, debits positive. What is known to be under way explains a difference and is timing;
whatever it leaves unexplained is a break, however small. Never: a tolerance. Next: `gl_export/tie_out.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.money import Money

BalanceKey = tuple[str, str]
"""An account's code and a currency."""

Balances = Mapping[BalanceKey, Money]


class Verdict(StrEnum):
    """Agreed; timing: explained by what is under way; missing: one side has nothing; amount: both differ."""

    AGREED = "agreed"
    TIMING = "timing"
    MISSING = "missing"
    AMOUNT = "amount"

    @property
    def is_break(self) -> bool:
        """Tell whether somebody has to look into it."""
        return self in (Verdict.MISSING, Verdict.AMOUNT)


@dataclass(frozen=True, slots=True)
class Match:
    """One account in one currency on both sides; `pending` is what is on its way from left to right."""

    account: str
    left: Money
    right: Money
    pending: Money
    verdict: Verdict

    @property
    def currency(self) -> str:
        """Return the currency of the match."""
        return self.left.currency

    @property
    def difference(self) -> Money:
        """Return left less right."""
        return self.left - self.right

    @property
    def unexplained(self) -> Money:
        """Return what of the difference is not pending."""
        return self.difference - self.pending


def match(left: Balances, right: Balances, pending: Balances | None = None) -> tuple[Match, ...]:
    """Return a match for every account and currency that occurs anywhere, by code and currency."""
    pending = pending or {}
    keys = sorted({*left, *right, *pending})
    return tuple(_matched(key, left, right, pending) for key in keys)


def _matched(key: BalanceKey, left: Balances, right: Balances, pending: Balances) -> Match:
    zero = Money.zero(key[1])
    ours, theirs, under_way = left.get(key, zero), right.get(key, zero), pending.get(key, zero)
    difference = ours - theirs
    if not difference and not under_way:
        verdict = Verdict.AGREED
    elif difference == under_way:
        verdict = Verdict.TIMING
    elif key not in left or key not in right:
        verdict = Verdict.MISSING
    else:
        verdict = Verdict.AMOUNT
    return Match(key[0], ours, theirs, under_way, verdict)
