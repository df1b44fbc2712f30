"""The interest of one loan while its life is folded: earned night by night, period by period, and what is booked.

Never: which days it is booked on, or who pays it. Next: `servicing/accrual.py` for the methods;
`docs/spec/interest.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from servicing.accrual import METHODS, Balances, interest_of, rounded
from servicing.checkpoint import Figures, text_of_fraction
from servicing.contract import Contract
from servicing.day_count import ALIKE, Period, alike_through, part_of_period
from servicing.outlook import Outlook
from servicing.terms import Terms


class RunningInterest:
    """The running figures of a loan's interest, in minor units; they live only inside a fold."""

    def __init__(self, terms: Terms, contract: Contract) -> None:
        self._terms = terms
        self._method = terms.product.method
        self._contract = contract
        self._periods = list(contract.periods)
        self._place = 0
        self._accrued_to = terms.funded_on
        self._principal_at_period_start = 0
        self._exact = Fraction(0)
        self._booked = 0
        self._stopped = False

    def freeze(self) -> Figures:
        """Return the figures as they stand; the periods are the contract's."""
        return {
            "place": self._place,
            "accrued_to": self._accrued_to.isoformat(),
            "principal_at_period_start": self._principal_at_period_start,
            "exact": text_of_fraction(self._exact),
            "booked": self._booked,
            "stopped": self._stopped,
        }

    def thaw(self, figures: Figures) -> None:
        """Go on from figures that were frozen beside the same contract."""
        self._accrued_to = date.fromisoformat(figures["accrued_to"])
        self._principal_at_period_start = figures["principal_at_period_start"]
        self._exact, self._booked = Fraction(figures["exact"]), figures["booked"]
        self._stopped = figures["stopped"]
        self._place = 0
        while self._place < figures["place"]:
            self._period()
            self._place += 1

    @property
    def earned(self) -> int:
        """Return the interest earned since the funding, rounded; what was paid ahead is earned."""
        return max(self._booked, self._rounded(self._exact))

    @property
    def exact(self) -> Fraction:
        """Return the interest earned since the funding, not rounded; what was paid ahead is earned."""
        return max(Fraction(self._booked), self._exact)

    @property
    def unbooked(self) -> int:
        """Return what is earned and not booked yet."""
        return self.earned - self._booked

    @property
    def begun(self) -> int | None:
        """Return the number of the installment whose period has begun; None between two, and after the last."""
        if self._stopped or self._place >= len(self._contract.rows):
            return None
        return self._place + 1 if self._accrued_to > self._periods[self._place].start else None

    def accrue_to(self, day: date, principal: int) -> None:
        """Accrue the nights before a day, in all of which this principal is owed."""
        while self._accrued_to < day:
            period = self._period()
            if self._accrued_to == period.start:
                self._principal_at_period_start = principal
            end = min(day, period.end)
            self._exact += self._until(end, principal)
            self._accrued_to = end
            self._place += end == period.end

    def earned_by(self, day: date, principal: int) -> int:
        """Return the interest earned by a coming day if nothing happens and this principal is owed."""
        ahead = copy(self)
        ahead._periods = list(self._periods)
        ahead.accrue_to(day, principal)
        return ahead.earned

    def stop(self) -> None:
        """Earn nothing from here on."""
        self._stopped = True

    def go_on(self) -> None:
        """Earn again from here on."""
        self._stopped = False

    def open(self, interest: int, principal: int) -> None:
        """Take over interest that was earned and booked elsewhere, on a loan that owed nothing here so far."""
        self._exact += interest
        self._booked += interest
        self._principal_at_period_start = principal

    def replace_coming(self, contract: Contract) -> None:
        """Go on with the periods of another contract, from the one that runs; periods that are over stay."""
        self._contract = contract
        running = next((n for n, each in enumerate(contract.periods) if each.end > self._accrued_to), None)
        if running is not None:
            # Years after the last due date give way to periods that are agreed for them.
            self._place, self._periods = running, list(contract.periods)
            return
        self._periods[self._place :] = contract.periods[self._place :]
        while self._place < len(self._periods) and self._periods[self._place].end <= self._accrued_to:
            self._place += 1

    def draw(self, amount: int) -> None:
        """Count what is lent on a day as principal of the period that runs."""
        self._principal_at_period_start += amount

    def book(self, amount: int) -> None:
        """Count an amount as booked; more than what is unbooked is booked ahead."""
        self._booked += amount

    def rest_of_period(self, principal: int, *, pays_off: bool) -> int:
        """Return what the method has an early payment pay beside what is earned: the rest of the period begun."""
        whole = self._method.payoff_pays_period_whole or not pays_off
        if not self._method.pays_period_whole or not whole or self.begun is None:
            return 0
        return max(0, self._rounded(self._exact + self._until(self._period().end, principal)) - self.earned)

    def outlook(self, principal: int) -> Outlook:
        """Return how interest goes on from where it was accrued to, if nothing happens and this principal is owed."""
        start, period, places = self._accrued_to, self._period(), len(self._contract.rows)
        over = self._place >= places
        if self._stopped or not principal or (over and not self._method.after_last_due_date):
            return Outlook(start, self._exact, self._booked, 0, False, Fraction(0), date.max)
        if start == period.start:
            self._principal_at_period_start = principal
        if self._contract.charges:
            night = self._share_of_the_charge(start + timedelta(days=1))
            return Outlook(start, self._exact, self._booked, 1, False, night, period.end)
        day_count, is_on_principal = self._terms.product.day_count, self._method is METHODS["simple", "daily"]
        holds = alike_through(day_count, period, start)
        if holds == period.end and is_on_principal and day_count in ALIKE:
            holds = self._end_of_periods_alike()
        night = part_of_period(day_count, period, start, start + timedelta(days=1))
        return Outlook(
            through=start,
            earned=self._exact,
            booked=self._booked,
            balance=self._method.balance(self._balances(principal)),
            is_on_principal=is_on_principal,
            nightly=Fraction(self._rate_of(start)) / 100 * night,
            holds_through=min(holds, self._contract.next_rate_after(start) or date.max),
        )

    def _end_of_periods_alike(self) -> date:
        """Return the end of the last period that earns interest, or is free of it, as the one that runs."""
        free = (*self._contract.free, False)
        place = min(self._place, len(free) - 1)
        changes = next((coming for coming in range(place + 1, len(free)) if free[coming] != free[place]), None)
        return date.max if changes is None else self._periods[changes - 1].end

    def _until(self, end: date, principal: int) -> Fraction:
        """Return the interest from where it was accrued to, up to a day of the same period."""
        over = self._place >= len(self._contract.rows)
        if self._stopped or not principal or (over and not self._method.after_last_due_date):
            return Fraction(0)
        if self._contract.charges:
            return self._share_of_the_charge(end)
        balance, day_count = self._method.balance(self._balances(principal)), self._terms.product.day_count
        return sum(
            (
                interest_of(balance, self._rate_of(start), day_count, self._period(), start, stop)
                for start, stop in self._at_one_rate(self._accrued_to, end)
            ),
            Fraction(0),
        )

    def _balances(self, principal: int) -> Balances:
        over = self._place >= len(self._contract.rows)
        return Balances(
            outstanding=principal,
            at_period_start=self._principal_at_period_start,
            by_contract=0 if over else self._contract.openings[self._place],
            original=self._contract.original,
        )

    def _share_of_the_charge(self, end: date) -> Fraction:
        """Return the part of the period's share of a finance charge that was fixed at first, by nights."""
        period, nights = self._period(), (end - self._accrued_to).days
        return self._contract.charges[self._place] * Fraction(nights, (period.end - period.start).days)

    def _rate_of(self, night: date) -> Decimal:
        is_free = self._place < len(self._contract.rows) and self._contract.free[self._place]
        return Decimal(0) if is_free else self._contract.rate_on(night)

    def _at_one_rate(self, start: date, end: date) -> Iterator[tuple[date, date]]:
        while start < end:
            stop = min(end, self._contract.next_rate_after(start) or end)
            yield start, stop
            start = stop

    def _period(self) -> Period:
        """Return the period of the coming night; after the last due date each year is one."""
        if self._place == len(self._periods):
            last = self._periods[-1].end
            self._periods.append(Period(last, last + relativedelta(years=1), Fraction(1)))
        return self._periods[self._place]

    def _rounded(self, exact: Fraction) -> int:
        return rounded(exact, self._terms.product.rounding)
