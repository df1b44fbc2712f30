"""An invented portfolio and its life, the same for the same seed: what the demonstration and the tests live on.

Most payments come on the due date; some are late, some never come, some are returned or reversed, some are entered
days after they arrived. Never: chance from outside the seed, or a real borrower. Next: `servicing/commands/`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from ledger.dates import Month
from ledger.money import Money
from servicing.drafts import LoanDraft
from servicing.events import Kind
from servicing.product import Product, shipped
from servicing.schedule import contract_schedule
from servicing.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAction:
    """A payment to take; `loan` is the place of its draft in the portfolio."""

    loan: int
    external_id: str
    amount: Money
    effective_date: date
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoAction:
    """A payment of an amount to undo: returned with a code, or reversed for a reason."""

    loan: int
    external_id: str
    amount: Money
    kind: Kind
    why: str


Action = PaymentAction | UndoAction


@dataclass(frozen=True, slots=True)
class ScriptedDay:
    """What happens on a business date: loans boarded, then payments taken and undone, in order."""

    day: date
    boarded: tuple[int, ...]
    actions: tuple[Action, ...]


class Dice:
    """Whole numbers from a seed, the same on every machine."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._throws = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 up to, and without, the limit."""
        self._throws += 1
        digest = hashlib.sha256(f"{self._seed}/{self._throws}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % limit


def make_portfolio(
    seed: int, loans: int, opening: date, currency: str = "USD", product: Product | None = None
) -> tuple[LoanDraft, ...]:
    """Return loans funded within the first four weeks of the month of the opening day."""
    rules = product or shipped("installment")
    return tuple(_draft(Dice(f"{seed}/loan/{n}"), n, opening, currency, rules) for n in range(loans))


def script_life(seed: int, drafts: Sequence[LoanDraft], opening: date, months: int) -> tuple[ScriptedDay, ...]:
    """Return every business date on which something happens, through the last day of the last month."""
    last = Month.of(opening).plus(months - 1).last_day
    boarded: dict[date, list[int]] = {}
    actions: dict[date, list[Action]] = {}
    for n, draft in enumerate(drafts):
        boarded.setdefault(draft.terms.funded_on, []).append(n)
        for day, action in _life(Dice(f"{seed}/life/{n}"), n, draft, last):
            actions.setdefault(day, []).append(action)
    days = sorted({*boarded, *actions, *(Month.of(opening).plus(m).last_day for m in range(months))})
    return tuple(
        ScriptedDay(day, tuple(boarded.get(day, ())), tuple(actions.get(day, ()))) for day in days if day <= last
    )


def _draft(dice: Dice, n: int, opening: date, currency: str, product: Product) -> LoanDraft:
    funded_on = opening.replace(day=1) + timedelta(days=dice.below(28))
    terms = Terms(
        product=product,
        principal=Money.parse(str(1_000 + 250 * dice.below(100)), currency),
        rate=Decimal(6 * 100 + 25 * dice.below(100)) / 100,
        installments=(12, 24, 36, 48, 60)[dice.below(5)],
        frequency=("monthly", "monthly", "monthly", "biweekly")[dice.below(4)],
        funded_on=max(funded_on, opening),
        first_due_on=max(funded_on, opening) + relativedelta(days=14 + dice.below(17)),
    )
    return LoanDraft(external_id=f"L-{n + 1:07}", terms=terms)


def _life(dice: Dice, n: int, draft: LoanDraft, last: date) -> list[tuple[date, Action]]:
    found: list[tuple[date, Action]] = []
    for installment in contract_schedule(draft.terms):
        fate = dice.below(100)
        late = 1 + dice.below(25) if 75 <= fate < 90 else 0
        effective = installment.due + timedelta(days=late)
        entered = effective + timedelta(days=2 + dice.below(12) if 70 <= fate < 75 else 0)
        if installment.due > last:
            break
        if fate >= 97 or entered > last:
            continue
        external_id = f"{draft.external_id}-P{installment.no}"
        payment = PaymentAction(
            loan=n,
            external_id=external_id,
            amount=Money(installment.total, draft.terms.currency),
            effective_date=effective,
            method=("ach", "ach", "ach", "card", "check")[dice.below(5)],
        )
        found.append((entered, payment))
        undone = _undoing(dice, fate, payment, entered)
        if undone is not None and undone[0] <= last:
            found.append(undone)
    return found


def _undoing(dice: Dice, fate: int, payment: PaymentAction, entered: date) -> tuple[date, UndoAction] | None:
    """Return the undoing of a payment, if its fate is that, and the day on which it is entered."""
    kind, why = (Kind.RETURNED, "R01") if fate >= 93 else (Kind.REVERSED, "misapplied")
    if fate < 90:
        return None
    day = entered + timedelta(days=1 + dice.below(4 if dice.below(3) else 35))
    return day, UndoAction(
        loan=payment.loan, external_id=payment.external_id, amount=payment.amount, kind=kind, why=why
    )
