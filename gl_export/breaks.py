"""A break over its life: found by a statement, carried from one to the next, assigned, resolved, cleared.

A break is cleared by the first later statement that covers its day and does not show it. A resolution holds for the
amount that it was given for: should the break come to another amount, it is open again. Never: the database, or a
figure made up to agree.
Next: `gl_export/commands/gl_reconciliation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gl_export.gl_comparison import AccountKey, BreakKind, Difference
from ledger.money import Money, Total


class BreakState(StrEnum):
    """Open: nobody has it. Assigned: somebody looks into it. Resolved: explained. Cleared: not there any more."""

    OPEN = "open"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What explains a break: a reference such as the number of an entry in the GL, and a word about it."""

    reference: str
    note: str | None
    amount: Money
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GLBreak:
    """A break with its newest sighting; `opened_on` is the day of the statement that found it first."""

    break_no: int
    opened_on: date
    difference: Difference
    seen_in: int
    owner: str | None = None
    resolution: Resolution | None = None
    cleared_by: int | None = None

    @property
    def state(self) -> BreakState:
        """Return where it stands."""
        if self.cleared_by is not None:
            return BreakState.CLEARED
        if self.resolution is not None and self.resolution.amount == self.difference.amount:
            return BreakState.RESOLVED
        return BreakState.OPEN if self.owner is None else BreakState.ASSIGNED

    @property
    def is_explained(self) -> bool:
        """Tell whether a person may sign off with it: it is on its way, or somebody resolved it."""
        return self.state is BreakState.RESOLVED or self.difference.kind is BreakKind.TIMING

    def age_days(self, on: date) -> int:
        """Return for how many days it has been there."""
        return max(0, (on - self.opened_on).days)


@dataclass(frozen=True, slots=True)
class Carried:
    """What a statement does to the breaks: those it shows again by their numbers, and those it shows first."""

    again: tuple[tuple[int, Difference], ...]
    new: tuple[Difference, ...]


def carry_forward(standing: Iterable[GLBreak], found: Sequence[Difference]) -> Carried:
    """Return which breaks a statement shows again, by key, and which are new."""
    numbers = {each.difference.key: each.break_no for each in standing if each.cleared_by is None}
    again = tuple((numbers[each.key], each) for each in found if each.key in numbers)
    return Carried(again, tuple(each for each in found if each.key not in numbers))


@dataclass(frozen=True, slots=True)
class Proof:
    """An account brought to zero: what was sent, what was found, and what explains the difference."""

    gl_account: str
    sent: Money
    found: Money
    timing: Money
    resolved: Money

    @property
    def difference(self) -> Money:
        """Return what was sent less what was found."""
        return self.sent - self.found

    @property
    def unexplained(self) -> Money:
        """Return what of the difference nobody has explained."""
        return self.difference - self.timing - self.resolved


def prove_to_zero(
    sent: Mapping[AccountKey, Money], found: Mapping[AccountKey, Money], breaks: Iterable[GLBreak]
) -> tuple[Proof, ...]:
    """Return the proof of every account that has a figure on either side, by account and currency."""
    timing: dict[AccountKey, Money] = {}
    resolved: dict[AccountKey, Money] = {}
    for each in breaks:
        amount = each.difference.amount
        key = (each.difference.gl_account, amount.currency)
        sums = timing if each.difference.kind is BreakKind.TIMING else resolved
        if each.is_explained:
            sums[key] = sums.get(key, Total(0, key[1])) + amount
    keys = sorted({*sent, *found, *timing, *resolved})
    return tuple(
        Proof(key[0], *(sums.get(key, Total(0, key[1])) for sums in (sent, found, timing, resolved))) for key in keys
    )


@dataclass(frozen=True, slots=True)
class SignOff:
    """Two people's word that a statement agrees, with the balances of the book on which it rests, debits positive."""

    statement_no: int
    prepared_by: str
    approved_by: str
    balances: Mapping[AccountKey, Money]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a sign-off still holds: the accounts whose balance moved since, and the statement that came after it."""

    sign_off: SignOff
    moved: tuple[tuple[AccountKey, Money], ...]
    superseded_by: int | None

    @property
    def holds(self) -> bool:
        """Tell whether nothing that it rests on has changed."""
        return not self.moved and self.superseded_by is None


def standing_of(sign_off: SignOff, balances: Mapping[AccountKey, Money], *, newest: int) -> Standing:
    """Return whether a sign-off holds against the balances of today for the same day."""
    moved = []
    for key in sorted({*sign_off.balances, *balances}):
        zero = Total(0, key[1])
        change = balances.get(key, zero) - sign_off.balances.get(key, zero)
        if change:
            moved.append((key, change))
    return Standing(sign_off, tuple(moved), newest if newest > sign_off.statement_no else None)
