"""What the fold of a loan comes to: balances, installments, allocations, and the entries that should be in the journal.

Amounts are minor units of the loan's currency. Never: how they came about (`servicing/engine.py`).
Next: `servicing/replay.py`, which compares the planned entries with the booked ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from servicing.aging import Position
from servicing.checkpoint import Checkpoint
from servicing.contract import Installment
from servicing.outlook import Outlook
from servicing.pauses import Pause
from servicing.waterfall import Allocation


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEntry:
    """An entry that should be in the journal. `key` names it for ever, whatever its amounts become."""

    key: str
    template: str
    effective_date: date
    amounts: Mapping[str, int]
    clearing_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallmentState:
    """An installment: what it asks for, what was paid on it and waived of it, and the day on which it was satisfied.

    What was waived, or written off, is no part of what it asks for.
    """

    no: int
    due: date
    principal: int
    interest: int
    fees: int = 0
    penalties: int = 0
    paid_principal: int = 0
    paid_interest: int = 0
    paid_fees: int = 0
    paid_penalties: int = 0
    waived: int = 0
    paid_off_on: date | None = None

    @property
    def paid(self) -> int:
        """Return everything that was paid on it."""
        return self.paid_principal + self.paid_interest + self.paid_fees + self.paid_penalties

    def settled(self, day: date | None) -> InstallmentState:
        """Return the installment as one that asks for no more than was paid on it."""
        return replace(
            self,
            principal=self.paid_principal,
            interest=self.paid_interest,
            fees=self.paid_fees,
            penalties=self.paid_penalties,
            paid_off_on=self.paid_off_on or day,
        )

    @property
    def unpaid(self) -> int:
        """Return what is missing of principal and interest; nothing once it is satisfied."""
        if self.paid_off_on is not None:
            return 0
        return max(0, self.principal + self.interest - self.paid_principal - self.paid_interest)

    @property
    def lacks_something(self) -> bool:
        """Tell whether anything is missing of it, or may come to be: fees can stay behind when the rest is paid."""
        return self.paid_off_on is None or self.fees + self.penalties > self.paid_fees + self.paid_penalties


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeState:
    """A fee by its id, and what became of it. `amount`, `waived` and `paid` contain the tax on them."""

    id: str
    kind: str
    receivable: str
    charged_on: date
    installment: int
    amount: int
    tax: int
    waived: int
    paid: int

    @property
    def owed(self) -> int:
        """Return what is asked of it and was not paid."""
        return self.amount - self.waived - self.paid


@dataclass(frozen=True, slots=True)
class Review:
    """What a person decided and what is left of it, where a replay has made it no longer fit."""

    event_no: int
    decided: int
    stands: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFigures:
    """What a contract still asks for at one time: rate, installments to come, the first of them that asks, the last."""

    rate: str
    installments: int
    installment: int
    next_due_on: str | None
    matures_on: str
    principal: int
    frequency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Modified:
    """A modification that took effect: the contract before and after it, and what became of amounts by it.

    `moved` is what was past due and is not any more; `dpd` are the days past due before. `event_no` is that of the
    event which agreed on it.
    """

    event_no: int
    kind: str
    on: str
    before: ContractFigures
    after: ContractFigures
    dpd: int
    capitalized: int = 0
    forgiven: int = 0
    moved: int = 0
    difficulty: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Modified:
        """Return what `as_json` wrote."""
        before, after = (ContractFigures(**stored[name]) for name in ("before", "after"))
        return cls(**{**stored, "before": before, "after": after})


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A trial plan or a settlement, and how it is kept; amounts in minor units.

    Each of its `dues` asks for `amount` more in all, paid since it was agreed; what is missing may be up to the
    `tolerance`, and come so many `grace_days` late. `then` is the modification of a trial, `rest` what becomes of the
    rest after a settlement.
    """

    event_no: int
    kind: str
    agreed_on: date
    amount: int
    dues: tuple[date, ...]
    grace_days: int
    tolerance: int
    then: Mapping[str, Any]
    rest: str | None
    paid: int = 0
    met: int = 0
    status: str = "open"
    ended_on: date | None = None
    boarded_on: date | None = None

    @property
    def awaits_boarding(self) -> bool:
        """Tell whether a trial was kept, and its modification has not taken effect."""
        return self.kind == "trial_plan" and self.status == "met" and self.boarded_on is None

    def judged(self, day: date) -> Agreement:
        """Return how it stands at the close of a day. A settlement is kept as soon as its amount is paid."""
        met = self.met
        while met < len(self.dues) and self.paid >= (met + 1) * self.amount - self.tolerance:
            if self.kind == "trial_plan" and day < self.dues[met]:
                break
            met += 1
        if met == len(self.dues):
            return replace(self, met=met, status="met", ended_on=day)
        is_late = day >= self.dues[met] + timedelta(days=self.grace_days)
        status, ended_on = ("broken", day) if is_late else (self.status, self.ended_on)
        return replace(self, met=met, status=status, ended_on=ended_on)

    def days(self) -> tuple[date, ...]:
        """Return the days on which it may be judged otherwise, or takes effect."""
        if self.status != "open":
            return (self.ended_on + timedelta(days=1),) if self.awaits_boarding and self.ended_on else ()
        return (*self.dues, *(due + timedelta(days=self.grace_days) for due in self.dues))


