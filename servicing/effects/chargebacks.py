"""Chargebacks: a payment is taken back in part or whole; its allocation stays, and a new debt arises on that day.

The new debt is of the components that the payment paid, in the product's order, and falls due with the installment of
its day. Never: undoing the payment (a return does). Next: `docs/spec/credits.md`.
"""

from __future__ import annotations

from servicing.events import CLEARING_ROLES, Event
from servicing.fees import Fee
from servicing.folding import Folding
from servicing.installments import FEES
from servicing.waterfall import ALL_RECEIVABLES, RECEIVABLES


def charge_back(folding: Folding, event: Event) -> None:
    """Owe again what a payment had paid; cash of it that is unapplied still goes first where nothing was paid."""
    day, key, role = event.effective_date, f"event:{event.no}", CLEARING_ROLES[event.method]
    folding.workouts.receive(-event.amount)
    again = _owed_again(folding, event)
    rest = event.amount - sum(again.values())
    unapplied = min(folding.unapplied, rest)
    folding.unapplied -= unapplied
    folding.held = min(folding.held, folding.unapplied)
    folding.recoverable += rest - unapplied
    _owe(folding, event, again)
    amounts = {**again, "recoverable": rest - unapplied}
    if any(amounts.values()):
        folding.plan(key, "payment_charged_back", day, amounts, role)
    if unapplied:
        folding.plan(f"{key}/unapplied", "unapplied_charged_back", day, {"unapplied": unapplied}, role)
    folding.spend_unapplied(sum(again.values()), event)


def _owed_again(folding: Folding, event: Event) -> dict[str, int]:
    """Return what is owed again by receivable: in the product's order, no more than was paid and not taken back yet."""
    of = event.of or 0
    paid = folding.paid_by(of)
    left, taken = event.amount, folding.charged_back.setdefault(of, dict.fromkeys(ALL_RECEIVABLES, 0))
    again = dict.fromkeys(ALL_RECEIVABLES, 0)
    for component in folding.terms.product.chargeback_order:
        for receivable in RECEIVABLES[component]:
            part = min(left, paid.get(receivable, 0) - taken[receivable])
            if part > 0:
                again[receivable], left = part, left - part
                taken[receivable] += part
    return again


def _owe(folding: Folding, event: Event, again: dict[str, int]) -> None:
    day = event.effective_date
    no = folding.installments.no_of(day)
    folding.owe_again(no, again["principal"], again["interest"])
    for receivable in FEES:
        if again[receivable]:
            id_ = f"chargeback-{event.no}-{receivable}"
            folding.charge(Fee(id_, "chargeback", receivable, day, no, again[receivable]))
