"""Recording an event of a loan: lock the loan, append the event, bring the journal to what the events now say.

Every command that changes a loan comes through here, so a request key that comes back returns what it did the first
time, whatever the command. Never: what an event does (`servicing/effects/`). Next: `servicing/commands/converge.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ledger.errors import CurrencyMismatch, RequestKeyReused
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.converge import converge
from servicing.engine import fold
from servicing.errors import EffectiveBeforeCutOver, EffectiveBeforeFunding, EffectiveDateAhead, LoanSold
from servicing.events import AFTER_RELEASE, UNDOING, Event, Kind
from servicing.state import LoanState
from servicing.store import Loan, append_event, load_loan, payload_of


@dataclass(frozen=True, slots=True)
class Recorded:
    """The event as it is kept, the loan after it, and the entries booked; none if the request came before."""

    event: Event
    state: LoanState
    entries: tuple[int, ...]
    replayed: bool


Draft = Callable[[Loan], Event]
"""Makes the event of a loan that is locked; its number is given later. It may refuse: nothing is written then."""


def record(uow: UnitOfWork, loan_id: int, draft: Draft, check: Callable[[Loan, Event], None], key: str) -> Recorded:
    """Record an event, unless its request key recorded one before.

    `check` refuses by raising; it is not asked of a repeated request. Raises: LoanUnknown; RequestKeyReused; what
    `draft`, `check` and posting raise.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    event = replace(draft(loan), no=max((known.no for known in loan.events), default=0) + 1)
    before = _came_before(loan, event, key)
    if before is not None:
        state = fold(loan.terms, loan.events, loan.business_date, fees_through=loan.fees_through)
        return Recorded(before, state, (), replayed=True)
    _refuse_sold(loan, event)
    check(loan, event)
    append_event(uow.connection, loan_id, event, uow.actor, key)
    done = converge(uow, loan, (*loan.events, event), request_key=key, because=event)
    return Recorded(event, done.state, done.entries, replayed=False)


def foresee(loan: Loan, event: Event) -> LoanState:
    """Return the loan at the close of the event's day, as it would be with the event, and before later ones.

    Whoever decides an amount asks here whether all of it would stand.
    """
    return fold(loan.terms, (*loan.events, event), event.effective_date, fees_through=loan.fees_through)


def stands(loan: Loan, event: Event) -> int:
    """Return what would stand of the amount of an event that a person decides."""
    reviews = foresee(loan, event).reviews
    return next((review.stands for review in reviews if review.event_no == event.no), event.amount)


def check_currency(loan: Loan, money: Money) -> None:
    """Refuse an amount in another currency than the loan's.

    Raises: CurrencyMismatch.
    """
    if money.currency != loan.terms.currency:
        raise CurrencyMismatch(left=loan.terms.currency, right=money.currency)


def check_day(loan: Loan, day: date) -> None:
    """Refuse a day on which nothing can happen to a loan.

    Raises: EffectiveDateAhead of the business date; EffectiveBeforeFunding; EffectiveBeforeCutOver of a loan that was
    taken over.
    """
    if day > loan.business_date:
        raise EffectiveDateAhead(effective_date=day, business_date=loan.business_date)
    if loan.cut_over_on is not None and day < loan.cut_over_on:
        raise EffectiveBeforeCutOver(effective_date=day, cut_over_on=loan.cut_over_on)
    if day < loan.terms.funded_on:
        raise EffectiveBeforeFunding(effective_date=day, funded_on=loan.terms.funded_on)


def _refuse_sold(loan: Loan, event: Event) -> None:
    """Refuse what cannot happen to a loan that is sold with its servicing.

    Raises: LoanSold.
    """
    undone = {each.of for each in loan.events if each.kind in UNDOING}
    deals = [each for each in loan.events if each.kind in (Kind.SOLD, Kind.BOUGHT_BACK) and each.no not in undone]
    before = [each for each in deals if each.effective_date <= event.effective_date]
    last = max(before, key=lambda each: each.order, default=None)
    released = last is not None and last.kind is Kind.SOLD and last.details["servicing"] == "released"
    if released and last is not None and event.kind not in AFTER_RELEASE:
        raise LoanSold(loan_id=loan.loan_id, sold_on=last.effective_date)


def _came_before(loan: Loan, event: Event, request_key: str) -> Event | None:
    """Return the event that the request key made, if it has.

    Raises: RequestKeyReused naming the field that differs. The day on which a return is entered is not a field of it.
    """
    if request_key not in loan.request_keys:
        return None
    first = next(known for known in loan.events if known.no == loan.request_keys[request_key])
    stored, given = _inputs(first), _inputs(event)
    for name in (*given, *stored):
        if stored.get(name) != given.get(name):
            raise RequestKeyReused(
                request_key=request_key,
                field=name,
                stored=str(stored.get(name, "(none)")),
                given=str(given.get(name, "(none)")),
            )
    return first


def _inputs(event: Event) -> dict[str, Any]:
    dated = {} if event.kind in UNDOING else {"effective_date": event.effective_date}
    return {"kind": event.kind.value, **dated, **payload_of(event)}
