"""Control totals: what whoever sends a tape says that it holds, held against what was read.

Next: `servicing/commands/tapes.py`, which adds up the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.currencies import amount_text
from ledger.money import Money
from servicing.errors import ControlTotalWrong


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """A total as it was found and as it was stated, if it was; both are written alike."""

    name: str
    found: str
    stated: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"total": self.name, "found": self.found, "stated": self.stated}


def totals_of(
    count: int, sums: Mapping[str, int], currency: str, *, stated_count: int | None, stated: Mapping[str, Money]
) -> tuple[ControlTotal, ...]:
    """Return the count of rows and every sum, in minor units, beside what was stated of them."""
    names = [*sums, *(name for name in stated if name not in sums)]
    return (
        ControlTotal("count", str(count), None if stated_count is None else str(stated_count)),
        *(
            ControlTotal(
                name,
                amount_text(sums.get(name, 0), currency),
                stated[name].format() if name in stated else None,
            )
            for name in names
        ),
    )


def require_totals(totals: Sequence[ControlTotal]) -> None:
    """Refuse a tape that does not hold what was stated.

    Raises: ControlTotalWrong naming the first total that differs.
    """
    for total in _wrong(totals):
        raise ControlTotalWrong(total=total.name, found=total.found, expected=str(total.stated))


def _wrong(totals: Sequence[ControlTotal]) -> Iterator[ControlTotal]:
    return (total for total in totals if total.stated is not None and total.stated != total.found)
