"""Credits: the lender's goodwill and a merchant's refund pay a loan down, each in an order of its own.

Never: where a credit goes (`servicing/effects/credits.py`). Next: `docs/spec/credits.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.recording import check_currency, check_day, record
from servicing.errors import CreditNotPositive, MethodUnknown
from servicing.events import CLEARING_ROLES, Event, Kind
from servicing.store import Loan
from servicing.waterfall import Allocation

CREDITS = {"goodwill": Kind.GOODWILL_CREDIT, "merchant_refund": Kind.MERCHANT_REFUND}
"""The kinds of credits, by the word that people have for them."""


@dataclass(frozen=True, slots=True)
class Credited:
    """The event of a credit, how it stands allocated, and the entries booked; none if the request came before."""

    loan_id: int
    event_no: int
    allocation: Allocation | None
    entries: tuple[int, ...]
    replayed: bool


def credit(
    uow: UnitOfWork,
    loan_id: int,
    *,
    kind: Kind,
    amount: Money,
    effective_date: date,
    method: str,
    request_key: str,
    reason: str = "",
) -> Credited:
    """Credit a loan; what is more than the payoff is unapplied. The method is a merchant's, goodwill has none.

    Raises: LoanUnknown; CreditNotPositive; CurrencyMismatch; MethodUnknown; EffectiveDateAhead;
    EffectiveBeforeFunding; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        return Event(
            kind=kind,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            method=method,
            details={"currency": amount.currency, **({"reason": reason} if reason else {})},
        )

    def check(loan: Loan, event: Event) -> None:
        check_currency(loan, amount)
        if amount.minor <= 0:
            raise CreditNotPositive(amount=amount.minor, currency=amount.currency)
        if event.method not in CLEARING_ROLES:
            raise MethodUnknown(method=event.method, known=tuple(CLEARING_ROLES))
        check_day(loan, effective_date)

    done = record(uow, loan_id, draft, check, request_key)
    allocation = done.state.allocations.get(done.event.no)
    return Credited(loan_id, done.event.no, allocation, done.entries, done.replayed)
