"""Non-accrual: interest goes on by contract and is no income; when it begins and ends, by the policy or by a person.

What a person began, a person ends. What a person ended does not begin again for the same delinquency.
Never: how a payment is booked meanwhile (`servicing/books.py`). Next: `docs/spec/non_accrual.md`.
"""

from __future__ import annotations

from datetime import date, timedelta

from servicing.events import Event
from servicing.folding import Folding
from servicing.pauses import days_counted


def enter(folding: Folding, event: Event) -> None:
    """Stop income, as a person decided."""
    _enter(folding, f"event:{event.no}", event.effective_date, by=event.no)


def resume(folding: Folding, event: Event) -> None:
    """Let interest be income again, as a person decided; the policy leaves this delinquency alone from then on."""
    day = event.effective_date
    if folding.books.is_non_accrual:
        folding.books.non_accrual_spared = folding.installments.unpaid_since(day)
        _resume(folding, day)


def enter_by_policy(folding: Folding, day: date) -> None:
    """Stop the income of a loan that is as many days past due as the product says."""
    threshold, since = folding.terms.product.non_accrual_dpd, folding.installments.unpaid_since(day)
    if threshold is None or since is None or days_counted(since, day, folding.workouts.pauses) < threshold:
        return
    if since != folding.books.non_accrual_spared:
        _enter(folding, f"non_accrual:{day}", day, by=None)


def resume_by_policy(folding: Folding, day: date) -> None:
    """Let interest be income again of a loan that the policy stopped, once it performs as the product asks."""
    product, books = folding.terms.product, folding.books
    since, rules = books.non_accrual_since, product.non_accrual
    if since is None or not books.is_non_accrual or books.non_accrual_by is not None or rules.returns == "by_hand":
        return
    grace = timedelta(days=product.grace_days)
    is_current = folding.installments.unpaid_since(day + timedelta(days=1)) is None
    if is_current and folding.installments.in_time(since, grace) >= rules.consecutive_payments:
        _resume(folding, day)


def _enter(folding: Folding, key: str, day: date, *, by: int | None) -> None:
    books = folding.books
    if books.non_accrual_since is not None or books.is_off or folding.paid_off_on is not None:
        return
    folding.accrue_by(day)
    books.non_accrual_since, books.non_accrual_by = day, by
    interest = folding.owed["interest"] - books.memo_interest
    current, before = books.income_to_reverse(interest, day)
    if folding.terms.product.non_accrual.prior_years == "income":
        current, before = interest, 0
    if interest:
        folding.plan(key, "non_accrual_entered", day, {"interest": current, "interest_of_prior_years": before})
        folding.planned.append(books.keep(f"{key}/memo", day, interest))


def _resume(folding: Folding, day: date) -> None:
    folding.accrue_by(day)
    folding.books.non_accrual_since, folding.books.non_accrual_by = None, None
    folding.origination_fee.go_on(folding.changes, day)
    folding.accrete_from(day)
