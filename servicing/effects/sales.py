"""Sales: a loan, or a claim that is charged off, leaves the books at its price; servicing goes with it or stays.

Where servicing is released, the contract stands still until the loan is bought back: nothing is earned, and what comes
in is the borrower's cash. Where it is retained, the contract goes on, and everything is a memorandum for the owner.
Never: who buys, or whether it may be sold (`servicing/commands/sales.py`). Next: `docs/spec/sales.md`.
"""

from __future__ import annotations

from servicing.books import claim_entry
from servicing.effects.charge_offs import FEES
from servicing.events import CLEARING_ROLES, RAILS, Event
from servicing.folding import Folding

RETAINED = "retained"


def sell(folding: Folding, event: Event) -> None:
    """Take a loan off the books for a price; without one, at what the books carry."""
    books = folding.books
    if books.sold_on is not None or folding.paid_off_on is not None:
        folding.decide(event, stands=0)
        return
    day, key = event.effective_date, f"event:{event.no}"
    folding.accrue_by(day)
    folding.release_commitment(day)
    if books.is_charged_off:
        folding.planned.append(claim_entry(f"{key}/claim", day, _owed(folding), rises=False))
        _settle(folding, event, "claim_sale_price", event.amount)
    else:
        carried = _take_off_the_books(folding, key, event)
        price = carried if event.details.get("at_carrying_amount") else event.amount
        _settle(folding, event, "loan_sale_price", price)
        _note_result(folding, event, price - carried)
    books.sold_on, books.is_serviced = day, event.details.get("servicing") == RETAINED
    if books.is_serviced:
        folding.planned.append(claim_entry(f"{key}/serviced", day, _owed(folding), rises=True, serviced=True))
    else:
        folding.held = 0
        folding.interest.stop()


def buy_back(folding: Folding, event: Event) -> None:
    """Take a loan back on the books at what is owed by contract, for a price; without one, for that."""
    books, day, key = folding.books, event.effective_date, f"event:{event.no}"
    if books.sold_on is None:
        folding.decide(event, stands=0)
        return
    folding.accrue_by(day)
    owed = _owed(folding)
    if books.is_serviced and owed:
        folding.planned.append(claim_entry(f"{key}/serviced", day, owed, rises=False, serviced=True))
    books.sold_on, books.is_serviced = None, False
    if books.is_charged_off:
        folding.planned.append(claim_entry(f"{key}/claim", day, owed, rises=True))
        _settle(folding, event, "claim_buy_back_price", event.amount)
        return
    folding.interest.go_on()
    if owed:
        folding.plan(f"{key}/loan", "loan_bought_back", day, {**folding.owed, "recoverable": folding.recoverable})
    price = owed if event.details.get("at_carrying_amount") else event.amount
    _settle(folding, event, "buy_back_price", price)
    _note_result(folding, event, owed - price)


def keep_for_the_owner(folding: Folding, event: Event) -> None:
    """Keep cash unapplied that came after the loan was sold: it is not the lender's to apply."""
    folding.keep(event)
    amounts = {**dict.fromkeys(folding.owed, 0), "unapplied": event.amount}
    folding.plan(f"event:{event.no}", "payment_applied", event.effective_date, amounts, RAILS[event.method])


def _take_off_the_books(folding: Folding, key: str, event: Event) -> int:
    """Plan what leaves the books, and return what they carried."""
    books, owed, day = folding.books, folding.owed, event.effective_date
    deferred, counted = folding.origination_fee.drop(), books.cost_recovery
    amounts = {
        "principal": owed["principal"] - counted,
        "interest": owed["interest"] - books.memo_interest,
        **{name: owed[name] for name in FEES},
        "recoverable": folding.recoverable,
    }
    carried = sum(amounts.values())
    if carried:
        folding.plan(f"{key}/loan", "loan_sold", day, amounts)
    if deferred:
        folding.plan(f"{key}/deferred_fee", "deferred_fee_sold", day, {"deferred": deferred})
    if counted:
        books.cost_recovery = 0
        folding.plan(f"{key}/cost_recovery", "cost_recovery_sold", day, {"principal": counted})
    if books.memo_interest:
        folding.planned.append(books.settle(f"{key}/memo", day, books.memo_interest))
    books.non_accrual_since = books.non_accrual_by = None
    return carried - deferred


def _settle(folding: Folding, event: Event, template: str, price: int) -> None:
    if price:
        role = CLEARING_ROLES[event.details["rail"]]
        folding.plan(f"event:{event.no}/price", template, event.effective_date, {"price": price}, role)


def _note_result(folding: Folding, event: Event, result: int) -> None:
    if result:
        template = "loan_sale_gain" if result > 0 else "loan_sale_loss"
        folding.plan(f"event:{event.no}/result", template, event.effective_date, {"amount": abs(result)})


def _owed(folding: Folding) -> int:
    return sum(folding.owed.values()) + folding.recoverable
