"""How many of an originator's debits come back, against the levels at which the network asks questions.

Counted over 60 days: returns received in them, over debits originated in them. Never: credits; re-presented checks in
the overall rate. Source: Nacha Operating Rules, subsection 2.17.2; `docs/spec/nacha.md`, worked.
Next: `servicing/nacha/reason_codes.py`, which code counts where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from types import MappingProxyType

from servicing.nacha.reason_codes import RETURN_CODES, Group, ReturnCode

LOOK_BACK_DAYS = 60


@dataclass(frozen=True, slots=True)
class Level:
    """One rate: its name, the share at which it is too high, and which reasons count."""

    name: str
    limit: Fraction
    counts: Callable[[ReturnCode], bool]


LEVELS = (
    Level("unauthorized", Fraction(5, 1000), lambda code: code.group is Group.UNAUTHORIZED),
    Level("administrative", Fraction(3, 100), lambda code: code.group is Group.ADMINISTRATIVE),
    Level("overall", Fraction(15, 100), lambda code: code.overall),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate of an originator over the look-back: how many came back of how many, and whether that is too high."""

    name: str
    returned: int
    originated: int
    limit: Fraction

    @property
    def share(self) -> Fraction | None:
        """Return the share that came back, or None where nothing was originated."""
        return Fraction(self.returned, self.originated) if self.originated else None

    @property
    def exceeded(self) -> bool:
        """Tell whether the share is above its limit; at the limit it is not. Returns of nothing exceed it."""
        return self.returned > 0 if self.share is None else self.share > self.limit


def look_back(as_of: date) -> tuple[date, date]:
    """Return the first and the last day that count on a day: 60 days, that day included, or as many as there were."""
    return as_of - min(timedelta(days=LOOK_BACK_DAYS - 1), as_of - date.min), as_of


def return_rates(originated: int, returned: Mapping[str, int] = MappingProxyType({})) -> tuple[Rate, ...]:
    """Return the three rates of debits originated in the look-back and of how many came back in it by reason."""
    return tuple(
        Rate(
            level.name,
            sum(count for code, count in returned.items() if level.counts(RETURN_CODES[code])),
            originated,
            level.limit,
        )
        for level in LEVELS
    )
