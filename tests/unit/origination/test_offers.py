"""The worked figures of docs/spec/funding.md, of offers: by the closed formulas, not by the code's own schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, getcontext

import pytest

from ledger.money import Money
from origination.errors import OfferInvalid
from origination.offers.offer import Offer, PricedOption, dated, offers_of, priced
from origination.offers.pricing import priced_option
from origination.policies.engine import Quote
from servicing.product import Product
from servicing.terms import Terms

MADE_ON = date(2026, 1, 5)
ASKED = Terms(
    product=Product(),
    principal=Money.parse("10000.00", "USD"),
    rate=Decimal("14.99"),
    installments=36,
    frequency="monthly",
    funded_on=MADE_ON,
    first_due_on=date(2026, 2, 5),
)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def option(amount: str, installments: int, rate: str, fee: str | None = None) -> PricedOption:
    given = None if fee is None else usd(fee)
    return PricedOption(amount=usd(amount), installments=installments, rate=Decimal(rate), fee=given)


def offers(*options: PricedOption, expires_on: date = date(2026, 1, 19)) -> tuple[Offer, ...]:
    return offers_of(1, ASKED, options, known=(), made_on=MADE_ON, expires_on=expires_on, is_counter=False, actor="ann")


def test_an_offer_discloses_what_the_formulas_say() -> None:
    getcontext().prec = 34
    month = Decimal("0.0799") / 12
    level = (12_000 * month / (1 - (1 + month) ** -36)).quantize(Decimal("0.01"))

    (offer,) = offers(option("12000.00", 36, "7.99", "120.00"))

    box = offer.disclosure
    last = Decimal(box["total_of_payments"]) - 35 * level
    assert (level, last) == (Decimal("375.98"), Decimal("374.30"))
    assert [(row["count"], row["amount"]) for row in box["payments"]] == [(35, "375.98"), (1, "374.30")]
    assert (box["amount_financed"], box["finance_charge"]) == ("11880.00", "1653.60")
    rate = Decimal(box["apr"]) / 1200
    worth = sum(level / (1 + rate) ** n for n in range(1, 36)) + last / (1 + rate) ** 36
    assert abs(worth - 11_880) < Decimal("0.01")
    assert box["apr"] == "8.6664"


@pytest.mark.parametrize(("amount", "fee"), [("9000.00", "150.00"), ("2000000.00", "0.01"), ("9000.00", "0.00")])
def test_a_fee_as_an_amount_is_charged_to_the_cent(amount: str, fee: str) -> None:
    assert priced(ASKED, option(amount, 12, "9.5", fee)).origination_fee == usd(fee)


@pytest.mark.parametrize(
    ("asked_on", "first_due", "then"),
    [
        (date(2025, 11, 20), date(2025, 12, 20), date(2026, 2, 5)),
        (date(2025, 11, 20), date(2026, 1, 1), date(2026, 2, 16)),
        # Later than the day of the offer: it stays as it was asked for.
        (date(2026, 1, 6), date(2026, 2, 10), date(2026, 2, 10)),
    ],
)
def test_terms_of_an_earlier_day_keep_their_first_period(asked_on: date, first_due: date, then: date) -> None:
    assert dated(replace(ASKED, funded_on=asked_on, first_due_on=first_due), MADE_ON).first_due_on == then


@pytest.mark.parametrize(
    ("frequency", "asked", "term", "found"),
    [("monthly", 36, 24, 24), ("biweekly", 78, 24, 52), ("biweekly", 78, 7, None)],
)
def test_installments_follow_the_term(frequency: str, asked: int, term: int, found: int | None) -> None:
    terms = replace(ASKED, installments=asked, frequency=frequency)
    quote = Quote(amount=1_000_000, term=term, rate=Decimal("7.99"), fee=10_000)

    offered = priced_option(quote, 36, terms)

    assert (None if offered is None else offered.installments) == found


def test_offers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(OfferInvalid, match="no option"):
        offers()
    with pytest.raises(OfferInvalid, match="twice"):
        offers(option("9000.00", 12, "9.5"), option("9000.00", 12, "9.5"))
    with pytest.raises(OfferInvalid, match="before the business date"):
        offers(option("9000.00", 12, "9.5"), expires_on=date(2026, 1, 4))
    with pytest.raises(OfferInvalid, match="cannot be kept from"):
        offers(option("100.00", 12, "9.5", "100.00"))
