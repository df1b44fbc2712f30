"""Charging a fee to a loan by hand.

Late fees and fees for returned payments are charged by the product's rules, not here. Never: what a fee does
(`servicing/effects/fees.py`). Next: `servicing/commands/waivers.py`; `docs/spec/fees.md`.
"""

from __future__ import annotations

from datetime import date

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.recording import Recorded, check_currency, check_day, record
from servicing.errors import FeeDuplicate, FeeNotPositive
from servicing.events import Event, Kind
from servicing.store import Loan

OF_RULES = ("late_fee-", "returned_payment_fee-", "boarded-", "chargeback-")
"""What the ids of fees begin with that people do not charge: the product, a boarding and a chargeback name them."""


def charge_fee(
    uow: UnitOfWork,
    loan_id: int,
    *,
    amount: Money,
    kind: str,
    fee_id: str,
    effective_date: date,
    request_key: str,
    penalty: bool = False,
    due: date | None = None,
) -> Recorded:
    """Charge a fee at its effective date, today or earlier; the product's tax comes on top of the amount.

    It is asked for with the first installment that is due on `due` (None: its effective date) or later, else with the
    last. Unapplied cash pays it at once as far as it goes. Raises: LoanUnknown; FeeNotPositive; CurrencyMismatch;
    EffectiveDateAhead; EffectiveBeforeFunding; FeeDuplicate; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        details = {"fee_id": fee_id, "fee_kind": kind, "currency": amount.currency}
        asked = {"penalty": True} if penalty else {}
        dated = {} if due is None else {"due": due.isoformat()}
        return Event(
            kind=Kind.FEE,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            details={**details, **asked, **dated},
        )

    return record(uow, loan_id, draft, lambda loan, event: _check(loan, event, amount), request_key)


def _check(loan: Loan, event: Event, amount: Money) -> None:
    check_currency(loan, amount)
    if amount.minor <= 0:
        raise FeeNotPositive(amount=amount.minor, currency=amount.currency)
    check_day(loan, event.effective_date)
    fee_id: str = event.details["fee_id"]
    charged = {known.details["fee_id"] for known in loan.events if known.kind is Kind.FEE}
    if fee_id in charged or fee_id.startswith(OF_RULES):
        raise FeeDuplicate(loan_id=loan.loan_id, fee_id=fee_id)
