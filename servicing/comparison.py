"""A loan before and after a modification: what it asks for, how long, at which cost, and what it yields.

What is to come counts as the contract has it: each installment on its due date, what is past due at once. The yield is
the rate at which that pays off what was owed before, by the actuarial method of the annual percentage rate; of a loan
that no longer pays it back there is none. Never: the database. Next: `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ledger.domain_error import DomainError
from ledger.money import Money
from servicing.apr import Flow, disclose
from servicing.state import LoanState


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A loan at the close of a day, in minor units: what is owed, and what is to be paid from then on."""

    principal: int
    interest: int
    fees: int
    past_due: int
    rate: Decimal
    installment: int
    installments: int
    next_due_on: date | None
    matures_on: date
    total_of_payments: int
    total_of_interest: int
    annual_yield: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both, on one day. `cost` is what the borrower pays more in all, or, below zero, less."""

    on: date
    before: Standing
    after: Standing

    @property
    def cost(self) -> int:
        """Return by how much the total of payments grows."""
        return self.after.total_of_payments - self.before.total_of_payments


def compare(before: LoanState, after: LoanState, currency: str) -> Comparison:
    """Return how a loan stands at the close of a day without, and with, a modification of that day."""
    owed = before.principal + before.interest + before.penalties + before.other_fees
    return Comparison(
        on=after.through,
        before=_standing(before, owed, currency),
        after=_standing(after, owed, currency),
    )


def _standing(state: LoanState, owed: int, currency: str) -> Standing:
    on, fees = state.through, state.penalties + state.other_fees
    unpaid = [(line.due, line.unpaid) for line in state.installments if line.unpaid]
    coming = [row for row in state.schedule if row.interest_to > on]
    asking = [row for row in coming if row.total]
    total = sum(minor for _, minor in unpaid) + fees
    return Standing(
        principal=state.principal,
        interest=state.interest,
        fees=fees,
        past_due=sum(minor for due, minor in unpaid if due < on),
        rate=state.rate,
        installment=_usual([row.total for row in asking]),
        installments=len(asking),
        next_due_on=asking[0].due if asking else None,
        matures_on=state.installments[-1].due,
        total_of_payments=total,
        total_of_interest=total - fees - state.principal,
        annual_yield=_yield(on, owed, [*unpaid, (on, fees)], currency),
    )


def _usual(totals: Sequence[int]) -> int:
    """Return the amount that most installments ask for, the earliest of those that are as frequent."""
    return max(totals, key=totals.count, default=0)


def _yield(on: date, owed: int, flows: Sequence[tuple[date, int]], currency: str) -> Decimal | None:
    """Return the rate a year at which what is to come pays off what is owed; what is past due is paid a day later."""
    payments = [Flow(max(due, on + timedelta(days=1)), Money(minor, currency)) for due, minor in flows if minor]
    try:
        return disclose([Flow(on, Money(owed, currency))], sorted(payments, key=lambda flow: flow.on)).apr
    except DomainError:
        return None
