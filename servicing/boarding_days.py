"""The days of a loan that is boarded, held against the book before anything is booked.

A loan is funded, or taken over, while its book is open and not ahead of its business date; its last installment falls
due within a hundred years of its funding. Never: what a loan is otherwise (`servicing/terms.py`).
Next: `servicing/tapes/tape.py`, which names them by row; `servicing/commands/boarding.py`, which refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.book_days import objection_to
from servicing.drafts import LoanDraft
from servicing.errors import CutOverBeforeBookOpened, EffectiveDateAhead, FundedBeforeBookOpened, TermsInvalid
from servicing.schedule import dues_of
from servicing.terms import Terms

MAX_YEARS = 100
LONGEST_PERIOD = timedelta(days=999)


@dataclass(frozen=True, slots=True)
class BookDays:
    """The days that a book knows: when it opened, and which day it is."""

    code: str
    opened_on: date
    business_date: date


def require_days(draft: LoanDraft, book: BookDays) -> None:
    """Refuse a loan that its book cannot take for its days.

    Raises: TermsInvalid with the field and the day; FundedBeforeBookOpened; CutOverBeforeBookOpened;
    EffectiveDateAhead.
    """
    for field, reason in objections(draft):
        raise TermsInvalid(field=field, reason=reason)
    day = draft.begins_on
    if day < book.opened_on and draft.opening is None:
        raise FundedBeforeBookOpened(funded_on=day, book=book.code, opened_on=book.opened_on)
    if day < book.opened_on:
        raise CutOverBeforeBookOpened(cut_over_on=day, book=book.code, opened_on=book.opened_on)
    if day > book.business_date:
        raise EffectiveDateAhead(effective_date=day, business_date=book.business_date)


def objections(draft: LoanDraft, book: BookDays | None = None) -> Iterator[tuple[str, str]]:
    """Yield fields and why their days cannot be; without a book, whatever day it opened is right."""
    terms, outside = draft.terms, False
    days = {"funded_on": terms.funded_on, "first_due_on": terms.first_due_on}
    begins = "funded_on" if draft.opening is None else "cut_over_on"
    for field, day in {**days, begins: draft.begins_on}.items():
        objection = objection_to(day)
        if objection is not None:
            outside = True
            yield field, objection
    if not outside:
        yield from _too_long(terms)
    if book is not None and draft.begins_on < book.opened_on:
        yield begins, f"{draft.begins_on} lies before book {book.code} opened on {book.opened_on}"
    if book is not None and draft.begins_on > book.business_date:
        yield begins, f"{draft.begins_on} lies ahead of the business date {book.business_date}"


def _too_long(terms: Terms) -> Iterator[tuple[str, str]]:
    latest = _years_after(terms.funded_on, MAX_YEARS)
    # Most loans are so short that their due dates need not be drawn up to see it.
    if not terms.rows and terms.first_due_on + _longest(terms) <= latest:
        return
    try:
        last = dues_of(terms)[-1]
    except TermsInvalid as mistake:
        yield mistake.field, mistake.reason
        return
    if last > latest:
        reason = f"the last of {terms.installments} falls due on {last}, which lies after {latest}"
        yield "installments", f"{reason}, {MAX_YEARS} years after the funding on {terms.funded_on}"


def _longest(terms: Terms) -> timedelta:
    """Return more than all its periods after the first can take."""
    return timedelta(days=32 if terms.frequency == "monthly" else LONGEST_PERIOD.days) * terms.installments


def _years_after(day: date, years: int) -> date:
    # The 28th is in every February.
    return day.replace(year=day.year + years, day=min(day.day, 28))
