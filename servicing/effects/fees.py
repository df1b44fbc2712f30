"""Fees: those that people charge, that of a returned payment, and late fees at the close of the day; the tax on each.

Never: what is waived of them (`servicing/effects/waivers.py`), or who is paid first (`servicing/waterfall.py`).
Next: `servicing/fees.py`; `docs/spec/fees.md`.
"""

from __future__ import annotations

from datetime import date, timedelta

from ledger.money import Money, round_to_minor
from servicing.events import Event
from servicing.fees import Fee
from servicing.flags import LATE_FEES, holds_of
from servicing.folding import Folding
from servicing.waterfall import RECEIVABLES

CHARGED_BY_HAND = {True: ("late_fees", "penalty_charged"), False: ("other_fees", "fee_charged")}
"""Receivable and template of a fee that a person charges: of a penalty, and of any other."""


def late_fee_id(installment: int) -> str:
    """Return the id of the late fee of an installment."""
    return f"late_fee-{installment}"


def returned_payment_fee_id(event_no: int) -> str:
    """Return the id of the fee for the return that an event recorded."""
    return f"returned_payment_fee-{event_no}"


def charge_fee(folding: Folding, event: Event) -> None:
    """Charge what a person decided; unapplied cash pays it as far as it goes."""
    day, details = event.effective_date, event.details
    due = details.get("due")
    receivable, template = CHARGED_BY_HAND[bool(details.get("penalty"))]
    fee = _fee(
        folding,
        id_=details["fee_id"],
        kind=details["fee_kind"],
        receivable=receivable,
        day=day,
        amount=event.amount,
        installment=folding.installments.no_of(day if due is None else date.fromisoformat(due)),
    )
    _charge(folding, fee, f"event:{event.no}", template, tax_key=f"event:{event.no}/tax")
    folding.spend_unapplied(fee.amount, event)


def charge_return(folding: Folding, event: Event) -> None:
    """Charge the product's fee for a returned payment; unapplied cash pays it as far as it goes.

    A loan that is charged off is charged nothing more by a rule.
    """
    terms, day = folding.terms, event.effective_date
    amount = terms.amount(terms.product.returned_payment_fee).minor
    if not amount or folding.books.is_charged_off or folding.books.is_released:
        return
    fee = _fee(
        folding,
        id_=returned_payment_fee_id(event.no),
        kind="returned_payment",
        receivable="returned_payment_fees",
        day=day,
        amount=amount,
        installment=folding.installments.no_of(day),
    )
    key = f"event:{event.no}/fee"
    _charge(folding, fee, key, "returned_payment_fee_assessed", tax_key=f"event:{event.no}/tax")
    folding.spend_unapplied(fee.amount, event)


def assess_late_fees(folding: Folding, day: date) -> None:
    """Assess the late fees of the installments whose grace ends with a day."""
    product = folding.terms.product
    held = folding.books.is_charged_off or folding.books.is_released or LATE_FEES in holds_of(folding.flags)
    if product.late_fee.is_charged and not held:
        for no in folding.installments.due_on(day - timedelta(days=product.grace_days)):
            _assess_late_fee(folding, no, day)


def _assess_late_fee(folding: Folding, no: int, day: date) -> None:
    """Assess the fee of an installment, unless all that is missing is what fees took from payments."""
    installments = folding.installments
    missing = installments.unpaid_through(no) - folding.fees_paid
    past_due = min(installments.unpaid_of(no), missing)
    amount = _late_fee_on(folding, past_due, installments.total_of(no)) if past_due > 0 else 0
    if amount:
        fee = _fee(
            folding,
            id_=late_fee_id(no),
            kind="late",
            receivable="late_fees",
            day=day,
            amount=amount,
            installment=no,
        )
        _charge(folding, fee, f"late_fee:{no}", "late_fee_assessed", tax_key=f"late_fee:{no}/tax")


def _late_fee_on(folding: Folding, past_due: int, installment: int) -> int:
    terms = folding.terms
    missing, asked = (Money(minor, terms.currency).to_decimal() for minor in (past_due, installment))
    return round_to_minor(terms.product.late_fee.on(missing, asked), terms.currency, terms.product.rounding).minor


def _fee(folding: Folding, *, id_: str, kind: str, receivable: str, day: date, amount: int, installment: int) -> Fee:
    """Return a fee with the product's tax on top of it, as it is charged."""
    terms = folding.terms
    exact = Money(amount, terms.currency).to_decimal() * terms.product.fee_tax.percent / 100
    tax = round_to_minor(exact, terms.currency, terms.product.rounding).minor
    return Fee(id_, kind, receivable, day, installment, amount + tax, tax)


def _charge(folding: Folding, fee: Fee, key: str, template: str, *, tax_key: str) -> None:
    folding.charge(fee)
    folding.plan(key, template, fee.charged_on, {"fee": fee.amount - fee.tax})
    if fee.tax:
        folding.plan(tax_key, "fee_tax_charged", fee.charged_on, by_receivable(**{fee.receivable: fee.tax}))


def by_receivable(**parts: int) -> dict[str, int]:
    """Return amounts by receivable of fees, those that are not given as zero."""
    return dict.fromkeys((*RECEIVABLES["penalties"], *RECEIVABLES["fees"]), 0) | parts
