"""How far behind a loan is, day by day, as the fold goes through its life: since when, and with how much.

A position holds from its day until the next one begins. It keeps the due date that days past due count from and not
their number, so a day on which nothing happens changes nothing. Amounts are minor units.
Never: what follows from it (`servicing/effects/`). Next: `docs/spec/delinquency.md`;
`servicing/commands/delinquency.py`, which keeps the positions as ranges of days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from servicing.checkpoint import day_of_text, text_of_day
from servicing.pauses import Pause, counts_from, day_at, days_counted
from servicing.product import Delinquency

SILENT = frozenset({"interest_accrued", "non_accrual_interest_kept", "deferred_fee_amortized", "cost_recovery_earned"})
"""Templates of entries that change nothing of what is past due: days on which only they are planned are no days."""

OPEN = "open"
"""The status of a loan that is carried, accruing or not; of others, the status of the loan."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An installment that is due, or comes next, and is not paid whole: what it asked for, and what is missing.

    `missing` is of interest and principal, `asked` is what they were; the four amounts are what is missing of each.
    """

    due: date
    asked: int
    missing: int
    principal: int
    interest: int
    fees: int
    penalties: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a loan stands from a day on.

    Days past due count from `since`, those by recency from `recent_since`; None: it is current. Days that were paused
    are left out: they count in fact from `counts_from`, and in a pause up to `stopped_on` alone.
    """

    from_day: date
    since: date | None
    recent_since: date | None
    counts_from: date | None
    recent_counts_from: date | None
    stopped_on: date | None
    principal: int
    interest: int
    fees: int
    penalties: int
    status: str

    @property
    def past_due(self) -> int:
        """Return what is past due, of all components."""
        return self.principal + self.interest + self.fees + self.penalties

    def dpd(self, day: date) -> int:
        """Return the days past due at the close of a day of it."""
        return self._days(self.counts_from, day)

    def recent_dpd(self, day: date) -> int:
        """Return the days past due by recency at the close of a day of it."""
        return self._days(self.recent_counts_from, day)

    def as_json(self) -> list[Any]:
        """Return the figures as JSON values, in their order."""
        return [each.isoformat() if isinstance(each, date) else each for each in astuple(self)]

    @classmethod
    def from_json(cls, stored: Sequence[Any]) -> Position:
        """Return a position from what `as_json` gave."""
        values: dict[str, Any] = dict(zip(FIGURES, stored, strict=True))
        return cls(**values | {name: day_of_text(values[name]) for name in DAYS})

    def _days(self, first: date | None, day: date) -> int:
        return 0 if first is None else max(0, (min(day, self.stopped_on or day) - first).days)

    def differs(self, other: Position) -> bool:
        """Tell whether anything but the day is otherwise."""
        return replace(self, from_day=other.from_day) != other


FIGURES = tuple(each.name for each in fields(Position))
DAYS = FIGURES[:6]


def position_on(positions: Sequence[Position], day: date) -> Position | None:
    """Return the position in force at the close of a day; None before the first."""
    return next((each for each in reversed(positions) if each.from_day <= day), None)


class Trail:
    """The positions of one loan while its life is folded; it lives only inside `fold`.

    `least` is the amount of the tolerance, in minor units.
    """

    def __init__(self, rules: Delinquency, least: int) -> None:
        self._rules, self._least = rules, least
        self._positions: list[Position] = []
        self._pauses: Sequence[Pause] = ()
        self._paid_on: date | None = None
        """The last day of a payment that counts by recency."""

    def freeze(self, day: date) -> Mapping[str, Any]:
        """Return what a fold needs that goes on from the beginning of a day."""
        known = [each for each in self._positions if each.from_day < day][-1:]
        known += [each for each in self._positions if each.from_day >= day]
        return {
            "positions": [each.as_json() for each in known],
            "paid_on": text_of_day(self._paid_on),
        }

    def thaw(self, figures: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._paid_on = day_of_text(figures["paid_on"])
        self._positions = [Position.from_json(stored) for stored in figures["positions"]]

    def note_payment(self, day: date, amount: int, installment: int) -> None:
        """Count a payment by recency, if it is large enough a part of an installment."""
        if 100 * amount >= self._rules.recency_percent * installment:
            self._paid_on = day

    def note(self, day: date, asked: Sequence[Asked], status: str, pauses: Sequence[Pause]) -> None:
        """Note the position at the close of a day, and those of coming days if nothing happens until then.

        Coming ones begin where an installment that is due becomes past due, where its grace is over, and where a pause
        begins or ends.
        """
        self._pauses = pauses
        self._positions = [each for each in self._positions if each.from_day < day]
        for on in sorted({day, *(coming for coming in self._turns(asked) if coming > day)}):
            self._append(self._at(on, asked, status))

    def positions(self, ahead: Sequence[Asked] = ()) -> tuple[Position, ...]:
        """Return the positions; `ahead` are the installments as the next due date will leave them if nothing happens.

        The last of `ahead` is the one that falls due then.
        """
        if not ahead or not self._positions:
            return tuple(self._positions)
        kept = list(self._positions)
        coming = [each.from_day for each in kept if each.from_day > ahead[-1].due]
        self._positions = [each for each in kept if each.from_day <= ahead[-1].due]
        for on in sorted({*coming, *(turn for turn in self._turns(ahead) if turn > ahead[-1].due)}):
            self._append(self._at(on, ahead, kept[-1].status))
        found, self._positions = tuple(self._positions), kept
        return found

    def _turns(self, asked: Iterable[Asked]) -> set[date]:
        days = {turn for pause in self._pauses for turn in pause.turns()}
        for each in asked:
            days.add(each.due + timedelta(days=1))
            counted = day_at(each.due, self._rules.grace_days + 1, self._pauses)
            if counted is not None:
                days.add(counted)
        return days

    def _append(self, position: Position) -> None:
        if not self._positions or self._positions[-1].differs(position):
            self._positions.append(position)

    def _at(self, day: date, asked: Sequence[Asked], status: str) -> Position:
        past = [each for each in asked if each.due < day]
        counting = [each.due for each in past if self._counts(each, day)]
        since = min(counting, default=None)
        before = self._positions[-1].since if self._positions else None
        if self._rules.cure == "full" and since is not None and before is not None:
            since = min(since, before)
        recent = min((due for due in counting if self._paid_on is None or due > self._paid_on), default=None)
        return Position(
            day,
            since,
            recent,
            None if since is None else counts_from(since, day, self._pauses),
            None if recent is None else counts_from(recent, day, self._pauses),
            next((pause.start for pause in self._pauses if pause.is_on(day)), None),
            sum(each.principal for each in past),
            sum(each.interest for each in past),
            sum(each.fees for each in past),
            sum(each.penalties for each in past),
            status,
        )

    def _counts(self, each: Asked, day: date) -> bool:
        tolerated = max(self._least, int(each.asked * self._rules.tolerance.percent / 100))
        return each.missing > tolerated and days_counted(each.due, day, self._pauses) > self._rules.grace_days
