"""A product: the rules that its loans share, checked whole when it is read.

The keys are those of a scenario's `product`. A key that nobody knows is a mistake.
Never: figures of one loan (`servicing/terms.py`). Next: `servicing/products/installment.toml`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
)

from ledger.fingerprint import canonical_text
from ledger.money import Rounding
from servicing.accrual import METHODS, Method
from servicing.calendars import is_calendar
from servicing.errors import ProductInvalid
from servicing.waterfall_order import COMPONENTS, NAMED, Waterfall, own_pairs, waterfall_of

Component = Literal["penalties", "fees", "interest", "principal"]
RECASTS = frozenset({"reduce_installment", "reduce_term"})
"""Rules by which a prepayment changes the installments to come, instead of paying them."""

Excess = Literal["apply", "hold", "refund"]
"""What becomes of what is more than is due: it pays coming installments, waits for them, or is sent back at once."""

Overpayment = Literal["hold", "refund", "refuse"]
"""What becomes of what is more than the payoff: it is held as unapplied cash, sent back at once, or refused."""

EXCESSES: tuple[str, ...] = get_args(Excess)

OVERPAYMENTS: tuple[str, ...] = get_args(Overpayment)


def _no_float(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError("write the number as text: a float is not exact")
    return value


def read_waterfall(value: Any) -> str | tuple[str, ...]:
    """Read the name of a waterfall, or one's own as pairs of due status and component.

    Raises: ValueError with the reason.
    """
    if not isinstance(value, str):
        return own_pairs(value)
    if value not in NAMED:
        raise ValueError(f"known are {', '.join(NAMED)}, or a list")
    return value


def _read_own_waterfall(value: Any) -> str | tuple[str, ...] | None:
    return None if value is None else read_waterfall(value)


PRINCIPAL_FIRST: tuple[Component, ...] = ("principal", "interest", "fees", "penalties")

Exact = Annotated[Decimal, BeforeValidator(_no_float)]
"""A decimal that was never a float."""


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    added: ClassVar[frozenset[str]] = frozenset()
    """Keys that a later release brought. Where they ask for nothing new they are left out of what is stored, so that a
    product that was loaded before keeps the hash of its content."""

    @model_serializer(mode="wrap")
    def _without_what_asks_for_nothing_new(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        fields = type(self).model_fields
        return {
            key: value
            for key, value in written.items()
            if key not in self.added or getattr(self, key) != fields[key].default
        }


class InstallmentRounding(_Rules):
    """To what an installment is rounded, in the major unit, and how."""

    to: Exact = Decimal("0.01")
    mode: Rounding = Rounding.HALF_UP


class LateFee(_Rules):
    """A late fee: an amount in the major unit, or a percentage between a least and a most.

    The percentage is of what is past due, or of the whole installment. Whatever the fee, it is capped at `cap_percent`
    of the installment.
    """

    added = frozenset({"cap_percent"})

    amount: Exact = Field(default=Decimal(0), ge=0)
    percent: Exact = Field(default=Decimal(0), ge=0, le=100)
    of: Literal["past_due", "installment"] = "past_due"
    min: Exact = Field(default=Decimal(0), ge=0)
    max: Exact | None = Field(default=None, ge=0)
    cap_percent: Exact | None = Field(default=None, gt=0, le=100)

    @property
    def is_charged(self) -> bool:
        """Tell whether there is a fee at all."""
        return bool(self.amount or self.percent)

    def on(self, past_due: Decimal, installment: Decimal) -> Decimal:
        """Return the fee on what is past due of an installment, all in the major unit, not rounded."""
        base = past_due if self.of == "past_due" else installment
        fee = max(base * self.percent / 100, self.min) if self.percent else self.amount
        caps = [self.max, None if self.cap_percent is None else installment * self.cap_percent / 100]
        return min([fee, *(cap for cap in caps if cap is not None)])


class Grace(_Rules):
    """For how many installments principal, or interest, is not asked for yet; and how many periods earn no interest."""

    principal: int = Field(default=0, ge=0, le=1199)
    interest_payment: int = Field(default=0, ge=0, le=1199)
    interest_free: int = Field(default=0, ge=0, le=1200)


class BusinessDays(_Rules):
    """How a due date moves that is no business day of a calendar; and whether interest moves with it."""

    calendar: str = "US"
    convention: Literal["none", "following", "modified_following", "preceding"] = "none"
    adjusted: bool = False

    @field_validator("calendar")
    @classmethod
    def _known(cls, code: str) -> str:
        if not is_calendar(code):
            raise ValueError("it is US, a country's two letters, or a bank's or exchange's code such as XFED or XNYS")
        return code


class FeeTax(_Rules):
    """The tax on every fee that is charged while the loan runs, in percent of it and on top of it."""

    percent: Exact = Field(default=Decimal(0), ge=0, le=100)


class SmallBalance(_Rules):
    """How much of a loan may be written off as too little to collect, in the major unit; and whether it is at once."""

    limit: Exact = Field(default=Decimal(0), ge=0)
    automatic: bool = False


class GoodwillCredit(_Rules):
    """Where a credit goes that the lender gives: as the product has payments go, unless it says otherwise."""

    waterfall: Annotated[str | tuple[str, ...] | None, BeforeValidator(_read_own_waterfall)] = None
    order: tuple[Component, ...] | None = None
    after_prepayment: Literal["next", "last"] | None = None


class MerchantRefund(_Rules):
    """Where a merchant's money goes: to principal, what is past due first, and then from the last installment back."""

    waterfall: Annotated[str | tuple[str, ...] | None, BeforeValidator(_read_own_waterfall)] = "payoff"
    order: tuple[Component, ...] | None = PRINCIPAL_FIRST
    after_prepayment: Literal["next", "last"] | None = "last"


