"""What a loan owes, by component and by when it is asked for: past due, due on the day, not due yet.

The three of a component sum to its balance, the one that the journal holds with the interest not booked yet.
Never: days past due (`servicing/delinquency.py`). Next: `servicing/state.py`; `docs/spec/payments.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from servicing.state import InstallmentState, LoanState
from servicing.waterfall_order import COMPONENTS


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is owed of a component. What is in advance is owed, but no installment that is due asks for it."""

    past_due: int
    due: int
    in_advance: int

    @property
    def total(self) -> int:
        """Return what is owed of it."""
        return self.past_due + self.due + self.in_advance


def owed_of(installment: InstallmentState) -> Mapping[str, int]:
    """Return what an installment asks for and was not paid, by component; once it is satisfied, of fees only."""
    satisfied = installment.paid_off_on is not None
    return {
        "penalties": installment.penalties - installment.paid_penalties,
        "fees": installment.fees - installment.paid_fees,
        "interest": 0 if satisfied else installment.interest - installment.paid_interest,
        "principal": 0 if satisfied else installment.principal - installment.paid_principal,
    }


def buckets(state: LoanState) -> Mapping[str, Bucket]:
    """Return the buckets of a loan at the close of its day, by component."""
    balances = state.balances()
    past_due = _asked(state, lambda due: due < state.through)
    due = _asked(state, lambda due: due == state.through)
    return {name: Bucket(past_due[name], due[name], balances[name] - past_due[name] - due[name]) for name in COMPONENTS}


def _asked(state: LoanState, falls: Callable[[date], bool]) -> Mapping[str, int]:
    owed = [owed_of(each) for each in state.installments if falls(each.due)]
    return {name: sum(each[name] for each in owed) for name in COMPONENTS}
