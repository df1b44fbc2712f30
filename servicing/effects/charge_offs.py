"""Charge-off: by a person, or at the close of the day on which a loan is too long past due.

What was accrued and is unpaid leaves the books, never what is only scheduled; the contract's claim stays as a memo, and
nothing more is earned on it. Never: what comes in later (`servicing/effects/recoveries.py`), or accounts.
Next: `servicing/books.py`; `docs/spec/charge_off.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from servicing.books import claim_entry
from servicing.events import Event, Kind
from servicing.folding import Folding
from servicing.pauses import days_counted

FEES = ("late_fees", "returned_payment_fees", "other_fees")


def charge_off(folding: Folding, event: Event) -> None:
    """Charge off everything that is owed, as a person decided; nothing of a loan that is off the books already."""
    amount = _charge_off(folding, f"event:{event.no}", event.effective_date, by=event.no)
    folding.decide(event, stands=amount)


def charge_off_by_policy(folding: Folding, day: date) -> None:
    """Charge off a loan that is as many days past due as the product says, unless a person has reversed just that."""
    threshold, since = folding.terms.product.charge_off_dpd, folding.installments.unpaid_since(day)
    if threshold is None or since is None or days_counted(since, day, folding.workouts.pauses) < threshold:
        return
    if since not in folding.books.charge_offs_spared:
        _charge_off(folding, f"charge_off:{day}", day, by=None)


def spared(events: Iterable[Event]) -> frozenset[date]:
    """Return the due dates whose delinquency the policy leaves alone: a person has reversed its charge-off.

    As with whatever is undone, that holds for every day.
    """
    reversals = (event.details.get("charge_off_of") for event in events if event.kind is Kind.EVENT_REVERSED)
    return frozenset(date.fromisoformat(since) for since in reversals if since is not None)


def _charge_off(folding: Folding, key: str, day: date, *, by: int | None) -> int:
    """Take everything that is owed off the books, after cash of the borrower that is there; return how much."""
    books = folding.books
    if books.is_off or folding.paid_off_on is not None:
        return 0
    folding.accrue_by(day)
    _spend_what_is_there(folding, key, day)
    amount = sum(folding.owed.values()) + folding.recoverable
    if not amount:
        return 0
    folding.release_commitment(day)
    _take_off_the_books(folding, key, day)
    books.charged_off_on, books.charged_off_by = day, by
    folding.interest.stop()
    folding.planned.append(claim_entry(f"{key}/claim", day, amount, rises=True))
    return amount


def _spend_what_is_there(folding: Folding, key: str, day: date) -> None:
    folding.held = folding.unapplied
    folding.spend_held(day, f"{key}/applied", folding.way_of_all())
    folding.held = 0


def _take_off_the_books(folding: Folding, key: str, day: date) -> None:
    books, owed, rules = folding.books, folding.owed, folding.terms.product.charge_off
    deferred, counted = folding.origination_fee.drop(), books.cost_recovery
    current, before = books.income_to_reverse(owed["interest"] - books.memo_interest, day)
    if rules.prior_years == "income":
        current, before = current + before, 0
    lost = rules.fees == "allowance"
    amounts = {
        "principal": owed["principal"] - counted,
        "interest": current,
        "interest_of_prior_years": before,
        **{name: 0 if lost else owed[name] for name in FEES},
        **{f"{name}_lost": owed[name] if lost else 0 for name in FEES},
        "recoverable": folding.recoverable,
    }
    if any(amounts.values()):
        folding.plan(key, "loan_charged_off", day, amounts)
    if books.memo_interest:
        folding.planned.append(books.settle(f"{key}/memo", day, books.memo_interest))
    if deferred:
        folding.plan(f"{key}/deferred_fee", "deferred_fee_charged_off", day, {"deferred": deferred})
    if counted:
        books.cost_recovery = 0
        folding.plan(f"{key}/cost_recovery", "cost_recovery_charged_off", day, {"principal": counted})
