"""Small balances: what is left of a loan, if it is little, is written off and the loan is paid off.

By a person, or at the close of the day of a payment where the product has it so. Never: charge-off of a loan that goes
bad. Next: `servicing/folding.py`; `docs/spec/fees.md`.
"""

from __future__ import annotations

from datetime import date

from servicing.events import Event
from servicing.folding import Folding


def write_off(folding: Folding, event: Event) -> None:
    """Write off what is owed, as a person decided; nothing, if it has come to be more than the product's limit."""
    owed = _owed(folding)
    fits = 0 < owed <= _limit(folding)
    folding.decide(event, stands=owed if fits else 0)
    if fits:
        _write_off(folding, f"event:{event.no}", event.effective_date)


def write_off_small_balance(folding: Folding, day: date) -> None:
    """Write off what a payment of this day has left, if it was to be the last one.

    It was, if no installment is still to come of which nothing was paid, and no cash is there that is not applied.
    """
    if not folding.terms.product.small_balance.automatic or folding.paid_on != day or folding.unapplied:
        return
    if 0 < _owed(folding) <= _limit(folding) and not folding.installments.has_one_untouched:
        _write_off(folding, f"small_balance:{day}", day)


def _write_off(folding: Folding, key: str, day: date) -> None:
    amounts = {**folding.owed, "recoverable": folding.recoverable}
    for fee in folding.fees:
        folding.waive_fee(fee, folding.fees.owed(fee))
    folding.waive_interest(amounts["interest"], day)
    folding.owed, folding.recoverable = dict.fromkeys(folding.owed, 0), 0
    folding.installments.write_off(amounts["principal"], day)
    folding.note_paid_off(day)
    folding.plan(key, "small_balance_written_off", day, amounts)


def _owed(folding: Folding) -> int:
    return sum(folding.owed.values()) + folding.recoverable


def _limit(folding: Folding) -> int:
    return folding.terms.amount(folding.terms.product.small_balance.limit).minor
