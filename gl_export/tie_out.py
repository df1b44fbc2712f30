"""The proof that three books agree: the loans one by one, the control accounts, and what the GL was sent.

The control account is the ledger's trial balance. For a subledgered account the loans must add up to it; for
every account the exported batches must. Never: where the figures come from (`gl_export/queries/balances.py`).
Next: `gl_export/clearing.py`, for accounts that must come back to zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gl_export.errors import TieOutBroken
from gl_export.matching import Balances, Match, Verdict, match
from ledger.chart import AccountDefinition
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class TieOutRow:
    """One account in one currency, debits positive; `subledger` is None where loans have none."""

    account: AccountDefinition
    subledger: Match | None
    exported: Match

    @property
    def control(self) -> Money:
        """Return the balance of the control account."""
        return self.exported.left

    @property
    def verdict(self) -> Verdict:
        """Return the worse of the two verdicts."""
        if self.subledger is not None and self.subledger.verdict.is_break:
            return self.subledger.verdict
        return self.exported.verdict


@dataclass(frozen=True, slots=True)
class TieOut:
    """Every account that has a balance anywhere, by code and currency."""

    rows: tuple[TieOutRow, ...]

    @property
    def breaks(self) -> tuple[TieOutRow, ...]:
        """Return the rows in which two books differ and nothing under way explains it."""
        return tuple(row for row in self.rows if row.verdict.is_break)

    def prove(self) -> None:
        """Refuse to go on while there is a break.

        Raises: TieOutBroken with the figures of the first.
        """
        for row in self.breaks:
            raise _broken(row, places=len(self.breaks))


def tie_out(
    accounts: Mapping[str, AccountDefinition],
    *,
    control: Balances,
    subledger: Balances,
    exported: Balances,
    pending: Balances,
) -> TieOut:
    """Return the tie-out; `pending` is what stands in the control accounts but in no batch yet."""
    by_loans = {
        (found.account, found.currency): found for found in match(subledger, _of_subledgered(control, accounts))
    }
    # A balance of loans that no control account knows must show up as well. Nothing on both sides is an account that
    # was first used later than the block: it has no row, so that a report drawn again is the same.
    control = {**{key: Money.zero(key[1]) for key, money in subledger.items() if money.minor}, **control}
    return TieOut(
        tuple(
            TieOutRow(accounts[found.account], by_loans.get((found.account, found.currency)), found)
            for found in match(control, exported, pending)
        )
    )


def _of_subledgered(control: Balances, accounts: Mapping[str, AccountDefinition]) -> Balances:
    return {key: money for key, money in control.items() if accounts[key[0]].subledgered}


def _broken(row: TieOutRow, *, places: int) -> TieOutBroken:
    if row.subledger is not None and row.subledger.verdict.is_break:
        found, names = row.subledger, ("subledgers", "control account")
    else:
        found, names = row.exported, ("control account", "exported to the GL")
    return TieOutBroken(
        places=places,
        account=row.account.code,
        left_name=names[0],
        left=found.left.minor,
        right_name=names[1],
        right=found.right.minor,
        difference=found.unexplained.minor,
        currency=found.currency,
    )