class RateLimits(_Rules):
    """By how many points a rate may move at one reset, and from the first rate in all; and a rate it does not pass."""

    per_reset: Exact | None = Field(default=None, ge=0)
    lifetime: Exact | None = Field(default=None, ge=0)
    rate: Exact | None = Field(default=None, ge=0, le=1000)


class RateRounding(_Rules):
    """To what a rate is rounded, in points, and how."""

    to: Exact = Field(default=Decimal("0.001"), gt=0, le=1)
    mode: Rounding = Rounding.HALF_UP


class VariableRate(_Rules):
    """An index and what is added to it, in points; on which installments it is looked at, and within which limits.

    The first reset is on the due date of installment `first_reset`, the next ones every `reset_every`. The value is
    that of the index `lookback_days` before, which must not be older than `max_age_days` then.
    """

    index: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$")
    margin: Exact = Field(default=Decimal(0), ge=-100, le=1000)
    reset_every: int = Field(default=12, ge=1, le=1200)
    first_reset: int | None = Field(default=None, ge=1, le=1200)
    lookback_days: int = Field(default=0, ge=0, le=366)
    max_age_days: int = Field(default=7, ge=0, le=366)
    rounding: RateRounding = RateRounding()
    cap: RateLimits = RateLimits()
    floor: RateLimits = RateLimits()


class PercentFee(_Rules):
    """A fee in percent of the principal: kept from the proceeds, or financed; and how it becomes income."""

    added = frozenset({"financed", "income"})

    percent: Exact = Field(default=Decimal(0), ge=0, lt=100)
    financed: bool = False
    income: Literal["level_yield", "straight_line"] = "level_yield"

    @field_validator("financed", mode="before")
    @classmethod
    def _flag(cls, value: Any) -> Any:
        return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


class DownPayment(_Rules):
    """The part of each drawdown that is due and paid on its day, in percent."""

    percent: Exact = Field(default=Decimal(0), ge=0, lt=100)


