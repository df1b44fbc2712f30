"""What was agreed with a borrower in trouble, while the loan is folded: modifications, pauses, trials, settlements.

Never: what it does to balances (`servicing/effects/modifications.py`, `servicing/effects/agreements.py`).
Next: `servicing/folding.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from servicing.checkpoint import Figures
from servicing.pauses import Pause
from servicing.state import Agreement, Modified


@dataclass(slots=True)
class Workouts:
    """The running lists of one loan; they live only inside a fold."""

    modified: list[Modified] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    settled: bool = False
    """Whether the loan was closed by a settlement."""

    def freeze(self) -> Figures:
        """Return them as JSON values."""
        return {
            "modified": [each.as_json() for each in self.modified],
            "pauses": [_texts(asdict(each)) for each in self.pauses],
            "agreements": [_texts(asdict(each)) for each in self.agreements],
            "settled": self.settled,
        }

    @classmethod
    def thaw(cls, figures: Figures) -> Workouts:
        """Return what was frozen."""
        return cls(
            [Modified.from_json(stored) for stored in figures["modified"]],
            [Pause(**_days(stored, "start", "end")) for stored in figures["pauses"]],
            [_agreement(stored) for stored in figures["agreements"]],
            figures["settled"],
        )

    def pause(self, pause: Pause) -> None:
        """Stop counting days past due; a pause that runs ends where this one begins."""
        self.resume(pause.start)
        self.pauses.append(pause)

    def resume(self, day: date) -> None:
        """Count days past due again from a day on."""
        self.pauses = [replace(each, end=max(day, each.start)) if each.is_on(day) else each for each in self.pauses]

    def receive(self, amount: int) -> None:
        """Count what the borrower paid, or what was taken back of it, towards what is agreed."""
        self.agreements = [
            replace(each, paid=max(0, each.paid + amount)) if each.status == "open" else each
            for each in self.agreements
        ]

    def days(self) -> Iterator[date]:
        """Yield the days on which what is agreed is judged, or takes effect."""
        for each in self.agreements:
            yield from each.days()


def _agreement(stored: Mapping[str, Any]) -> Agreement:
    dues = tuple(date.fromisoformat(due) for due in stored["dues"])
    return Agreement(**{**_days(stored, "agreed_on", "ended_on", "boarded_on"), "dues": dues})


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    def text(value: Any) -> Any:
        if isinstance(value, tuple):
            return [text(each) for each in value]
        return value.isoformat() if isinstance(value, date) else value

    return {name: text(value) for name, value in values.items()}


def _days(stored: Mapping[str, Any], *names: str) -> dict[str, Any]:
    days = {name: None if stored[name] is None else date.fromisoformat(stored[name]) for name in names}
    return {**stored, **days}
