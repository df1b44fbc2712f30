"""One loan that most tests of servicing look at, and short names for what happens to it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from ledger.money import Money
from servicing.events import Event, Kind
from servicing.product import Product
from servicing.terms import Terms

RULES = Product.model_validate({"late_fee": {"amount": "15.00"}, "returned_payment_fee": "25.00", "grace_days": 10})
TERMS = Terms(
    product=RULES,
    principal=Money.parse("10000.00", "USD"),
    rate=Decimal("12.00"),
    installments=12,
    frequency="monthly",
    funded_on=date(2026, 1, 15),
    first_due_on=date(2026, 2, 15),
)
FUNDED = Event(
    no=1,
    kind=Kind.FUNDED,
    effective_date=TERMS.funded_on,
    entered_on=TERMS.funded_on,
    amount=1_000_000,
    method="ach",
)


def day(after_funding: int) -> date:
    """Return a day by its distance from the funding."""
    return TERMS.funded_on + timedelta(days=after_funding)


def payment(no: int, amount: int, on: date, entered: date | None = None) -> Event:
    """Return a payment by its number and minor units."""
    return Event(no=no, kind=Kind.PAYMENT, effective_date=on, entered_on=entered or on, amount=amount)


def undoing(no: int, of: int, on: date, kind: Kind = Kind.REVERSED) -> Event:
    """Return the undoing of a payment."""
    return Event(no=no, kind=kind, effective_date=on, entered_on=on, of=of)


def reset(no: int, rate: Decimal, on: date, entered: date | None = None) -> Event:
    """Return a reset of the rate, in percent a year."""
    return Event(no=no, kind=Kind.RATE_RESET, effective_date=on, entered_on=entered or on, details={"rate": str(rate)})


def drawdown(no: int, amount: int, on: date, entered: date | None = None) -> Event:
    """Return a later drawdown by its number and minor units."""
    return Event(no=no, kind=Kind.DRAWDOWN, effective_date=on, entered_on=entered or on, amount=amount, method="ach")