class NonAccrual(_Rules):
    """What interest is in the books that is paid while it is not accrued, and when it accrues again.

    Cost recovery counts it as principal until none is carried; on a cash basis it is income. The part of what is
    reversed that was income of earlier fiscal years goes against `prior_years`. Interest accrues again when nothing
    is past due and the last `consecutive_payments` installments were paid in time, or only by hand.
    """

    payments: Literal["cost_recovery", "cash_basis"] = "cost_recovery"
    prior_years: Literal["income", "allowance"] = "income"
    returns: Literal["when_current", "by_hand"] = "when_current"
    consecutive_payments: int = Field(default=0, ge=0, le=60)


class ChargeOff(_Rules):
    """Against what a loan is charged off beside its principal, and in which order recoveries pay its claim.

    `commission_percent` is what an agency keeps of a recovery that it brings.
    """

    prior_years: Literal["allowance", "income"] = "allowance"
    fees: Literal["income", "allowance"] = "income"
    recovery_order: tuple[Component, ...] = PRINCIPAL_FIRST
    commission_percent: Exact = Field(default=Decimal(0), ge=0, le=100)


class ReageLimits(_Rules):
    """What a loan must have behind it to be reaged; nothing is asked for where nothing is said.

    Months on the books, installments paid in as many months, and how often in a year and in five years at most.
    """

    months_on_book: int | None = Field(default=None, ge=1, le=120)
    payments: int | None = Field(default=None, ge=1, le=60)
    per_year: int | None = Field(default=None, ge=0, le=12)
    per_five_years: int | None = Field(default=None, ge=0, le=60)


class Tolerance(_Rules):
    """How little may be missing of an installment that counts as paid: an amount, or a part of what it asked for."""

    amount: Exact = Field(default=Decimal(0), ge=0)
    percent: Exact = Field(default=Decimal(0), ge=0, lt=100)


class Delinquency(_Rules):
    """How days past due are counted, and into which buckets they fall, each by its first day.

    An installment counts once it is more than `grace_days` past due, with the days of its grace. Days count from the
    oldest one that is unpaid; where a cure is `full`, from the first that was missed until all are paid. By recency a
    payment of at least `recency_percent` of an installment begins the count anew.
    """

    grace_days: int = Field(default=0, ge=0, le=60)
    tolerance: Tolerance = Tolerance()
    cure: Literal["oldest", "full"] = "oldest"
    recency_percent: Exact = Field(default=Decimal(90), gt=0, le=100)
    buckets: tuple[int, ...] = (1, 30, 60, 90, 120)

    @field_validator("buckets")
    @classmethod
    def _rising(cls, first_days: tuple[int, ...]) -> tuple[int, ...]:
        if not first_days or first_days[0] != 1 or list(first_days) != sorted(set(first_days)):
            raise ValueError("the first bucket begins on day 1, and each later than the one before")
        return first_days

    def bucket(self, dpd: int) -> str:
        """Return the name of the bucket that days past due fall into."""
        return bucket_name(self.buckets, dpd)

    @property
    def bucket_names(self) -> tuple[str, ...]:
        """Return the names of all buckets, the mildest first."""
        return tuple(bucket_name(self.buckets, dpd) for dpd in (0, *self.buckets))


def bucket_name(first_days: Sequence[int], dpd: int) -> str:
    """Return the name of a bucket: its first and last day, or its first day and a plus."""
    place = sum(first <= dpd for first in first_days)
    if place == 0:
        return "current"
    if place == len(first_days):
        return f"{first_days[-1]}+"
    return f"{first_days[place - 1]}-{first_days[place] - 1}"


