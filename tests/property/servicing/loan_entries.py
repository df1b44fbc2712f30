"""What is entered of a loan, each as a function that enters it under any key, of any loan: so it can be repeated.

Next: `loan_steps.py`, which chooses among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.charge_offs import reverse_charge_off, take_recovery
from servicing.commands.chargebacks import charge_back
from servicing.commands.credits import credit
from servicing.commands.drawdowns import draw_down
from servicing.commands.fees import charge_fee
from servicing.commands.payments import reverse_payment, take_payment
from servicing.commands.payoffs import pay_off
from servicing.commands.rate_resets import reset_rate
from servicing.commands.refunds import refund
from servicing.commands.waivers import waive
from servicing.commands.write_offs import write_off_small_balance
from servicing.events import Kind
from servicing.waterfall_order import COMPONENTS
from tests.property.servicing.loan_sides import Enter


def taking(amount: int, on: date, method: str, way: tuple[str, Any] = ("product", None)) -> Enter:
    """Return what takes a payment."""
    kind, value = way
    more: dict[str, Any] = {}
    if kind == "waterfall":
        more = {"waterfall": value}
    elif kind == "split":
        more = {"allocate": {name: Money(part, "USD") for name, part in _split(amount, value).items()}}

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return take_payment(
            uow,
            loan_id,
            amount=Money(amount, "USD"),
            effective_date=on,
            method=method,
            external_id=f"payment {key}",
            request_key=key,
            **more,
        )

    return enter


def settling(amount: int, on: date, quoted_to: int, quote_id: int | None) -> Enter:
    """Return what pays a loan off, by its quote where it has one."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return pay_off(
            uow,
            loan_id,
            amount=Money(amount, "USD"),
            effective_date=on,
            method="wire",
            external_id=f"payoff {key}",
            request_key=key,
            quote_id=quote_id if loan_id == quoted_to else None,
        ).taken

    return enter


def deciding(command: Callable[..., Any], on: date) -> Enter:
    """Return what two people decide for a day."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return command(uow, loan_id, reason="any", approved_by="ben", effective_date=on, request_key=key)

    return enter


def restoring(uow: UnitOfWork, loan_id: int, key: str) -> Any:
    """Reverse the charge-off in force."""
    return reverse_charge_off(uow, loan_id, reason="wrong", approved_by="ben", request_key=key)


def recovering(amount: int, on: date, commission: int) -> Enter:
    """Return what takes a recovery."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return take_recovery(
            uow,
            loan_id,
            amount=Money(amount, "USD"),
            effective_date=on,
            method="ach",
            external_id=f"recovery {key}",
            request_key=key,
            agency="any",
            commission=Money(commission, "USD"),
        )

    return enter


def refunding(amount: int, on: date, credit_balance: bool) -> Enter:
    """Return what sends unapplied cash back."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return refund(
            uow,
            loan_id,
            amount=Money(amount, "USD"),
            effective_date=on,
            method="ach",
            request_key=key,
            credit_balance=credit_balance,
        )

    return enter


def charging(amount: int, on: date, penalty: bool, due: date | None) -> Enter:
    """Return what charges a fee by hand."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return charge_fee(
            uow,
            loan_id,
            amount=Money(amount, "USD"),
            kind="service",
            fee_id=f"fee {key}",
            effective_date=on,
            request_key=key,
            penalty=penalty,
            due=due,
        )

    return enter


def waiving(of: str, amount: int, on: date) -> Enter:
    """Return what waives an amount of a fee or a component, approved by another."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return waive(
            uow,
            loan_id,
            of=of,
            amount=Money(amount, "USD"),
            reason="courtesy",
            approved_by="boss",
            effective_date=on,
            request_key=key,
        )

    return enter


def writing_off(on: date) -> Enter:
    """Return what writes a small balance off."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return write_off_small_balance(uow, loan_id, reason="too little", effective_date=on, request_key=key)

    return enter


def taking_again(uow: UnitOfWork, loan_id: int, key: str, *, name: str, on: date) -> Any:
    """Take a payment of a name that another one has."""
    amount = Money(1, "USD")
    return take_payment(
        uow, loan_id, amount=amount, effective_date=on, method="cash", external_id=name, request_key=key
    )


def undoing_by(uow: UnitOfWork, loan_id: int, key: str, *, undoing: Callable[..., Any], payment: int) -> Any:
    """Undo a payment by a command."""
    return undoing(uow, loan_id, payment, request_key=key)


def undoing_again(uow: UnitOfWork, loan_id: int, key: str, *, payment: int) -> Any:
    """Reverse what cannot be reversed."""
    return reverse_payment(uow, loan_id, payment, "again", key)


def _split(amount: int, shares: Sequence[int]) -> dict[str, int]:
    """Return an amount in parts by component, by shares; what is left is unapplied."""
    names = (*COMPONENTS, "unapplied")
    total = sum(shares) or 1
    parts = {name: amount * share // total for name, share in zip(names, shares, strict=True)}
    parts["unapplied"] += amount - sum(parts.values())
    return parts


def crediting(amount: int, on: date, goodwill: bool) -> Enter:
    """Return what credits a loan."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return credit(
            uow,
            loan_id,
            kind=Kind.GOODWILL_CREDIT if goodwill else Kind.MERCHANT_REFUND,
            amount=Money(amount, "USD"),
            effective_date=on,
            method="card",
            request_key=key,
        )

    return enter


def charging_back(payment: int, amount: int, on: date) -> Enter:
    """Return what takes a part of a payment back."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return charge_back(uow, loan_id, payment, amount=Money(amount, "USD"), effective_date=on, request_key=key)

    return enter


def resetting(rate: str, on: date) -> Enter:
    """Return what lets another rate be in force."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return reset_rate(uow, loan_id, rate=Decimal(rate), effective_date=on, request_key=key)

    return enter


def drawing(amount: int, on: date) -> Enter:
    """Return what pays out more of a loan."""

    def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
        return draw_down(uow, loan_id, amount=Money(amount, "USD"), effective_date=on, request_key=key)

    return enter