CLOSED = frozenset({"paid_off", "unwound", "settled", "charged_off", "sold"})
"""The statuses of loans that the books carry no more."""

IN_REPAYMENT = frozenset({"active", "non_accrual"})
"""The statuses of loans whose contract goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanState:
    """A loan at the close of a day. `interest` is accrued to that day, booked or not.

    `interest_ahead` is the rest of the running period's, where a payment pays the whole of it; `recoverable` is money
    that the borrower was refunded and has to give back.
    """

    through: date
    principal: int
    interest: int
    interest_ahead: int
    late_fees: int
    returned_payment_fees: int
    other_fees: int
    unapplied: int
    status: str
    allocations: Mapping[int, Allocation]
    by_installment: Mapping[int, Mapping[int, Allocation]]
    installments: tuple[InstallmentState, ...]
    planned: tuple[PlannedEntry, ...]
    outlook: Outlook
    rate: Decimal = Decimal(0)
    """The rate of the contract that is in force, in percent a year."""
    schedule: tuple[Installment, ...] = ()
    """The contract's installments in force."""
    held: int = 0
    """The part of unapplied cash that waits for installments to fall due, or to be paid whole."""
    recoverable: int = 0
    undrawn: int = 0
    """What may still be drawn."""
    deferred_fee: int = 0
    """The origination fee that is not income yet."""
    fee_income_ahead: tuple[int, ...] = ()
    """What of it the coming month ends will make income if nothing happens to the loan."""
    fees: tuple[FeeState, ...] = ()
    non_accrual_since: date | None = None
    memo_interest: int = 0
    """The part of `interest` that is no income, and in the books only a memo."""
    cost_recovery: int = 0
    """Interest that was paid and the books count as paid principal."""
    charged_off_on: date | None = None
    charged_off_by: int | None = None
    """The event that charged the loan off; None where the policy did."""
    sold_on: date | None = None
    is_serviced: bool = False
    """Whether the loan is sold and still serviced, for its owner."""
    flags: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    """Events whose amount no longer fits, for a person to look at."""
    modified: tuple[Modified, ...] = ()
    """The modifications that took effect, in their order."""
    pauses: tuple[Pause, ...] = ()
    """Days that are not counted as past due."""
    agreements: tuple[Agreement, ...] = ()
    """Trial plans and settlements, and how they are kept."""
    positions: tuple[Position, ...] = ()
    """What was past due day by day, since the checkpoint from which the fold began, and is to be if nothing happens."""
    checkpoint: Checkpoint | None = None
    """Where a later fold can begin, if one was asked for; `allocations` and `planned` of this one then begin there."""

    def released(self) -> LoanState:
        """Return the loan as one that is not looked after any more: it owes nothing here, and nothing is asked for."""
        return replace(
            self,
            principal=0,
            interest=0,
            interest_ahead=0,
            late_fees=0,
            returned_payment_fees=0,
            other_fees=0,
            recoverable=0,
            fees=tuple(replace(fee, waived=fee.amount - fee.paid) for fee in self.fees),
            installments=tuple(line.settled(self.sold_on) for line in self.installments),
        )

    @property
    def penalties(self) -> int:
        """Return late and returned payment fees together."""
        return self.late_fees + self.returned_payment_fees

    @property
    def payoff(self) -> int:
        """Return what pays the loan off on this day."""
        owed = self.principal + self.interest + self.interest_ahead
        return owed + self.penalties + self.other_fees + self.recoverable

    def balances(self) -> dict[str, int]:
        """Return what is owed by component, as a scenario names them."""
        return {
            "principal": self.principal,
            "interest": self.interest,
            "fees": self.other_fees,
            "penalties": self.penalties,
            "unapplied": self.unapplied,
            "recoverable": self.recoverable,
        }
