"""The terms of one loan, under the rules of its product.

A modification is a next version of the terms, never an edit. Never: what has happened to the loan
(`servicing/events.py`). Next: `servicing/schedule.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from dateutil.relativedelta import relativedelta

from ledger.money import Money, round_to_minor
from servicing.due_dates import PERIODS_A_YEAR, due_dates, every_days
from servicing.errors import RuleOf78TooLong, TermsInvalid
from servicing.product import Product

Check = tuple[str, bool, str]
"""A field, whether it is wrong, and why."""

USED_BY: Mapping[str, frozenset[str]] = {
    "installment_amount": frozenset({"level", "balloon", "interest_only"}),
    "balloon": frozenset({"balloon"}),
    "steps": frozenset({"step"}),
    "rows": frozenset({"custom"}),
}
"""The kinds of amortization that have a use for a field which others have none for."""

LONGEST_BY_DIGITS = 61
"""The most months of consumer credit whose rebate may go by the Rule of 78. Source: 15 USC 1615(b)."""

TWO_AMOUNTS = "a row has a principal or a total, not both"


@dataclass(frozen=True, slots=True)
class Step:
    """Installments of one amount; without it, of the level payment that pays off what is left."""

    installments: int
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class CustomRow:
    """An installment by its due date and its principal or its total; the last one may say neither."""

    due: date
    principal: Money | None = None
    total: Money | None = None


@dataclass(frozen=True, slots=True)
class RateStep:
    """A rate that is agreed from a day on, or from the beginning of an installment's period; percent a year."""

    rate: Decimal
    on: date | None = None
    installment: int | None = None


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
    balloon: Money | None = None
    steps: tuple[Step, ...] = ()
    rows: tuple[CustomRow, ...] = ()
    rates: tuple[RateStep, ...] = ()
    margin: Decimal | None = None
    commitment: Money | None = None

    def __post_init__(self) -> None:
        checks = (self._facts, self._currencies, self._kind, self._steps_fit, self._rows_fit, self._rates_fit)
        for field, wrong, reason in (fact for check in checks for fact in check()):
            if wrong:
                raise TermsInvalid(field=field, reason=reason)
        self._refuse_digits_of_long_terms()

    def _refuse_digits_of_long_terms(self) -> None:
        """Refuse the Rule of 78 on consumer credit of more than 61 months. Source: 15 USC 1615(b)."""
        product = self.product
        if not product.method.by_digits or product.purpose != "consumer":
            return
        dues = due_dates(self.funded_on, self.first_due_on, self.frequency, self.installments)
        if dues[-1] > self.funded_on + relativedelta(months=LONGEST_BY_DIGITS):
            raise RuleOf78TooLong(last_due_on=dues[-1], funded_on=self.funded_on, months=LONGEST_BY_DIGITS)

    def _facts(self) -> Iterator[Check]:
        own, balloon = self.installment_amount, self.balloon
        yield "principal", self.principal.minor <= 0, "it must be above zero"
        yield "principal", self.proceeds_before_interest.minor <= 0, "nothing is left of it after the fee"
        yield "rate", not self.rate.is_finite() or not 0 <= self.rate <= 1000, "it must be 0 to 1000 percent"
        yield "installments", not 1 <= self.installments <= 1200, "there must be 1 to 1200"
        yield "first_due_on", self.first_due_on <= self.funded_on, "it must lie after the funding"
        yield "installment_amount", own is not None and own.minor <= 0, "it must be above zero"
        yield (
            "balloon",
            balloon is not None and not 0 <= balloon.minor < self.principal.minor,
            "it must be less than the principal",
        )
        less = self.commitment is not None and self.commitment.minor < self.principal.minor
        yield "commitment", less, "the principal is part of it"
        known = self.frequency in PERIODS_A_YEAR or every_days(self.frequency) is not None
        yield "frequency", not known, f"it must be one of {', '.join(PERIODS_A_YEAR)} or days:n"

    def _currencies(self) -> Iterator[Check]:
        amounts = (
            ("installment_amount", self.installment_amount),
            ("balloon", self.balloon),
            ("commitment", self.commitment),
            *(("steps", step.amount) for step in self.steps),
            *(("rows", amount) for row in self.rows for amount in (row.principal, row.total)),
        )
        for field, amount in amounts:
            yield field, amount is not None and amount.currency != self.currency, "its currency is another"

    def _kind(self) -> Iterator[Check]:
        """Check that what is given is what the kind of amortization has a use for."""
        kind, grace = self.product.amortization, self.product.grace.principal
        unpaid = self.product.grace.interest_payment
        given = {
            "installment_amount": self.installment_amount is not None,
            "balloon": bool(self.balloon),
            "steps": bool(self.steps),
            "rows": bool(self.rows),
        }
        for field, is_given in given.items():
            yield field, is_given and kind not in USED_BY[field], f"amortization {kind} has no use for it"
        bullet = kind == "interest_only" and not grace
        yield "installment_amount", bullet and given["installment_amount"], "interest alone has no agreed amount"
        yield "steps", kind == "step" and not self.steps, "amortization step needs them"
        yield "rows", kind == "custom" and not self.rows, "amortization custom needs them"
        yield "installments", grace >= self.installments, f"there must be more than the grace of {grace}"
        yield "rows", bool(self.rows) and grace > 0, "principal has its grace by the rows themselves"
        yield "steps", bool(self.steps) and grace > 0, "principal has its grace by the steps themselves"
        yield "installments", unpaid >= self.installments, f"there must be more than the grace of {unpaid}"
        yield "steps", bool(self.steps) and unpaid > 0, "an agreed total has no grace for interest in it"
        totals = any(row.total is not None for row in self.rows)
        yield "rows", totals and unpaid > 0, "an agreed total has no grace for interest in it"

    def _steps_fit(self) -> Iterator[Check]:
        if not self.steps:
            return
        count = sum(step.installments for step in self.steps)
        yield "steps", any(step.installments < 1 for step in self.steps), "each has one installment or more"
        yield "steps", count != self.installments, f"they have {count} installments, not {self.installments}"
        yield "steps", any(step.amount is None for step in self.steps[:-1]), "only the last may be without an amount"
        below = any(step.amount is not None and step.amount.minor < 0 for step in self.steps)
        yield "steps", below, "no amount may be below zero"

    def _rows_fit(self) -> Iterator[Check]:
        if not self.rows:
            return
        dues = [row.due for row in self.rows]
        amounts = [amount for row in self.rows for amount in (row.principal, row.total) if amount is not None]
        bare = any(row.principal is None and row.total is None for row in self.rows[:-1])
        yield "rows", len(self.rows) != self.installments, f"there are {len(self.rows)}, not {self.installments}"
        yield "rows", dues[0] != self.first_due_on, f"the first is due on {dues[0]}, not {self.first_due_on}"
        yield "rows", any(a >= b for a, b in pairwise(dues)), "each must be due after the one before"
        yield "rows", any(row.principal is not None and row.total is not None for row in self.rows), TWO_AMOUNTS
        yield "rows", bare, "only the last may be without an amount"
        yield "rows", any(amount.minor < 0 for amount in amounts), "no amount may be below zero"
        if all(row.principal is not None for row in self.rows):
            found = Money.sum(amounts, self.currency)
            yield "rows", found != self.lent, f"their principal sums to {found}, not {self.lent}"

    def _rates_fit(self) -> Iterator[Check]:
        variable = self.product.variable_rate
        yield "margin", self.margin is not None and variable is None, "the product has no variable rate"
        wild = self.margin is not None and not (self.margin.is_finite() and -100 <= self.margin <= 1000)
        yield "margin", wild, "it must be -100 to 1000 points"
        if not self.rates:
            return
        yield "rates", variable is not None, "the product's rate is variable"
        yield "rates", self.product.interest == "precomputed", "a precomputed charge is fixed when the loan is made"
        for step in self.rates:
            yield "rates", not step.rate.is_finite() or not 0 <= step.rate <= 1000, "each must be 0 to 1000 percent"
            yield "rates", (step.on is None) == (step.installment is None), "each is from a day or an installment"
            early = step.on is not None and step.on <= self.funded_on
            yield "rates", early, "each must be from a day after the funding"
            beyond = step.installment is not None and not 2 <= step.installment <= self.installments
            yield "rates", beyond, f"installments are 2 to {self.installments}"

    @property
    def currency(self) -> str:
        """Return the currency of every amount of the loan."""
        return self.principal.currency

    @property
    def origination_fee(self) -> Money:
        """Return the fee that is withheld from the proceeds, or financed."""
        percent = self.product.origination_fee.percent
        return round_to_minor(self.principal.to_decimal() * percent / 100, self.currency)

    @property
    def lent(self) -> Money:
        """Return what is owed from the funding on: the principal, and the fee where it is financed."""
        return self.principal + self.origination_fee if self.product.origination_fee.financed else self.principal

    @property
    def proceeds_before_interest(self) -> Money:
        """Return what is paid out, before the interest of odd days that is kept from it."""
        return self.lent - self.origination_fee

    @property
    def down_payment(self) -> Money:
        """Return what is due and paid on the day of the funding."""
        return self.down_payment_of(self.principal)

    def down_payment_of(self, drawn: Money) -> Money:
        """Return what is due and paid on the day of a drawdown."""
        percent = self.product.down_payment.percent
        return round_to_minor(drawn.to_decimal() * percent / 100, self.currency, self.product.rounding)

    @property
    def undrawn(self) -> Money:
        """Return what is committed beyond the funding."""
        return Money(0, self.currency) if self.commitment is None else self.commitment - self.principal

    def amount(self, major: Decimal) -> Money:
        """Return an amount of the product, given in the major unit, as money of this loan."""
        return round_to_minor(major, self.currency)

    def as_json(self) -> dict[str, Any]:
        """Return the terms without the product as JSON values."""
        return {
            "principal": self.principal.format(),
            "currency": self.currency,
            "rate": str(self.rate),
            "installments": self.installments,
            "frequency": self.frequency,
            "funded_on": self.funded_on.isoformat(),
            "first_due_on": self.first_due_on.isoformat(),
            "installment_amount": _text(self.installment_amount),
            "balloon": _text(self.balloon),
            "steps": [{"installments": step.installments, "amount": _text(step.amount)} for step in self.steps],
            "rows": [
                {"due": row.due.isoformat(), "principal": _text(row.principal), "total": _text(row.total)}
                for row in self.rows
            ],
            **({"rates": [_step_json(step) for step in self.rates]} if self.rates else {}),
            **({} if self.margin is None else {"margin": str(self.margin)}),
            **({} if self.commitment is None else {"commitment": self.commitment.format()}),
        }