class Product(_Rules):
    """The rules of a product; what a key means is in the scenario format."""

    added = frozenset(
        {
            "rebate",
            "purpose",
            "odd_days",
            "business_days",
            "overpayment",
            "excess",
            "partial_payments",
            "goodwill_credit",
            "merchant_refund",
            "chargeback_order",
            "fee_tax",
            "waivers",
            "small_balance",
            "variable_rate",
            "at_rate_change",
            "down_payment",
            "non_accrual",
            "charge_off",
            "fiscal_year_starts",
            "paused_days",
            "reage",
            "failed_attempts",
            "delinquency",
        }
    )

    name: str = "installment"
    interest: Literal["simple", "scheduled", "flat", "precomputed"] = "simple"
    rebate: Literal["actuarial", "rule_of_78"] = "actuarial"
    purpose: Literal["consumer", "business"] = "consumer"
    rests: Literal["daily", "due_dates"] = "daily"
    after_prepayment: Literal["next", "last", "reduce_installment", "reduce_term"] = "next"
    day_count: Literal[
        "actual/365", "actual/360", "actual/364", "actual/actual", "30/360", "30e/360", "30/365", "period"
    ] = "actual/365"
    accrual: Literal["daily", "monthly"] = "daily"
    rounding: Rounding = Rounding.HALF_UP
    installment_rounding: InstallmentRounding = InstallmentRounding()
    grace: Grace = Grace()
    variable_rate: VariableRate | None = None
    at_rate_change: Literal["recalculate", "keep"] = "recalculate"
    odd_days: Literal["in_first_installment", "at_funding"] | None = None
    business_days: BusinessDays = BusinessDays()
    amortization: Literal["level", "equal_principal", "interest_only", "balloon", "custom", "step"] = "level"
    waterfall: Annotated[str | tuple[str, ...], BeforeValidator(read_waterfall)] = "schedule"
    processing: Literal["horizontal", "vertical"] | None = None
    order: tuple[Component, ...] = ("penalties", "fees", "interest", "principal")
    excess: Excess = "apply"
    overpayment: Overpayment = "hold"
    partial_payments: Literal["apply", "hold"] = "apply"
    goodwill_credit: GoodwillCredit = GoodwillCredit()
    merchant_refund: MerchantRefund = MerchantRefund()
    chargeback_order: tuple[Component, ...] = PRINCIPAL_FIRST
    grace_days: int = Field(default=0, ge=0, le=365)
    late_fee: LateFee = LateFee()
    returned_payment_fee: Exact = Field(default=Decimal(0), ge=0)
    fee_tax: FeeTax = FeeTax()
    waivers: Literal["expense", "contra_income"] = "expense"
    small_balance: SmallBalance = SmallBalance()
    origination_fee: PercentFee = PercentFee()
    down_payment: DownPayment = DownPayment()
    paused_days: Literal["skip", "count"] = "skip"
    reage: ReageLimits = ReageLimits()
    failed_attempts: Literal["stop", "continue"] = "stop"
    non_accrual_dpd: int | None = Field(default=None, ge=1)
    charge_off_dpd: int | None = Field(default=None, ge=1)
    non_accrual: NonAccrual = NonAccrual()
    charge_off: ChargeOff = ChargeOff()
    fiscal_year_starts: int = Field(default=1, ge=1, le=12)
    delinquency: Delinquency = Delinquency()

    @property
    def method(self) -> Method:
        """Return how interest is earned."""
        return METHODS[self.interest, self.rebate if self.interest == "precomputed" else self.rests]

    def waterfall_for(self, own: str | Sequence[str] | None = None) -> Waterfall:
        """Return the order in which a payment is allocated: the payment's own, or the product's."""
        words = self.waterfall if own is None else own
        return waterfall_of(words if isinstance(words, str) else tuple(words), self.order, self.processing)

    def waterfall_of_credit(self, rule: GoodwillCredit | MerchantRefund) -> Waterfall:
        """Return the order in which a credit is allocated: its rule's own, or the product's."""
        words = self.waterfall if rule.waterfall is None else rule.waterfall
        return waterfall_of(words, rule.order or self.order, self.processing if words == self.waterfall else None)

    @property
    def recovery_waterfall(self) -> Waterfall:
        """Return the order in which recoveries pay a claim that is charged off."""
        return waterfall_of("payoff", self.charge_off.recovery_order, None)

    @property
    def thresholds(self) -> tuple[int, ...]:
        """Return the days past due at which the close of a day does something."""
        return tuple(dpd for dpd in (self.non_accrual_dpd, self.charge_off_dpd) if dpd is not None)

    def content_hash(self) -> str:
        """Return the SHA-256 of the rules, which names this version of the product."""
        return hashlib.sha256(canonical_text(self.as_json()).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the rules as JSON values, amounts as text."""
        return self.model_dump(mode="json")


_NAME = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)


def parse_product(keys: Mapping[str, Any]) -> Product:
    """Read a product from the keys of a TOML file or a scenario.

    Raises: ProductInvalid naming the first mistake.
    """
    try:
        product = Product.model_validate(keys)
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        place = ".".join(("product", *map(str, first["loc"])))
        reason = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise ProductInvalid(place=place, reason=reason) from None
    for place, wrong, why in _contradictions(product):
        if wrong:
            raise ProductInvalid(place=f"product.{place}", reason=why)
    return product


def stored_product(rules: Mapping[str, Any]) -> Product:
    """Return a product as it was stored. Before interest could be booked daily it was booked monthly."""
    return parse_product({"accrual": "monthly", **rules})


def shipped_names() -> tuple[str, ...]:
    """Return the names of the products of `servicing/products`."""
    folder = files("servicing") / "products"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def read_product(text: str) -> Product:
    """Read a product from the text of a TOML file.

    Raises: as `parse_product`; ProductInvalid for a text that is no TOML or names no product.
    """
    try:
        keys = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as mistake:
        raise ProductInvalid(place="product", reason=f"it is no TOML: {mistake}") from None
    if not isinstance(keys.get("name"), str) or not _NAME.fullmatch(keys["name"]):
        raise ProductInvalid(place="product.name", reason="it must be a word of small letters, digits, - and _")
    return parse_product(keys)


def shipped(name: str) -> Product:
    """Return a product of `servicing/products`.

    Raises: ProductInvalid if there is no such file.
    """
    file = files("servicing") / "products" / f"{name}.toml"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise ProductInvalid(place=name, reason="no product of this name is shipped")
    return parse_product(tomllib.loads(file.read_text(encoding="utf-8")))


def _contradictions(product: Product) -> Iterator[tuple[str, bool, str]]:
    """Yield what the rules of a product may not say together: where, whether it is so, and why not."""
    orders = {
        "order": product.order,
        "goodwill_credit.order": product.goodwill_credit.order or product.order,
        "merchant_refund.order": product.merchant_refund.order or product.order,
        "chargeback_order": product.chargeback_order,
        "charge_off.recovery_order": product.charge_off.recovery_order,
    }
    for place, order in orders.items():
        yield place, sorted(order) != sorted(COMPONENTS), "every component stands in it once"
    own, vertical = product.processing, product.waterfall_for().vertical
    differs = own is not None and vertical != (own == "vertical")
    yield "processing", differs, f"waterfall {product.waterfall} has its own"
    by_digits = product.rebate == "rule_of_78"
    yield "rebate", by_digits and product.interest != "precomputed", "only precomputed interest has one"
    uneven = product.amortization != "level" or product.grace != Grace()
    yield "rebate", by_digits and uneven, "the Rule of 78 is for equal installments from the first one on"
    ahead = by_digits and product.odd_days == "at_funding"
    yield "odd_days", ahead, "the Rule of 78 knows no odd days: the first period is one of the others"
    fixed = product.interest == "precomputed" and product.variable_rate is not None
    yield "variable_rate", fixed, "a precomputed charge is fixed when the loan is made"
    recast = product.interest == "precomputed" and product.after_prepayment in RECASTS
    yield "after_prepayment", recast, "a precomputed charge is fixed, so nothing is worked out again"
    own_dates = product.amortization == "custom" and product.odd_days is not None
    yield "odd_days", own_dates, "rows of one's own have no regular period"
    fee = product.late_fee
    bounds = bool(fee.min) or fee.max is not None
    yield "late_fee", bool(fee.amount and fee.percent), "it is an amount or a percentage, not both"
    yield "late_fee", bounds and not fee.percent, "only a percentage has a least and a most"
    automatic = product.small_balance.automatic
    yield "small_balance", automatic and not product.small_balance.limit, "what is automatic needs a limit"
    yield "late_fee.max", fee.max is not None and fee.max < fee.min, f"it is less than the least, {fee.min}"
