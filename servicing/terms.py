"""The terms of one loan, under the rules of its product.

A modification is a next version of the terms, never an edit. Never: what has happened to the loan
(`servicing/events.py`). Next: `servicing/schedule.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ledger.money import Money, round_to_minor
from servicing.errors import TermsInvalid
from servicing.product import Product

PERIODS_A_YEAR: Mapping[str, int] = {
    "weekly": 52,
    "biweekly": 26,
    "semimonthly": 24,
    "monthly": 12,
    "quarterly": 4,
    "semiannual": 2,
    "annual": 1,
}

_EVERY = re.compile(r"days:([1-9][0-9]{0,2})", re.ASCII)


def every_days(frequency: str) -> int | None:
    """Return n of the frequency `days:n`, None of the named ones."""
    match = _EVERY.fullmatch(frequency)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What borrower and lender agreed. The rate is in percent a year; frequency is a name or `days:n`.

    Raises: TermsInvalid.
    """

    product: Product
    principal: Money
    rate: Decimal
    installments: int
    frequency: str
    funded_on: date
    first_due_on: date
    installment_amount: Money | None = None

    def __post_init__(self) -> None:
        own = self.installment_amount
        for field, wrong, reason in (
            ("principal", self.principal.minor <= 0, "it must be above zero"),
            ("principal", self.principal.minor <= self.origination_fee.minor, "nothing is left of it after the fee"),
            ("rate", not self.rate.is_finite() or not 0 <= self.rate <= 1000, "it must be 0 to 1000 percent"),
            ("installments", not 1 <= self.installments <= 1200, "there must be 1 to 1200"),
            ("first_due_on", self.first_due_on <= self.funded_on, "it must lie after the funding"),
            ("installment_amount", own is not None and own.minor <= 0, "it must be above zero"),
            ("installment_amount", own is not None and own.currency != self.currency, "its currency is another"),
            (
                "frequency",
                self.frequency not in PERIODS_A_YEAR and every_days(self.frequency) is None,
                f"it must be one of {', '.join(PERIODS_A_YEAR)} or days:n",
            ),
        ):
            if wrong:
                raise TermsInvalid(field=field, reason=reason)

    @property
    def currency(self) -> str:
        """Return the currency of every amount of the loan."""
        return self.principal.currency

    @property
    def origination_fee(self) -> Money:
        """Return the fee that is withheld from the proceeds."""
        percent = self.product.origination_fee.percent
        return round_to_minor(self.principal.to_decimal() * percent / 100, self.currency)

    def amount(self, major: Decimal) -> Money:
        """Return an amount of the product, given in the major unit, as money of this loan."""
        return round_to_minor(major, self.currency)

    def as_json(self) -> dict[str, Any]:
        """Return the terms without the product as JSON values."""
        own = self.installment_amount
        return {
            "principal": self.principal.format(),
            "currency": self.currency,
            "rate": str(self.rate),
            "installments": self.installments,
            "frequency": self.frequency,
            "funded_on": self.funded_on.isoformat(),
            "first_due_on": self.first_due_on.isoformat(),
            "installment_amount": None if own is None else own.format(),
        }


def terms_from_json(product: Product, stored: Mapping[str, Any]) -> Terms:
    """Return the terms that `Terms.as_json` wrote."""
    own = stored["installment_amount"]
    return Terms(
        product=product,
        principal=Money.parse(stored["principal"], stored["currency"]),
        rate=Decimal(stored["rate"]),
        installments=stored["installments"],
        frequency=stored["frequency"],
        funded_on=date.fromisoformat(stored["funded_on"]),
        first_due_on=date.fromisoformat(stored["first_due_on"]),
        installment_amount=None if own is None else Money.parse(own, stored["currency"]),
    )