def terms_from_json(product: Product, stored: Mapping[str, Any]) -> Terms:
    """Return the terms that `Terms.as_json` wrote; those of older releases lack keys, which then ask for nothing."""

    def money(text: str | None) -> Money | None:
        return None if text is None else Money.parse(text, stored["currency"])

    return Terms(
        product=product,
        principal=Money.parse(stored["principal"], stored["currency"]),
        rate=Decimal(stored["rate"]),
        installments=stored["installments"],
        frequency=stored["frequency"],
        funded_on=date.fromisoformat(stored["funded_on"]),
        first_due_on=date.fromisoformat(stored["first_due_on"]),
        installment_amount=money(stored["installment_amount"]),
        balloon=money(stored.get("balloon")),
        steps=tuple(Step(step["installments"], money(step["amount"])) for step in stored.get("steps", ())),
        rows=tuple(
            CustomRow(date.fromisoformat(row["due"]), money(row["principal"]), money(row["total"]))
            for row in stored.get("rows", ())
        ),
        rates=tuple(_step(step) for step in stored.get("rates", ())),
        margin=Decimal(stored["margin"]) if stored.get("margin") is not None else None,
        commitment=money(stored.get("commitment")),
    )


def _step_json(step: RateStep) -> dict[str, Any]:
    return {
        "rate": str(step.rate),
        "on": None if step.on is None else step.on.isoformat(),
        "installment": step.installment,
    }


def _step(stored: Mapping[str, Any]) -> RateStep:
    on = None if stored["on"] is None else date.fromisoformat(stored["on"])
    return RateStep(Decimal(stored["rate"]), on, stored["installment"])


def _text(money: Money | None) -> str | None:
    return None if money is None else money.format()
