"""The final account of a loan: what each account of its subledger was debited and credited with, and what is left.

An account that stands at zero names the entries that took it there: those since it last rose. A loan is done with when
every account does. Never: the database (`servicing/queries.py`). Next: `docs/spec/closure.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ledger.chart import AccountDefinition
from ledger.journal import BookedEntry, lines_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """An entry that moved an account, and by how much on its normal side, in minor units."""

    entry_no: int
    effective_date: date
    booking_date: date
    template: str
    reverses: int | None
    change: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOfLoan:
    """An account of a loan: what it rose and fell by in all, what is left, and the entries since it last rose."""

    account: AccountDefinition
    rose: int
    fell: int
    since_it_last_rose: tuple[Movement, ...]

    @property
    def balance(self) -> int:
        """Return what is left on its normal side."""
        return self.rose - self.fell


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalAccount:
    """A loan's accounts, by code: those of its subledger, and what it came to on the others."""

    accounts: tuple[AccountOfLoan, ...]
    results: tuple[AccountOfLoan, ...]

    @property
    def left(self) -> tuple[AccountOfLoan, ...]:
        """Return the accounts of the subledger that do not stand at zero."""
        return tuple(each for each in self.accounts if each.balance)

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is left."""
        return not self.left


def final_account(chart: Iterable[AccountDefinition], entries: Sequence[BookedEntry]) -> FinalAccount:
    """Return the final account of a loan from all of its entries, in order."""
    by_code: Mapping[str, AccountDefinition] = {account.code: account for account in chart}
    movements: dict[str, list[Movement]] = {}
    for entry in entries:
        for code, change in _changes(entry, by_code).items():
            draft = entry.draft
            movements.setdefault(code, []).append(
                Movement(
                    entry_no=entry.entry_no,
                    effective_date=draft.effective_date,
                    booking_date=entry.booking_date,
                    template=draft.template,
                    reverses=draft.reverses_no,
                    change=change,
                )
            )
    found = [_account(by_code[code], movements[code]) for code in sorted(movements)]
    return FinalAccount(
        accounts=tuple(each for each in found if each.account.subledgered),
        results=tuple(each for each in found if not each.account.subledgered),
    )


def _changes(entry: BookedEntry, by_code: Mapping[str, AccountDefinition]) -> dict[str, int]:
    """Return by how much an entry moves each account, on its normal side."""
    changes: dict[str, int] = {}
    for line in lines_of(entry.postings):
        sign = 1 if line.side is by_code[line.account].normal_side else -1
        changes[line.account] = changes.get(line.account, 0) + sign * line.money.minor
    return changes


def _account(account: AccountDefinition, movements: Sequence[Movement]) -> AccountOfLoan:
    last_rise = max((place for place, each in enumerate(movements) if each.change > 0), default=-1)
    return AccountOfLoan(
        account=account,
        rose=sum(each.change for each in movements if each.change > 0),
        fell=-sum(each.change for each in movements if each.change < 0),
        since_it_last_rose=tuple(each for each in movements[last_rise + 1 :] if each.change),
    )
