"""The interest of one loan while its life is folded: earned night by night, period by period, and what is booked.

Never: which days it is booked on, or who pays it. Next: `servicing/accrual.py` for the methods;
`docs/spec/interest.md`.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from servicing.accrual import Balances, interest_of, rounded
from servicing.checkpoint import Figures, text_of_fraction
from servicing.day_count import Period
from servicing.schedule import Contract, method_of, rate_in
from servicing.terms import Terms


class RunningInterest:
    """The running figures of a loan's interest, in minor units; they live only inside a fold."""

    def __init__(self, terms: Terms, contract: Contract) -> None:
        self._terms = terms
        self._method = method_of(terms)
        self._contract = contract.rows
        self._periods = list(contract.periods)
        self._place = 0
        self._accrued_to = terms.funded_on
        self._principal_at_period_start = 0
        self._exact = Fraction(0)
        self._booked = 0

    def freeze(self) -> Figures:
        """Return the figures as they stand; the periods are the contract's."""
        return {
            "place": self._place,
            "accrued_to": self._accrued_to.isoformat(),
            "principal_at_period_start": self._principal_at_period_start,
            "exact": text_of_fraction(self._exact),
            "booked": self._booked,
        }

    def thaw(self, figures: Figures) -> None:
        """Go on from figures that were frozen beside the same contract."""
        self._accrued_to = date.fromisoformat(figures["accrued_to"])
        self._principal_at_period_start = figures["principal_at_period_start"]
        self._exact, self._booked = Fraction(figures["exact"]), figures["booked"]
        self._place = 0
        while self._place < figures["place"]:
            self._period()
            self._place += 1

    @property
    def earned(self) -> int:
        """Return the interest earned since the funding, rounded; what was paid ahead is earned."""
        return max(self._booked, self._rounded(self._exact))

    @property
    def unbooked(self) -> int:
        """Return what is earned and not booked yet."""
        return self.earned - self._booked

    @property
    def begun(self) -> int | None:
        """Return the number of the installment whose period has begun; None between two, and after the last."""
        running = self._place < len(self._contract) and self._accrued_to > self._periods[self._place].start
        return self._place + 1 if running else None

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

    def replace_coming(self, contract: Contract) -> None:
        """Go on with the periods of another contract, from the one that runs; periods that are over stay."""
        self._contract = (*self._contract[: self._place], *contract.rows[self._place :])
        self._periods[self._place :] = contract.periods[self._place :]

    def book(self, amount: int) -> None:
        """Count an amount as booked; more than what is unbooked is booked ahead."""
        self._booked += amount

    def rest_of_period(self, principal: int) -> int:
        """Return what the method has an early payment pay beside what is earned: the rest of the period begun."""
        if not self._method.pays_period_whole or self.begun is None:
            return 0
        return max(0, self._rounded(self._exact + self._until(self._period().end, principal)) - self.earned)

    def _until(self, end: date, principal: int) -> Fraction:
        """Return the interest from where it was accrued to, up to a day of the same period."""
        over = self._place >= len(self._contract)
        if not principal or (over and not self._method.after_last_due_date):
            return Fraction(0)
        balances = Balances(
            outstanding=principal,
            at_period_start=self._principal_at_period_start,
            by_contract=0 if over else self._contract[self._place].balance + self._contract[self._place].principal,
            original=self._terms.principal.minor,
        )
        rate, day_count = rate_in(self._terms, self._place), self._terms.product.day_count
        return interest_of(self._method.balance(balances), rate, day_count, self._period(), self._accrued_to, end)

    def _period(self) -> Period:
        """Return the period of the coming night; after the last due date each year is one."""
        if self._place == len(self._periods):
            last = self._periods[-1].end
            self._periods.append(Period(last, last + relativedelta(years=1), Fraction(1)))
        return self._periods[self._place]

    def _rounded(self, exact: Fraction) -> int:
        return rounded(exact, self._terms.product.rounding)
