"""Waivers: a part of a fee, of all fees of a component, or of the interest earned so far is no longer asked for.

What a person decided stands as far as it still fits: a replay that leaves less to waive caps it, and marks the event
for review. Never: fees charged and interest accrued. Next: `servicing/folding.py`; `docs/spec/fees.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from servicing.effects.fees import by_receivable
from servicing.events import Event
from servicing.fees import Fee
from servicing.folding import Folding
from servicing.waterfall import RECEIVABLES

TEMPLATES = {
    "expense": ("interest_waived", "fee_waived"),
    "contra_income": ("interest_waived_from_income", "fee_waived_from_income"),
}
"""The templates for interest and for fees, by the product's `waivers`."""


def waive(folding: Folding, event: Event) -> None:
    """Waive what a person decided, no more than is owed of it."""
    if event.details.get("component") == "interest":
        _waive_interest(folding, event)
        return
    fees = _fees_of(folding, event)
    if not fees:
        # The close of this day may bring the fee that is waived.
        folding.waiting.append(event)
    _waive_fees(folding, event, fees)


def waive_what_waited(folding: Folding, day: date) -> None:
    """Waive what was decided on a day of the late fees that its close has brought."""
    for event in folding.waiting:
        if event.effective_date == day:
            _waive_fees(folding, event, _fees_of(folding, event))
    folding.waiting.clear()


def _waive_interest(folding: Folding, event: Event) -> None:
    day = event.effective_date
    amount = min(event.amount, folding.owed["interest"])
    folding.decide(event, stands=amount)
    if amount:
        template, _ = TEMPLATES[folding.terms.product.waivers]
        folding.waive_interest(amount, day)
        folding.plan(f"event:{event.no}", template, day, {"interest": amount})
        folding.note_paid_off(day)


def _waive_fees(folding: Folding, event: Event, fees: Iterable[Fee]) -> None:
    """Waive an amount over fees, the one charged first before the others; a part of each is its tax."""
    left, waived, tax = event.amount, Counter[str](), Counter[str]()
    for fee in fees:
        part, tax_before = min(left, folding.fees.owed(fee)), fee.tax_waived
        folding.waive_fee(fee, part)
        left -= part
        tax[fee.receivable] += fee.tax_waived - tax_before
        waived[fee.receivable] += part - (fee.tax_waived - tax_before)
    folding.decide(event, stands=event.amount - left)
    day, (_, template) = event.effective_date, TEMPLATES[folding.terms.product.waivers]
    if waived.total():
        folding.plan(f"event:{event.no}", template, day, by_receivable(**waived))
    if tax.total():
        folding.plan(f"event:{event.no}/tax", "fee_tax_waived", day, by_receivable(**tax))
    if left < event.amount:
        folding.note_paid_off(day)


def _fees_of(folding: Folding, event: Event) -> list[Fee]:
    """Return the fee that a waiver names, or all of its component, in the order in which they were charged."""
    if "fee_id" in event.details:
        fee = folding.fees.get(event.details["fee_id"])
        return [] if fee is None else [fee]
    receivables = RECEIVABLES[event.details["component"]]
    return [fee for fee in folding.fees if fee.receivable in receivables]
