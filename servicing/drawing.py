"""Drawing up a contract: period by period from the funding on, with the changes of each period on their days.

Never: dates, or what an installment asks for (`servicing/amortization.py`). Next: `servicing/schedule.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from servicing.accrual import Balances, interest_of, rounded
from servicing.amortization import LEVEL, Ask, Start, ask, ask_again, phases
from servicing.calendars import adjusted
from servicing.contract import Asked, Change, Contract, Installment, Phase, Plan
from servicing.day_count import Period
from servicing.due_dates import due_dates, part_of_a_year
from servicing.errors import TermsInvalid
from servicing.terms import Terms


class Drawing:
    """The running figures of a contract, in minor units; it lives only while the contract is drawn up."""

    def __init__(
        self, terms: Terms, periods: Sequence[Period], dues: Sequence[date], changes: Sequence[Change]
    ) -> None:
        self._terms, self._product = terms, terms.product
        self._method = terms.product.method
        self._regular, self._dues, self._coming = list(periods), list(dues), deque(changes)
        self._unmoved = list(unmoved_dues(terms))
        self._asks = list(_each(phases(terms)))
        self._frequency = terms.frequency
        self._spread = 0
        self._resolved = False
        """Whether the installments of the phases in force were worked out again since these were agreed."""
        self._rows: list[Installment] = []
        self._periods: list[Period] = []
        self._openings: list[int] = []
        self._free: list[bool] = []
        self._earned: list[Fraction] = []
        self._asked_by: list[Asked] = []
        self._rates = [(terms.funded_on, terms.rate)]
        self._original = self._balance = terms.lent.minor
        self._interest = self._interest_before = Fraction(0)
        self._asked = 0
        self._deferred = 0
        """Interest that installments have left to the next one because they ask for none."""
        self._shortens = False
        self._last = len(periods) - 1
        self._opening = self._prepaid = 0

    def contract(self) -> Contract:
        """Return the contract."""
        withheld = self._withhold()
        if self._terms.down_payment:
            self._pay_down(self._terms.funded_on, self._terms.down_payment.minor)
        wanted, place = Ask(0, is_total=False), 0
        while True:
            before = self._balance, self._rates[-1][1], wanted
            changed = self._live_through(place)
            if changed and self._shortens:
                self._last = self._place_of_the_last(place, *before)
            phase, begins = self._asks[place]
            if begins or changed:
                wanted = self._work_out(phase, place)
            self._add(place, wanted)
            self._asked_by.append(Asked(replace(phase, installments=1), wanted.amount, self._unmoved[place]))
            if (place == self._last or (self._shortens and not self._balance)) and not self._goes_on():
                break
            place += 1
        return Contract(
            rows=tuple(self._rows),
            periods=tuple(self._periods),
            openings=tuple(self._openings),
            free=tuple(self._free),
            rates=tuple(self._rates),
            original=self._original,
            withheld=withheld,
            earned=tuple(self._earned),
            asked=tuple(self._asked_by),
            frequency=self._frequency,
        )

    def _work_out(self, phase: Phase, place: int) -> Ask:
        """Return what the installments of a phase ask for from a place on."""
        found = (ask_again if self._resolved else ask)(self._terms, phase, self._start(place))
        if self._spread and phase.rule in LEVEL and (phase.agreed is None or self._resolved):
            count = self._last + 1 - place
            found = replace(found, amount=found.amount + rounded(Fraction(self._spread, count), self._product.rounding))
        return found

    def _live_through(self, place: int) -> bool:
        """Earn the interest of a period, and make its changes on their days; tell whether one asks to resolve."""
        resolves, day = False, self._regular[place].start
        self._opening = self._balance
        self._interest_before = self._interest
        self._prepaid = 0
        while self._coming:
            change, period = self._coming[0], self._regular[place]
            if change.on >= period.end:
                if place + 1 < len(self._regular) or change.plan is not None:
                    break
                self._note_rate(self._coming.popleft())
                continue
            self._coming.popleft()
            self._earn(place, day, change.on)
            day = max(day, change.on)
            self._make(change, begins=change.on == period.start)
            resolves = resolves or change.resolves
        self._earn(place, day, self._regular[place].end)
        return resolves

    def _goes_on(self) -> bool:
        """Begin the plan that was agreed after the last installment fell due, if there is one."""
        while self._coming:
            change = self._coming[0]
            if change.plan is not None:
                self._install(change.plan, change.on)
                return True
            self._note_rate(self._coming.popleft())
        return False

    def _make(self, change: Change, *, begins: bool) -> None:
        self._note_rate(change)
        if change.plan is not None:
            self._install(change.plan, change.on)
        else:
            self._resolved = self._resolved or change.resolves
        if change.drawn:
            self._original += change.drawn
            self._balance += change.drawn
            self._opening += change.drawn
        if change.down_payment:
            self._pay_down(change.on, change.down_payment)
            self._opening -= change.down_payment
        if change.owed is not None:
            self._balance = change.owed
        if change.earned is not None:
            self._interest_before += change.earned - self._interest
            self._interest, self._asked, self._deferred = change.earned, change.claimed, 0
        if begins:
            self._opening = self._balance
        self._prepaid += change.prepaid
        self._shortens = self._shortens or change.shortens

    def _install(self, plan: Plan, on: date) -> None:
        """Put the installments of a plan in the place of those that were to come; none moves to before its day."""
        rule, after = self._product.business_days, plan.after
        moved = [adjusted(due, rule.calendar, rule.convention) if due > on else due for due in plan.dues]
        dues = [business_day if business_day > on else due for due, business_day in zip(plan.dues, moved, strict=True)]
        ends = dues if rule.adjusted and rule.convention != "none" else list(plan.dues)
        start = self._regular[after - 1].end if after else self._regular[0].start
        nominal = part_of_a_year(plan.frequency)
        self._regular[after:] = [Period(*each, nominal) for each in pairwise((start, *ends))]
        self._dues[after:], self._unmoved[after:] = dues, plan.dues
        self._asks[after:] = _each(plan.phases)
        self._frequency, self._spread = plan.frequency, plan.spread
        self._resolved = self._shortens = False
        self._last = len(self._regular) - 1

    def _note_rate(self, change: Change) -> None:
        if change.rate is not None:
            self._rates.append((change.on, change.rate))

    def _earn(self, place: int, start: date, end: date) -> None:
        if end <= start or not self._balance:
            return
        balances = Balances(self._balance, self._opening, self._opening, self._original)
        rate = Decimal(0) if self._is_free(place) else self._rates[-1][1]
        balance, day_count = self._method.balance(balances), self._product.day_count
        self._interest += interest_of(balance, rate, day_count, self._regular[place], start, end)

    def _start(self, place: int) -> Start:
        return Start(
            principal=self._balance,
            periods=tuple(self._regular[place : self._last + 1]),
            rate=self._rates[-1][1],
            original=self._original,
            free=max(0, self._product.grace.interest_free - place),
        )

    def _place_of_the_last(self, place: int, balance: int, rate: Decimal, wanted: Ask) -> int:
        """Return the installment that would pay off what was owed before a change, of a term that was shortened."""
        for later in range(place, self._last):
            period = self._regular[later]
            balances = Balances(balance, balance, balance, self._original)
            exact = interest_of(
                self._method.balance(balances), rate, self._product.day_count, period, period.start, period.end
            )
            balance -= _parts(wanted, balance, rounded(exact, self._product.rounding))[0]
            if balance <= 0:
                return later
        return self._last

    def _is_free(self, place: int) -> bool:
        return place < self._product.grace.interest_free

    def _withhold(self) -> int:
        """Return the interest of the odd days before a regular first period, where it is kept from the proceeds.

        Raises: TermsInvalid if nothing would be left of them.
        """
        first = self._regular[0]
        regular = first.regular_from or first.start
        if self._product.odd_days != "at_funding" or regular <= first.start or self._is_free(0):
            return 0
        day_count, balance = self._product.day_count, self._balance - self._terms.down_payment.minor
        exact = interest_of(balance, self._terms.rate, day_count, first, first.start, regular)
        self._asked = rounded(exact, self._product.rounding)
        if self._asked >= self._terms.proceeds_before_interest.minor:
            raise TermsInvalid(field="first_due_on", reason="the interest of the odd days takes all of the proceeds")
        return self._asked

    def _pay_down(self, day: date, amount: int) -> None:
        """Add the installment that is due and paid with a drawdown."""
        self._balance -= amount
        row = Installment(
            no=len(self._rows) + 1,
            due=day,
            principal=amount,
            interest=0,
            balance=self._balance,
            keeps_total=False,
            asks_interest=False,
            is_down_payment=True,
        )
        self._keep(row, Period(day, day, Fraction(0)), free=True)

    def _add(self, place: int, wanted: Ask) -> None:
        """Add the installment of a period that has been lived through."""
        earned = rounded(self._interest, self._product.rounding) - self._asked
        asks_interest = place >= self._product.grace.interest_payment
        is_last = place == self._last
        if not asks_interest and not is_last:
            principal, interest = _parts(wanted, self._balance, earned - self._deferred)[0], 0
            self._deferred = earned
        else:
            principal, interest = _parts(wanted, self._balance, earned, on_top=self._deferred)
            self._deferred = 0
        if is_last or (self._shortens and principal == self._balance):
            principal, interest = self._balance, earned
        self._balance -= principal
        self._asked += interest
        period = self._regular[place]
        row = Installment(
            no=len(self._rows) + 1,
            due=self._dues[place],
            principal=principal + self._prepaid,
            interest=interest,
            balance=self._balance,
            keeps_total=wanted.is_total,
            asks_interest=asks_interest,
            ends=None if period.end == self._dues[place] else period.end,
        )
        self._keep(row, period, free=self._is_free(place))

    def _keep(self, row: Installment, period: Period, *, free: bool) -> None:
        self._rows.append(row)
        self._periods.append(period)
        self._openings.append(self._opening)
        self._free.append(free)
        self._earned.append(Fraction(0) if row.is_down_payment else self._interest - self._interest_before)


def unmoved_dues(terms: Terms) -> tuple[date, ...]:
    """Return the days on which the regular installments of a loan are due, before they move to business days.

    Raises: TermsInvalid if they run past the end of the calendar.
    """
    if terms.rows:
        return tuple(row.due for row in terms.rows)
    return due_dates(terms.funded_on, terms.first_due_on, terms.frequency, terms.installments)


def _each(found: Iterable[Phase]) -> Iterator[tuple[Phase, bool]]:
    """Yield the phase of each regular installment, and whether it is the first of it."""
    for phase in found:
        for n in range(phase.installments):
            yield phase, n == 0


def _parts(wanted: Ask, balance: int, earned: int, on_top: int = 0) -> tuple[int, int]:
    """Return principal and interest of an installment; interest that its total has no room for waits for the next."""
    if not wanted.is_total:
        return min(balance, wanted.amount), earned
    interest = min(earned, wanted.amount + on_top)
    return min(balance, wanted.amount + on_top - interest), interest
