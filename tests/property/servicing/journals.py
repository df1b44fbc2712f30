"""A loan's journal in memory: steps are booked on it as the ledger would, and a balance below zero is refused.

What the database does with the same steps is tested in `tests/integration/servicing/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from ledger.chart import AccountCode
from ledger.journal import Posting
from servicing.engine import fold
from servicing.events import Event
from servicing.posting_rules import BALANCE_ROLES, TEMPLATES, Roles, postings_of
from servicing.replay import Book, Booked, Desired, Step, difference
from servicing.state import LoanState
from servicing.terms import Terms
from servicing.turns import RAIL

NAMES = {role for template in TEMPLATES for role in template.roles} - {RAIL} | {"CASH_CLEARING"}
ROLES = Roles({name: AccountCode(name) for name in NAMES}, {name: frozenset({AccountCode(name)}) for name in NAMES})
LIABILITIES = {"UNAPPLIED_PAYMENTS", "DISBURSEMENTS_PAYABLE", "REFUNDS_PAYABLE"}
CONTRAS = {"DEFERRED_ORIGINATION_FEES", "COST_RECOVERY_APPLIED", "CHARGED_OFF_CLAIM_CONTRA"}
CLAIM, SERVICED = "CHARGED_OFF_CLAIM", "SERVICED_FOR_OTHERS"
NEVER_BELOW_ZERO = (
    {name for names in BALANCE_ROLES.values() for name in names} | LIABILITIES | CONTRAS | {CLAIM, SERVICED}
)


@dataclass(slots=True)
class Journal:
    """The entries of one loan, and what its accounts hold, debits positive."""

    terms: Terms
    in_force: list[Booked] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    written: int = 0

    def converge(
        self, events: Sequence[Event], through: date, fees_through: date | None = None, *, accrue: bool = False
    ) -> tuple[LoanState, tuple[Step, ...]]:
        """Book what the events ask for and the journal lacks."""
        days = [through, *(entry.effective_date for entry in self.in_force)]
        booked_days = {entry.effective_date for entry in self.in_force if entry.key.startswith("accrual:")}
        state = fold(
            self.terms,
            events,
            max(days),
            fees_through=fees_through,
            accrual_days=booked_days | ({through} if accrue else set()),
        )
        currency = self.terms.currency
        desired = [Desired(planned, postings_of(planned, ROLES, currency)) for planned in state.planned]
        steps = difference(desired, self.in_force, ROLES)
        for step in steps:
            self._take(step)
        return state, steps

    def balances(self) -> dict[str, int]:
        """Return what is owed by component, by these books."""
        return {
            name: sum(self.held[role] for role in roles) * (-1 if name == "unapplied" else 1)
            for name, roles in BALANCE_ROLES.items()
        }

    def prove(self, state: LoanState) -> None:
        """Compare what these books and their memos hold with what is owed by contract."""
        held, owed = self.balances(), state.balances()
        memos = {role: self.held[role] for role in (CLAIM, SERVICED)}
        is_on = state.charged_off_on is None and state.sold_on is None
        assert not self.held["LOAN_SALE_CLEARING"]
        assert held["unapplied"] == owed["unapplied"]
        assert sum(held.values()) + sum(memos.values()) == sum(owed.values())
        assert self.held["NON_ACCRUAL_INTEREST"] == (state.memo_interest if is_on else 0)
        assert -self.held["COST_RECOVERY_APPLIED"] == state.cost_recovery <= self.held["LOAN_PRINCIPAL"]
        assert {role for role, minor in memos.items() if minor} <= _memo_of(state)
        if is_on:
            assert held == owed
        else:
            assert not any(minor for name, minor in held.items() if name != "unapplied")

    def _take(self, step: Step) -> None:
        self.written += 1
        if isinstance(step, Book):
            planned = step.desired.planned
            self._post((p.debit, p.credit, p.money.minor) for p in step.desired.postings)
            self.in_force.append(
                Booked(
                    entry_no=self.written,
                    key=planned.key,
                    template=planned.template,
                    template_version=TEMPLATES.get(planned.template).version,
                    effective_date=planned.effective_date,
                    postings=step.desired.postings,
                )
            )
        else:
            self._post((p.credit, p.debit, p.money.minor) for p in step.booked.postings)
            self.in_force.remove(step.booked)

    def _post(self, lines: Iterable[tuple[str, str, int]]) -> None:
        for debit, credit, minor in lines:
            self.held[debit] += minor
            self.held[credit] -= minor
        for role in NEVER_BELOW_ZERO:
            sign = -1 if role in LIABILITIES | CONTRAS else 1
            assert sign * self.held[role] >= 0, f"{role} went below zero"


def _memo_of(state: LoanState) -> set[str]:
    """Return the memo that holds what is owed on a loan that the books do not carry."""
    if state.sold_on is not None:
        return {SERVICED} if state.is_serviced else set()
    return {CLAIM} if state.charged_off_on is not None else set()


def moved(postings: Sequence[Posting], role: str) -> int:
    """Return what postings add to an account, debits positive."""
    return sum(p.money.minor * ((p.debit == role) - (p.credit == role)) for p in postings)
