"""An offer: terms by one priced option, what is disclosed of them, and until when it may be accepted.

The disclosure is servicing's own arithmetic, so what is offered is what will be charged. Never: which options an
applicant may have, which the decision says. Next: `origination/offers/contract.py`; `docs/spec/funding.md`, worked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta

from ledger.money import Money
from origination.errors import OfferInvalid
from servicing.apr import disclose_terms
from servicing.product import Product
from servicing.schedule import contract_schedule, proceeds_of, rows_json
from servicing.terms import Terms, terms_from_json

FEE_DIGITS = Decimal("1e-10")
"""To what the percentage is rounded that stands for a fee which is given as an amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedOption:
    """One combination that a pricing grid gives: what is lent, over how many installments, at which rate and fee.

    The rate is percent a year. Without a fee, that of the product is charged.
    """

    amount: Money
    installments: int
    rate: Decimal
    fee: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer as it is kept. Counter-offers are what the lender would do instead of what was asked for."""

    application_id: int
    offer_no: int
    set_no: int
    is_counter: bool
    terms: Terms
    disclosure: Mapping[str, Any]
    made_on: date
    expires_on: date
    actor: str

    def is_open_on(self, day: date) -> bool:
        """Tell whether it can be accepted on a day; its last day is one of them."""
        return self.made_on <= day <= self.expires_on


def priced(asked: Terms, option: PricedOption) -> Terms:
    """Return the terms that were asked for, at the figures of an option.

    What belonged to other figures (an agreed installment, steps, rows) is left out. Raises: OfferInvalid for a fee that
    no percentage gives, or terms that ask for figures of their own; TermsInvalid; CurrencyMismatch.
    """
    if asked.rows or asked.steps or asked.rates:
        raise OfferInvalid(reason="terms with steps or rows of their own have no options")
    plain = replace(
        asked,
        principal=option.amount,
        rate=option.rate,
        installments=option.installments,
        installment_amount=None,
        commitment=None,
    )
    if option.fee is None or plain.origination_fee == option.fee:
        return plain
    terms = replace(plain, product=_with_fee(asked.product, option.amount, option.fee))
    if terms.origination_fee != option.fee:
        raise OfferInvalid(reason=f"a fee of {option.fee} is no share of {option.amount}")
    return terms


def dated(asked: Terms, day: date) -> Terms:
    """Return terms that were asked for before a day as they are on it: the first period as long as it was.

    Months stay months: a first period of one month is one month. Terms of a later day are returned as they are.
    """
    if asked.funded_on >= day or asked.rows or asked.steps or asked.rates:
        return asked
    months = relativedelta(asked.first_due_on, asked.funded_on)
    same_day = asked.funded_on + relativedelta(months=months.months, years=months.years) == asked.first_due_on
    first = (
        relativedelta(months=months.months, years=months.years) if same_day else asked.first_due_on - asked.funded_on
    )
    return replace(asked, funded_on=day, first_due_on=day + first)


def _with_fee(product: Product, amount: Money, fee: Money) -> Product:
    if fee.currency != amount.currency or not 0 <= fee.minor < amount.minor:
        raise OfferInvalid(reason=f"a fee of {fee} cannot be kept from {amount}")
    percent = (Decimal(fee.minor) * 100 / Decimal(amount.minor)).quantize(FEE_DIGITS).normalize()
    changed = product.origination_fee.model_copy(update={"percent": percent + 0})
    return product.model_copy(update={"origination_fee": changed})


def disclosure_of(terms: Terms) -> dict[str, Any]:
    """Return the box of Regulation Z, 12 CFR 1026.18, as JSON values: amounts as text of the major unit.

    The payment schedule groups installments of one amount, 1026.18(g); the itemization is that of 1026.18(c).
    Raises: TermsInvalid; what `disclose_terms` raises.
    """
    found = disclose_terms(terms)
    return {
        "currency": terms.currency,
        "apr": str(found.apr),
        "finance_charge": found.finance_charge.format(),
        "amount_financed": found.amount_financed.format(),
        "total_of_payments": found.total_of_payments.format(),
        "origination_fee": terms.origination_fee.format(),
        "withheld_interest": (terms.proceeds_before_interest - proceeds_of(terms)).format(),
        "proceeds": proceeds_of(terms).format(),
        "payments": payment_schedule(terms),
        "installments": rows_json(contract_schedule(terms), terms.currency),
    }


def payment_schedule(terms: Terms) -> list[dict[str, Any]]:
    """Return how many payments there are of which amount, and when the first of each is due; 12 CFR 1026.18(g)."""
    groups: list[dict[str, Any]] = []
    for row in contract_schedule(terms):
        if not row.total or row.is_down_payment:
            continue
        amount = Money(row.total, terms.currency).format()
        if groups and groups[-1]["amount"] == amount:
            groups[-1]["count"] += 1
        else:
            groups.append({"count": 1, "amount": amount, "first_due": row.due.isoformat()})
    return groups


def offers_of(
    application_id: int,
    asked: Terms,
    options: Sequence[PricedOption],
    *,
    known: Iterable[Offer],
    made_on: date,
    expires_on: date,
    is_counter: bool,
    actor: str,
) -> tuple[Offer, ...]:
    """Return a next set of offers for an application.

    Raises: OfferInvalid without an option, with one twice, or an expiry before the day; as `priced`.
    """
    if not options:
        raise OfferInvalid(reason="there is no option")
    if len({_figures(option) for option in options}) < len(options):
        raise OfferInvalid(reason="an option stands there twice")
    if expires_on < made_on:
        raise OfferInvalid(reason=f"it would expire on {expires_on}, before the business date, {made_on}")
    before = tuple(known)
    last_no = max((offer.offer_no for offer in before), default=0)
    set_no = max((offer.set_no for offer in before), default=0) + 1
    found = []
    for place, option in enumerate(options, start=1):
        terms = priced(asked, option)
        found.append(
            Offer(
                application_id=application_id,
                offer_no=last_no + place,
                set_no=set_no,
                is_counter=is_counter,
                terms=terms,
                disclosure=disclosure_of(terms),
                made_on=made_on,
                expires_on=expires_on,
                actor=actor,
            )
        )
    return tuple(found)


def terms_json(terms: Terms) -> dict[str, Any]:
    """Return terms with the rules of their product as JSON values."""
    return {"terms": terms.as_json(), "product": terms.product.as_json()}


def terms_of(stored: Mapping[str, Any]) -> Terms:
    """Return the terms that `terms_json` wrote."""
    return terms_from_json(Product.model_validate(stored["product"]), stored["terms"])


def _figures(option: PricedOption) -> tuple[object, ...]:
    fee = None if option.fee is None else option.fee.minor
    return option.amount.minor, option.amount.currency, option.installments, option.rate, fee
