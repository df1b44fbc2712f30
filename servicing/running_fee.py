"""The origination fee of one loan while its life is folded: what is earned of it by a day, and what is booked.

Rounded cumulatively, so the whole fee is income when the last period ends. Never: how it is spread
(`servicing/deferred_fees.py`). Next: `servicing/folding.py`; `docs/spec/origination_fees.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from ledger.dates import Month
from servicing.accrual import rounded
from servicing.checkpoint import Figures, text_of_fraction
from servicing.contract import Change
from servicing.deferred_fees import Share, earned_by, shares_of
from servicing.terms import Terms


class RunningFee:
    """The running figures of a loan's deferred fee, in minor units; they live only inside a fold."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._changes: tuple[Change, ...] = ()
        self._since = terms.funded_on
        self._fee = self._booked = 0
        self._before = Fraction(0)
        """What was earned before the contract was drawn up as it is now."""

    def freeze(self) -> Figures:
        """Return the figures as they stand; the changes are the loan's."""
        return {
            "fee": self._fee,
            "booked": self._booked,
            "since": self._since.isoformat(),
            "before": text_of_fraction(self._before),
        }

    def thaw(self, figures: Figures, changes: tuple[Change, ...]) -> None:
        """Go on from figures that were frozen beside these changes."""
        self._fee, self._booked = figures["fee"], figures["booked"]
        self._since, self._before = date.fromisoformat(figures["since"]), Fraction(figures["before"])
        self._changes = changes

    @property
    def deferred(self) -> int:
        """Return what is not income yet."""
        return self._fee - self._booked

    def defer(self, fee: int) -> None:
        """Begin with the fee of a funding."""
        self._fee = fee

    def spread_again(self, changes: tuple[Change, ...], day: date) -> None:
        """Spread what is not earned by a day over the periods of a contract that has changed."""
        if self.deferred:
            self._before = self._exact(day, self._shares())
            self._since = day
        self._changes = changes

    def go_on(self, changes: tuple[Change, ...], day: date) -> None:
        """Spread what is not income yet from a day on: before it, nothing was earned for a while."""
        self._before, self._since, self._changes = Fraction(self._booked), day, changes

    def drop(self) -> int:
        """Defer nothing more; return what was not income yet."""
        left, self._fee = self.deferred, self._booked
        return left

    def income_ahead(self, day: date, months: int) -> tuple[int, ...]:
        """Return what each month end after a day will add if nothing happens to the loan; nothing of no fee."""
        if not self.deferred:
            return ()
        first = Month.of(day + timedelta(days=1))
        ends = [first.plus(n).last_day for n in range(months)]
        shares = self._shares()
        totals = [self._booked, *(min(self._rounded(end, shares), self._fee) for end in ends)]
        return tuple(max(0, then - before) for before, then in pairwise(totals))

    def book(self, day: date) -> int:
        """Count as booked what is earned by a day, and return what that adds."""
        if not self.deferred:
            return 0
        return self._add(self._rounded(day, self._shares()))

    def book_all(self) -> int:
        """Count the whole fee as booked, and return what that adds."""
        return self._add(self._fee)

    def _add(self, earned: int) -> int:
        amount = max(0, min(earned, self._fee) - self._booked)
        self._booked += amount
        return amount

    def _shares(self) -> Sequence[Share]:
        return shares_of(self._terms, self._changes, self._since, self._fee - self._before)

    def _rounded(self, day: date, shares: Sequence[Share]) -> int:
        return rounded(self._exact(day, shares), self._terms.product.rounding)

    def _exact(self, day: date, shares: Sequence[Share]) -> Fraction:
        return self._before + earned_by(shares, day) if shares else Fraction(self._fee)
